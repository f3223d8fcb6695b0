/// What was measured, for people and for programs.

import MartletBytes
import MartletJSON

public struct JSONReport: Sendable {
  private let measurements: [JSONMeasurement]
  private let isQuick: Bool
  private let machine = Machine.current

  init(_ measurements: [JSONMeasurement], isQuick: Bool) {
    self.measurements = measurements
    self.isQuick = isQuick
  }

  private static let method =
    "CPU time of one, median of \(JSONRun.rounds) rounds in turn; output buffers are reused where the coder can; every text has been read by every decoder"

  /// Whom the others are measured against, where it takes part.
  static let yardstick = "Foundation"

  private func yardstick(for task: JSONTask) -> JSONMeasurement? {
    measurements.first { $0.task.workload == task.workload && $0.task.operation == task.operation && $0.task.road == Self.yardstick }
  }

  // MARK: For people

  public var text: String {
    var lines = ["\(machine), one thread", isQuick ? "one short round: it works; the numbers mean nothing" : Self.method]
    var seen: [String] = []
    for workload in measurements.map(\.task.workload) where !seen.contains(workload) {
      seen.append(workload)
      lines.append("")
      lines += table(workload)
    }
    return lines.joined(separator: "\n")
  }

  private func table(_ workload: String) -> [String] {
    let rows = measurements.filter { $0.task.workload == workload }
    guard let byteCount = rows.first?.task.byteCount else { return [] }
    let head = columns(
      "\(workload), \(byteCount) bytes", "", "CPU", "MB/s", rows.contains { $0.task.road == Self.yardstick } ? "× Foundation's speed" : "")
    return [head]
      + rows.map { row in
        let rate = String(Int(row.bytesPerSecond / 1e6))
        guard let yardstick = yardstick(for: row.task) else {
          return columns(row.task.operation.rawValue, row.task.road, duration(nanoseconds: UInt64(row.median.rounded())), rate, "")
        }
        let (median, least, greatest) = yardstick.ratio(to: row)
        let ratio = row.task.road == Self.yardstick ? "1" : "\(oneDecimal(median)) (\(oneDecimal(least))–\(oneDecimal(greatest)))"
        return columns(row.task.operation.rawValue, row.task.road, duration(nanoseconds: UInt64(row.median.rounded())), rate, ratio)
      }
  }

  private func columns(_ operation: String, _ road: String, _ time: String, _ rate: String, _ ratio: String) -> String {
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
    let name = road.isEmpty ? padded(operation, 34) : padded(operation, 10) + padded(road, 24)
    let line = name + right(time, 10) + right(rate, 8) + "   " + ratio
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  private func oneDecimal(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

  // MARK: For programs

  public var json: String {
    get throws {
      var output = ByteBuffer()
      try JSONWriter.append(to: &output) { json throws in
        json.beginObject()
        json.key("conditions")
        try writeConditions(to: &json)
        json.key("results")
        json.beginArray()
        for measurement in measurements { try write(measurement, to: &json) }
        json.endArray()
        json.endObject()
      }
      return output.text
    }
  }

  private func writeConditions(to json: inout JSONWriter) throws {
    json.beginObject()
    json.member("processor", machine.processor)
    json.member("cores", machine.cores)
    json.member("kernel", machine.kernel)
    try json.member("load_average", ifPresent: machine.load)
    json.member("threads", 1)
    json.member("method", Self.method)
    json.member("quick", isQuick)
    json.endObject()
  }

  private func write(_ measurement: JSONMeasurement, to json: inout JSONWriter) throws {
    let task = measurement.task
    json.beginObject()
    json.member("workload", task.workload)
    json.member("bytes", task.byteCount)
    json.member("operation", task.operation.rawValue)
    json.member("road", task.road)
    try json.member("cpu_nanoseconds", measurement.median)
    try json.member("cpu_nanoseconds_rounds", measurement.nanoseconds)
    try json.member("megabytes_per_second", measurement.bytesPerSecond / 1e6)
    if let yardstick = yardstick(for: task) {
      let (median, least, greatest) = yardstick.ratio(to: measurement)
      try json.member("times_foundation", median)
      try json.member("times_foundation_range", [least, greatest])
    }
    json.endObject()
  }
}
