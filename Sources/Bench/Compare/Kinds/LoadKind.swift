/// A load for so long, as fast as it is answered or at a fixed rate: what `martlet bench load` does.

enum LoadKind {
  /// At a fixed rate all are as fast as they are asked: then the far percentile is the answer.
  static func measures(atFixedRate: Bool) -> [Measure] {
    [
      atFixedRate
        ? .told("rate", "requests/s") : .more("rate", "requests/s", "takes {} times as long per request as"),
      cpu(isCharted: !atFixedRate),
      .told("client_cpu_us_per_op", "client's CPU µs per request").hidden(),
      .told("p50_us", "p50 µs"),
      atFixedRate ? .less("p99_us", "p99 µs", "has {} times the 99th percentile of").charted() : .told("p99_us", "p99 µs"),
    ]
  }

  private static func cpu(isCharted: Bool) -> Measure {
    let measure = Measure.less("cpu_us_per_op", "CPU µs per request", "uses {} times the CPU time of")
    return isCharted ? measure.charted() : measure
  }

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    let report = try turn.load { texts in
      if turn.round > 0 { texts.preload = false }  // the keys are there
    }
    return [
      report.rate, report.serverMicrosecondsPerOperation ?? 0, report.clientMicrosecondsPerOperation,
      report.latency.microseconds(atPercentile: 50), report.latency.microseconds(atPercentile: 99),
    ]
  }
}
