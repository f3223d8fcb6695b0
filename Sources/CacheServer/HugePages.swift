/// Has the store put huge pages under memory that is full, on the main thread's loop: the system may take its time over one.

internal import MartletCache
internal import MartletLoop

struct HugePages: Sendable {
  let store: CacheStore

  /// From a look that found nothing to the next.
  static let pauseSeconds = 2.0
  /// From one page to the next: 400 MB in a second.
  static let stepSeconds = 0.005

  /// Begins; from any thread, also before the loop runs.
  func start(on loop: EventLoop) {
    loop.post { [weak loop] in
      if let loop { step(on: loop) }
    }
  }

  private func step(on loop: EventLoop) {
    let more = store.collapseStep()
    loop.schedule(afterSeconds: more ? Self.stepSeconds : Self.pauseSeconds) { [weak loop] in
      if let loop, !loop.isDraining { step(on: loop) }
    }
  }
}
