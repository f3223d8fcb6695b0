/// Prometheus's text exposition format 0.0.4: a page is families, a family is HELP, TYPE and samples.

internal import MartletBytes

struct PrometheusText: ~Copyable {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  enum Kind: String { case counter, gauge, histogram }

  private var output = ByteBuffer()

  /// The page.
  consuming func finish() -> ByteBuffer { output }

  /// Opens a family; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    output.append("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
    sample(name, labels, text: String(value))
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
    sample(name, labels, text: value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value))
  }

  /// A family of one sample.
  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
    family(name, kind, help)
    sample(name, [], value)
  }

  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    family(name, kind, help)
    sample(name, [], value)
  }

  /// The samples of one histogram: cumulative buckets in seconds, sum and count.
  mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: LatencyHistogram) {
    var cumulative: UInt64 = 0
    for (index, count) in histogram.counts.enumerated() {
      cumulative += count
      let bound = LatencyHistogram.boundSeconds(index).map { String($0) } ?? "+Inf"
      sample("\(name)_bucket", labels + [("le", bound)], cumulative)
    }
    sample("\(name)_sum", labels, Double(histogram.nanosecondsTotal) / 1e9)
    sample("\(name)_count", labels, cumulative)
  }

  private mutating func sample(_ name: String, _ labels: [(String, String)], text: String) {
    output.append(name)
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
      output.append("{\(pairs.joined(separator: ","))}")
    }
    output.append(" \(text)\n")
  }

  /// Label values escape backslash, quotation mark and line feed.
  static func escaped(_ value: String) -> String {
    var result = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": result += #"\\"#
      case "\"": result += #"\""#
      case "\n": result += #"\n"#
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
