/// Large values: written before the lock is taken, read after it is given back. Under a lock only a pointer moves.

package import MartletBytes

extension CacheStore {
  /// Memory for a value of `valueBytes` bytes under `key`, to be written in pieces and then committed. Counts against the limit from
  /// here on. Dropped without commit, it is free again.
  package func reserve(
    _ key: RawSpan, valueBytes: Int, _ attributes: borrowing PutAttributes = PutAttributes(), at now: UnixTime
  ) throws(CacheError) -> Reservation {
    let plan = Entry.Plan(key: key, attributes: attributes, valueCount: valueBytes)
    try unsafe engine.pointee.check(plan)
    let cost = EntryMemory.cost(bytes: plan.bytes)
    let shards = shards(of: key, database: attributes.database)
    let index = unsafe engine.pointee.shardIndex(hash(key, attributes.database))
    let isMade = unsafe LockedShards(engine: engine, locking: shards).takeRoom(cost, shard: index, at: now)
    guard isMade else { throw .outOfMemory }
    guard let entry = Entry.make(plan) else {
      unsafe engine.pointee.giveBack(cost)
      throw .outOfMemory
    }
    return Reservation(store: self, entry: entry)
  }

  /// Makes a reservation the key's entry. It must be written to its end. If the condition fails it is gone too.
  package func commit(_ reservation: consuming Reservation, condition: PutCondition = .always, at now: UnixTime) throws(CacheError)
    -> PutResult
  {
    var reservation = reservation
    let entry = reservation.take()
    var shards = locked(entry.key, entry.database)
    return try shards.put(reserved: entry, condition: condition, at: now)
  }

  /// The same under a lease, as `fill`.
  package func commit(
    _ reservation: consuming Reservation, lease: LeaseToken, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    var reservation = reservation
    let entry = reservation.take()
    var shards = locked(entry.key, entry.database)
    return try shards.fill(reserved: entry, lease: lease, condition: condition, at: now)
  }

  /// An entry for several readers outside the lock, which is held now; nil if the system has no memory.
  func share(_ entry: Entry) -> SharedValue? {
    guard let pinned = hold(entry) else { return nil }
    return SharedValue(pinned)
  }

  /// Shares a large entry, copies a small one; nil if the system has no memory. Under the shard's lock.
  fileprivate func hold(_ entry: Entry) -> PinnedValue? {
    let expiry = entry.expiry
    let staleUntil = entry.staleUntil
    if entry.fields.contains(.large) {
      entry.pin()
      return PinnedValue(store: self, entry: entry, expiry: expiry, staleUntil: staleUntil)
    }
    guard let copy = entry.copied() else { return nil }
    unsafe engine.pointee.enter(EntryMemory.cost(bytes: copy.bytes))
    return PinnedValue(store: self, entry: copy, expiry: expiry, staleUntil: staleUntil)
  }

  /// The entry of `key` for readers outside the lock; nil if there is none. Counts a hit or a miss.
  ///
  /// A large value is shared, not copied: it stays readable, and in the ledger, until the pin is gone, whatever happens to the
  /// entry. A small one is copied.
  package func pin(_ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime) throws(CacheError) -> PinnedValue? {
    var shards = locked(key, database)
    return try shards.pin(key, database: database, allowsStale: allowsStale, of: self, at: now)
  }

  /// Gives up a pin or a reservation.
  fileprivate func release(_ entry: Entry) {
    let cost = EntryMemory.cost(bytes: entry.bytes)
    if entry.release() { unsafe engine.pointee.giveBack(cost) }
  }
}

extension LockedShards {
  fileprivate mutating func pin(
    _ key: RawSpan, database: UInt8, allowsStale: Bool, of store: CacheStore, at now: UnixTime
  ) throws(CacheError) -> PinnedValue? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: true, at: now) else { return nil }
    guard let pinned = store.hold(entry) else { throw .outOfMemory }
    return pinned
  }

  func takeRoom(_ bytes: Int, shard: Int, at now: UnixTime) -> Bool {
    unsafe engine.pointee.takeRoom(bytes, own: shard, held: held, at: now)
  }
}

/// An entry being written that nobody sees yet. May move between threads; one writes at a time.
package struct Reservation: ~Copyable, @unchecked Sendable {
  private let store: CacheStore
  /// Nil once committed.
  private var entry: Entry?
  /// Bytes of the value written so far.
  package private(set) var writtenCount = 0
  package let valueBytes: Int

  init(store: CacheStore, entry: Entry) {
    self.store = store
    self.entry = entry
    valueBytes = entry.valueCount
  }

  deinit {
    if let entry { store.release(entry) }
  }

  /// Writes the next bytes of the value; no more than are missing.
  package mutating func append(_ bytes: RawSpan) {
    entry!.writeValue(bytes, at: writtenCount)
    writtenCount += bytes.byteCount
  }

  /// The entry, which the caller owns from here on.
  fileprivate mutating func take() -> Entry {
    precondition(writtenCount == valueBytes, "a reservation is committed before it is written to its end")
    return entry.take()!
  }
}

/// An entry held for reading outside the lock; unpinned when it goes. May move between threads.
package struct PinnedValue: ~Copyable, @unchecked Sendable {
  private let store: CacheStore
  private let entry: Entry
  /// As it was when pinned.
  package let expiry: UnixTime
  package let staleUntil: UnixTime

  fileprivate init(store: CacheStore, entry: Entry, expiry: UnixTime, staleUntil: UnixTime) {
    self.store = store
    self.entry = entry
    self.expiry = expiry
    self.staleUntil = staleUntil
  }

  deinit { store.release(entry) }

  package var value: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(entry.value, borrowing: self) }
  }

  package var contentType: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(entry.contentType, borrowing: self) }
  }

  package var tags: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(entry.tags, borrowing: self) }
  }

  package var version: UInt64 { entry.version }
  package var storedAt: UnixTime { Version.time(entry.version) }
  package var flags: UInt32 { entry.flags }
}
