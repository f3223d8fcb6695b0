/// `martlet bench compare`: the options of CONTRACT section 7, handed over to `Comparison`.

import ArgumentParser
import Bench
import CacheServer

struct BenchCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Start rivals beside this server, put one load on all, and report wins and losses.",
    discussion: """
      Rivals and workloads are read from the folders Rivals and Workloads. Servers run in turn, one thread each, on a core of their own if \
      there are two. A rival that is not installed, does not start, dies or answers wrongly is named in the report. Ctrl-C ends every \
      server and keeps what was measured.

      scripts/bench installs and builds rivals first. What the comparison will take is told at its start, with the arithmetic: each server has \
      a turn in every round of a workload, and is started once for it.
      """)

  @Option(help: ArgumentHelp("Rivals, as redis,nginx. (default: all that have a folder)", valueName: "names"))
  var against: String?
  @Option(help: ArgumentHelp("Workloads, as resp-get,http-json. (default: all that have a file)", valueName: "names"))
  var workloads: String?
  @Option(help: ArgumentHelp("The folder with Rivals and Workloads.", valueName: "dir"))
  var rivals = "./Benchmarks"
  @Flag(help: "Fewer and shorter runs: with every rival a quarter of an hour at the most.")
  var quick = false
  @Flag(help: "Show only that it works: the numbers mean nothing.")
  var tiny = false
  @Option(help: ArgumentHelp("Where to write report.md, report.json and charts.", valueName: "dir"))
  var report = "bench-report"
  @Flag(help: "Keep the report, too, in Records beside the workloads, if everyone who took part had a result.")
  var record = false
  @Option(help: ArgumentHelp("The commit that is measured, where git does not tell it.", valueName: "text"))
  var commit: String?

  func run() throws {
    var options = CompareOptions()
    options.against = names(against)
    options.workloads = names(workloads)
    (options.rivals, options.quick, options.tiny, options.report, options.commit) = (rivals, quick, tiny, report, commit)
    options.record = record
    let report = try Comparison(options).run()
    print(report.summary)
    if let failure = report.failure { throw failure }
  }

  private func names(_ list: String?) -> [String]? { list?.split(separator: ",").map(String.init) }
}
