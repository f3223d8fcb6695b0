/// What follows from the changes of a critical section, at its end: waiters get the value, or one of them the lease.
///
/// Collected under the locks, so that nobody sees a state in between; told after they are given back, so that a waiter may call the
/// store.

internal import MartletBytes

extension Engine {
  /// What is to be told when the shards of `set`, all locked, are unlocked.
  @inline(never)
  func takeNews(of set: ShardSet) -> LeaseDeliveries {
    var news = LeaseDeliveries(leases)
    set.forEach { index in
      if unsafe shard(index).pointee.interests.hasNews { resolve(index, &news) }
    }
    return news
  }

  private func resolve(_ index: Int, _ news: inout LeaseDeliveries) {
    let shard = unsafe shard(index)
    for waiter in unsafe shard.pointee.interests.leases.takeTimedOut() { news.append(waiter, .timedOut) }
    // Looking at an entry may remove it, which is a change again.
    while unsafe !shard.pointee.interests.leases.unsettled.isEmpty {
      let now = unsafe shard.pointee.interests.leases.unsettledAt
      for slot in unsafe shard.pointee.interests.leases.takeUnsettled() {
        unsafe settle(slot, of: &shard.pointee, at: now, &news)
        unsafe shard.pointee.interests.leases.removeIfIdle(slot)
      }
    }
    news.earliestDeadline = unsafe min(news.earliestDeadline, shard.pointee.interests.leases.deadlines.takeNewEarliest())
    unsafe shard.pointee.interests.leases.clearNews()
  }

  private func settle(_ slot: Int32, of shard: inout Shard, at now: UnixTime, _ news: inout LeaseDeliveries) {
    let placeholder = shard.interests.leases[slot]
    guard placeholder.token == nil, placeholder.firstWaiter >= 0 else { return }
    if placeholder.isAbsence {
      shard.interests.leases.tellAll(slot, .absent(until: placeholder.deadline), &news)
      return
    }
    switch shard.look(for: placeholder.key.rawSpan, database: placeholder.database, hash: placeholder.hash, at: now) {
    case .live(let place), .stale(let place):
      // The owner is alive: it is one of its verbs that ends here.
      let value = unsafe owner?._withUnsafeGuaranteedRef { $0.share(place.entry) }
      shard.interests.leases.tellAll(slot, value.map { .value($0) } ?? .timedOut, &news)
    case .absent:
      shard.interests.leases.passOn(slot, stamp: tags.now, at: now, &news)
    }
  }
}

extension LeaseTable {
  /// Empties a queue.
  mutating func tellAll(_ slot: Int32, _ message: LeaseNews, _ news: inout LeaseDeliveries) {
    while self[slot].firstWaiter >= 0 {
      let gone = unpark(self[slot].firstWaiter)
      switch message {
      case .value: counters.waitersFilled += 1
      case .absent: counters.waitersAbsent += 1
      case .lease, .timedOut: counters.waitersTimedOut += 1
      }
      news.append(gone.waiter, message)
    }
  }

  /// Gives the lease to the first waiter whose time is not over.
  mutating func passOn(_ slot: Int32, stamp: UInt64, at now: UnixTime, _ news: inout LeaseDeliveries) {
    while self[slot].firstWaiter >= 0 {
      let next = unpark(self[slot].firstWaiter)
      if next.deadline <= now {
        counters.waitersTimedOut += 1
        news.append(next.waiter, .timedOut)
        continue
      }
      counters.waitersLeased += 1
      news.append(next.waiter, .lease(issue(slot, milliseconds: next.leaseMilliseconds, stamp: stamp, at: now)))
      return
    }
  }

  /// The oldest time that a live lease or a known absence refers to, in invalidations; absences are checked and brought up to date
  /// on the way. `.max`: none.
  mutating func oldestStamp(at now: UnixTime, _ tags: Unmanaged<TagRegistry>) -> UInt64 {
    var oldest = UInt64.max
    var slots: [Int32] = []
    forEach { slot in
      if self[slot].isAbsence { slots.append(slot) } else if isLeased(slot, at: now) { oldest = min(oldest, self[slot].stamp) }
    }
    for slot in slots {
      let counter = unsafe tags._withUnsafeGuaranteedRef { $0.now }
      if unsafe tags._withUnsafeGuaranteedRef({ $0.state(of: self[slot].tags.rawSpan, since: self[slot].stamp) }) == .current {
        self[slot].stamp = counter
      } else {
        clearAbsence(slot)
        removeIfIdle(slot)
      }
    }
    return oldest
  }
}
