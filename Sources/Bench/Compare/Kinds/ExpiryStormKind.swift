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
  /// Storing takes so many times as long as the keys that are asked for let expect, at the most; if not, it is tried again.
  private static let patience = [2.0, 8.0]
  /// The measured time begins so long before the entries expire.
  private static let secondsBefore = 0.1

  /// Every key is stored, and one request is made, or nothing would be measured.
  private static func storeOnly(_ texts: inout LoadOptionTexts) {
    (texts.preload, texts.requests, texts.rate, texts.warmUp) = (true, 1, nil, 0)
  }

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    let clock = SteadyClock()
    func secondsNow() -> Double { Double(clock.unixTime(at: .now).milliseconds) / 1e3 }
    let begun = secondsNow()
    let asked = try turn.load { texts in
      texts.keys = min(texts.keys, keysAsked)
      storeOnly(&texts)
    }
    let secondsPerKey = (secondsNow() - begun) / Double(asked.options.keys)
    var expiry = 0.0
    var left = 0.0
    for patience in patience where left <= 0 {
      _ = try turn.load { texts in
        texts.keyBytes += 4  // longer keys than those that are asked for are others
        storeOnly(&texts)
        expiry = (secondsNow() + 0.5 + Double(texts.keys) * secondsPerKey * patience).rounded(.up)
        texts.expireAt = Int(expiry)
      }
      left = expiry - secondsNow() - secondsBefore
    }
    guard left > 0 else { throw .failure("what was to expire could not be stored in time: the server has become slower meanwhile") }
    let report = try turn.load { texts in
      (texts.keys, texts.preload, texts.warmUp) = (min(texts.keys, keysAsked), false, left)
    }
    return [
      report.rate, report.serverMicrosecondsPerOperation ?? 0, report.latency.microseconds(atPercentile: 50),
      report.latency.microseconds(atPercentile: 99), report.latency.microseconds(atPercentile: 99.9), Double(report.latency.max) / 1e6,
    ]
  }
}
