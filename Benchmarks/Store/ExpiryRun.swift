// Expiry in time: ten million entries of random lifetime, a loop that gives the store 0.1 ms at a time, as the server's does; how late, how
// long, how much CPU. Beside each turn another that only counts shows what the machine adds to a tenth of a millisecond.

import MartletBytes
import MartletCache

enum ExpiryRun {
  static func run() throws {
    let count = isQuick ? 20_000 : 10_000_000
    let seconds = isQuick ? 1.0 : 30.0
    let store = makeStore(limit: 8 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    let clock = SteadyClock()
    let loaded = clock.unixTime(at: .now)
    // Lifetimes of up to five minutes; loading takes some seconds, in which nothing is over yet.
    let lifetimes = isQuick ? 10..<2000 : 20_000..<320_000
    for number in 0..<count {
      let expiry = expiry(of: number, lifetimes, since: loaded)
      try key.with(number) { _ = try store.put($0, value.prefix(64), PutAttributes(expiry: expiry), at: loaded) }
    }
    // Until so many are over that compaction has begun: what is measured is a store that has run for a while.
    while isQuick ? clock.unixTime(at: .now) < loaded.advanced(byMilliseconds: 10) : store.statistics.movedBytes == 0 {
      while !store.expireStep(at: clock.unixTime(at: .now)).isDone {}
      while store.memoryStep() {}
      Process.sleep(nanoseconds: isQuick ? 1_000_000 : 100_000_000)
    }
    let before = store.statistics
    let begin = MonotonicTime.now
    let cpu = Process.threadNanoseconds
    var turns = Pauses()
    var counting = Pauses()
    keepingMemory(in: store) {
      while Double(MonotonicTime.now.nanoseconds(since: begin)) < seconds * 1e9 {
        var isDone = false
        turns.time { isDone = Turn.expire(store, clock) }
        counting.time(Turn.count)
        Process.sleep(nanoseconds: isDone ? 100_000_000 : 100_000)
      }
    }
    let spent = Double(Process.threadNanoseconds - cpu - counting.nanosecondsTotal) / Double(MonotonicTime.now.nanoseconds(since: begin))
    let after = store.statistics
    let lags = lags(of: store, for: isQuick ? 0.5 : 10, clock) { expiry(of: $0, lifetimes, since: loaded) }
    let expired = after.expirations - before.expirations
    check(expired > 0, "nothing has expired")
    line("\(count) entries of random lifetime, expired in \(seconds.text(0)) s", "\(expired)")
    line("  lag p50, p99, longest of \(lags.count)", "\(lags.quantile(0.5)), \(lags.quantile(0.99)), \(lags.quantile(1)) s, target p99 <= 1 s")
    line("  longest pause", "\(turns.text), target <= 1 ms")
    line("  longest turn that only counts", counting.text)
    line("  CPU", "\((spent * 100).text(1)) % of a core, target <= 5 %")
    line("  dead bytes, moved", "\(after.deadBytes >> 20) of \(after.bytes >> 20) MiB, \((after.movedBytes - before.movedBytes) >> 20) MiB")
  }

  private static func expiry(of number: Int, _ lifetimes: Range<Int>, since loaded: UnixTime) -> UnixTime {
    var random = SplitMix64(seed: UInt64(number))
    return loaded.advanced(byMilliseconds: Int64(lifetimes.lowerBound + random.below(lifetimes.count)))
  }

  /// How late each entry was removed in so many seconds: asked of the store as it removes it, apart from the turns that are timed.
  private static func lags(
    of store: CacheStore, for seconds: Double, _ clock: SteadyClock, _ expiry: @escaping @Sendable (Int) -> UnixTime
  ) -> Lags {
    let lags = Lags(clock, expiry)
    store.observe(lags)
    let begin = MonotonicTime.now
    keepingMemory(in: store) {
      while Double(MonotonicTime.now.nanoseconds(since: begin)) < seconds * 1e9 {
        Process.sleep(nanoseconds: Turn.expire(store, clock) ? 100_000_000 : 100_000)
      }
    }
    return lags
  }
}

/// How late entries were removed. Told on one thread only.
private final class Lags: CacheObserver, @unchecked Sendable {
  private let clock: SteadyClock
  private let expiry: @Sendable (Int) -> UnixTime
  private var milliseconds: [Int64] = []

  init(_ clock: SteadyClock, _ expiry: @escaping @Sendable (Int) -> UnixTime) {
    self.clock = clock
    self.expiry = expiry
  }

  func didChange(_ change: borrowing CacheChange) {
    guard change.kind == .expired else { return }
    // The second word of a key (`Key`).
    let number = (8..<16).reversed().reduce(0) { $0 << 8 | Int(change.key[$1]) }
    milliseconds.append(clock.unixTime(at: .now).milliseconds - expiry(number).milliseconds)
  }

  var count: Int { milliseconds.count }

  func quantile(_ share: Double) -> String {
    let sorted = milliseconds.sorted()
    guard !sorted.isEmpty else { return "-" }
    return (Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000).text(2)
  }
}
