/// What one loop counts of commands. Written by its thread alone, without a lock; read by any.

internal import MartletBytes
internal import Synchronization

final class CommandCounts: Sendable {
  struct Count: ~Copyable, Sendable {
    let calls = Atomic<UInt64>(0)
    /// Answered with an error: once run, and without having been run.
    let failed = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
    /// Of the calls that were timed, how many took how long.
    let times = AtomicHistogram()
  }

  /// By `Command.rawValue`.
  private let counts: UniqueArray<Count>

  init() {
    var counts = UniqueArray<Count>(capacity: Command.allCases.count)
    for _ in Command.allCases { counts.append(Count()) }
    self.counts = counts
  }

  subscript(command: Command) -> Count {
    @inline(__always)
    _read { yield counts[Int(command.rawValue)] }
  }

  func time(_ command: Command, _ nanoseconds: UInt64) { self[command].times.record(nanoseconds: nanoseconds) }

  /// Calls, by `Command.rawValue`.
  var calls: [UInt64] { Command.allCases.map { self[$0].calls.load(ordering: .relaxed) } }
}

/// A `LatencyHistogram` that other threads may read while its one writer writes.
struct AtomicHistogram: ~Copyable, Sendable {
  private let counts: UniqueArray<Atomic<UInt64>>
  private let nanosecondsTotal = Atomic<UInt64>(0)

  init() {
    var counts = UniqueArray<Atomic<UInt64>>(capacity: LatencyHistogram.bucketCount)
    for _ in 0..<LatencyHistogram.bucketCount { counts.append(Atomic(0)) }
    self.counts = counts
  }

  func record(nanoseconds: UInt64) {
    counts[LatencyHistogram.bucket(nanoseconds: nanoseconds)].count()
    nanosecondsTotal.count(nanoseconds)
  }

  var value: LatencyHistogram {
    var counts: [UInt64] = []
    for index in 0..<LatencyHistogram.bucketCount { counts.append(self.counts[index].load(ordering: .relaxed)) }
    return LatencyHistogram(counts: counts, nanosecondsTotal: nanosecondsTotal.load(ordering: .relaxed))
  }
}

extension Atomic where Value == UInt64 {
  /// For counters of a single writer: no read-modify-write.
  @inline(__always)
  func count(_ more: UInt64 = 1) { store(load(ordering: .relaxed) &+ more, ordering: .relaxed) }
}
