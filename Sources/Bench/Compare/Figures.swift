/// What repeated runs say together: medians, spreads, and ratios with their intervals.

import MartletBytes

/// Values of repeated runs.
struct Figures: Sendable {
  let sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var median: Double {
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  var least: Double { sorted.first ?? 0 }
  var most: Double { sorted.last ?? 0 }

  /// Where the median of ever more runs would lie, in 19 of 20 cases: between the k-th value from either end, with the largest k whose
  /// sign test still says so. Fewer than six values cannot say as much: then the least and the most.
  var interval: ClosedRange<Double> {
    guard !sorted.isEmpty else { return 0...0 }
    let count = sorted.count
    var missed = 0.0
    var weight = 1.0  // C(count, i)
    var from = 0
    for index in 0..<(count / 2) {
      missed += 2 * weight / Self.power(count)
      if missed > 0.05 { break }
      from = index + 1
      weight *= Double(count - index) / Double(index + 1)
    }
    from = max(0, from - 1)
    return sorted[from]...sorted[count - 1 - from]
  }

  private static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { value, _ in value * 2 } }
}

/// One run of one server.
struct Sample: Sendable {
  let rate: Double
  let serverMicroseconds: Double
  let clientMicroseconds: Double
  let p50: Double
  let p99: Double
}

/// What a server has shown in a workload; samples are in the order of the rounds.
struct Showing: Sendable {
  let name: String
  var samples: [Sample] = []
  /// Why it does not stand in the table, or not in all rounds.
  var trouble: String?

  func figures(_ value: (Sample) -> Double) -> Figures { Figures(samples.map(value)) }
}

/// Ours against another: of each round's two runs the quotient.
struct Ratio: Sendable {
  let figures: Figures

  /// nil if they have no round in common.
  init?(_ ours: Showing, _ other: Showing, _ value: (Sample) -> Double) {
    let pairs = zip(ours.samples, other.samples).filter { value($1) > 0 }
    guard !pairs.isEmpty else { return nil }
    figures = Figures(pairs.map { value($0) / value($1) })
  }

  enum Judgement: Sendable { case win, loss, even }

  /// Less is better; even if the interval holds 1.
  var judgement: Judgement {
    let interval = figures.interval
    return interval.upperBound < 1 ? .win : interval.lowerBound > 1 ? .loss : .even
  }

  var text: String {
    "\(twoDecimals(figures.median)) (\(twoDecimals(figures.interval.lowerBound))–\(twoDecimals(figures.interval.upperBound)))"
  }
}

func twoDecimals(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}
