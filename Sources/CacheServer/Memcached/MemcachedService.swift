/// What memcached sessions share: all of them a `MemcachedShared`, those of one loop a `MemcachedService`.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop
internal import MartletServer

/// Of every loop: never changes, or is under a lock.
final class MemcachedShared: Sendable {
  let store: CacheStore
  let clock: SteadyClock
  let token: [UInt8]?
  let options: ServeOptions
  private let loops: [EventLoop]
  private let observatory: Observatory
  private let lock = ShardLock()
  // Under the lock.
  /// Which flush is the last that was asked for.
  private let flushNumber = LoopLocal<UInt64>(0)
  /// What was counted before `stats reset`.
  private let baseline = LoopLocal<MemcachedReport.Counts?>(nil)

  init(store: CacheStore, clock: SteadyClock, options: ServeOptions, on server: Server, observatory: Observatory) {
    self.store = store
    self.clock = clock
    self.options = options
    self.observatory = observatory
    token = options.token.map { Array($0.utf8) }
    loops = server.loops
  }

  // MARK: Flushing

  /// Empties the database of HTTP and memcached clients, now or when the time has come; an earlier flush that is yet to come is off then.
  func flush(at due: UnixTime, now: UnixTime) {
    let number = lock.withLock {
      flushNumber.value += 1
      return flushNumber.value
    }
    if due <= now { return store.removeAll(database: 0, at: now) }
    let seconds = Double(due.milliseconds - now.milliseconds) / 1000
    let loop = loops[0]
    loop.post { [self] in
      loop.schedule(afterSeconds: seconds) { [self] in
        if lock.withLock({ flushNumber.value == number }) { store.removeAll(database: 0, at: clock.unixTime(at: loop.currentTime)) }
      }
    }
  }

  // MARK: Statistics

  /// Asks all loops what they have counted, and sends the report to a session that waits for it.
  func report(_ topic: MemcachedReport.Topic, to id: ConnectionID) {
    Task { [self] in
      let snapshot = await observatory.snapshot()
      let counts = MemcachedReport.Counts(snapshot)
      if topic == .reset { lock.withLock { baseline.value = counts } }
      let report = MemcachedReport(topic, snapshot, since: lock.withLock { baseline.value }, options)
      loops[Int(id.loop)].wake(id, report)
    }
  }
}

/// Of one loop: touched by its thread only.
final class MemcachedService: Sendable {
  let shared: MemcachedShared
  /// Taken hold of once per call of a session, and handed down from there.
  let loop: LoopLocal<MemcachedLoop>

  init(shared: MemcachedShared) {
    self.shared = shared
    loop = LoopLocal(MemcachedLoop(shared))
  }
}
