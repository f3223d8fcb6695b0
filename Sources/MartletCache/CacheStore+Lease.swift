/// Leases for one key, and their clock. The verbs are `LockedShards`'.

public import MartletBytes
internal import Synchronization

extension CacheStore {
  /// As `LockedShards.acquire`.
  package func acquire<Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, _ request: LeaseRequest, waiter: @autoclosure () -> (any LeaseWaiter)? = nil, at now: UnixTime,
    _ body: (borrowing EntryView, LeaseToken?) throws(Failure) -> Void
  ) throws(Failure) -> LeaseAnswer {
    var shards = locked(key, database)
    return try shards.acquire(key, database: database, request, waiter: waiter(), at: now, body)
  }

  /// As `LockedShards.fill`; a large value is written before the shard is locked.
  package func fill(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes = PutAttributes(), lease: LeaseToken,
    condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    if value.byteCount >= CacheLimits.largeValueBytesMin {
      var reservation = try reserve(key, valueBytes: value.byteCount, attributes, at: now)
      reservation.append(value)
      return try commit(reservation, lease: lease, condition: condition, at: now)
    }
    var shards = locked(key, attributes.database)
    return try shards.fill(key, value, attributes, lease: lease, condition: condition, at: now)
  }

  /// As `LockedShards.fillAbsent`.
  package func fillAbsent(
    _ key: RawSpan, database: UInt8 = 0, lease: LeaseToken, until: UnixTime, tags: RawSpan = RawSpan(), at now: UnixTime
  ) throws(CacheError) -> Bool {
    var shards = locked(key, database)
    return try shards.fillAbsent(key, database: database, lease: lease, until: until, tags: tags, at: now)
  }

  /// As `LockedShards.giveUp`.
  @discardableResult
  package func giveUp(_ key: RawSpan, database: UInt8 = 0, lease: LeaseToken, at now: UnixTime) -> Bool {
    var shards = locked(key, database)
    return shards.giveUp(key, database: database, lease: lease, at: now)
  }

  /// Forgets a waiter that is gone; it will not be told anything. False if it was told already, or is being told now.
  @discardableResult
  public func forget(_ ticket: WaitTicket) -> Bool {
    unsafe engine.pointee.withLock(Int(ticket.shard)) { $0.interests.leases.forget(ticket.slot, serial: ticket.serial) }
  }

  // MARK: Time

  /// Has `ring` called, on any thread and outside of the locks, whenever a deadline of a lease or a waiter comes before all that it was
  /// told since the last `advanceLeases`. Whoever drives the store arms a timer there and then calls `advanceLeases`. nil: nobody.
  public func setLeaseAlarm(_ ring: (@Sendable (UnixTime) -> Void)?) { unsafe engine.pointee.leases.setAlarm(ring) }

  /// Ends leases and waits whose time is over; tells those concerned. When to call again at the latest (`.never`: when the alarm rings).
  public func advanceLeases(at now: UnixTime) -> UnixTime {
    // From here on earlier deadlines ring again.
    unsafe engine.pointee.leases.alarmTime.store(.max, ordering: .relaxed)
    var earliest = UnixTime.never
    for index in unsafe 0..<engine.pointee.shardCount {
      earliest = min(
        earliest,
        unsafe engine.pointee.withLock(index) { shard in
          let isMore = shard.interests.leases.count > 0 && shard.interests.leases.expire(at: now)
          return isMore ? now : shard.interests.leases.deadlines.first?.time ?? .never
        })
    }
    _ = unsafe engine.pointee.leases.lower(to: earliest)
    return earliest
  }
}
