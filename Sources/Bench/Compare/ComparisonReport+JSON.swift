/// The report for programs, and back: what is written here is what records are made of, and a page is made from.
///
///     {"date": "…", "machine": "…", "conditions": ["…"], "interrupted": false, "absent": {"name": "reason"}, "workloads": [
///       {"id": "…", "name": "…", "why": "…", "measures": [{"name": "rate", "title": "requests/s", "better": "more", "sentence": "…"}],
///        "servers": [{"name": "martlet", "rate": [1, 2, 3]}, {"name": "redis", "rate": [1, 2, 3], "ratios": {"rate": [median, from, to]}}]}]}

import MartletBytes
import MartletJSON

extension ComparisonReport {
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("date", date)
    writer.member("machine", machine)
    writer.key("conditions")
    writer.beginArray()
    for line in conditions { writer.string(line) }
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
    for result in results { result.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.finish().text
  }

  /// Reads what `json` has written. What is no report is a usage error that names `path`.
  init(json text: RawSpan, path: String) throws(BenchError) {
    let value: AnyJSON
    do { value = try AnyJSON(json: text) } catch { throw .usage("\(path): \(error)") }
    guard let date = value["date"]?.text, let machine = value["machine"]?.text,
      let lines = value["conditions"]?.elements?.compactMap(\.text),
      let workloads = value["workloads"]?.elements, let absent = value["absent"]?.pairs
    else { throw .usage("\(path): not a report of martlet bench compare") }
    guard !lines.isEmpty else { throw .usage("\(path): a report without conditions") }
    let results = workloads.compactMap(WorkloadResult.init(json:))
    guard results.count == workloads.count else { throw .usage("\(path): a workload that cannot be read") }
    self.init(
      date: date, machine: machine, lines: lines, results: results, absent: absent.map { ($0, $1.text ?? "") },
      wasInterrupted: value["interrupted"] == .boolean(true), folder: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
  }
}

extension WorkloadResult {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", id)
    writer.member("name", name)
    writer.member("why", why)
    writer.key("measures")
    writer.beginArray()
    for measure in measures { measure.write(to: &writer) }
    writer.endArray()
    writer.key("servers")
    writer.beginArray()
    for showing in showings { write(showing, to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ showing: Showing, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("name", showing.name)
    if let trouble = showing.trouble { writer.member("trouble", trouble) }
    for (index, measure) in measures.enumerated() { write(measure.name, showing.samples.map { $0[index] }, to: &writer) }
    if showing.name != ServerPlan.ours {
      writer.key("ratios")
      writer.beginObject()
      for index in measures.indices {
        guard let figures = ratio(showing, index)?.figures else { continue }
        write(measures[index].name, [figures.median, figures.interval.lowerBound, figures.interval.upperBound], to: &writer)
      }
      writer.endObject()
    }
    writer.endObject()
  }

  private func write(_ name: String, _ values: [Double], to writer: inout JSONWriter) {
    writer.key(name)
    writer.beginArray()
    for value in values { writer.finite(millionths(value)) }
    writer.endArray()
  }

  fileprivate init?(json value: AnyJSON) {
    guard let id = value["id"]?.text, let name = value["name"]?.text, let why = value["why"]?.text,
      let measures = value["measures"]?.elements?.compactMap(Measure.init(json:)), let servers = value["servers"]?.elements
    else { return nil }
    var showings: [Showing] = []
    for server in servers {
      guard let showing = Showing(json: server, measures) else { return nil }
      showings.append(showing)
    }
    self.init(id: id, name: name, why: why, measures: measures, showings: showings)
  }
}

extension Showing {
  fileprivate init?(json value: AnyJSON, _ measures: [Measure]) {
    guard let name = value["name"]?.text else { return nil }
    let columns = measures.map { value[$0.name]?.elements?.compactMap(\.number) ?? [] }
    let rounds = columns.map(\.count).min() ?? 0
    guard columns.allSatisfy({ $0.count == rounds }) else { return nil }
    self.init(name: name, samples: (0..<rounds).map { round in columns.map { $0[round] } }, trouble: value["trouble"]?.text)
  }
}

extension Measure {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("name", name)
    writer.member("title", title)
    if let better { writer.member("better", better.rawValue) }
    if let sentence { writer.member("sentence", sentence) }
    if !isColumn { writer.member("column", false) }
    if isCharted { writer.member("chart", true) }
    writer.endObject()
  }

  fileprivate init?(json value: AnyJSON) {
    guard let name = value["name"]?.text, let title = value["title"]?.text else { return nil }
    self.init(
      name: name, title: title, better: value["better"]?.text.flatMap(Better.init(rawValue:)), sentence: value["sentence"]?.text,
      isColumn: value["column"] != .boolean(false), isCharted: value["chart"] == .boolean(true))
  }
}

extension AnyJSON {
  subscript(name: String) -> AnyJSON? { if case .members(let members) = self { members[name] } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [AnyJSON]? { if case .list(let elements) = self { elements } else { nil } }

  /// Members by name.
  var pairs: [(String, AnyJSON)]? {
    if case .members(let members) = self { members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } } else { nil }
  }

  var number: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .real(let real): real
    default: nil
    }
  }
}
