/// A task that waits for another's fill: parked in the store, resumed by whoever settles it, forgotten if it is cancelled.

internal import MartletBytes
internal import MartletCache

final class CacheWaiter: LeaseWaiter, @unchecked Sendable {
  enum News: Sendable {
    case value(SharedValue)
    case lease(LeaseToken)
    case absent
    case timedOut
    /// The filler's own outcome, by way of a note.
    case outcome(FillOutcome)
    case cancelled
  }

  private enum State {
    case parked
    case waiting(CheckedContinuation<News, Never>)
    case settled(News)
    /// The task has gone on; what comes now is for nobody.
    case gone
  }

  private let cache: Cache
  private let key: [UInt8]
  private let serial: UInt64
  private let lock = ShardLock()
  /// Under the lock.
  private var state = State.parked

  init(_ cache: Cache, key: [UInt8]) {
    self.cache = cache
    self.key = key
    serial = cache.handOvers.nextSerial()
  }

  /// Suspends until it is settled or the task is cancelled.
  func news(_ ticket: WaitTicket) async -> News {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let news: News? = lock.withLock {
          if case .settled(let news) = state {
            state = .gone
            return news
          }
          if case .parked = state { state = .waiting(continuation) }
          return nil
        }
        if let news { continuation.resume(returning: news) }
      }
    } onCancel: {
      cache.store.forget(ticket)
      tell(.cancelled)
    }
  }

  func settle(_ news: LeaseNews) {
    switch news {
    case .value(let value): tell(.value(value))
    case .absent: tell(.absent)
    case .timedOut: tell(.timedOut)
    case .lease(let token):
      let outcome = cache.handOvers.outcome(for: serial, key, token)
      if tell(outcome.map { .outcome($0) } ?? .lease(token)) || outcome != nil { return }
      // Cancelled just now: the lease passes on.
      let key = key
      cache.store.giveUp(key.rawSpan, lease: token, at: cache.now)
    }
  }

  /// False if the task is gone.
  @discardableResult
  private func tell(_ news: News) -> Bool {
    let (isThere, continuation) = lock.withLock { () -> (Bool, CheckedContinuation<News, Never>?) in
      switch state {
      case .parked:
        state = .settled(news)
        return (true, nil)
      case .waiting(let continuation):
        state = .gone
        return (true, continuation)
      case .settled, .gone: return (false, nil)
      }
    }
    continuation?.resume(returning: news)
    return isThere
  }
}
