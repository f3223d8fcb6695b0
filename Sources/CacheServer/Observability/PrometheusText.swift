/// Prometheus's text exposition format 0.0.4: a page is families, a family is HELP, TYPE and samples.
///
/// Written piece by piece into one buffer: a page has a thousand lines, and the loop that writes it has requests to answer.

internal import MartletBytes

struct PrometheusText: ~Copyable {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  enum Kind: String { case counter, gauge, histogram }

  private var output = ByteBuffer()

  /// The page.
  consuming func finish() -> ByteBuffer { output }

  /// Opens a family; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    output.append("# HELP ")
    output.append(name)
    output.append(" ")
    output.append(help)
    output.append("\n# TYPE ")
    output.append(name)
    output.append(" ")
    output.append(kind.rawValue)
    output.append("\n")
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
    begin(name, suffix: "", labels, bound: nil)
    output.append(decimal: value)
    output.append("\n")
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
    begin(name, suffix: "", labels, bound: nil)
    end(value)
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
      begin(name, suffix: "_bucket", labels, bound: Self.bounds[index])
      output.append(decimal: cumulative)
      output.append("\n")
    }
    begin(name, suffix: "_sum", labels, bound: nil)
    end(Double(histogram.nanosecondsTotal) / 1e9)
    begin(name, suffix: "_count", labels, bound: nil)
    output.append(decimal: cumulative)
    output.append("\n")
  }

  /// Upper bounds of a histogram's buckets, in seconds.
  private static let bounds = (0..<LatencyHistogram.bucketCount).map { LatencyHistogram.boundSeconds($0).map { "\($0)" } ?? "+Inf" }

  /// All of a line before its value.
  private mutating func begin(_ name: String, suffix: StaticString, _ labels: [(String, String)], bound: String?) {
    output.append(name)
    output.append(suffix)
    var separator = UInt8(ascii: "{")
    for (label, value) in labels {
      output.append(separator)
      append(label, value)
      separator = UInt8(ascii: ",")
    }
    if let bound {
      output.append(separator)
      append("le", bound)
    }
    output.append(labels.isEmpty && bound == nil ? " " : "} ")
  }

  private mutating func append(_ label: String, _ value: String) {
    output.append(label)
    output.append("=\"")
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): output.append(#"\\"#)
      case UInt8(ascii: "\""): output.append(#"\""#)
      case UInt8(ascii: "\n"): output.append(#"\n"#)
      default: output.append(byte)
      }
    }
    output.append("\"")
  }

  private mutating func end(_ value: Double) {
    if value == value.rounded(), abs(value) < 1e15 { output.append(decimal: Int64(value)) } else { output.append(String(value)) }
    output.append("\n")
  }
}
