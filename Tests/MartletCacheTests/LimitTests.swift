/// The limit: what the ledger says, what is evicted, what is refused, and what the process really takes.

import MartletBytes
import Synchronization
import Testing

@testable import MartletCache

#if canImport(Glibc)
  import Glibc
#endif

/// Tables grow by a slab, and what is evicted is copied to a segment, before the next put makes up for it.
let allowance: UInt64 = 32 << 10 + UInt64(Segment.bytesMax)

@Suite("Limit and eviction")
struct LimitTests {
  @Test("The ledger never passes the limit, whatever is written", arguments: [1, 16])
  func ledger(shards: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix64(seed: seed)
    let store = makeStore(limit: 4 << 20, shards: shards, seed: seed)
    for round in 0..<6000 {
      let size = [0, 10, 100, 1000, 10_000, 100_000, 400_000][random.below(round % 50 == 0 ? 7 : 5)]
      try store.set("k\(random.below(3000))", String(repeating: "v", count: size))
      #expect(store.statistics.bytes <= 4 << 20 + allowance, "seed \(seed)")
    }
    let statistics = store.statistics
    #expect(statistics.evictions > 0 && statistics.entries > 50 && statistics.bytes > 3 << 20, "seed \(seed)")
    #expect(statistics.limitBytes == 4 << 20)
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0, "seed \(seed)")
  }

  @Test("Entries that are read stay while ten times the limit passes by")
  func hotKeys() throws {
    let store = makeStore(limit: 4 << 20, shards: 4)
    let value = String(repeating: "v", count: 200)
    for index in 0..<500 { try store.set("hot\(index)", value) }
    var misses = 0
    for index in 0..<60_000 {
      try store.set("cold\(index)", value)
      if index % 4 == 0, store.text("hot\(index / 4 % 500)") == nil {
        misses += 1
        try store.set("hot\(index / 4 % 500)", value)
      }
    }
    #expect(store.statistics.evictions > 30_000)
    #expect(misses < 150, "of 15,000 reads of 500 hot keys \(misses) missed")
  }

  @Test("Without eviction a write beyond the limit is refused, and changes nothing")
  func refused() throws {
    let store = makeStore(limit: 1 << 20, eviction: .none, shards: 2)
    var count = 0
    var refusedInARow = 0
    while count < 100_000, refusedInARow < 20 {
      do {
        try store.set("k\(count)", String(repeating: "v", count: 500))
        count += 1
        refusedInARow = 0
      } catch {
        #expect(error == .outOfMemory)
        refusedInARow += 1
        _ = try? store.set("other\(refusedInARow)", String(repeating: "v", count: 500))
      }
    }
    for index in 0..<20 { try store.remove("other\(index)") }
    let statistics = store.statistics
    #expect(count > 1000 && statistics.entries == count && statistics.evictions == 0 && statistics.bytes <= 1 << 20)
    for index in 0..<count { #expect(store.text("k\(index)")?.count == 500) }
    // Growing one is refused, replacing it is not, and deleting makes room.
    #expect(throws: CacheError.outOfMemory) { try store.set("k0", String(repeating: "w", count: 5000)) }
    #expect(throws: CacheError.outOfMemory) { try store.set("big", String(repeating: "w", count: 100_000)) }
    do throws(UpdateError<Never>) {
      _ = try store.change("k0") { _ in String(repeating: "w", count: 5000) }
      Issue.record("an update beyond the limit went ahead")
    } catch {
      guard case .cache(.outOfMemory) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(store.text("k0") == String(repeating: "v", count: 500))
    try store.set("k0", String(repeating: "x", count: 500))
    for index in 0..<200 { try store.remove("k\(index)") }
    try store.set("new", String(repeating: "w", count: 5000))
    #expect(store.statistics.bytes <= 1 << 20)
  }

  @Test("Without eviction what has expired makes room")
  func expiredMakesRoom() throws {
    let store = makeStore(limit: 1 << 20, eviction: .none, shards: 1)
    for index in 0..<1000 { try store.set("k\(index)", String(repeating: "v", count: 800), expiry: .start + 100) }
    #expect(throws: CacheError.outOfMemory) { try store.set("big", String(repeating: "v", count: 131_000)) }
    try store.set("big", String(repeating: "v", count: 60_000), at: .start + 100)
    #expect(store.text("big", at: .start + 100)?.count == 60_000)
  }

  @Test("Expired entries are evicted before any other")
  func expiredFirst() throws {
    let store = makeStore(limit: 1 << 20, shards: 1)
    for index in 0..<400 { try store.set("stays\(index)", String(repeating: "v", count: 500)) }
    for index in 0..<900 { try store.set("goes\(index)", String(repeating: "v", count: 500), expiry: .start + 10) }
    for index in 0..<1000 { try store.set("new\(index)", String(repeating: "v", count: 500), at: .start + 10) }
    #expect(store.statistics.evictions == 0 && store.statistics.expirations > 0)
    for index in 0..<400 { #expect(store.text("stays\(index)", at: .start + 10) != nil) }
  }

  @Test("A large value takes from all shards, not from one alone")
  func largeTakesFromAll() throws {
    let store = makeStore(limit: 16 << 20, shards: 16)
    for index in 0..<30_000 { try store.set("k\(index)", String(repeating: "v", count: 400)) }
    let before = store.statistics
    try store.set("big", String(repeating: "v", count: 2 << 20))
    #expect(store.text("big")?.utf8.count == 2 << 20)
    let left = (0..<30_000).filter { store.text("k\($0)") != nil }
    var perShard = [Int](repeating: 0, count: 16)
    for index in left { withBytes("k\(index)") { perShard[unsafe store.engine.pointee.shardIndex(store.hash($0, 0))] += 1 } }
    #expect(store.statistics.evictions >= before.evictions)
    #expect(perShard.min()! > 500, "\(perShard)")
  }

  @Test("Hashes that agree in too many bits cost an eviction or a refusal, not time")
  func crowded() throws {
    for eviction in [CacheStore.EvictionPolicy.s3fifo, .none] {
      let store = makeStore(eviction: eviction, shards: 1, seed: 7)
      var crowd: [String] = []
      var index = 0
      while crowd.count < 60 {
        let key = "k\(index)"
        index += 1
        if withBytes(key, { store.hash($0, 0) }) >> 57 == 61 { crowd.append(key) }
      }
      var refused = 0
      for key in crowd {
        do { try store.set(key, key) } catch { refused += 1 }
      }
      let there = crowd.filter { store.text($0) == $0 }
      #expect(there.count == Page.windowLines * Line.slotCount && there.count == store.count())
      #expect(refused == (eviction == .none ? 60 - there.count : 0))
      for key in there { #expect(try store.remove(key)) }
      #expect(store.count() == 0)
      try store.set(crowd[0], "again")
      #expect(store.text(crowd[0]) == "again")
    }
  }

  @Test("Memory that the system does not give is an error of that one write, or evicts")
  func systemRefuses() throws {
    for eviction in [CacheStore.EvictionPolicy.s3fifo, .none] {
      let store = makeStore(limit: 64 << 20, eviction: eviction, shards: 2)
      let commitsLeft = unsafe store.engine.pointee.memory.ledger
      for index in 0..<100 { try store.set("k\(index)", "v") }
      commitsLeft.commitsLeft.store(0, ordering: .relaxed)
      withBytes("k") { key in
        do throws(CacheError) {
          _ = try store.reserve(key, valueBytes: 1 << 20, at: .start)
          Issue.record("1 MiB came from nowhere")
        } catch {
          #expect(error == .outOfMemory)
        }
      }
      var refused = 0
      var last = 0
      for index in 0..<20_000 {
        do {
          try store.set("l\(index)", String(repeating: "v", count: 300))
          last = index
        } catch {
          #expect(error == .outOfMemory)
          refused += 1
        }
      }
      #expect((refused == 0) == (eviction == .s3fifo), "\(refused) were refused")
      #expect((store.statistics.evictions > 0) == (eviction == .s3fifo))
      #expect(store.text("l\(last)")?.count == 300)
      #expect(throws: CacheError.outOfMemory) { try store.set("l\(last)", String(repeating: "v", count: 100_000)) }
      #expect(eviction == .s3fifo || store.text("l\(last)")?.count == 300)
      commitsLeft.commitsLeft.store(.max, ordering: .relaxed)
      try store.set("more", String(repeating: "v", count: 100_000))
      #expect(store.text("more")?.count == 100_000)
    }
  }

  @Test("Threads that write beyond the limit evict from one another without waiting for ever")
  func threads() async throws {
    let store = makeStore(limit: 2 << 20, shards: 4)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread))
          for _ in 0..<2000 {
            try store.set("k\(random.below(5000))", String(repeating: "v", count: random.below(5) == 0 ? 70_000 : 700))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(store.statistics.bytes <= 2 << 20 + 4 * 80_000)
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0)
  }

  #if canImport(Glibc)
    /// Address space and resident bytes of this process.
    static func processBytes() -> (mapped: Int, resident: Int) {
      guard let file = unsafe fopen("/proc/self/statm", "r") else { return (0, 0) }
      defer { unsafe fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 200)
      let count = unsafe fread(&bytes, 1, bytes.count, file)
      let pages = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ").prefix(2).compactMap { Int($0) }
      return (pages[0] * Int(getpagesize()), pages[1] * Int(getpagesize()))
    }

    @Test("The ledger says what the process takes, within a tenth", .enabled(if: LimitTests.isPlain))
    func ledgerIsTrue() async {
      await #expect(processExitsWith: .success) {
        let before = LimitTests.processBytes().resident
        let store = makeStore(limit: 96 << 20, shards: 16)
        let value = String(repeating: "v", count: 64)
        for index in 0..<300_000 { try store.set("key of 16 b \(index)", value) }
        let real = Double(LimitTests.processBytes().resident - before)
        let ledger = Double(store.statistics.bytes)
        precondition(ledger > 30e6 && abs(real / ledger - 1) < 0.1, "ledger \(ledger), resident \(real)")
      }
    }

    /// False under a sanitizer, which takes memory of its own and maps terabytes.
    static var isPlain: Bool { processBytes().mapped < 1 << 40 }
  #endif
}
