/// The page of the benchmarks, the table in the README and the chart of both, made from the newest record: wins and losses alike, whoever has
/// measured. `martlet bench page` writes them, a test holds them to the record.

import MartletBytes

public struct BenchmarkPage {
  let report: ComparisonReport
  /// The record's folder as seen from the repository's root.
  let record: String
  private let root: String

  /// Of the newest record in the folder of Benchmarks, which lies in the repository's root.
  public init(benchmarks: String) throws(BenchError) {
    guard let report = try Record.newest(in: benchmarks) else {
      throw .usage("no record in \(benchmarks)/Records: martlet bench compare --record makes one")
    }
    self.init(report, root: benchmarks + "/..")
  }

  init(_ report: ComparisonReport, root: String) {
    (self.report, self.root) = (report, root)
    record = Record.folder(report, in: "Benchmarks")
  }

  public static let pagePath = "Sources/Bench/Bench.docc/Comparison.md"
  static let chartPath = "Sources/Bench/Bench.docc/Comparison.svg"
  static let readmePath = "README.md"

  /// Writes all that differs; the paths of what did, from the repository's root.
  public func write() throws(BenchError) -> [String] {
    var written: [String] = []
    for (path, text) in try files where read(path) != text {
      guard SmallFile.write(text, to: "\(root)/\(path)") else { throw .failure("cannot write \(root)/\(path)") }
      written.append(path)
    }
    return written
  }

  /// What the files must hold.
  var files: [(path: String, text: String)] {
    get throws(BenchError) {
      guard let readme = read(Self.readmePath), let changed = Self.replace(in: readme, with: table) else {
        throw .failure("\(root)/\(Self.readmePath) has no \(Self.tableStart) … \(Self.tableEnd)")
      }
      return [(Self.pagePath, page), (Self.chartPath, chart), (Self.readmePath, changed)]
    }
  }

  func read(_ path: String) -> String? { SmallFile.read("\(root)/\(path)")?.text }

  // MARK: The README's table

  static let tableStart = "<!-- The table between these two lines is written by martlet bench page. -->"
  static let tableEnd = "<!-- Until here. -->"

  static func replace(in readme: String, with table: String) -> String? {
    guard let start = readme.firstRange(of: tableStart), let end = readme.firstRange(of: tableEnd), start.upperBound < end.lowerBound else {
      return nil
    }
    return "\(readme[..<start.upperBound])\n\(table)\(readme[end.lowerBound...])"
  }

  /// The conditions, a row for each workload with its charted measure, and the losses by all measures.
  var table: String {
    var lines = ["Measured on \(report.conditions.joined(separator: "; ")).", ""]
    lines += ["| workload | compared by | martlet's value divided by each rival's |", "|---|---|---|"]
    for result in report.results {
      let charted = result.comparisons.filter(\.measure.isCharted)
      guard let measure = charted.first?.measure else { continue }
      let cells = charted.map { "\($0.rival) \($0.ratio.text) \($0.ratio.judgement.rawValue)" }
      lines.append(
        "| \(escaped(result.name)) | \(measure.title)\(measure.better == .more ? ", turned over" : "") | \(cells.joined(separator: "<br>")) |"
      )
    }
    let absent = report.absent.map { "\($0.name) (\($0.reason))" }
    if !absent.isEmpty { lines += ["", "Not there: \(absent.joined(separator: ", "))."] }
    lines += ["", "Losses, by every measure:", ""] + sentences(.loss)
    return lines.joined(separator: "\n") + "\n\n" + "\(tally) [How it was measured](\(Self.pagePath)), [the record](\(record)/report.md).\n"
  }

  private var tally: String {
    let counts = [Ratio.Judgement.win, .loss, .even].map { report.comparisons($0).count }
    return
      "Of \(counts.reduce(0, +)) comparisons \(counts[0]) are wins, \(counts[1]) losses, \(counts[2]) even (1 lies within the interval)."
  }

  // MARK: The page

  var page: String {
    var lines = ["# How Martlet compares", "", "What `scripts/bench --record` has measured beside others, with every loss.", ""]
    lines += [
      "## Overview", "",
      "This page is written by `martlet bench page` from `\(record)`, whose report has every value, and a chart for each workload. \(tally)",
      "",
      "![Martlet beside each rival](Comparison)", "", "## Conditions", "",
    ]
    lines += report.conditions.map { "- \($0)" } + ["", ComparisonReport.howToRead, ""]
    for (title, judgement) in [("Losses", Ratio.Judgement.loss), ("Wins", .win), ("Even", .even)] {
      lines += ["## \(title)", ""] + sentences(judgement) + [""]
    }
    let missing = report.absent.map { "- \($0.name): \($0.reason)" } + report.troubles.map { "- \($0)" }
    if !missing.isEmpty { lines += ["## Without a result", ""] + missing + [""] }
    lines += ["## Workloads", "", "The sentence above a table says what its numbers depend on, whoever wins."]
    for result in report.results where !result.shown.isEmpty { lines += ["", "### \(result.name)", "", result.why, ""] + result.table }
    return lines.joined(separator: "\n") + "\n"
  }

  private func sentences(_ judgement: Ratio.Judgement) -> [String] {
    let found = report.comparisons(judgement)
    return found.isEmpty ? ["None."] : found.map { "- \($0.sentence)" }
  }

  private func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }

  /// Each workload's charted measure beside each rival.
  var chart: String {
    RatioChart(rows: report.results.flatMap { $0.comparisons.filter(\.measure.isCharted) }).svg
  }
}
