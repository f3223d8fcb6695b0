/// A server to compare with: a folder of `Benchmarks/Rivals` with a `rival.json`, and what its program needs beside it.
///
///     {"name": "redis", "scheme": "resp", "program": "redis-server", "package": "redis-server",
///      "command": ["redis-server", "--port", "{port}", "--save", ""], "version": ["redis-server", "--version"], "files": {}}
///
/// `{port}`, `{folder}` (the rival's own) and `{scratch}` (a folder made for the run) are put in wherever they stand, in the command
/// and in the files, which are copied from the folder to the scratch.

import MartletBytes
import MartletJSON

struct Rival: Sendable, Decodable {
  let name: String
  let scheme: String
  /// HTTP: the paths that it serves, as workloads write them; `/v1/cache/{key}` for those that ask for keys.
  let paths: [String]?
  /// The program that must be there, and the Debian package that brings it.
  let program: String
  let package: String?
  let command: [String]
  /// Prints its version.
  let version: [String]
  /// Templates in the folder that are written to the scratch under the same name.
  let files: [String]?

  /// Whether it takes part.
  func canTake(_ workload: Workload) -> Bool {
    // A stampede is the same in whatever protocol a cache is asked.
    if workload.kind == .stampede { return scheme != "http" }
    guard scheme == workload.scheme else { return false }
    return scheme != "http" || paths?.contains(workload.path ?? "/v1/cache/{key}") ?? false
  }
}
