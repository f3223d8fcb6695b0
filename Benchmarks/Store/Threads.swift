// Two threads against one: 90 gets to 10 puts, uniform over a million entries, wall time. Beside it what this machine gives two threads that
// share nothing at all: a store for each, dependent loads over memory of their own, and arithmetic that needs no memory.

import MartletBytes
import MartletCache

enum Threads {
  private static let count = isQuick ? 10_000 : 1_000_000
  private static let operations = isQuick ? 10_000 : 2_000_000

  static func run() async throws {
    let store = try fill()
    let other = try fill()
    try await compare("two threads against one, 90:10, \(count) entries", "target >= 1.8") { try mix(store, seed: UInt64($0)) }
    try await compare("  ceiling: a store for each thread", "") { try mix($0 == 0 ? store : other, seed: UInt64($0)) }
    let bytes = isQuick ? 1 << 20 : Int(store.statistics.bytes)
    let chases = Chases(one: Chase(bytes: bytes), other: Chase(bytes: bytes))
    try await compare("  ceiling: dependent loads", "") { if $0 == 0 { chases.one.run(operations) } else { chases.other.run(operations) } }
    try await compare("  ceiling: arithmetic", "") { thread in
      var random = SplitMix64(seed: UInt64(thread))
      var sum: UInt64 = 0
      for _ in 0..<operations * 20 { sum &+= random.next() }
      keep(sum)
    }
  }

  private final class Chases: Sendable {
    let one: Chase
    let other: Chase

    init(one: consuming Chase, other: consuming Chase) {
      self.one = one
      self.other = other
    }
  }

  private static func fill() throws -> CacheStore {
    let store = makeStore(limit: 4 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    for number in 0..<count { try key.with(number) { _ = try store.put($0, value.prefix(64), at: .start) } }
    while store.memoryStep() {}
    return store
  }

  private static func mix(_ store: CacheStore, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let key = Key()
    let value = Bytes(count: 64)
    for _ in 0..<operations {
      try key.with(random.below(count)) { key in
        if random.below(10) == 0 {
          _ = try store.put(key, value.prefix(64), at: .start)
        } else {
          check(store.get(key, at: .start) { $0.value.byteCount } == 64, "a get")
        }
      }
    }
  }

  private static func compare(_ what: String, _ target: String, _ body: @escaping @Sendable (_ thread: Int) throws -> Void) async throws {
    var ratios: [Double] = []
    var best = (one: 0.0, two: 0.0)
    for _ in 0..<(isQuick ? 1 : 7) {
      let one = try await throughput(threads: 1, body)
      let two = try await throughput(threads: 2, body)
      ratios.append(two / one)
      best = (max(best.one, one), max(best.two, two))
    }
    line(
      what,
      "\((best.two / best.one).text(2)) times (best of each), median of rounds \(median(ratios).text(2))"
        + (target.isEmpty ? "" : ", \(target)"))
  }

  /// Runs of `body` per second.
  private static func throughput(threads: Int, _ body: @escaping @Sendable (Int) throws -> Void) async throws -> Double {
    let begin = MonotonicTime.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<threads { group.addTask { try body(thread) } }
      try await group.waitForAll()
    }
    return Double(threads) / Double(MonotonicTime.now.nanoseconds(since: begin)) * 1e9
  }
}
