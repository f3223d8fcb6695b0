/// Why a benchmark did not run: one line for a person, and whose fault it is.

public struct BenchError: Error, CustomStringConvertible, Sendable {
  public enum Kind: Sendable {
    /// What a person gave is wrong (exit status 2).
    case usage
    /// The world failed: a server that is not there, or answers wrongly (exit status 1).
    case failure
    /// A signal came before anything was measured (exit status 1).
    case interruption
  }

  public let kind: Kind
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  static func usage(_ description: String) -> BenchError { BenchError(.usage, description) }
  static let interrupted = BenchError(.interruption, "interrupted before anything was measured")
  static func failure(_ description: String) -> BenchError { BenchError(.failure, description) }
}
