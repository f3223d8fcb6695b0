/// Bars beside names, as SVG that a person reads at a glance: ours marked, the spread as a line over the bar's end, a logarithmic scale
/// where the largest is more than twenty times the smallest.

struct BarChart {
  struct Bar {
    let name: String
    let figures: Figures
    let isOurs: Bool
  }

  let title: String
  let unit: String
  /// What is better: `less`, `more`.
  let better: String
  let bars: [Bar]

  private static let width = 720.0
  private static let nameWidth = 130.0
  private static let valueWidth = 90.0
  private static let rowHeight = 30.0
  private static let headHeight = 56.0
  private static let logarithmicFrom = 20.0

  var svg: String {
    let height = Self.headHeight + Double(bars.count) * Self.rowHeight + 12
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(short(Self.width)) \(short(height))\" font-family=\"sans-serif\" font-size=\"14\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      "<text x=\"12\" y=\"24\" font-weight=\"bold\" fill=\"#222222\">\(Self.escaped(title))</text>",
      "<text x=\"12\" y=\"44\" font-size=\"12\" fill=\"#555555\">\(Self.escaped(unit)), \(better) is better\(isLogarithmic ? "; logarithmic scale" : "")</text>",
    ]
    for (index, bar) in bars.enumerated() { lines += row(bar, y: Self.headHeight + Double(index) * Self.rowHeight) }
    return lines.joined(separator: "\n") + "\n</svg>\n"
  }

  private func row(_ bar: Bar, y: Double) -> [String] {
    let middle = y + Self.rowHeight / 2
    let (least, median, most) = (place(bar.figures.least), place(bar.figures.median), place(bar.figures.most))
    let color = bar.isOurs ? "#c8451b" : "#8a9aa8"
    let weight = bar.isOurs ? " font-weight=\"bold\"" : ""
    return [
      "<text x=\"\(short(Self.nameWidth - 8))\" y=\"\(short(middle + 5))\" text-anchor=\"end\"\(weight) fill=\"#222222\">\(Self.escaped(bar.name))</text>",
      "<rect x=\"\(short(Self.nameWidth))\" y=\"\(short(y + 5))\" width=\"\(short(median - Self.nameWidth))\" height=\"\(short(Self.rowHeight - 10))\" fill=\"\(color)\"/>",
      "<path d=\"M\(short(least)) \(short(middle))H\(short(most))M\(short(least)) \(short(middle - 5))v10M\(short(most)) \(short(middle - 5))v10\" stroke=\"#222222\" fill=\"none\"/>",
      "<text x=\"\(short(max(most, median) + 8))\" y=\"\(short(middle + 5))\"\(weight) fill=\"#222222\">\(threeDigits(bar.figures.median))</text>",
    ]
  }

  private var most: Double { bars.map(\.figures.most).max() ?? 1 }
  private var least: Double { bars.map(\.figures.least).filter { $0 > 0 }.min() ?? 1 }
  private var isLogarithmic: Bool { most > least * Self.logarithmicFrom }

  /// Where a value lies from the left.
  private func place(_ value: Double) -> Double {
    let room = Self.width - Self.nameWidth - Self.valueWidth
    guard most > 0 else { return Self.nameWidth }
    let part = isLogarithmic ? logarithm(max(value, least) / least * 2) / logarithm(most / least * 2) : value / most
    return ((Self.nameWidth + room * part) * 10).rounded() / 10
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
