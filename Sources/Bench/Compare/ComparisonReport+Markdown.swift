/// The report for people: conditions, then losses and wins in the same words, who took no part, and a table for each workload.

extension ComparisonReport {
  var markdown: String {
    var lines = ["# Comparison", ""]
    if wasInterrupted { lines += ["**Interrupted: this is what was measured until then.**", ""] }
    lines += ["## Conditions", ""] + conditions.map { "- \($0)" } + ["", Self.howToRead, ""]
    lines += ["## Losses", ""] + sentences(.loss) + ["", "## Wins", ""] + sentences(.win) + ["", "## Even", ""] + sentences(.even)
    if !absent.isEmpty || !troubles.isEmpty {
      lines += ["", "## Without a result", ""] + absent.map { "- \($0.name): \($0.reason)" } + troubles.map { "- \($0)" }
    }
    lines += ["", "## Workloads"]
    for result in results where !result.shown.isEmpty {
      lines += ["", "### \(result.name)", "", result.why, ""] + result.table
      if result.chart != nil { lines += ["", "![\(result.name)](charts/\(result.id).svg)"] }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static let howToRead = """
    Every byte of every reply was checked. CPU time is the server's, all its threads and the kernel's work for it. A ratio is martlet's value
    divided by the rival's in the same round, turned over where more is better: below 1 martlet does with less. It is the median of the rounds;
    brackets hold the median's interval (of fewer than six rounds the least and the most). A win or a loss lies beyond 1 with its whole interval.
    """

  private func sentences(_ judgement: Ratio.Judgement) -> [String] {
    let found = comparisons(judgement)
    return found.isEmpty ? ["None."] : found.map { "- \($0.sentence)" }
  }
}

extension WorkloadResult {
  /// A row for each server: medians with the least and the most, then for rivals the ratios.
  var table: [String] {
    let columns = measures.indices.filter { measures[$0].isColumn }
    let judged = measures.indices.filter { measures[$0].better != nil }
    let titles = ["server"] + columns.map { measures[$0].title } + judged.map { "ratio, \(measures[$0].title)" }
    var lines = ["| " + titles.joined(separator: " | ") + " |", "|---|" + String(repeating: "---:|", count: titles.count - 1)]
    for showing in shown {
      let isOurs = showing.name == ServerPlan.ours
      var cells = [isOurs ? "**martlet**" : showing.name]
      cells += columns.map { spread(showing.figures($0)) }
      cells += judged.map { index in isOurs ? "" : ratio(showing, index).map { "\($0.text) \($0.judgement.rawValue)" } ?? "" }
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    return lines
  }

  private func spread(_ figures: Figures) -> String {
    "\(threeDigits(figures.median)) (\(threeDigits(figures.least))–\(threeDigits(figures.most)))"
  }
}
