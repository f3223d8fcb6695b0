/// What a cache does beside: frees what has expired or was invalidated, and ends leases and waits whose time is over.

internal import MartletBytes
internal import MartletCache

struct Sweep: Sendable {
  let store: CacheStore
  let clock: Cache.Clock

  /// Between two rounds over the store; longer while there is nothing in it.
  static let pause = Duration.milliseconds(100)
  static let idlePause = Duration.seconds(1)

  /// Until the task is cancelled. Bounded steps, with room for others between them.
  func run() async {
    while !Task.isCancelled {
      while !Sweep.step(store, at: UnixTime(milliseconds: clock())) { await Task.yield() }
      let isIdle = store.count() == 0
      // Throws when the task is cancelled: then the loop ends.
      try? await Task.sleep(for: isIdle ? Sweep.idlePause : Sweep.pause)
    }
  }

  /// A step of some 50 µs; true when there is nothing more to do for now.
  static func step(_ store: CacheStore, at now: UnixTime) -> Bool {
    let isExpiryDone = store.expireStep(at: now).isDone
    let areTagsDone = store.tagSweepStep(at: now)
    let areLeasesDone = store.advanceLeases(at: now) > now
    return isExpiryDone && areTagsDone && areLeasesDone
  }
}
