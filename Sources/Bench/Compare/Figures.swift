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

/// What a server has shown in a workload; samples are in the order of the rounds.
struct Showing: Sendable {
  let name: String
  /// Of each round a value for each measure, in their order.
  var samples: [[Double]] = []
  /// Why it does not stand in the table, or not in all rounds.
  var trouble: String?

  func figures(_ measure: Int) -> Figures { Figures(samples.map { $0[measure] }) }
}

/// Ours against another: of each round's two runs the quotient.
struct Ratio: Sendable {
  let figures: Figures

  /// By the measure at `index`, the other way round where more is better; nil if nothing is judged by it, or they have no round in common.
  init?(_ ours: Showing, _ other: Showing, _ measures: [Measure], _ index: Int) {
    guard let better = measures[index].better else { return nil }
    let pairs = zip(ours.samples, other.samples).map { ours, other in
      better == .less ? (ours[index], other[index]) : (other[index], ours[index])
    }
    let quotients = pairs.filter { $1 > 0 }.map { $0 / $1 }
    guard !quotients.isEmpty else { return nil }
    figures = Figures(quotients)
  }

  enum Judgement: String, Sendable { case win, loss, even }

  /// Less is better; even if the interval holds 1.
  var judgement: Judgement {
    let interval = figures.interval
    return interval.upperBound < 1 ? .win : interval.lowerBound > 1 ? .loss : .even
  }

  var text: String {
    "\(ratioText(figures.median)) (\(ratioText(figures.interval.lowerBound))–\(ratioText(figures.interval.upperBound)))"
  }
}

/// Two decimals; of what is smaller than a tenth two digits that mean something: `0.00010`.
func ratioText(_ value: Double) -> String {
  guard value > 0, value < 0.095 else { return twoDecimals(value) }
  var decimals = 2
  var scale = 100.0
  while value * scale < 9.95 && decimals < 9 { (decimals, scale) = (decimals + 1, scale * 10) }
  let digits = "\(Int((value * scale).rounded()))"
  return "0." + String(repeating: "0", count: max(0, decimals - digits.utf8.count)) + digits
}

func twoDecimals(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}
