/// Iteration: everything that was there throughout is met, once, whatever else happens.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Scan")
struct ScanTests {
  @Test("Every entry is met once, in pages of at most the limit", arguments: [1, 2, 7, 100, 5000])
  func complete(limit: Int) throws {
    let store = makeStore(shards: 8)
    for index in 0..<3000 { try store.set("k\(index)", "v") }
    var keys: [String] = []
    var cursor: ScanCursor? = .start
    while let from = cursor {
      let before = keys.count
      cursor = store.scan(from: from, limit: limit, at: .start) { keys.append($0.key.text) }
      #expect(keys.count - before <= limit)
    }
    #expect(keys.count == 3000 && Set(keys).count == 3000)
  }

  @Test("What stays is met while other entries come and go by the thousands", arguments: [1, 16])
  func changing(shards: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix64(seed: seed)
    let store = makeStore(limit: 256 << 20, shards: shards, seed: seed)
    let staying = (0..<2000).map { "stays\($0)" }
    for key in staying { try store.set(key, "v") }
    var met: [String: Int] = [:]
    var cursor: ScanCursor? = .start
    var created = 0
    while let from = cursor {
      cursor = store.scan(from: from, limit: 1 + random.below(60), at: .start) { met[$0.key.text, default: 0] += 1 }
      for _ in 0..<random.below(400) {
        try store.set("new\(created)", "v")
        created += 1
      }
      for _ in 0..<random.below(300) { try store.remove("new\(random.below(created + 1))") }
      // Replaced entries stay where they are, too.
      for _ in 0..<20 { try store.set(staying[random.below(2000)], String(repeating: "w", count: random.below(100))) }
    }
    for key in staying { #expect(met[key] == 1, "seed \(seed): \(key) was met \(met[key] ?? 0) times") }
    #expect(met.values.allSatisfy { $0 == 1 }, "seed \(seed)")
  }

  @Test("What stays is met while other threads put and delete")
  func concurrent() async throws {
    let store = makeStore(limit: 256 << 20, shards: 4)
    for index in 0..<1000 { try store.set("stays\(index)", "v") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<2 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread))
          for index in 0..<8000 {
            try store.set("new\(thread):\(index)", "v")
            if random.below(2) == 0 { try store.remove("new\(thread):\(random.below(index + 1))") }
          }
        }
      }
      group.addTask {
        for _ in 0..<5 {
          let met = store.keys(limit: 50).filter { $0.hasPrefix("stays") }
          #expect(met.count == 1000 && Set(met).count == 1000)
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("A prefix, a database and expiry choose what is lent")
  func chosen() throws {
    let store = makeStore()
    for index in 0..<300 {
      try store.set("a:\(index)", "v")
      try store.set("b:\(index)", "v", expiry: .start + 10)
      try store.set("a:\(index)", "v", database: 3)
    }
    #expect(Set(store.keys(prefix: "a:")) == Set((0..<300).map { "a:\($0)" }))
    #expect(store.keys(prefix: "a:1").count == 111)
    #expect(store.keys(prefix: "b:").count == 300)
    #expect(store.keys(prefix: "b:", at: .start + 10).isEmpty)
    #expect(store.keys(database: 3).count == 300)
    #expect(store.keys(database: nil).count == 900)
    #expect(store.keys(prefix: "c").isEmpty)
  }

  @Test("A step looks at a bounded number of entries")
  func bounded() throws {
    let store = makeStore(shards: 1)
    for index in 0..<5000 { try store.set("k\(index)", "v") }
    var steps = 0
    var cursor: ScanCursor? = .start
    withBytes("none of them") { prefix in
      while let from = cursor {
        cursor = store.scan(from: from, limit: 1000, prefix: prefix, examineMax: 100, at: .start) { _ in Issue.record("no such key") }
        steps += 1
      }
      #expect(steps >= 50)
    }
  }

  @Test("A cursor is a decimal number, and anything else is none")
  func cursorText() {
    for position in [0, 1, UInt64.max] {
      var text = ByteBuffer()
      text.append(ScanCursor(position: position))
      #expect(text.text == "\(position)")
      let read = ScanCursor(text.bytes)
      #expect(read == ScanCursor(position: position))
    }
    for text in ["", "-1", "x", "18446744073709551616", " 1"] { #expect(withBytes(text) { ScanCursor($0) } == nil) }
  }

  @Test("Any position is a place to go on from")
  func anyCursor() throws {
    let store = makeStore(shards: 64)
    for index in 0..<100 { try store.set("k\(index)", "v") }
    var random = SplitMix64(seed: 5)
    for _ in 0..<200 { _ = store.scan(from: ScanCursor(position: random.next()), limit: 10, at: .start) { _ in } }
    #expect(store.scan(from: ScanCursor(position: .max), limit: 10, at: .start) { _ in } == nil)
  }

  @Test("Removal by prefix takes those keys and no others, in bounded steps")
  func removal() throws {
    let store = makeStore(shards: 2)
    for index in 0..<4000 {
      try store.set("a:\(index)", "v")
      try store.set("b:\(index)", "v")
      try store.set("a:\(index)", "v", database: 1)
    }
    try store.set("a:expired", "v", expiry: .start + 1)
    var deleted = 0
    var steps = 0
    var cursor: ScanCursor? = .start
    while let from = cursor {
      let step = withBytes("a:") { store.remove(prefix: $0, from: from, maxSteps: 500, at: .start + 5) }
      deleted += step.deleted
      cursor = step.next
      steps += 1
    }
    #expect(deleted == 4000 && steps > 10)
    #expect(store.count() == 4000 && store.count(database: 1) == 4000)
    #expect(store.keys(prefix: "a:").isEmpty && store.keys(prefix: "b:").count == 4000)
  }
}
