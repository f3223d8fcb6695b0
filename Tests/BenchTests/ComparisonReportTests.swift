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
      name: name, samples: cpu.map { Sample(rate: 1e6 / $0, serverMicroseconds: $0, clientMicroseconds: 1, p50: 1, p99: 2) },
      trouble: trouble)
  }

  private func report(_ showings: [Showing], interrupted: Bool = false) -> ComparisonReport {
    let conditions = Conditions(
      machine: Machine(processor: "a processor", kernel: "Linux 1", cores: 2, load: 0.5), date: "today", commit: "abc",
      versions: [("martlet", "1"), ("redis", "7")], pinning: "servers on core 0", effort: .quick, noise: 1.25, loadAfter: 0.75)
    return ComparisonReport(
      conditions: conditions, results: [WorkloadResult(workload: workload, showings: showings)], absent: [("nginx", "not installed")],
      wasInterrupted: interrupted, folder: "folder")
  }

  @Test("Conditions stand before every number, and tell machine, kernel, versions, commit, load, pinning and noise")
  func conditions() throws {
    let text = report([showing("martlet", [1]), showing("redis", [2])]).markdown
    let parts = text.split(separator: "## ", omittingEmptySubsequences: true).map { String($0.prefix { $0 != "\n" }) }
    #expect(
      parts == ["# Comparison", "Conditions", "Losses", "Without a result", "Workloads", "#", "GET <1>"] || parts.first == "# Comparison")
    let conditions = try #require(text.firstRange(of: "## Conditions"))
    let workloads = try #require(text.firstRange(of: "## Workloads"))
    #expect(conditions.lowerBound < workloads.lowerBound)
    for word in [
      "a processor, 2 cores, Linux 1", "load average 0.5 before, 0.75 after", "commit abc", "redis: 7", "servers on core 0", "1.25 times",
    ] {
      #expect(text.firstRange(of: word) != nil, "\(word)")
    }
  }

  @Test("Losses are sentences of their own; without any, that is said")
  func losses() {
    let lost = report([showing("martlet", [4, 4]), showing("redis", [2, 2])]).markdown
    #expect(lost.contains("- GET <1>: martlet uses 2.00 (2.00–2.00) times the CPU time of redis."))
    #expect(lost.contains("- GET <1>: martlet takes 2.00 (2.00–2.00) times as long per request as redis."))
    #expect(report([showing("martlet", [1, 1]), showing("redis", [2, 2])]).markdown.contains("None beyond the intervals."))
  }

  @Test("Who took no part, failed or died is named with the reason")
  func troubles() {
    let report = report([showing("martlet", [1]), showing("redis", [], trouble: "it ended with 1: no memory")])
    #expect(report.markdown.contains("- nginx: not installed"))
    #expect(report.markdown.contains("- GET <1>: redis: it ended with 1: no memory"))
    #expect(report.failure?.description.contains("redis: it ended with 1") == true)
    #expect(self.report([showing("martlet", [1])]).failure == nil)
    #expect(self.report([showing("martlet", [1])], interrupted: true).failure?.description.hasPrefix("interrupted") == true)
  }

  @Test("The JSON holds every sample and the ratio with its interval")
  func json() {
    let text = report([showing("martlet", [1, 1]), showing("redis", [2, 4])]).json
    #expect(text.hasPrefix(#"{"conditions":["a processor"#))
    #expect(text.contains(#""absent":{"nginx":"not installed"}"#))
    #expect(text.contains(#""name":"redis","rate":[500000,250000],"cpu_us_per_op":[2,4]"#))
    #expect(text.contains(#""cpu_ratio":[0.375,0.25,0.5]"#))
  }

  @Test("A chart marks ours, escapes names, and has a logarithmic scale where values lie far apart")
  func chart() {
    func chart(_ values: [Double]) -> String {
      BarChart(title: "a < b & c", unit: "µs", bars: values.map { .init(name: "n", figures: Figures([$0, $0 * 2]), isOurs: $0 == 1) }).svg
    }
    let near = chart([1, 3])
    #expect(near.hasPrefix("<svg ") && near.hasSuffix("</svg>\n") && near.contains("a &lt; b &amp; c"))
    #expect(near.split(separator: "#c8451b").count == 2 && !near.contains("logarithmic"))
    #expect(chart([1, 300]).contains("logarithmic"))
    #expect(chart([]).contains("</svg>") && chart([0]).contains("</svg>"))
  }
}
