/// The store beside a naive twin, a dictionary, driven with the same random commands and the same clock.

import MartletBytes
import Testing

@testable import MartletCache

/// What the store should be, in the fewest words.
private struct Twin {
  struct Value: Equatable {
    var text: String
    var expiry: UnixTime
    var staleUntil: UnixTime
    var flags: UInt32
    var tags: String
    var version: UInt64
  }

  struct Key: Hashable {
    var text: String
    var database: UInt8
  }

  var values: [Key: Value] = [:]

  subscript(key: String, database: UInt8, now: UnixTime) -> Value? {
    values[Key(text: key, database: database)].flatMap { now < $0.expiry ? $0 : nil }
  }

  /// What a reader who takes stale values sees.
  func stale(_ key: String, _ database: UInt8, _ now: UnixTime) -> Value? {
    values[Key(text: key, database: database)].flatMap { now < max($0.expiry, $0.staleUntil) ? $0 : nil }
  }
}

/// One run of random commands over the keys that begin with `name`.
private struct TwinRun {
  let store: CacheStore
  let name: String
  var random: SplitMix64
  var twin = Twin()
  var now = UnixTime.start
  /// The highest version of each key so far.
  var versions: [Twin.Key: UInt64] = [:]
  let keyCount: Int
  let seed: UInt64
  /// Whether no other run, with another clock, uses the store.
  var isAlone: Bool { name.isEmpty }

  init(store: CacheStore, name: String, keyCount: Int, seed: UInt64) {
    self.store = store
    self.name = name
    self.keyCount = keyCount
    self.seed = seed
    random = SplitMix64(seed: seed)
  }

  mutating func check(_ isTrue: Bool, _ what: String) {
    if !isTrue { Issue.record("seed \(seed), run \(name): \(what)") }
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps { try step() }
    for key in twin.values.keys { read(key.text, key.database) }
  }

  private mutating func step() throws {
    if random.below(4) == 0 { now = now + Int64(random.below(50)) }
    let key = "\(name)\(random.below(keyCount))"
    let database = UInt8(random.below(3))
    let twinKey = Twin.Key(text: key, database: database)
    let old = twin[key, database, now]
    switch random.below(12) {
    case 0, 1, 2:
      read(key, database)
    case 3, 4, 5:
      let size = [0, 1, 10, 100, 1000][random.below(5)]
      let text = random.below(2) == 0 ? "\(random.below(1000))" : String(repeating: "x", count: size)
      let expiry = random.below(2) == 0 ? UnixTime.never : now + Int64(random.below(400) - 20)
      let staleUntil = expiry != .never && random.below(2) == 0 ? expiry + Int64(random.below(100)) : UnixTime.neverStale
      let flags = UInt32(random.below(3))
      let tags = ["", "a", "a,b"][random.below(3)]
      let condition: PutCondition = [.always, .always, .ifAbsent, .ifPresent, .ifVersion(old?.version ?? 1)][random.below(5)]
      do {
        let result = try store.set(
          key, text, expiry: expiry, staleUntil: staleUntil, flags: flags, database: database, tags: tags, if: condition, at: now)
        check(condition.holds(for: old?.version), "put went ahead against \(condition)")
        check(result == (old == nil ? .created(version: result.version) : .replaced(version: result.version)), "put said \(result)")
        fresh(twinKey, result.version)
        twin.values[twinKey] = .init(
          text: text, expiry: expiry, staleUntil: staleUntil, flags: flags, tags: tags, version: result.version)
      } catch {
        check(error == .conditionFailed(current: old?.version) && !condition.holds(for: old?.version), "put threw \(error)")
      }
    case 6:
      check(try store.remove(key, database: database, at: now) == (old != nil), "delete of \(key)")
      twin.values[twinKey] = nil
    case 7 where database == 0:
      let version = try store.change(key, at: now) { $0 + "!" }
      check((version != nil) == (old != nil), "update of \(key)")
      if let version, var new = old {
        fresh(twinKey, version)
        new.text += "!"
        new.version = version
        twin.values[twinKey] = new
      }
    case 8 where database == 0:
      let number = old.map { Int64($0.text) }
      do {
        let sum = try store.add(key, 7, initial: 3, expiry: now + 300, at: now)
        check(sum == (old == nil ? 10 : (number ?? -1)! + 7), "increment of \(old?.text ?? "nothing") gave \(sum)")
        let version = store.version(key, at: now)!
        fresh(twinKey, version)
        var new = old ?? .init(text: "", expiry: now + 300, staleUntil: .neverStale, flags: 0, tags: "", version: 0)
        new.text = "\(sum)"
        new.version = version
        twin.values[twinKey] = new
      } catch {
        check(error == .notAnInteger && old != nil && number == .some(nil), "increment of \(old?.text ?? "nothing") threw \(error)")
      }
    case 9 where database == 0:
      let expiry = [UnixTime.never, now, now + 100, now + 1000][random.below(4)]
      check(try store.expire(key, at: expiry, now: now) == (old != nil), "expire of \(key)")
      if old != nil {
        if expiry <= now { twin.values[twinKey] = nil } else { twin.values[twinKey]!.expiry = expiry }
      }
    case 10:
      _ = store.expireStep(at: isAlone ? now : .start, budget: 600)
    default:
      let found = withBytes(key) { store.touch($0, database: database, at: now) }
      check(found == (old != nil), "touch of \(key)")
    }
  }

  private mutating func fresh(_ key: Twin.Key, _ version: UInt64) {
    check(version > versions[key, default: 0], "version \(version) of \(key) is not new")
    versions[key] = version
  }

  private mutating func read(_ key: String, _ database: UInt8) {
    for allowsStale in [false, true] {
      let expected = allowsStale ? twin.stale(key, database, now) : twin[key, database, now]
      let found = withBytes(key) { key in
        store.get(key, database: database, allowsStale: allowsStale, at: now) {
          Twin.Value(
            text: $0.value.text, expiry: $0.expiry, staleUntil: $0.staleUntil, flags: $0.flags, tags: $0.tags.text, version: $0.version)
        }
      }
      var comparable = expected
      comparable?.staleUntil = max(expected!.expiry, expected!.staleUntil)
      check(found == comparable, "get of \(key) gave \(String(describing: found)), not \(String(describing: comparable))")
    }
  }

  /// The keys that a scan must give.
  func liveKeys(database: UInt8) -> [String] {
    twin.values.filter { $0.key.database == database && now < $0.value.expiry }.map(\.key.text).sorted()
  }
}

@Suite("The store and its naive twin")
struct TwinTests {
  @Test("agree after any sequence of commands", arguments: [1, 4, 64], [20, 3000])
  func oneThread(shards: Int, keyCount: Int) throws {
    for seed in [UInt64(1), 2, UInt64.random(in: 3 ... .max)] {
      let store = makeStore(limit: 256 << 20, shards: shards, seed: seed)
      var run = TwinRun(store: store, name: "", keyCount: keyCount, seed: seed)
      for _ in 0..<4 {
        try run.run(steps: 1200)
        for database in 0..<3 as Range<UInt8> {
          #expect(store.keys(limit: 7, database: database, at: run.now).sorted() == run.liveKeys(database: database), "seed \(seed)")
        }
      }
      store.removeAll(at: run.now)
      #expect(store.statistics.bytes == 0, "seed \(seed)")
    }
  }

  @Test("agree when several threads work on keys of their own in one store")
  func manyThreads() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    let store = makeStore(limit: 256 << 20, shards: 4, seed: seed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          var run = TwinRun(store: store, name: "thread\(thread):", keyCount: 500, seed: seed &+ UInt64(thread))
          try run.run(steps: 3000)
        }
      }
      try await group.waitForAll()
    }
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0 && store.statistics.entries == 0, "seed \(seed)")
  }

  @Test("No update and no increment is lost between threads")
  func lostUpdates() async throws {
    let store = makeStore()
    let rounds = 2000
    try store.set("text", "")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for round in 0..<rounds {
            try store.add("number", 1)
            if round % 20 == 0 { _ = try store.change("text") { $0 + "x" } }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(store.text("number") == "\(4 * rounds)")
    #expect(store.text("text")?.count == 4 * rounds / 20)
  }

  @Test("No reader sees half of one value and half of another")
  func tornReads() async throws {
    let store = makeStore(limit: 64 << 20)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<2 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread))
          for _ in 0..<1500 {
            let count = [100, 101, CacheLimits.largeValueBytesMin + 5][random.below(3)]
            let value = [UInt8](repeating: UInt8(random.below(256)), count: count)
            withBytes("key") { key in withBytes(value) { value in _ = try? store.put(key, value, at: .start) } }
          }
        }
        group.addTask {
          for _ in 0..<1500 {
            withBytes("key") { key in
              let isWhole = store.get(key, at: .start) { entry in isUniform(entry.value) }
              #expect(isWhole != false)
              if let pinned = try? store.pin(key, at: .start) {
                let isUniform = isUniform(pinned.value)
                #expect(isUniform)
              }
            }
          }
        }
      }
    }
  }
}

private func isUniform(_ value: RawSpan) -> Bool {
  for index in stride(from: 0, to: value.byteCount, by: 37) where value[index] != value[0] { return false }
  return value.byteCount == 0 || value[value.byteCount - 1] == value[0]
}
