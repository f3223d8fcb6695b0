/// `martlet bench page`: the page of the benchmarks and the README's table, from the newest record.

import ArgumentParser
import Bench

struct BenchPage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "page",
    abstract: "Write the page of the benchmarks and the README's table from the newest record.",
    discussion: """
      Records lie in Benchmarks/Records; `martlet bench compare --record` makes one. Of the same record come the same bytes: a test holds page, chart \
      and table to the newest.
      """)

  @Option(help: ArgumentHelp("The folder with Records, in the repository's root.", valueName: "dir"))
  var rivals = "./Benchmarks"

  func run() throws {
    let written = try BenchmarkPage(benchmarks: rivals).write()
    print(written.isEmpty ? "nothing has changed" : "written: " + written.joined(separator: ", "))
  }
}
