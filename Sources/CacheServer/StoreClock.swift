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

/// Frees the memory of entries whose tags were invalidated, in steps of a page. (That they are not served is the store's own care.)
struct TagSweeper: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  /// Between two looks for something to do.
  static let idleSeconds = 0.5
  /// After a round: at least this, and so much more that rounds take a tenth of the time at most.
  static let pauseSecondsMin = 1.0
  static let pausePerRound = 9.0

  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      if let loop { step(on: loop, spent: 0) }
    }
  }

  /// One step; the next follows at once, after what else the loop has to do, until the round is over. `spent`: seconds in this round.
  private func step(on loop: EventLoop, spent: Double) {
    let start = MonotonicTime.now
    let state = store.tagSweepStep(at: clock.unixTime(at: loop.currentTime))
    let spent = spent + Double(MonotonicTime.now.nanoseconds(since: start)) / 1e9
    let (pause, carried): (Double, Double) =
      switch state {
      case .idle: (Self.idleSeconds, 0)
      case .goesOn: (0, spent)
      case .roundIsOver: (max(Self.pauseSecondsMin, spent * Self.pausePerRound), 0)
      }
    loop.schedule(afterSeconds: pause) { [weak loop] in
      if let loop, !loop.isDraining { step(on: loop, spent: carried) }
    }
  }
}
