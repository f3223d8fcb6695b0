// The page is made from a record: any record makes it whole, and the repository's files are what the newest one makes.

import MartletBytes
import Testing

@testable import Bench

@Suite struct BenchmarkPageTests {
  private static let measures: [Measure] = [
    Measure.less("cpu", "CPU µs", "uses {} times the CPU time of").charted(), .more("rate", "requests/s", "takes {} times as long as"),
  ]

  private func report(_ date: String = "2026-11-22 20:30 UTC") -> ComparisonReport {
    ComparisonReport(
      date: date, machine: "a-machine-2-cores", lines: ["a machine, commit abc"],
      results: [
        WorkloadResult(
          id: "get", name: "GET | <1>", why: "It depends.", measures: Self.measures,
          showings: [
            Showing(name: "martlet", samples: [[2, 9], [2, 9]]), Showing(name: "redis", samples: [[4, 9], [4, 9]]),
            Showing(name: "other", samples: [[1, 9], [1, 9]]),
          ])
      ], absent: [("nginx", "not installed")], wasInterrupted: false, folder: "")
  }

  @Test("The repository's page, chart and table are what its newest record makes")
  func repository() throws {
    guard try Record.newest(in: Repository.benchmarks) != nil else { return }  // none is kept yet
    let page = try BenchmarkPage(benchmarks: Repository.benchmarks)
    for (path, text) in try page.files {
      #expect(page.read(path) == text, "\(path) is not what \(page.record) makes: run scripts/page")
    }
  }

  @Test("Wins and losses stand in the table and on the page in the same words, with the conditions and who is missing")
  func content() {
    let page = BenchmarkPage(report(), root: "/")
    #expect(
      page.table.hasPrefix(
        """
        Measured on a machine, commit abc.

        | workload | compared by | martlet's value divided by each rival's |
        |---|---|---|
        | GET \\| <1> | CPU µs | redis 0.50 (0.50–0.50) win<br>other 2.00 (2.00–2.00) loss |

        Not there: nginx (not installed).

        Losses, by every measure:

        - GET | <1>: martlet uses 2.00 (2.00–2.00) times the CPU time of other.

        Of 4 comparisons 1 are wins, 1 losses, 2 even
        """))
    let heads = page.page.split(separator: "\n").filter { $0.hasPrefix("## ") }
    #expect(heads == ["## Overview", "## Conditions", "## Losses", "## Wins", "## Even", "## Without a result", "## Workloads"])
    for words in [
      "- a machine, commit abc", "martlet uses 0.50 (0.50–0.50) times the CPU time of redis.",
      "martlet uses 2.00 (2.00–2.00) times the CPU time of other.", "- nginx: not installed", "It depends.",
      "Benchmarks/Records/a-machine-2-cores/2026-11-22-2030",
    ] {
      #expect(page.page.contains(words), "\(words)")
    }
    #expect(page.chart.hasPrefix("<svg ") && page.chart.contains("GET | &lt;1&gt;") && page.chart.contains("0.50 win"))
    #expect(RatioChart(rows: []).svg.hasSuffix("</svg>\n"))
  }

  @Test("The table stands between its lines, and nothing else changes")
  func table() {
    let (start, end) = (BenchmarkPage.tableStart, BenchmarkPage.tableEnd)
    let readme = "a\n\(start)\nold\n\(end)\nb\n"
    let changed = BenchmarkPage.replace(in: readme, with: "new\n")
    #expect(changed == "a\n\(start)\nnew\n\(end)\nb\n")
    #expect(BenchmarkPage.replace(in: changed ?? "", with: "new\n") == changed)
    #expect(BenchmarkPage.replace(in: "\(end)\(start)", with: "") == nil && BenchmarkPage.replace(in: "", with: "") == nil)
  }

  @Test("The newest record is found over all machines, and lies where its machine and date say; what it makes is written once")
  func newest() throws {
    let root = try #require(Folder.makeTemporary())
    defer { Folder.remove(root) }
    let benchmarks = "\(root)/Benchmarks"
    #expect(try Record.newest(in: benchmarks) == nil)
    #expect(throws: BenchError.self) { try BenchmarkPage(benchmarks: benchmarks) }
    for date in ["2026-11-22 20:30 UTC", "2027-01-02 03:04 UTC", "2026-12-31 23:59 UTC"] {
      let report = report(date)
      try report.write(to: Record.folder(report, in: benchmarks))
    }
    #expect(Folder.names("\(benchmarks)/Records/a-machine-2-cores") == ["2026-11-22-2030", "2026-12-31-2359", "2027-01-02-0304"])
    let page = try BenchmarkPage(benchmarks: benchmarks)
    #expect(page.report.date == "2027-01-02 03:04 UTC")
    #expect(throws: BenchError.self) { try page.write() }  // there is no README
    #expect(Folder.make("\(root)/Sources/Bench/Bench.docc"))
    #expect(SmallFile.write("\(BenchmarkPage.tableStart)\n\(BenchmarkPage.tableEnd)\n", to: "\(root)/README.md"))
    #expect(try page.write() == [BenchmarkPage.pagePath, BenchmarkPage.chartPath, BenchmarkPage.readmePath])
    #expect(try page.write() == [])
  }
}
