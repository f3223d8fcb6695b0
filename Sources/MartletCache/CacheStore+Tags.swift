/// Invalidating by tag, and the sweep that frees what was invalidated and lets tags be forgotten.

package import MartletBytes

extension CacheStore {
  /// Invalidates the tags of a list (joined by commas, as `TagList` writes them), all at one time, in time that does not depend on how
  /// many entries have them. Hard: those entries are absent from now on. Soft: they are stale until their own expiry.
  /// Written after the return, an entry with the same tags is a new one; a fill whose lease is older is refused.
  package func invalidate(tags: RawSpan, isSoft: Bool = false) {
    unsafe engine.pointee.tags.invalidate(tags, isSoft: isSoft)
  }

  /// One step of the sweep over all entries: some fifty of one shard, tens of microseconds. Any thread may call; one at a time sweeps.
  package func tagSweepStep(at now: UnixTime) -> TagSweepStep {
    unsafe engine.pointee.tagSweep.step(engine, at: now)
  }
}

/// How the sweep stands after a step.
package enum TagSweepStep: Sendable {
  /// There is nothing to do: no invalidation since the last round began, and every tag forgotten; or another thread sweeps.
  case idle
  case goesOn
  /// A round is over. The next step may begin another: pause.
  case roundIsOver
}

/// Where the sweep stands. Rounds follow each other only while there are invalidations.
@safe
final class TagSweep: @unchecked Sendable {
  private let lock = ShardLock()
  // The rest is under the lock.
  /// The counter when the last complete round began.
  private var sweptUpTo: UInt64 = 0
  private var round: Round?

  private struct Round {
    /// The registry's counter at its beginning.
    let start: UInt64
    /// The oldest stamp of a lease met, else `start`.
    var oldestStamp: UInt64
    var shard = 0
    /// Nil: the shard has not been begun.
    var position: PagePosition?
  }

  func step(_ engine: UnsafePointer<Engine>, at now: UnixTime) -> TagSweepStep {
    guard lock.tryLock() else { return .idle }
    defer { lock.unlock() }
    guard var round = unsafe round ?? begin(engine) else { return .idle }
    let isOver = unsafe step(&round, engine, at: now)
    self.round = isOver ? nil : round
    if isOver {
      sweptUpTo = round.start
      unsafe engine.pointee.tags.forget(upTo: min(round.start, round.oldestStamp))
    }
    return isOver ? .roundIsOver : .goesOn
  }

  private func begin(_ engine: UnsafePointer<Engine>) -> Round? {
    let start = unsafe engine.pointee.tags.now
    // Records that an old lease has kept from being forgotten are worth another round.
    if start == sweptUpTo, unsafe engine.pointee.tags.statistics.records == 0 { return nil }
    return Round(start: start, oldestStamp: start)
  }

  /// True at the end of the round.
  private func step(_ round: inout Round, _ engine: UnsafePointer<Engine>, at now: UnixTime) -> Bool {
    unsafe engine.pointee.withLock(round.shard) { shard in
      if round.position == nil {
        // Before any page: a fill that comes later in this round carries the stamp of a lease counted here, or a younger one.
        round.oldestStamp = unsafe min(round.oldestStamp, shard.interests.leases.oldestStamp(at: now, shard.tags))
      }
      round.position = shard.sweepTags(from: round.position ?? PagePosition(), at: now)
    }
    if round.position == nil { round.shard += 1 }
    return unsafe round.shard == engine.pointee.shardCount
  }
}
