/// What a comparison has shown: for people as Markdown with charts, for programs as JSON. Conditions come first, losses have a section of
/// their own, and so have those who did not take part.

import MartletBytes
import MartletJSON

struct WorkloadResult: Sendable {
  let workload: Workload
  /// Ours first, if it ran.
  let showings: [Showing]

  var ours: Showing? { showings.first { $0.name == ServerPlan.ours && !$0.samples.isEmpty } }
  var others: [Showing] { showings.filter { $0.name != ServerPlan.ours && !$0.samples.isEmpty } }
}

public struct ComparisonReport: Sendable {
  let conditions: Conditions
  let results: [WorkloadResult]
  /// Rivals that are not on this machine, each with its reason.
  let absent: [(name: String, reason: String)]
  let wasInterrupted: Bool
  let folder: String

  /// Why the comparison did not show what it should have; nil if it did.
  public var failure: BenchError? {
    if wasInterrupted { return .failure("interrupted; what was measured is in \(folder)") }
    let troubles = results.flatMap { result in
      result.showings.compactMap { showing in showing.trouble.map { "\(result.workload.name): \(showing.name): \($0)" } }
    }
    return troubles.isEmpty ? nil : .failure("\(troubles.count) without a result, first \(troubles[0]); see \(folder)/report.md")
  }

  /// A line for the terminal.
  public var summary: String { "\(results.count) workloads, \(losses.count) losses; \(folder)/report.md" }

  // MARK: Comparing

  private func cpuRatio(_ result: WorkloadResult, _ other: Showing) -> Ratio? {
    result.ours.flatMap { Ratio($0, other, \.serverMicroseconds) }
  }

  /// Turned over, so that less is better here, too.
  private func timeRatio(_ result: WorkloadResult, _ other: Showing) -> Ratio? {
    result.ours.flatMap { Ratio($0, other) { $0.rate > 0 ? 1 / $0.rate : 0 } }
  }

  /// Sentences, one for each workload and rival that is better than ours beyond the interval.
  private var losses: [String] {
    results.flatMap { result in
      result.others.flatMap { other -> [String] in
        var sentences: [String] = []
        if let ratio = cpuRatio(result, other), ratio.judgement == .loss {
          sentences.append("\(result.workload.name): martlet uses \(ratio.text) times the CPU time of \(other.name).")
        }
        if result.workload.options.rate == nil, let ratio = timeRatio(result, other), ratio.judgement == .loss {
          sentences.append("\(result.workload.name): martlet takes \(ratio.text) times as long per request as \(other.name).")
        }
        return sentences
      }
    }
  }

  // MARK: Markdown

  var markdown: String {
    var lines = ["# Comparison", ""]
    if wasInterrupted { lines += ["**Interrupted: this is what was measured until then.**", ""] }
    lines += ["## Conditions", ""] + conditions.lines.map { "- \($0)" }
    lines += [
      "",
      "Every byte of every reply was checked. CPU time is the server's, all its threads and the kernel's work for it, per request. A ratio is",
      "martlet's value divided by the rival's in the same round: below 1 martlet does with less. It is the median of the rounds; brackets hold",
      "the median's interval (of fewer than six rounds the least and the most).", "",
    ]
    lines += ["## Losses", ""] + (losses.isEmpty ? ["None beyond the intervals."] : losses.map { "- \($0)" })
    let troubles = results.flatMap { result in
      result.showings.compactMap { showing in showing.trouble.map { "- \(result.workload.name): \(showing.name): \($0)" } }
    }
    if !absent.isEmpty || !troubles.isEmpty {
      lines += ["", "## Without a result", ""] + absent.map { "- \($0.name): \($0.reason)" } + troubles
    }
    lines += ["", "## Workloads"]
    for result in results where !result.showings.allSatisfy(\.samples.isEmpty) {
      lines += ["", "### \(result.workload.name)", "", result.workload.why, ""] + table(result)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ result: WorkloadResult) -> [String] {
    var lines = [
      "| server | requests/s | CPU µs per request | p50 µs | p99 µs | CPU ratio | time ratio |", "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for showing in result.showings where !showing.samples.isEmpty {
      let isOurs = showing.name == ServerPlan.ours
      var cells = [isOurs ? "**martlet**" : showing.name]
      for value in [\Sample.rate, \.serverMicroseconds, \.p50, \.p99] { cells.append(spread(showing.figures { $0[keyPath: value] })) }
      cells.append(isOurs ? "" : cpuRatio(result, showing)?.text ?? "")
      cells.append(isOurs || result.workload.options.rate != nil ? "" : timeRatio(result, showing)?.text ?? "")
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    return lines + ["", "![CPU time per request: \(result.workload.name)](charts/\(result.workload.id).svg)"]
  }

  private func spread(_ figures: Figures) -> String {
    "\(threeDigits(figures.median)) (\(threeDigits(figures.least))–\(threeDigits(figures.most)))"
  }

  // MARK: JSON

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("conditions")
    writer.beginArray()
    for line in conditions.lines { writer.string(line) }
    writer.endArray()
    writer.member("interrupted", wasInterrupted)
    writer.key("absent")
    writer.beginObject()
    for (name, reason) in absent {
      writer.key(name)
      writer.string(reason)
    }
    writer.endObject()
    writer.key("workloads")
    writer.beginArray()
    for result in results { append(result, to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.finish().text
  }

  private func append(_ result: WorkloadResult, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", result.workload.id)
    writer.member("name", result.workload.name)
    writer.key("servers")
    writer.beginArray()
    for showing in result.showings {
      writer.beginObject()
      writer.member("name", showing.name)
      if let trouble = showing.trouble { writer.member("trouble", trouble) }
      for (name, value) in [
        ("rate", \Sample.rate), ("cpu_us_per_op", \.serverMicroseconds), ("client_cpu_us_per_op", \.clientMicroseconds), ("p50_us", \.p50),
        ("p99_us", \.p99),
      ] {
        writer.key(name)
        writer.beginArray()
        for sample in showing.samples { writer.finite((sample[keyPath: value] * 1000).rounded() / 1000) }
        writer.endArray()
      }
      if showing.name != ServerPlan.ours, let ratio = cpuRatio(result, showing) {
        writer.key("cpu_ratio")
        writer.beginArray()
        for value in [ratio.figures.median, ratio.figures.interval.lowerBound, ratio.figures.interval.upperBound] {
          writer.finite((value * 1000).rounded() / 1000)
        }
        writer.endArray()
      }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }

  // MARK: Files

  /// Writes `report.md`, `report.json` and `charts`.
  func write() throws(BenchError) {
    var files = [("report.md", markdown), ("report.json", json + "\n")]
    for result in results where result.ours != nil || !result.others.isEmpty {
      let bars = result.showings.filter { !$0.samples.isEmpty }.map { showing in
        BarChart.Bar(name: showing.name, figures: showing.figures(\.serverMicroseconds), isOurs: showing.name == ServerPlan.ours)
      }
      files.append(("charts/\(result.workload.id).svg", BarChart(title: result.workload.name, unit: "CPU µs per request", bars: bars).svg))
    }
    guard Folder.make(folder + "/charts") else { throw .failure("--report: cannot make \(folder)/charts") }
    for (name, text) in files {
      guard SmallFile.write(text, to: "\(folder)/\(name)") else { throw .failure("--report: cannot write \(folder)/\(name)") }
    }
  }
}
