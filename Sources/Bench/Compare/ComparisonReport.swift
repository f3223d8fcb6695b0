/// What a comparison has shown. For people it is Markdown with charts (`+Markdown`), for programs JSON that can be read back (`+JSON`).
///
/// Conditions come first: without them there is no report, and so no number.

import MartletBytes

struct WorkloadResult: Sendable {
  /// The name of the workload's file, and of its chart.
  let id: String
  let name: String
  let why: String
  let measures: [Measure]
  /// Ours first, if it ran.
  let showings: [Showing]

  init(id: String, name: String, why: String, measures: [Measure], showings: [Showing]) {
    (self.id, self.name, self.why, self.measures, self.showings) = (id, name, why, measures, showings)
  }

  init(_ workload: Workload, _ showings: [Showing]) {
    self.init(id: workload.id, name: workload.name, why: workload.why, measures: workload.measures, showings: showings)
  }

  var shown: [Showing] { showings.filter { !$0.samples.isEmpty } }
  var ours: Showing? { shown.first { $0.name == ServerPlan.ours } }
  var others: [Showing] { shown.filter { $0.name != ServerPlan.ours } }

  /// Ours against another by one measure; nil if that is not judged.
  func ratio(_ other: Showing, _ measure: Int) -> Ratio? { ours.flatMap { Ratio($0, other, measures, measure) } }

  /// Each rival by each measure that is judged.
  var comparisons: [RivalComparison] {
    others.flatMap { other in
      measures.indices.compactMap { index in
        ratio(other, index).map { RivalComparison(workload: name, rival: other.name, measure: measures[index], ratio: $0) }
      }
    }
  }

  var chart: BarChart? {
    guard let index = measures.firstIndex(where: \.isCharted), !shown.isEmpty else { return nil }
    let bars = shown.map { BarChart.Bar(name: $0.name, figures: $0.figures(index), isOurs: $0.name == ServerPlan.ours) }
    return BarChart(title: name, unit: measures[index].title, better: measures[index].better?.rawValue ?? "less", bars: bars)
  }
}

/// Ours beside one rival, by one measure of one workload.
struct RivalComparison: Sendable {
  let workload: String
  let rival: String
  let measure: Measure
  let ratio: Ratio

  /// `GET at depth 1: martlet uses 0.41 (0.40–0.43) times the CPU time of redis.`
  var sentence: String {
    "\(workload): martlet \((measure.sentence ?? "").replacing("{}", with: ratio.text)) \(rival)."
  }
}

public struct ComparisonReport: Sendable {
  let date: String
  let machine: String
  let conditions: [String]
  let results: [WorkloadResult]
  /// Rivals that are not on this machine, each with its reason.
  let absent: [(name: String, reason: String)]
  let wasInterrupted: Bool
  let folder: String

  /// Throws if a condition is missing: a number whose conditions nobody knows is not told.
  init(
    conditions: Conditions, results: [WorkloadResult], absent: [(name: String, reason: String)], wasInterrupted: Bool, folder: String
  ) throws(BenchError) {
    try conditions.requireComplete()
    self.init(
      date: conditions.date, machine: conditions.machine.slug, lines: conditions.lines, results: results, absent: absent,
      wasInterrupted: wasInterrupted, folder: folder)
  }

  /// As it was read from a file.
  init(
    date: String, machine: String, lines: [String], results: [WorkloadResult], absent: [(name: String, reason: String)],
    wasInterrupted: Bool, folder: String
  ) {
    (self.date, self.machine, conditions, self.results, self.absent) = (date, machine, lines, results, absent)
    (self.wasInterrupted, self.folder) = (wasInterrupted, folder)
  }

  /// Why the comparison did not show what it should have; nil if it did.
  public var failure: BenchError? {
    if wasInterrupted { return .failure("interrupted; what was measured is in \(folder)") }
    guard let first = troubles.first else { return nil }
    return .failure("\(troubles.count) without a result, first \(first); see \(folder)/report.md")
  }

  /// A line for the terminal.
  public var summary: String {
    "\(results.count) workloads: \(comparisons(.win).count) wins, \(comparisons(.loss).count) losses, \(comparisons(.even).count) even; "
      + "\(folder)/report.md"
  }

  /// Those that failed, each with its reason.
  var troubles: [String] {
    results.flatMap { result in result.showings.compactMap { showing in showing.trouble.map { "\(result.name): \(showing.name): \($0)" } } }
  }

  func comparisons(_ judgement: Ratio.Judgement) -> [RivalComparison] {
    results.flatMap(\.comparisons).filter { $0.ratio.judgement == judgement }
  }

  /// Writes `report.md`, `report.json` and `charts`.
  func write() throws(BenchError) { try write(to: folder) }

  func write(to folder: String) throws(BenchError) {
    var files = [("report.md", markdown), ("report.json", json + "\n")]
    for result in results {
      if let chart = result.chart { files.append(("charts/\(result.id).svg", chart.svg)) }
    }
    guard Folder.make(folder + "/charts") else { throw .failure("--report: cannot make \(folder)/charts") }
    for (name, text) in files {
      guard SmallFile.write(text, to: "\(folder)/\(name)") else { throw .failure("--report: cannot write \(folder)/\(name)") }
    }
  }
}
