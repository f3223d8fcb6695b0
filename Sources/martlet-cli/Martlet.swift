/// `martlet`: the command line. Parses, then hands over to CacheServer or Bench; what the options mean is decided there.
///
/// swift-argument-parser prints usage dumps and exits with 64; ours is one line and 2, so errors are printed here.

import ArgumentParser
import Bench
import CacheServer

@main
struct Martlet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "The JSON cache that answers the API.",
    subcommands: [Serve.self, Health.self, BenchCommand.self, Version.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as UsageError {
      fail(error.description, status: .usage)
    } catch let error as ServeFailure {
      fail(error.description, status: .failure)
    } catch let error as BenchError {
      fail(error.description, status: error.kind == .usage ? .usage : .failure)
    } catch {
      exit(printing: error)
    }
  }

  /// Help goes to standard output with status 0; what the parser refuses becomes one line with status 2.
  private static func exit(printing error: any Error) -> Never {
    if exitCode(for: error).isSuccess {
      print(fullMessage(for: error))
      CacheServer.exit(.success)
    }
    if let status = error as? ExitStatus { CacheServer.exit(status) }
    let line = message(for: error).split(separator: "\n").joined(separator: " ")
    fail("\(line); see martlet --help", status: .usage)
  }

  private static func fail(_ line: String, status: ExitStatus) -> Never {
    printError("martlet: \(line)")
    CacheServer.exit(status)
  }
}

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() { print("martlet \(MartletVersion.text)") }
}
