/// Frees the memory of expired entries in bounded steps on one loop. (That they are not served is the store's own care.)

internal import MartletBytes
internal import MartletCache
internal import MartletLoop

struct ExpirySweep: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  /// From the end of one round over the store to the beginning of the next.
  static let pauseSeconds = 0.1

  /// Begins sweeping; from any thread, also before the loop runs.
  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      if let loop { step(on: loop) }
    }
  }

  /// One step; the next follows at once, after what else the loop has to do, until the round is over.
  private func step(on loop: EventLoop) {
    let round = store.expireStep(at: clock.unixTime(at: loop.currentTime))
    loop.schedule(afterSeconds: round.isDone ? Self.pauseSeconds : 0) { [weak loop] in
      if let loop, !loop.isDraining { step(on: loop) }
    }
  }
}
