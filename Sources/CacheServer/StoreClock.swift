/// The timers of what the store does not do by itself beside expiry: deadlines of leases and waiters, the sweep after invalidations.
/// On one loop.

internal import MartletBytes
internal import MartletCache
internal import MartletLoop

/// Has leases and waits end when their time is over.
final class LeaseTimer: Sendable {
  let store: CacheStore
  let clock: SteadyClock
  private let loop: EventLoop
  /// Touched by the loop's thread only.
  private let armed = LoopLocal<(time: UnixTime, timer: TimerToken)?>(nil)

  /// Between two looks at the deadlines, so that many close ones cost one look.
  static let pauseMilliseconds: Int64 = 5

  init(store: CacheStore, clock: SteadyClock, on loop: EventLoop) {
    self.store = store
    self.clock = clock
    self.loop = loop
  }

  /// Begins; from any thread, also before the loop runs.
  func start() {
    store.setLeaseAlarm { [weak self] deadline in
      guard let self else { return }
      loop.post { self.arm(for: deadline) }
    }
  }

  private func arm(for deadline: UnixTime) {
    if let (time, timer) = armed.value {
      if time <= deadline { return }
      loop.cancel(timer)
    }
    let now = clock.unixTime(at: loop.currentTime)
    let wait = max(Self.pauseMilliseconds, deadline.milliseconds - now.milliseconds)
    let timer = loop.schedule(afterSeconds: Double(wait) / 1000) { [self] in ring() }
    armed.value = (deadline, timer)
  }

  private func ring() {
    armed.value = nil
    let next = store.advanceLeases(at: clock.unixTime(at: loop.currentTime))
    if next != .never { arm(for: next) }
  }
}

/// Frees the memory of entries whose tags were invalidated, a little at a time. (That they are not served is the store's own care.)
///
/// A turn of the loop gives a tenth of a millisecond, and there is a millisecond for the loop's own work after each: a million dead entries take
/// five seconds. A round that takes longer than `gentleSeconds` goes on without pauses.
struct TagSweeper: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  /// What one turn of the loop gives.
  static let turnNanoseconds: UInt64 = 100_000
  /// Between two looks for something to do.
  static let idleSeconds = 0.5
  /// Between two steps of a round, in its first seconds.
  static let stepPauseSeconds = 0.001
  static let gentleSeconds = 15.0
  /// After a round: so much more than it has worked, within these bounds.
  static let pausePerWork = 9.0
  static let pauseSeconds = 1.0...10.0

  private struct Round {
    /// When it began; `.never`: not yet.
    var start = MonotonicTime.never
    var workSeconds = 0.0
  }

  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      if let loop { step(on: loop, Round()) }
    }
  }

  /// A few steps, and when more follow.
  private func step(on loop: EventLoop, _ before: Round) {
    var round = before
    let start = MonotonicTime.now
    round.start = min(round.start, start)
    let now = clock.unixTime(at: loop.currentTime)
    var state: TagSweepStep
    repeat { state = store.tagSweepStep(at: now) } while state == .goesOn && MonotonicTime.now.nanoseconds(since: start) < Self.turnNanoseconds
    round.workSeconds += Double(MonotonicTime.now.nanoseconds(since: start)) / 1e9
    let pause: Double
    switch state {
    case .idle:
      pause = Self.idleSeconds
      round = Round()
    case .goesOn:
      pause = start < round.start.advanced(bySeconds: Self.gentleSeconds) ? Self.stepPauseSeconds : 0
    case .roundIsOver:
      pause = min(max(round.workSeconds * Self.pausePerWork, Self.pauseSeconds.lowerBound), Self.pauseSeconds.upperBound)
      round = Round()
    }
    loop.schedule(afterSeconds: pause) { [weak loop, round] in
      if let loop, !loop.isDraining { step(on: loop, round) }
    }
  }
}
