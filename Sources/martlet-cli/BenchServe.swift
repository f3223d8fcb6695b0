/// `martlet bench serve`: what a program written with the library serves, to be measured.

import ArgumentParser
import Bench

struct BenchServe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve typed routes written with the Swift library: what comparisons ask of frameworks.",
    discussion: """
      GET /json, GET /json/{count}, GET /users/{id}?verbose=true and POST /orders, on one thread, with Codable. Benchmarks/README.md tells what they \
      take and answer; Sources/Bench/Compare/LibraryRoutes.swift is all there is to it.
      """)

  @Option(help: ArgumentHelp("Where to serve HTTP: host:port, a port (loopback), unix:/path.", valueName: "addr"))
  var http = "127.0.0.1:8080"

  func run() throws { try LibraryRoutes.serve(on: http) }
}
