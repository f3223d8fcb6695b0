/// `martlet bench`: a command of commands.

import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure a server, ours or another; measure JSON.",
    subcommands: [BenchLoad.self, BenchJSON.self])
}
