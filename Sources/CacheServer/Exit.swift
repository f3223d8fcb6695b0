/// How the process ends.

internal import MartletBytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Exit statuses of every command.
public enum ExitStatus: Int32, Error, Sendable {
  case success = 0
  /// The world failed: a port in use, a server that is not there.
  case failure = 1
  /// What a person gave is wrong.
  case usage = 2
}

/// Ends the process.
public func exit(_ status: ExitStatus) -> Never { exit(status.rawValue) }

/// The world failed at start-up: one line, exit status 1.
public struct ServeFailure: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Prints a line to standard error.
public func printError(_ line: String) { StandardStreams.error(line) }
