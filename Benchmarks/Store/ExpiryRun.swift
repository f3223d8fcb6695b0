// Expiry in time: ten million entries of random lifetime, a loop that gives the store 0.1 ms at a time, as the server's does; how late, how
// long, how much CPU.

import MartletBytes
import MartletCache

enum ExpiryRun {
  static func run() throws {
    let count = isQuick ? 20_000 : 10_000_000
    let seconds = isQuick ? 1.0 : 30.0
    let store = makeStore(limit: 8 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    var random = SplitMix64(seed: 9)
    let clock = SteadyClock()
    let loaded = clock.unixTime(at: .now)
    // Lifetimes of up to five minutes; loading takes some seconds, in which nothing is over yet.
    for number in 0..<count {
      let expiry = loaded.advanced(byMilliseconds: Int64(isQuick ? 10 : 20_000) + Int64(random.below(isQuick ? 2000 : 300_000)))
      try key.with(number) { _ = try store.put($0, value.prefix(64), PutAttributes(expiry: expiry), at: loaded) }
    }
    // Until so many are over that compaction has begun: what is measured is a store that has run for a while.
    while isQuick ? clock.unixTime(at: .now) < loaded.advanced(byMilliseconds: 10) : store.statistics.movedBytes == 0 {
      while !store.expireStep(at: clock.unixTime(at: .now)).isDone {}
      while store.memoryStep() {}
      Process.sleep(nanoseconds: isQuick ? 1_000_000 : 400_000_000)
    }
    let before = store.statistics
    let begin = MonotonicTime.now
    let cpu = Process.threadNanoseconds
    var longest: UInt64 = 0
    var longestCPU: UInt64 = 0
    keepingMemory(in: store) {
      while Double(MonotonicTime.now.nanoseconds(since: begin)) < seconds * 1e9 {
        let start = MonotonicTime.now
        let startCPU = Process.threadNanoseconds
        var isDone = false
        while !isDone, MonotonicTime.now.nanoseconds(since: start) < 100_000 {
          isDone = store.expireStep(at: clock.unixTime(at: .now)).isDone
        }
        longest = max(longest, MonotonicTime.now.nanoseconds(since: start))
        longestCPU = max(longestCPU, Process.threadNanoseconds - startCPU)
        Process.sleep(nanoseconds: isDone ? 400_000_000 : 100_000)
      }
    }
    let spent = Double(Process.threadNanoseconds - cpu) / Double(MonotonicTime.now.nanoseconds(since: begin))
    let after = store.statistics
    var lag = after.expiryLag
    lag = after.expiryLag
    let expired = after.expirations - before.expirations
    check(expired > 0, "nothing has expired")
    line("\(count) entries of random lifetime, expired in \(seconds.text(0)) s", "\(expired)")
    line(
      "  lag p50, p99 (upper bounds of buckets)",
      "\(lag.upperBoundSeconds(quantile: 0.5).text(2)), \(lag.upperBoundSeconds(quantile: 0.99).text(2)) s, mean \((Double(lag.nanosecondsTotal) / Double(max(1, lag.count)) / 1e9).text(2)) s, target p99 <= 1 s"
    )
    line("  longest pause", "\((Double(longest) / 1e6).text(2)) ms, \((Double(longestCPU) / 1e6).text(2)) ms of CPU, target <= 1 ms")
    line("  CPU", "\((spent * 100).text(1)) % of a core, target <= 5 %")
    line("  dead bytes, moved", "\(after.deadBytes >> 20) of \(after.bytes >> 20) MiB, \((after.movedBytes - before.movedBytes) >> 20) MiB")
  }
}
