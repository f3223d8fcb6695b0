/// Programs of this machine: where they are, what they print, a port for them.

import MartletBytes
import MartletLoop

enum Programs {
  /// Where a program is, along PATH and where Debian keeps servers; nil if it is nowhere.
  static func find(_ name: String) -> String? {
    if name.contains("/") { return SmallFile.isExecutable(name) ? name : nil }
    let folders = (ProcessEnvironment.value("PATH") ?? "").split(separator: ":").map(String.init) + ["/usr/sbin"]
    return folders.map { "\($0)/\(name)" }.first(where: SmallFile.isExecutable)
  }

  /// This program.
  static var own: String { "/proc/\(ChildProcess.ownProcess)/exe" }

  /// What stands for a line that is not there.
  static let unknown = "unknown"

  /// The first line that a command prints, with single spaces between its words.
  static func firstLine(_ command: [String]) -> String {
    guard let folder = Folder.makeTemporary() else { return unknown }
    defer { Folder.remove(folder) }
    do throws(UVError) {
      var child = try ChildProcess(command, output: "\(folder)/out")
      guard child.wait() == 0 else { return unknown }
    } catch { return unknown }
    return SmallFile.read("\(folder)/out")?.text.split(separator: "\n").first.map { $0.split(separator: " ").joined(separator: " ") }
      ?? unknown
  }

  static func freePort() -> UInt16? {
    // Free again at once: nobody else takes it within a moment, as a rule; if so, the server says that it could not listen.
    do throws(UVError) { return try ListeningSocket.bind(.loopback(port: 0), loops: 1).address.port } catch { return nil }
  }
}
