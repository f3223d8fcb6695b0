/// `martlet-bench-json`, the program beside `martlet` that measures Foundation, too.
///
/// A program of its own, because the server would pay for Foundation at rest: see the page of this module for the numbers.

import MartletBytes

public enum JSONCompanion {
  static let name = "martlet-bench-json"

  /// Runs it in place of this process, if it is there. Returns only if not, with the reason and what to do.
  public static func become(files: [String], options: [String]) -> String {
    guard let folder = CurrentProgram.folder else { return "the system does not tell where this program lies" }
    let path = "\(folder)/\(name)"
    guard CurrentProgram.isProgram(path) else { return "\(name) is not in \(folder) (scripts/build makes it)" }
    let failure = CurrentProgram.become(path, arguments: options + ["--"] + files)
    return "\(path) cannot be run (error \(failure))"
  }
}
