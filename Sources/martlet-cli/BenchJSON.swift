/// `martlet bench json`: JSON on its roads. Where the program that has Foundation, too, lies beside this one, it is run instead.

import ArgumentParser
import Bench
import CacheServer

struct BenchJSON: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "json",
    abstract: "Measure JSON: encode and decode on both roads, by the fast lane and by Foundation.",
    discussion: """
      A small reply, a 1 KB record, an 8 KB list of 50 items, and the files given; Codable on the Swift road, the fast lane, Codable through \
      jansson, Foundation. Every text is read by every decoder first, and all must agree. Times are CPU time; ratios are of the same round.

      Foundation is in martlet-bench-json, a program of its own that belongs beside martlet (scripts/build and the container image put it \
      there): the server itself does without Foundation. Where it is missing, the rest is measured.
      """)

  @Argument(help: ArgumentHelp("JSON files to measure, too.", valueName: "file"))
  var files: [String] = []
  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false
  @Flag(help: "One short round: shows that it works, and measures nothing.")
  var quick = false

  func run() throws {
    let missing = JSONCompanion.become(files: files, options: (json ? ["--json"] : []) + (quick ? ["--quick"] : []))
    printError("martlet: Foundation is not measured: \(missing)")
    var run = JSONRun()
    run.files = files
    run.isQuick = quick
    let report = try run.report()
    print(json ? try report.json : report.text)
  }
}
