/// Compaction: memory of what is gone comes back, and what stays stays as it was.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Compaction")
struct CompactionTests {
  @Test("Steps give the memory of deleted entries back; values, versions, deadlines and pins stay", arguments: [1, 8])
  func steps(shards: Int) throws {
    let store = makeStore(limit: 64 << 20, eviction: .none, shards: shards)
    let large = String(repeating: "l", count: CacheLimits.largeValueBytesMin)
    var versions: [Int: UInt64] = [:]
    for index in 0..<12_000 {
      let value = index % 1000 == 0 ? large + "\(index)" : "value \(index)"
      versions[index] = try store.set("k\(index)", value, expiry: index % 3 == 0 ? .start + 1_000_000 : .never, tags: "t").version
    }
    let full = store.statistics
    try withBytes("k0") { key in
      let pinned = try store.pin(key, at: .start)!
      for index in 0..<12_000 where index % 4 != 0 { try store.remove("k\(index)") }
      let sparse = store.statistics
      #expect(sparse.deadBytes > 100_000)
      for _ in 0..<3 { while !store.expireStep(at: .start, budget: 300).isDone {} }
      let compact = store.statistics
      #expect(compact.deadBytes < sparse.deadBytes / 3 && compact.movedBytes > 0)
      #expect(compact.bytes < full.bytes - full.bytes / 10)
      for index in stride(from: 0, to: 12_000, by: 4) {
        let value = index % 1000 == 0 ? large + "\(index)" : "value \(index)"
        #expect(store.version("k\(index)") == versions[index] && store.text("k\(index)") == value)
      }
      #expect(store.keys(limit: 50).count == 3000)
      try store.remove("k0")
      let isWhole = pinned.value.text == large + "0" && pinned.version == versions[0]
      #expect(isWhole)
    }
    while !store.expireStep(at: .start + 1_000_000).isDone {}
    #expect(store.count() == 2000)
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0 && store.statistics.deadBytes == 0)
  }

  @Test("What was invalidated or is over is not copied: it is removed where it is met")
  func removesWhatIsOver() throws {
    let store = makeStore(limit: 64 << 20, eviction: .none, shards: 1)
    let value = String(repeating: "v", count: 60)
    for index in 0..<6000 { try store.set("k\(index)", value, tags: index % 3 == 0 ? "red" : "blue") }
    for index in 0..<6000 where index % 3 == 1 { try store.remove("k\(index)") }
    withBytes("red") { store.invalidate(tags: $0) }
    // Nobody sweeps tags here: only what is copied comes by.
    for _ in 0..<3 { while !store.expireStep(at: .start).isDone {} }
    let statistics = store.statistics
    #expect(statistics.invalidations > 1500)
    #expect(statistics.movedBytes > 0 && statistics.movedBytes < 2100 * 100, "only what stays")
    for index in stride(from: 2, to: 6000, by: 3) { #expect(store.text("k\(index)") == value) }
  }

  @Test("What stays is scanned once while everything around it is compacted")
  func scan() throws {
    let store = makeStore(limit: 64 << 20, eviction: .none, shards: 2)
    for index in 0..<6000 { try store.set(index % 3 == 0 ? "stays\(index)" : "goes\(index)", String(repeating: "v", count: 60)) }
    var met: [String: Int] = [:]
    var cursor: ScanCursor? = .start
    var next = 0
    while let from = cursor {
      cursor = store.scan(from: from, limit: 40, at: .start) { met[$0.key.text, default: 0] += 1 }
      for _ in 0..<60 where next < 6000 {
        if next % 3 != 0 { try store.remove("goes\(next)") }
        next += 1
      }
      _ = store.expireStep(at: .start, budget: 2000)
    }
    #expect(store.statistics.movedBytes > 0)
    for index in stride(from: 0, to: 6000, by: 3) { #expect(met["stays\(index)"] == 1) }
  }

  @Test("A search among segments none of which is worth copying is not repeated until more is dead")
  func vainSearch() throws {
    let store = makeStore(limit: 64 << 20, eviction: .none, shards: 1)
    for index in 0..<9000 { try store.set("k\(index)", String(repeating: "v", count: 60)) }
    func steps() -> Int {
      var steps = 1
      while !store.expireStep(at: .start, budget: 40).isDone { steps += 1 }
      return steps
    }
    // A sixth of each segment: enough to look, too little to copy.
    for index in stride(from: 0, to: 9000, by: 6) { try store.remove("k\(index)") }
    let dead = store.statistics.deadBytes
    #expect(steps() > 3)
    for _ in 0..<3 { #expect(steps() == 1) }
    #expect(store.statistics.deadBytes == dead && store.statistics.movedBytes == 0)
    // Another sixth.
    for index in stride(from: 1, to: 9000, by: 6) { try store.remove("k\(index)") }
    for _ in 0..<3 { _ = steps() }
    #expect(store.statistics.deadBytes < dead && store.statistics.movedBytes > 0)
    for index in 0..<9000 { #expect(store.text("k\(index)") == (index % 6 < 2 ? nil : String(repeating: "v", count: 60))) }
  }

  @Test("All of a large store is removed at once, and freed step by step")
  func trash() throws {
    let store = makeStore(limit: 256 << 20, shards: 4)
    for index in 0..<1000 { try store.set("k\(index)", String(repeating: "v", count: 60_000)) }
    store.removeAll(at: .start)
    let after = store.statistics
    #expect(after.entries == 0 && store.text("k1") == nil && after.bytes > 0)
    var steps = 0
    while store.statistics.bytes > 0, steps < 1000 {
      _ = store.expireStep(at: .start)
      steps += 1
    }
    #expect(store.statistics.bytes == 0 && steps > 3)
    try store.set("k1", "again")
    #expect(store.text("k1") == "again")
  }
}
