/// The verbs of leases: acquire, fill, give up. The states behind them are `LeaseTable`'s; what others are told, `Engine+News.swift`'s.

package import MartletBytes

extension LockedShards {
  // MARK: acquire

  /// Reads a key, or says who is to fill it. `body` is lent the entry, live or stale, with the lease if there is one; it is not called
  /// if there is no entry. `waiter` is made, under the lock, and parked if another fills and `request` says to wait.
  ///
  /// Counts a hit for what it lends and a miss otherwise, unless `counts` says that it was counted before.
  package mutating func acquire<Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, _ request: LeaseRequest, waiter: @autoclosure () -> (any LeaseWaiter)? = nil,
    counts: Bool = true, at now: UnixTime, _ body: (borrowing EntryView, LeaseToken?) throws(Failure) -> Void
  ) throws(Failure) -> LeaseAnswer {
    let (hash, index) = locate(key, database)
    let shard = unsafe engine.pointee.shard(index)
    let found = unsafe shard.pointee.look(for: key, database: database, hash: hash, at: now)
    if counts {
      unsafe shard.pointee.count(found.place, key, database, hash: hash)
    } else if let place = found.place {
      unsafe shard.pointee.use(place)
    }
    switch found {
    case .live(let place):
      let lease = request.refreshesEarly ? unsafe refreshEarly(key, database, hash, place.entry, request, &shard.pointee, at: now) : nil
      try body(EntryView(place.entry), lease)
      return .hit(lease: lease)
    case .stale(let place):
      let lease = unsafe refreshStale(key, database, hash, place.entry, request, &shard.pointee, at: now)
      try body(EntryView(place.entry), lease)
      return .stale(lease: lease)
    case .absent:
      return unsafe miss(key, database, hash, request, waiter(), &shard.pointee, index, at: now)
    }
  }

  /// A lease on a live value whose expiry is near enough for this reader's luck (XFetch).
  private func refreshEarly(
    _ key: RawSpan, _ database: UInt8, _ hash: UInt64, _ entry: Entry, _ request: LeaseRequest, _ shard: inout Shard, at now: UnixTime
  ) -> LeaseToken? {
    guard entry.expiry != .never else { return nil }
    let left = entry.expiry.milliseconds - now.milliseconds
    if left >= request.refreshMilliseconds {
      let cost = shard.interests.leases.costs.cost(hash) * request.earlyRefresh
      guard cost > 0, cost * -Logarithm.natural(shard.interests.leases.chance()) >= Double(left) else { return nil }
    }
    let lease = refresh(key, database, hash, entry, request, &shard, at: now)
    if lease != nil { shard.interests.leases.counters.grantedEarly += 1 }
    return lease
  }

  private func refreshStale(
    _ key: RawSpan, _ database: UInt8, _ hash: UInt64, _ entry: Entry, _ request: LeaseRequest, _ shard: inout Shard, at now: UnixTime
  ) -> LeaseToken? {
    let lease = refresh(key, database, hash, entry, request, &shard, at: now)
    if lease == nil { shard.interests.leases.counters.servedStale += 1 } else { shard.interests.leases.counters.grantedStale += 1 }
    return lease
  }

  /// A lease on a value that is there; nil if one is out, or a bound is reached.
  private func refresh(
    _ key: RawSpan, _ database: UInt8, _ hash: UInt64, _ entry: Entry, _ request: LeaseRequest, _ shard: inout Shard, at now: UnixTime
  ) -> LeaseToken? {
    let slot: Int32
    if let known = shard.interests.leases.find(key, database, hash: hash) {
      let tags = entry.fields.contains(.tags) ? entry.tags : RawSpan()
      if shard.interests.leases.isLeased(known, at: now), !isOvertaken(shard.interests.leases[known].stamp, tags) { return nil }
      shard.interests.leases.endOld(known, at: now)
      slot = known
    } else {
      guard let new = shard.interests.leases.insert(key, database, hash: hash) else { return nil }
      slot = new
    }
    return shard.interests.leases.issue(slot, milliseconds: request.leaseMilliseconds, stamp: unsafe engine.pointee.tags.now, at: now)
  }

  private func miss(
    _ key: RawSpan, _ database: UInt8, _ hash: UInt64, _ request: LeaseRequest, _ waiter: @autoclosure () -> (any LeaseWaiter)?,
    _ shard: inout Shard, _ index: Int, at now: UnixTime
  ) -> LeaseAnswer {
    guard let slot = shard.interests.leases.find(key, database, hash: hash) ?? shard.interests.leases.insert(key, database, hash: hash)
    else { return busy(&shard) }
    let placeholder = shard.interests.leases[slot]
    if placeholder.isAbsence {
      if now < placeholder.deadline, !isOvertaken(placeholder.stamp, placeholder.tags.rawSpan) {
        shard.interests.leases.counters.servedAbsent += 1
        return .absent(until: placeholder.deadline)
      }
      shard.interests.leases.clearAbsence(slot)
    }
    let isFilling = shard.interests.leases.isLeased(slot, at: now)
    if !isFilling { shard.interests.leases.endOld(slot, at: now) }
    // Whoever waited already comes first, even where his lease is only given at the end of this.
    if !isFilling, placeholder.firstWaiter < 0 {
      let stamp = unsafe engine.pointee.tags.now
      return .miss(shard.interests.leases.issue(slot, milliseconds: request.leaseMilliseconds, stamp: stamp, at: now))
    }
    guard request.waitMilliseconds > 0, let waiter = waiter(), let place = shard.interests.leases.park(waiter, slot, request, at: now)
    else {
      return busy(&shard, until: isFilling ? placeholder.deadline : now, at: now)
    }
    return .waiting(WaitTicket(shard: Int32(index), slot: place.slot, serial: place.serial))
  }

  private func busy(_ shard: inout Shard, until deadline: UnixTime = .never, at now: UnixTime = UnixTime(milliseconds: 0)) -> LeaseAnswer {
    shard.interests.leases.counters.busy += 1
    let left = deadline == .never ? LeaseLimits.retryMilliseconds : deadline.milliseconds - now.milliseconds
    return .busy(retryAfterMilliseconds: min(max(left, 1), LeaseLimits.retryMilliseconds))
  }

  /// Whether one of `tags` was invalidated, hard or softly, after `stamp`.
  private func isOvertaken(_ stamp: UInt64, _ tags: RawSpan) -> Bool {
    if tags.byteCount == 0 { return false }
    return unsafe stamp < engine.pointee.tags.now && engine.pointee.tags.state(of: tags, since: stamp) != .current
  }

  /// The lease that is out on a key; nil if none is.
  package func lease(of key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> LeaseToken? {
    let (hash, index) = locate(key, database)
    let shard = unsafe engine.pointee.shard(index)
    guard let slot = unsafe shard.pointee.interests.leases.find(key, database, hash: hash),
      unsafe shard.pointee.interests.leases.isLeased(slot, at: now)
    else { return nil }
    return unsafe shard.pointee.interests.leases[slot].token
  }

  // MARK: fill

  /// Stores the value that a lease was given for, ends the lease, and has the waiters told.
  ///
  /// `.leaseOver` if the lease has ended, or one of the tags, of the value or of what it replaces, was invalidated since it was issued.
  /// After any other error the lease is still out.
  package mutating func fill(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes, lease: LeaseToken, condition: PutCondition = .always,
    at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let database = attributes.database
    let claim = try claim(key, database, attributes.tags, lease, at: now)
    var stamped = copy attributes
    stamped.tagStamp = TagStamp(claim.stamp)
    beginFill(claim)
    defer { endFill(claim) }
    return try put(key, value, stamped, condition: condition, at: now)
  }

  /// The same with a value that was written before the lock was taken.
  mutating func fill(
    block: ValueBlock, _ key: RawSpan, _ attributes: borrowing PutAttributes, lease: LeaseToken, condition: PutCondition, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let claim: Claim
    do throws(CacheError) {
      claim = try self.claim(key, attributes.database, attributes.tags, lease, at: now)
    } catch {
      unsafe engine.pointee.memory.blocks.release(block)
      throw error
    }
    var stamped = copy attributes
    stamped.tagStamp = TagStamp(claim.stamp)
    beginFill(claim)
    defer { endFill(claim) }
    return try put(block: block, key, stamped, condition: condition, at: now)
  }

  /// The filler has found that there is nothing to fill with, and that this holds until `until`: removes a stale value, ends the lease,
  /// and has the waiters told. False if the absence cannot be kept in mind (a bound); the lease has ended all the same.
  package mutating func fillAbsent(
    _ key: RawSpan, database: UInt8 = 0, lease: LeaseToken, until: UnixTime, tags: RawSpan = RawSpan(), at now: UnixTime
  ) throws(CacheError) -> Bool {
    let claim = try claim(key, database, tags, lease, at: now)
    let shard = unsafe engine.pointee.shard(claim.shard)
    unsafe shard.pointee.interests.leases.end(claim.slot, .foundAbsent, at: now)
    _ = try delete(key, database: database, at: now)
    return unsafe shard.pointee.interests.leases.setAbsence(claim.slot, until: until, tags: tags, stamp: claim.stamp)
  }

  /// A lease that is still good.
  private struct Claim {
    let shard: Int
    let slot: Int32
    let stamp: UInt64
  }

  private mutating func claim(
    _ key: RawSpan, _ database: UInt8, _ tags: RawSpan, _ lease: LeaseToken, at now: UnixTime
  ) throws(CacheError) -> Claim {
    let (hash, index) = locate(key, database)
    let shard = unsafe engine.pointee.shard(index)
    // Looked at first: what is dead by its tags is removed, and its lease ends.
    let old = unsafe shard.pointee.look(for: key, database: database, hash: hash, at: now)
    guard let slot = unsafe shard.pointee.interests.leases.find(key, database, hash: hash),
      unsafe shard.pointee.interests.leases[slot].token == lease
    else {
      unsafe shard.pointee.interests.leases.counters.fillsRefused += 1
      throw .leaseOver
    }
    let stamp = unsafe shard.pointee.interests.leases[slot].stamp
    var isOver = isOvertaken(stamp, tags)
    if let place = old.place, place.entry.fields.contains(.tags), isOvertaken(stamp, place.entry.tags) { isOver = true }
    let isLate = unsafe !shard.pointee.interests.leases.isLeased(slot, at: now)
    if isOver || isLate {
      unsafe shard.pointee.interests.leases.end(slot, isLate ? .expired : .overtaken, at: now)
      unsafe shard.pointee.interests.leases.counters.fillsRefused += 1
      throw .leaseOver
    }
    return Claim(shard: index, slot: slot, stamp: stamp)
  }

  private func beginFill(_ claim: Claim) {
    unsafe engine.pointee.shard(claim.shard).pointee.interests.leases.filling = claim.slot
  }

  private func endFill(_ claim: Claim) {
    unsafe engine.pointee.shard(claim.shard).pointee.interests.leases.filling = -1
  }

  // MARK: giving up

  /// Ends a lease without a value; the next waiter gets it. False if it was over.
  package mutating func giveUp(_ key: RawSpan, database: UInt8 = 0, lease: LeaseToken, at now: UnixTime) -> Bool {
    let (hash, index) = locate(key, database)
    let shard = unsafe engine.pointee.shard(index)
    guard let slot = unsafe shard.pointee.interests.leases.find(key, database, hash: hash),
      unsafe shard.pointee.interests.leases[slot].token == lease
    else { return false }
    let isLive = unsafe shard.pointee.interests.leases.isLeased(slot, at: now)
    unsafe shard.pointee.interests.leases.end(slot, isLive ? .givenUp : .expired, at: now)
    return isLive
  }
}

extension LeaseRequest {
  fileprivate var refreshesEarly: Bool { earlyRefresh > 0 || refreshMilliseconds > 0 }
}

extension LeaseTable {
  /// Ends a lease that is out of time or overtaken, where another is to be given.
  mutating func endOld(_ slot: Int32, at now: UnixTime) {
    if self[slot].token != nil { end(slot, isLeased(slot, at: now) ? .overtaken : .expired, at: now) }
  }
}

/// The natural logarithm, to a few parts in ten thousand: chances need no more, and the C library's is not for this module.
enum Logarithm {
  /// Of a number above 0.
  static func natural(_ number: Double) -> Double {
    let exponent = Double(number.exponent)
    let mantissa = number.significand  // 1 to 2
    let ratio = (mantissa - 1) / (mantissa + 1)
    let square = ratio * ratio
    let series = 2 * ratio * (1 + square * (1 / 3 + square * (1 / 5 + square / 7)))
    return exponent * 0.693_147_180_559_945_3 + series
  }
}
