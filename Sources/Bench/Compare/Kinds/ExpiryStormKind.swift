/// Very many entries expire in the same second while others are asked for at a fixed rate: a server that clears up in one go stands still,
/// and the far percentiles show it.

import MartletBytes
import MartletLoop

enum ExpiryStormKind {
  static let measures: [Measure] = [
    .told("rate", "requests/s"),
    .less("cpu_us_per_op", "CPU µs per request, expiry included", "uses {} times the CPU time of"),
    .told("p50_us", "p50 µs"),
    .less("p99_us", "p99 µs", "has {} times the 99th percentile of").charted(),
    .less("p99_9_us", "p99.9 µs", "has {} times the 99.9th percentile of"),
    .told("max_ms", "longest ms"),
  ]

  /// What is asked for meanwhile: few entries, of other keys, that stay.
  private static let keysAsked = 10_000
  /// How many are stored a second, at least: so long before they expire they begin to be.
  private static let storedPerSecond = 100_000.0
  /// The measured time begins so long before the entries expire.
  private static let secondsBefore = 0.1

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    let clock = SteadyClock()
    func secondsNow() -> Double { Double(clock.unixTime(at: .now).milliseconds) / 1e3 }
    _ = try turn.load { texts in
      (texts.keys, texts.preload, texts.requests, texts.rate) = (min(texts.keys, keysAsked), true, 1, nil)
    }
    var expiry = 0.0
    _ = try turn.load { texts in
      // Longer keys than those that are asked for are others.
      (texts.keyBytes, texts.preload, texts.requests, texts.rate) = (texts.keyBytes + 4, true, 1, nil)
      expiry = (secondsNow() + 0.5 + Double(texts.keys) / storedPerSecond).rounded(.up)
      texts.expireAt = Int(expiry)
    }
    let left = expiry - secondsNow() - secondsBefore
    guard left > 0 else { throw .failure("what was to expire could not be stored in time: fewer than \(short(storedPerSecond)) a second") }
    let report = try turn.load { texts in
      (texts.keys, texts.preload, texts.warmUp) = (min(texts.keys, keysAsked), false, left)
    }
    return [
      report.rate, report.serverMicrosecondsPerOperation ?? 0, report.latency.microseconds(atPercentile: 50),
      report.latency.microseconds(atPercentile: 99), report.latency.microseconds(atPercentile: 99.9), Double(report.latency.max) / 1e6,
    ]
  }
}
