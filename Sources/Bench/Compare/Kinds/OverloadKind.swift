/// Twice as much as a server can: its highest rate is measured, then requests are due at twice that rate, whatever it does, then at half of it.
///
/// What it answers meanwhile is its goodput; a server that spends its time on what nobody waits for any more has less of it. The percentile of
/// the time after tells how soon it has recovered: counted from when requests were due, from the first moment on.

enum OverloadKind {
  static let measures: [Measure] = [
    .told("max_rate", "most requests/s"),
    .more("goodput", "answered/s at twice that", "takes {} times as long per answer under overload as").charted(),
    .told("overload_p99_ms", "p99 ms then"),
    .told("errors", "errors"),
    .less("recovery_p99_ms", "p99 ms after, at half of it", "has, after an overload, {} times the 99th percentile of"),
  ]

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    let most = try turn.load { texts in
      if turn.round > 0 { texts.preload = false }
    }
    let over = try turn.load(mayFail: true) { texts in
      (texts.preload, texts.warmUp, texts.rate) = (false, 0, min(2 * most.rate, LoadOptions.rateMax))
    }
    let after = try turn.load(mayFail: true) { texts in
      (texts.preload, texts.warmUp, texts.rate) = (false, 0, max(most.rate / 2, 1))
    }
    return [
      most.rate, over.rate, over.latency.microseconds(atPercentile: 99) / 1e3, Double(over.tally.errors + after.tally.errors),
      after.latency.microseconds(atPercentile: 99) / 1e3,
    ]
  }
}
