import MartletBytes
import MartletJSON
import Testing

@testable import Bench

@Suite struct ComparisonReportTests {
  private let workload: Workload

  init() throws {
    let text = Array(#"{"name": "GET <1>", "scheme": "resp", "why": "Why & how.", "options": {"mix": "get", "value-bytes": "1-9"}}"#.utf8)
    var workload = try MartletJSON.Decoder().decode(Workload.self, from: text.rawSpan)
    workload.id = "get"
    self.workload = workload
  }

  private func showing(_ name: String, _ cpu: [Double], trouble: String? = nil) -> Showing {
    Showing(
      name: name, samples: cpu.map { [1e6 / $0, $0, 1, 1, 2] },
      trouble: trouble)
  }

  private let complete = Conditions(
    machine: Machine(processor: "A processor (R) @ 2", kernel: "Linux 1", cores: 2, load: 0.5), date: "today", commit: "abc",
    versions: [("martlet", "1"), ("redis", "7")], pinning: "servers on core 0", effort: .quick, noise: 1.25, loadAfter: 0.75)

  private func report(_ showings: [Showing], interrupted: Bool = false, _ change: (inout Conditions) -> Void = { _ in }) throws
    -> ComparisonReport
  {
    var conditions = complete
    change(&conditions)
    return try ComparisonReport(
      conditions: conditions, results: [WorkloadResult(workload, showings)], absent: [("nginx", "not installed")],
      wasInterrupted: interrupted, folder: "folder")
  }

  @Test("Conditions stand before every number, and tell machine, kernel, versions, commit, load, pinning and noise")
  func conditions() throws {
    let text = try report([showing("martlet", [1]), showing("redis", [2])]).markdown
    let heads = text.split(separator: "\n").filter { $0.hasPrefix("#") }
    #expect(
      heads == ["# Comparison", "## Conditions", "## Losses", "## Wins", "## Even", "## Without a result", "## Workloads", "### GET <1>"])
    for word in [
      "A processor (R) @ 2, 2 cores, Linux 1", "load average 0.5 before, 0.75 after", "commit abc", "redis: 7", "servers on core 0",
      "1.25 times",
    ] {
      #expect(text.firstRange(of: word) != nil, "\(word)")
    }
  }

  private static let gaps: [(String, @Sendable (inout Conditions) -> Void)] = [
    ("machine", { $0.machine.processor = "" }), ("kernel", { $0.machine.kernel = "unknown" }), ("load", { $0.machine.load = nil }),
    ("commit", { $0.commit = "unknown" }), ("date", { $0.date = "" }), ("pinning", { $0.pinning = "" }), ("noise", { $0.noise = 0 }),
    ("version of redis", { $0.versions[1].version = "unknown" }), ("versions", { $0.versions = [] }),
  ]

  @Test(
    "Without one of its conditions no number is told",
    arguments: Self.gaps.indices)
  func incomplete(index: Int) throws {
    let (what, change) = Self.gaps[index]
    let error = #expect(throws: BenchError.self) { try report([showing("martlet", [1])], change) }
    #expect(error?.description.hasPrefix("no numbers without conditions: unknown here: \(what)") == true, "\(String(describing: error))")
  }

  @Test("Losses and wins are told in the same words")
  func losses() throws {
    func part(_ name: String, _ ours: [Double], _ other: [Double]) throws -> String {
      let text = try report([showing("martlet", ours), showing("redis", other)]).markdown
      return String(text.split(separator: "\n## ").first { $0.hasPrefix("\(name)\n") } ?? "")
    }
    for (name, factor, values) in [("Losses", "2.00", [4.0, 4]), ("Wins", "0.50", [1, 1]), ("Even", "1.00", [2, 2])] {
      let text = try part(name, values, [2, 2])
      #expect(text.contains("- GET <1>: martlet uses \(factor) (\(factor)–\(factor)) times the CPU time of redis."), "\(text)")
      #expect(text.contains("- GET <1>: martlet takes \(factor) (\(factor)–\(factor)) times as long per request as redis."))
    }
    #expect(try part("Losses", [1, 1], [2, 2]).contains("None.") && part("Wins", [2, 2], [1, 1]).contains("None."))
  }

  @Test("Who took no part, failed or died is named with the reason")
  func troubles() throws {
    let report = try report([showing("martlet", [1]), showing("redis", [], trouble: "it ended with 1: no memory")])
    #expect(report.markdown.contains("- nginx: not installed"))
    #expect(report.markdown.contains("- GET <1>: redis: it ended with 1: no memory"))
    #expect(report.failure?.description.contains("redis: it ended with 1") == true)
    #expect(try self.report([showing("martlet", [1])]).failure == nil)
    #expect(try self.report([showing("martlet", [1])], interrupted: true).failure?.description.hasPrefix("interrupted") == true)
  }

  @Test("The JSON holds every sample and the ratios with their intervals, and is read back as it was")
  func json() throws {
    let text = try report([showing("martlet", [1, 1]), showing("redis", [2, 4]), showing("x", [], trouble: "it ended")]).json
    #expect(text.hasPrefix(#"{"date":"today","machine":"a-processor-r-2-2-cores","conditions":["A processor"#))
    #expect(text.contains(#""absent":{"nginx":"not installed"}"#))
    #expect(text.contains(#""name":"redis","rate":[500000,250000],"cpu_us_per_op":[2,4]"#))
    #expect(text.contains(#""ratios":{"rate":[0.375,0.25,0.5],"cpu_us_per_op":[0.375,0.25,0.5]}"#))
    let bytes = Array(text.utf8)
    let again = try ComparisonReport(json: bytes.rawSpan, path: "records/report.json")
    #expect(again.json == text && again.folder == "records")
  }

  @Test("What is no report, or one without conditions, is one line that names the file")
  func notAReport() throws {
    let whole = try report([showing("martlet", [1, 1])]).json
    let withoutConditions = whole.replacing(#""conditions":["#, with: #""conditions":[],"others":["#)
    let broken = whole.replacing(#""rate":[1000000,1000000]"#, with: #""rate":[1000000]"#)
    for (text, words) in [("{", "p: "), ("{}", "not a report"), (withoutConditions, "without conditions"), (broken, "cannot be read")] {
      let bytes = Array(text.utf8)
      let error = #expect(throws: BenchError.self) { try ComparisonReport(json: bytes.rawSpan, path: "p") }
      #expect(error?.kind == .usage && error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  @Test("A chart marks ours, escapes names, and has a logarithmic scale where values lie far apart")
  func chart() {
    func chart(_ values: [Double]) -> String {
      BarChart(
        title: "a < b & c", unit: "µs", better: "less",
        bars: values.map { .init(name: "n", figures: Figures([$0, $0 * 2]), isOurs: $0 == 1) }
      ).svg
    }
    let near = chart([1, 3])
    #expect(near.hasPrefix("<svg ") && near.hasSuffix("</svg>\n") && near.contains("a &lt; b &amp; c"))
    #expect(near.split(separator: "#c8451b").count == 2 && !near.contains("logarithmic"))
    #expect(chart([1, 300]).contains("logarithmic"))
    #expect(chart([]).contains("</svg>") && chart([0]).contains("</svg>"))
  }
}
