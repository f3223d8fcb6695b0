/// What a load has shown, for people and as CONTRACT's JSON.

import MartletBytes
import MartletJSON

/// Percentiles of a histogram, in nanoseconds.
struct LatencyFigures: Sendable {
  static let percentiles = [50.0, 90, 99, 99.9, 99.99]
  /// In the order of `percentiles`.
  let values: [UInt64]
  let max: UInt64

  init(_ histogram: borrowing HDRHistogram) {
    var values: [UInt64] = []
    for percent in Self.percentiles { values.append(histogram.nanoseconds(atPercentile: percent)) }
    self.values = values
    max = histogram.max
  }

  /// One of `percentiles`.
  func microseconds(atPercentile percent: Double) -> Double {
    guard let index = Self.percentiles.firstIndex(of: percent) else { preconditionFailure("no such percentile is kept") }
    return Double(values[index]) / 1e3
  }
}

public struct LoadReport: Sendable {
  let options: LoadOptions
  let tally: LoadTally
  let latency: LatencyFigures
  let seconds: Double
  let clientCPUNanoseconds: UInt64
  let serverCPUNanoseconds: UInt64?
  /// The body that a path's replies had.
  let pathReply: [UInt8]
  /// A signal has ended it before its time.
  let wasInterrupted: Bool

  var rate: Double { seconds > 0 ? Double(tally.operations) / seconds : 0 }
  var clientMicrosecondsPerOperation: Double { perOperation(clientCPUNanoseconds) }
  var serverMicrosecondsPerOperation: Double? { serverCPUNanoseconds.map { perOperation($0) } }

  private func perOperation(_ nanoseconds: UInt64) -> Double {
    tally.operations > 0 ? Double(nanoseconds) / 1e3 / Double(tally.operations) : 0
  }

  /// A line that says what failed; nil if all was well.
  public var failure: BenchError? {
    if tally.errors > 0 {
      let hint = tally.hasWrongValues && options.path == nil ? "; values that a run with other --value-bytes has stored are wrong, too" : ""
      return .failure("\(options.target): \(tally.failuresInWords)\(hint)")
    }
    return tally.operations == 0 ? .failure("\(options.target): no reply within the measured time") : nil
  }

  /// What a person should know to read the numbers rightly; nil: nothing.
  public var note: String? {
    guard tally.misses > 0 else { return nil }
    return "\(tally.misses) of \(tally.lookups) keys asked for were missing\(options.preload ? "" : " (--preload stores every key first)")"
  }

  // MARK: For people

  public var text: String {
    var lines = conditions + [""]
    lines.append(
      "operations  \(tally.operations) in \(short(seconds)) s: \(threeDigits(rate))/s"
        + (options.rate.map { " of \(short($0))/s asked" } ?? "")
        + ", \(tally.errors) errors" + (tally.unsent > 0 ? ", \(tally.unsent) due and never sent" : ""))
    var latencies = zip(LatencyFigures.percentiles, latency.values).map { "\(short($0)) %  \(duration(nanoseconds: $1))" }
    latencies.append("max  \(duration(nanoseconds: latency.max))")
    lines.append("latency     " + latencies.joined(separator: "   "))
    let server = serverMicrosecondsPerOperation.map { "server \(threeDigits($0)) µs, " } ?? ""
    lines.append("CPU per op  \(server)client \(threeDigits(clientMicrosecondsPerOperation)) µs")
    return lines.joined(separator: "\n")
  }

  private var conditions: [String] {
    let loop = options.rate.map { "open loop at \(short($0))/s, latency from when a request was due" } ?? "closed loop"
    var first = "\(options.target): \(counted(options.connections, "connection")), pipeline \(options.pipeline), "
    first += "\(counted(options.threads, "thread")), \(loop)"
    var second = "\(options.mix)"
    if let path = options.path {
      second = options.body.map { "POST \(path), \($0.utf8.count) bytes" } ?? "GET \(path)"
    } else {
      let sizes = options.valueBytes
      let size = sizes.lowerBound == sizes.upperBound ? "\(sizes.lowerBound)" : "\(sizes.lowerBound) to \(sizes.upperBound)"
      second += "; \(options.keys) keys of \(options.keyBytes) bytes (\(options.distribution)), values of \(size) bytes"
      if let ttl = options.ttlSeconds { second += " for \(ttl) s" }
      if options.mix.contains(.mget) { second += ", \(options.batch) keys an mget" }
    }
    second += "; \(short(options.durationSeconds)) s after \(short(options.warmUpSeconds)) s of warm-up"
    return [first, second, "\(Machine.current)" + (options.cores.isEmpty ? "" : "; client on core \(options.cores)")]
  }

  private func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }

  // MARK: For programs

  public var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("operations", tally.operations)
    writer.member("errors", tally.errors)
    writer.key("seconds")
    writer.finite((seconds * 1e6).rounded() / 1e6)
    writer.key("rate")
    writer.finite(rounded(rate))
    writer.key("latency_us")
    writer.beginObject()
    for (percentile, value) in zip(LatencyFigures.percentiles, latency.values) {
      writer.key(short(percentile))
      writer.finite(rounded(Double(value) / 1e3))
    }
    writer.key("max")
    writer.finite(rounded(Double(latency.max) / 1e3))
    writer.endObject()
    writer.key("client_cpu_us_per_op")
    writer.finite(rounded(clientMicrosecondsPerOperation))
    writer.key("server_cpu_us_per_op")
    if let server = serverMicrosecondsPerOperation { writer.finite(rounded(server)) } else { writer.null() }
    writer.endObject()
    return writer.finish().text
  }

  private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
