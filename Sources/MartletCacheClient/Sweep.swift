/// What a cache does beside: frees what has expired or was invalidated, ends leases and waits whose time is over, gives memory back, and lays
/// huge pages.

internal import MartletBytes
internal import MartletCache

/// One round over the store, in bounded steps.
struct Sweep {
  private var isExpiryDone = false
  private var areTagsDone = false
  private var areLeasesDone = false

  /// Between two rounds; longer while there is nothing in the store, and where rounds take long: they are to cost a twentieth of a core.
  static let pause = Duration.milliseconds(100)
  static let idlePause = Duration.seconds(1)
  static let pausePerRound = 20

  /// Round after round, until the task is cancelled.
  static func run(over store: CacheStore, _ clock: Cache.Clock) async {
    while !Task.isCancelled {
      var round = Sweep()
      var spent: UInt64 = 0
      var isOver = false
      while !isOver {
        let start = MonotonicTime.now
        isOver = round.step(store, at: UnixTime(milliseconds: clock()))
        spent += MonotonicTime.now.nanoseconds(since: start)
        if !isOver { await Task.yield() }
      }
      // One in a round, since it holds up this thread for some milliseconds.
      _ = store.memoryStep()
      let pause = store.count() == 0 ? idlePause : max(pause, .nanoseconds(Int64(spent)) * pausePerRound)
      // Throws when the task is cancelled: then the loop ends.
      try? await Task.sleep(for: pause)
    }
  }

  /// A step of some 10 µs; true when the round is over.
  mutating func step(_ store: CacheStore, at now: UnixTime) -> Bool {
    if !isExpiryDone { isExpiryDone = store.expireStep(at: now).isDone }
    if !areTagsDone { areTagsDone = store.tagSweepStep(at: now) != .goesOn }
    if !areLeasesDone { areLeasesDone = store.advanceLeases(at: now) > now }
    return isExpiryDone && areTagsDone && areLeasesDone
  }
}
