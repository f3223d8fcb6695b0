/// `value(for:)`: read, or fill once for everybody who asks.
///
/// The whole life of a request is `find`. Who is told to fill runs his own closure in his own task, so that priority, task-local values
/// and cancellation are as everywhere in Swift. What follows for the others:
///
/// | the fill | its caller | those who wait |
/// |---|---|---|
/// | returns a value | gets it | get it |
/// | throws | gets the error | get the same error; who asks afterwards fills anew |
/// | is cancelled | gets what its fill throws | the first of them fills, with his own closure |
/// | returns nil (`absence:`) | nil | nil; so is everybody for that long |
/// | takes longer than `fillTimeout` | gets its value | the first of them fills |
/// | returns a value that cannot be kept | gets it | get it |
/// | is overtaken by `remove`, `set`, an invalidation of a tag | gets its value, which is not stored | get the new value, or fill |
///
/// A waiter who is cancelled leaves at once, with `CancellationError`, and the others do not notice. A value that is stale, or near its end
/// with `earlyRefresh`, is served at once, and the closure of one reader runs beside, in a task of its own. If that throws the value stays as
/// it is, and the next attempt is a second later.

internal import MartletBytes
internal import MartletCache
internal import MartletJSON

extension Cache {
  /// The value of `key`; if there is none, what `fill` returns, which is stored for `ttl` (nil: until it is evicted).
  ///
  /// However many tasks ask at a time, one fills; see the table above. An entry that is no such value counts as absent.
  ///
  /// - Parameters:
  ///   - stale: how much longer than `ttl` the value may be served while one reader fills it anew.
  ///   - earlyRefresh: above 0, one reader fills anew before `ttl` is over, with a chance that rises as the end comes near, the earlier the
  ///     longer fills take (XFetch); 1 is the usual choice.
  /// - Throws: what `fill` throws; `CancellationError`; `EncodingError`; `InvalidTag`, or `CacheError` for more than 32 tags.
  public func value<Value: Codable & Sendable>(
    for key: String, as type: Value.Type = Value.self, ttl: Duration?, stale: Duration = .zero, earlyRefresh: Double = 0,
    tags: [String] = [], fill: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let plan = FillPlan(
      key: key.bytes, ttl: ttl, stale: stale, earlyRefresh: earlyRefresh, tags: try CacheTags(ofEntry: tags), absence: nil,
      fill: encoded(type, fill))
    if let value = try await find(plan, as: type) { return value }
    // Somebody has found by `absence:` that there is nothing; this fill knows better.
    let value = try await fill()
    let bytes = try ValueCoding.encode(value)
    _ = try? store.put(plan.key.rawSpan, bytes.rawSpan, attributes(ttl, stale, plan.tags.list.rawSpan), at: now)
    return value
  }

  /// As `value(for:as:ttl:stale:earlyRefresh:tags:fill:)`, where there may be nothing: a `fill` that returns nil is not asked again for
  /// as long as `absence` says, above 0. Tags hold for the absence too.
  public func value<Value: Codable & Sendable>(
    for key: String, as type: Value.Type = Value.self, ttl: Duration?, absence: Duration, stale: Duration = .zero,
    earlyRefresh: Double = 0, tags: [String] = [], fill: @escaping @Sendable () async throws -> Value?
  ) async throws -> Value? {
    precondition(absence > .zero, "an absence lasts for a time above 0")
    let plan = FillPlan(
      key: key.bytes, ttl: ttl, stale: stale, earlyRefresh: earlyRefresh, tags: try CacheTags(ofEntry: tags), absence: absence,
      fill: encoded(type, fill))
    return try await find(plan, as: type)
  }

  /// A fill together with what its value is kept as; the rest of a request knows values no more closely than this.
  private func encoded<Value: Codable & Sendable>(
    _ type: Value.Type, _ fill: @escaping @Sendable () async throws -> Value?
  ) -> @Sendable () async throws -> FilledValue? {
    {
      guard let value = try await fill() else { return nil }
      return FilledValue(value: value, bytes: try ValueCoding.encode(value))
    }
  }

  // MARK: The life of a request

  /// nil: known to be absent.
  private func find<Value: Codable & Sendable>(_ plan: FillPlan, as type: Value.Type) async throws -> Value? {
    while true {
      switch try await find(plan) {
      case .absent: return nil
      case .filled(let value):
        guard let value = value as? Value else { preconditionFailure("a fill has brought a value of another type") }
        return value
      case .entry(let bytes, let version):
        if let value = try? ValueCoding.decode(type, from: bytes.rawSpan) { return value }
        // No such value: removed, unless another has come in the meantime, so that asking again is a miss.
        _ = try? store.delete(plan.key.rawSpan, condition: .ifVersion(version), at: now)
      case .unkept(let bytes):
        if let value = try? ValueCoding.decode(type, from: bytes.rawSpan) { return value }
      }
    }
  }

  private enum Found {
    case entry([UInt8], version: UInt64)
    /// By this request.
    case filled(any Sendable)
    /// By another, and it could not be stored.
    case unkept([UInt8])
    case absent
  }

  private func find(_ plan: FillPlan) async throws -> Found {
    while true {
      try Task.checkCancellation()
      let waiter = CacheWaiter(self, key: plan.key)
      var bytes: [UInt8]?
      var version: UInt64 = 0
      let answer = store.acquire(plan.key.rawSpan, plan.request(options), waiter: waiter, at: now) { entry, _ in
        version = entry.version
        if !entry.isLarge { bytes = entry.value.copied() }
      }
      switch answer {
      case .hit(let lease), .stale(let lease):
        if let lease { refresh(plan, lease) }
        // A large value may be another by now, or gone: then it is asked for again.
        if let bytes = try bytes ?? copyLarge(plan.key, allowsStale: true) { return .entry(bytes, version: version) }
      case .miss(let lease):
        return try await fill(plan, lease)
      case .waiting(let ticket):
        switch await waiter.news(ticket) {
        case .value(let shared): return .entry(shared.withValue { $0.copied() }, version: shared.version)
        case .lease(let lease): return try await fill(plan, lease)
        case .outcome(.failure(let error)): throw error
        case .outcome(.value(let bytes)): return .unkept(bytes)
        case .outcome(.absent), .absent: return .absent
        case .timedOut, .cancelled: break  // asks again, or throws
        }
      case .busy(let milliseconds): try await Task.sleep(for: min(.milliseconds(milliseconds), Self.busyPause))
      case .absent: return .absent
      }
    }
  }

  /// Fills in the caller's task.
  private func fill(_ plan: FillPlan, _ lease: LeaseToken) async throws -> Found {
    let filled: FilledValue?
    do {
      try Task.checkCancellation()
      filled = try await plan.fill()
    } catch {
      if Task.isCancelled {
        store.giveUp(plan.key.rawSpan, lease: lease, at: now)
      } else {
        handOvers.handOver(.failure(error), plan.key, lease, of: store, at: now)
      }
      throw error
    }
    keep(filled?.bytes, plan, lease)
    return filled.map { .filled($0.value) } ?? .absent
  }

  /// Ends the lease with what the fill has brought, nil for an absence.
  private func keep(_ bytes: [UInt8]?, _ plan: FillPlan, _ lease: LeaseToken) {
    do throws(CacheError) {
      if let bytes {
        _ = try store.fill(
          plan.key.rawSpan, bytes.rawSpan, attributes(plan.ttl, plan.stale, plan.tags.list.rawSpan), lease: lease, at: now)
      } else {
        let until = now.advanced(byMilliseconds: (plan.absence ?? .zero).wholeMilliseconds)
        _ = try store.fillAbsent(plan.key.rawSpan, lease: lease, until: until, tags: plan.tags.list.rawSpan, at: now)
      }
    } catch .leaseOver {
      // Overtaken, or too late: whoever waited has been told already.
    } catch {
      handOvers.handOver(bytes.map { .value($0) } ?? .absent, plan.key, lease, of: store, at: now)
    }
  }

  /// Fills beside, for a value that is served meanwhile.
  private func refresh(_ plan: FillPlan, _ lease: LeaseToken) {
    Task {
      do {
        keep(try await plan.fill()?.bytes, plan, lease)
      } catch {
        // The lease is kept for a moment, so that a failing origin is not asked by every reader.
        try? await Task.sleep(for: Self.retryPause)
        store.giveUp(plan.key.rawSpan, lease: lease, at: now)
      }
    }
  }

  /// Before a reader for whom there was no place to wait asks again. The store has one for each KiB of its limit, 1024 at least.
  static var busyPause: Duration { .milliseconds(100) }

  /// From a refresh that has failed to the next.
  static var retryPause: Duration { .seconds(1) }
}

/// What a fill has brought.
struct FilledValue: Sendable {
  let value: any Sendable
  let bytes: [UInt8]
}

/// What a caller of `value(for:)` wants. Not generic: a generic type is looked up anew in each request.
struct FillPlan: Sendable {
  let key: [UInt8]
  let ttl: Duration?
  let stale: Duration
  let earlyRefresh: Double
  let tags: CacheTags
  /// How long nil holds; nil: the fill always has a value.
  let absence: Duration?
  let fill: @Sendable () async throws -> FilledValue?

  func request(_ options: Cache.Options) -> LeaseRequest {
    LeaseRequest(
      leaseMilliseconds: options.fillTimeout.wholeMilliseconds, waitMilliseconds: LeaseLimits.waitMillisecondsMax,
      earlyRefresh: earlyRefresh)
  }
}
