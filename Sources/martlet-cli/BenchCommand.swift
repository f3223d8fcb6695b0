/// `martlet bench`: a command of commands.

import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure a server, ours or another, beside its rivals; measure JSON.",
    subcommands: [BenchLoad.self, BenchCompare.self, BenchJSON.self, BenchServe.self, BenchPage.self])
}
