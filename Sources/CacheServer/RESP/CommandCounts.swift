/// What one loop counts of commands. Written by its thread alone, without a lock; read by any.

internal import Synchronization

final class CommandCounts: Sendable {
  final class Count: Sendable {
    let calls = Atomic<UInt64>(0)
    let nanoseconds = Atomic<UInt64>(0)
    /// Answered with an error: once run, and without having been run.
    let failed = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
  }

  /// By `Command.rawValue`.
  private let counts = Command.allCases.map { _ in Count() }

  subscript(command: Command) -> Count { counts[Int(command.rawValue)] }

  /// Calls, by `Command.rawValue`.
  var calls: [UInt64] { counts.map { $0.calls.load(ordering: .relaxed) } }
}

extension Atomic where Value == UInt64 {
  /// For counters of a single writer: no read-modify-write.
  @inline(__always)
  func count(_ more: UInt64 = 1) { store(load(ordering: .relaxed) &+ more, ordering: .relaxed) }
}
