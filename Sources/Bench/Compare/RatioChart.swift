/// Ratios to rivals at a glance, as SVG: a dot with its interval for each, on a logarithmic scale around 1. Left of the line Martlet does with less.

struct RatioChart {
  let rows: [RivalComparison]

  private static let width = 1020.0
  private static let left = 560.0
  private static let right = 910.0
  private static let rowHeight = 18.0
  private static let headHeight = 64.0
  /// How far the scale goes to both sides, at the least and at the most; what lies beyond stands at the edge.
  private static let reachLeast = 4.0
  private static let reachMost = 20.0

  var svg: String {
    let height = Self.headHeight + Double(rows.count) * Self.rowHeight + 16
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(short(Self.width)) \(short(height))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      "<text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\" fill=\"#222222\">Martlet's value divided by each rival's</text>",
      "<text x=\"12\" y=\"42\" fill=\"#555555\">median and interval, logarithmic; left of 1 Martlet does with less</text>",
    ]
    for mark in marks { lines += scale(mark, to: height - 12) }
    for (index, row) in rows.enumerated() { lines += draw(row, isFirst: index == 0 || rows[index - 1].workload != row.workload, at: index) }
    return lines.joined(separator: "\n") + "\n</svg>\n"
  }

  private func draw(_ row: RivalComparison, isFirst: Bool, at index: Int) -> [String] {
    let y = Self.headHeight + (Double(index) + 0.5) * Self.rowHeight
    let figures = row.ratio.figures
    let color =
      switch row.ratio.judgement {
      case .win: "#1b7a4b"
      case .loss: "#c8451b"
      case .even: "#777777"
      }
    let name = isFirst ? "<text x=\"12\" y=\"\(short(y + 4))\" fill=\"#222222\">\(escaped(row.workload))</text>" : ""
    return [
      name + "<text x=\"\(short(Self.left - 12))\" y=\"\(short(y + 4))\" text-anchor=\"end\" fill=\"#555555\">\(escaped(row.rival))</text>",
      "<path d=\"M\(place(figures.interval.lowerBound)) \(short(y))H\(place(figures.interval.upperBound))\" stroke=\"\(color)\" stroke-width=\"2\"/>"
        + "<circle cx=\"\(place(figures.median))\" cy=\"\(short(y))\" r=\"4\" fill=\"\(color)\"/>",
      "<text x=\"\(short(Self.right + 16))\" y=\"\(short(y + 4))\" fill=\"\(color)\">\(ratioText(figures.median)) \(row.ratio.judgement.rawValue)</text>",
    ]
  }

  private func scale(_ mark: Double, to bottom: Double) -> [String] {
    let x = place(mark)
    let color = mark == 1 ? "#222222" : "#dddddd"
    return [
      "<path d=\"M\(x) \(short(Self.headHeight))V\(short(bottom))\" stroke=\"\(color)\"/>"
        + "<text x=\"\(x)\" y=\"\(short(Self.headHeight - 4))\" text-anchor=\"middle\" fill=\"#555555\">\(short(mark))</text>"
    ]
  }

  /// How far the scale goes to both sides: the farthest median decides.
  private var reach: Double {
    let farthest = rows.map(\.ratio.figures.median).filter { $0 > 0 }.map { max($0, 1 / $0) }.max() ?? 1
    return min(max(farthest * 1.1, Self.reachLeast), Self.reachMost)
  }

  private var marks: [Double] { [0.1, 0.25, 0.5, 1, 2, 4, 10].filter { max($0, 1 / $0) <= reach } }

  private func place(_ value: Double) -> String {
    let within = min(max(value, 1 / reach), reach)
    let part = logarithm(within * reach) / logarithm(reach * reach)
    return short(((Self.left + (Self.right - Self.left) * part) * 10).rounded() / 10)
  }

  private func escaped(_ text: String) -> String { BarChart.escaped(text) }
}
