/// A server to compare with: a folder of `Benchmarks/Rivals` with a `rival.json`, and what its program needs beside it.
///
///     {"name": "redis", "scheme": "resp", "program": "redis-server", "package": "redis-server",
///      "command": ["redis-server", "--port", "{port}", "--save", ""], "version": ["redis-server", "--version"], "files": {}}
///
/// `{port}`, `{folder}` (the rival's own), `{built}` (where its program is built) and `{scratch}` (a folder made for the run) are put in wherever
/// they stand, in the commands and in the files, which are copied from the folder to the scratch.
///
/// A program that no package brings has a `build`, which `scripts/bench` runs before a comparison (Benchmarks/Rivals/prepare.py). Where that
/// was not possible, the reason lies beside `{built}`, and gets into the report.

import MartletBytes
import MartletJSON
import MartletLoop

struct Rival: Sendable, Decodable {
  let name: String
  let scheme: String
  /// HTTP: the paths that it serves, as workloads write them; `/v1/cache/{key}` for those that ask for keys.
  let paths: [String]?
  /// The program that must be there, and the Debian package that brings it.
  private(set) var program: String
  let package: String?
  private(set) var command: [String]
  /// Prints its version.
  private(set) var version: [String]
  let build: Build?
  /// Whether the members of its JSON stand in another order each time, as Foundation's encoder puts them.
  let anyOrder: Bool?
  /// Templates in the folder that are written to the scratch under the same name.
  let files: [String]?

  private enum CodingKeys: String, CodingKey {
    case name, scheme, paths, program, package, command, version, build, files
    case anyOrder = "any-order"
  }

  struct Build: Sendable, Decodable {
    /// Run in the rival's folder.
    let command: [String]
    let environment: [String: String]?
    /// Programs and files (as patterns) that must be there first, each with the Debian package that brings it.
    let needs: [String: String]
  }

  /// Puts in where it lies.
  mutating func settle(in folder: String, built: String) {
    func filled(_ text: String) -> String { text.replacing("{folder}", with: folder).replacing("{built}", with: built) }
    program = filled(program)
    command = command.map(filled)
    version = version.map(filled)
  }

  /// Why it cannot take part; nil if it can. `built` as above.
  func absence(built: String) -> String? {
    if build != nil, let note = SmallFile.read(built + ".missing")?.text.split(separator: "\n").first { return String(note) }
    if Programs.find(program) != nil { return nil }
    if build != nil { return "not built (scripts/bench builds it)" }
    return "\(program) is not installed" + (package.map { " (apt-get install \($0))" } ?? "")
  }

  /// Whether it takes part.
  func canTake(_ workload: Workload) -> Bool {
    // A stampede is the same in whatever protocol a cache is asked.
    if workload.kind == .stampede { return scheme != "http" }
    guard scheme == workload.scheme else { return false }
    return scheme != "http" || paths?.contains(workload.path ?? "/v1/cache/{key}") ?? false
  }
}
