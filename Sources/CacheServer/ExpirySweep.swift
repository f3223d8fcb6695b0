/// Frees the memory of expired entries, and compacts what is sparse, in bounded steps on one loop. (That they are not served is the store's own care.)

internal import MartletBytes
internal import MartletCache
internal import MartletLoop

struct ExpirySweep: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  /// From the end of one round over the store to the beginning of the next, which has something to look for only when a tick has begun
  /// (`ExpiryClock`, 0.6 s): an entry waits for that, for so long, and for the length of a round at most. A round over ten million entries reads 14 MB.
  static let pauseSeconds = 0.1
  /// What one turn of the loop gives.
  static let turnNanoseconds: UInt64 = 100_000

  /// Begins sweeping; from any thread, also before the loop runs.
  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      if let loop { step(on: loop) }
    }
  }

  /// A few steps; more follow at once, after what else the loop has to do, until the round is over.
  private func step(on loop: EventLoop) {
    let begin = MonotonicTime.now
    let now = clock.unixTime(at: loop.currentTime)
    var isDone = false
    repeat {
      isDone = store.expireStep(at: now).isDone
    } while !isDone && MonotonicTime.now.nanoseconds(since: begin) < Self.turnNanoseconds
    loop.schedule(afterSeconds: isDone ? Self.pauseSeconds : 0) { [weak loop] in
      if let loop, !loop.isDraining { step(on: loop) }
    }
  }
}
