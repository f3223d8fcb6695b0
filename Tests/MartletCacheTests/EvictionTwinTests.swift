/// The store under pressure beside a dictionary: entries may go, but what is there is right, and what is gone does not come back.

import MartletBytes
import Testing

@testable import MartletCache

/// Random commands over keys that begin with `name`; sizes run through every form that an entry can have.
private struct PressedRun {
  struct Value: Equatable {
    var bytes: [UInt8]
    var expiry: UnixTime
    var flags: UInt32
    var type: String
    var tags: String
    var version: UInt64
  }

  let store: CacheStore
  let name: String
  let seed: UInt64
  var random: SplitMix64
  var now = UnixTime.start
  /// What the store may still hold.
  var values: [[UInt8]: Value] = [:]
  var hits = 0
  /// Whether no other run, with another clock, uses the store.
  var isAlone: Bool { name.isEmpty }

  init(_ store: CacheStore, name: String, seed: UInt64) {
    self.store = store
    self.name = name
    self.seed = seed
    random = SplitMix64(seed: seed)
  }

  mutating func check(_ isTrue: Bool, _ what: String) {
    if !isTrue { Issue.record("seed \(seed), run \(name): \(what)") }
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps { try step() }
    for key in values.keys { read(key) }
    check(hits > 0, "nothing was ever found")
  }

  private mutating func key() -> [UInt8] {
    let number = random.below(300)
    var key = Array("\(name)\(number)".utf8)
    // Some keys are long for ever: 250 bytes, 300 bytes.
    if number % 17 == 0 { key += [UInt8](repeating: UInt8(0x41 + number % 26), count: number % 2 == 0 ? 250 : 300) }
    return key
  }

  private mutating func step() throws {
    if random.below(5) == 0 { now = now + Int64(random.below(300)) }
    let key = key()
    switch random.below(10) {
    case 0, 1, 2: read(key)
    case 3, 4, 5, 6: try put(key)
    case 7:
      let isThere = try withBytes(key) { try store.delete($0, at: now) }
      check(!isThere || isLive(key), "deleted what was not there")
      values[key] = nil
    case 8:
      let expiry = random.below(2) == 0 ? UnixTime.never : now + Int64(1 + random.below(3000))
      let isThere = try withBytes(key) { try store.expire($0, at: expiry, now: now) }
      check(!isThere || isLive(key), "moved the expiry of what was not there")
      if isThere { values[key]!.expiry = expiry } else { values[key] = nil }
    default:
      _ = store.expireStep(at: isAlone ? now : .start, budget: 200)
    }
  }

  private func isLive(_ key: [UInt8]) -> Bool { values[key].map { now < $0.expiry } ?? false }

  private mutating func put(_ key: [UInt8]) throws {
    let count = [0, 1, 100, 255, 256, 1000, 5000, 40_000, CacheLimits.largeValueBytesMin][random.below(random.below(3) == 0 ? 9 : 6)]
    var value = Value(
      bytes: [UInt8](repeating: UInt8(random.below(256)), count: count),
      expiry: random.below(3) == 0 ? now + Int64(1 + random.below(3000)) : .never, flags: random.below(3) == 0 ? 7 : 0,
      type: random.below(5) == 0 ? "text/plain" : "", tags: random.below(5) == 0 ? "a,b" : "", version: 0)
    let old = values[key]
    try withBytes(key) { key in
      try withBytes(value.bytes) { bytes in
        try withBytes(value.type) { type in
          try withBytes(value.tags) { tags in
            let attributes = PutAttributes(expiry: value.expiry, flags: value.flags, contentType: type, tags: tags)
            value.version = try store.put(key, bytes, attributes, at: now).version
          }
        }
      }
    }
    check(value.version > old?.version ?? 0, "a version that is not new")
    values[key] = value
  }

  private mutating func read(_ key: [UInt8]) {
    let found = withBytes(key) { key in
      store.get(key, at: now) {
        Value(
          bytes: $0.value.copied(), expiry: $0.expiry, flags: $0.flags, type: $0.contentType.text, tags: $0.tags.text, version: $0.version)
      }
    }
    if let found {
      hits += 1
      check(isLive(key), "found what was deleted, evicted or expired")
      check(found == values[key], "found another value")
    } else {
      values[key] = nil
    }
  }
}

@Suite("The store under pressure")
struct EvictionTwinTests {
  @Test("A hit is right and nothing comes back, whatever is evicted", arguments: [1, 8])
  func oneThread(shards: Int) throws {
    for seed in [UInt64(1), UInt64.random(in: 2 ... .max)] {
      let store = makeStore(limit: 600_000, shards: shards, valueBytesMax: 1 << 17, seed: seed)
      var run = PressedRun(store, name: "", seed: seed)
      try run.run(steps: 8000)
      #expect(store.statistics.evictions > 100, "seed \(seed)")
      #expect(store.statistics.bytes <= 600_000 + allowance, "seed \(seed)")
      for key in store.keys(at: run.now) { #expect(run.values[Array(key.utf8)] != nil, "seed \(seed): scanned \(key)") }
      store.removeAll(at: run.now)
      #expect(store.statistics.bytes == 0 && store.statistics.entries == 0, "seed \(seed)")
    }
  }

  @Test("The same with threads that evict one another's entries")
  func manyThreads() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    let store = makeStore(limit: 2 << 20, shards: 4, valueBytesMax: 1 << 17, seed: seed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<3 {
        group.addTask {
          var run = PressedRun(store, name: "\(thread):", seed: seed &+ UInt64(thread))
          try run.run(steps: 4000)
        }
      }
      try await group.waitForAll()
    }
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0 && store.statistics.entries == 0, "seed \(seed)")
  }
}
