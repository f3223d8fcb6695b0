// Two threads against one: 90 gets to 10 puts, uniform over a million entries, wall time.

import MartletBytes
import MartletCache

enum Threads {
  static func run() async throws {
    let count = isQuick ? 10_000 : 1_000_000
    let operations = isQuick ? 10_000 : 2_000_000
    let store = makeStore(limit: 4 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    for number in 0..<count { try key.with(number) { _ = try store.put($0, value.prefix(64), at: .start) } }
    var ratios: [Double] = []
    var best = (one: 0.0, two: 0.0)
    for round in 0..<(isQuick ? 1 : 7) {
      let one = try await throughput(store, threads: 1, count, operations, seed: UInt64(round))
      let two = try await throughput(store, threads: 2, count, operations, seed: UInt64(round + 100))
      ratios.append(two / one)
      best = (max(best.one, one), max(best.two, two))
    }
    line(
      "two threads against one, 90:10, \(count) entries",
      "\((best.two / best.one).text(2)) times (best of each), median of rounds \(median(ratios).text(2)), target >= 1.8; \(best.one.text(2)) and \(best.two.text(2)) M/s"
    )
  }

  private static func throughput(_ store: CacheStore, threads: Int, _ count: Int, _ operations: Int, seed: UInt64) async throws -> Double {
    let begin = MonotonicTime.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<threads {
        group.addTask {
          var random = Random(seed: seed &* 1000 &+ UInt64(thread))
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
      }
      try await group.waitForAll()
    }
    return Double(operations * threads) / Double(MonotonicTime.now.nanoseconds(since: begin)) * 1000
  }
}
