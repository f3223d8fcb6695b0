/// Has the store give back what was freed, keep a huge page ready, and put more under memory that is full, on the main thread's loop: the
/// system may take its time over all that.

internal import MartletCache
internal import MartletLoop

struct MemoryUpkeep: Sendable {
  let store: CacheStore

  /// From one step to the next: 400 MB in a second.
  static let stepSeconds = 0.005
  /// From a look that found nothing to the next: twice as long each time, up to this.
  static let pauseSecondsMax = 2.0

  /// Begins; from any thread, also before the loop runs.
  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      guard let loop else { return }
      // A step may take some milliseconds, for which a loop that serves would wait where there are no more cores than threads.
      loop.giveWay()
      step(on: loop, pauseSeconds: Self.stepSeconds)
    }
  }

  private func step(on loop: EventLoop, pauseSeconds: Double) {
    let pause = store.memoryStep() ? Self.stepSeconds : min(pauseSeconds * 2, Self.pauseSecondsMax)
    loop.schedule(afterSeconds: pause) { [weak loop] in
      if let loop, !loop.isDraining { step(on: loop, pauseSeconds: pause) }
    }
  }
}
