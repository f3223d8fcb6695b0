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
    let hash = hash(key, attributes.database)
    let block = try unsafe LockedShards(engine: engine, locking: shards(hash: hash)).makeBlock(
      plan, protecting: nil, key: key, of: hash, at: now)
    return Reservation(store: self, block: block, attributes: attributes, valueBytes: valueBytes)
  }

  /// Makes a reservation the key's entry. It must be written to its end. If the condition fails it is gone too.
  package func commit(_ reservation: consuming Reservation, condition: PutCondition = .always, at now: UnixTime) throws(CacheError)
    -> PutResult
  {
    var reservation = reservation
    let block = reservation.take()
    var shards = locked(block.key, reservation.database)
    return try shards.put(block: block, block.key, reservation.attributes(of: block), condition: condition, at: now)
  }

  /// The same under a lease, as `fill`.
  package func commit(
    _ reservation: consuming Reservation, lease: LeaseToken, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    var reservation = reservation
    let block = reservation.take()
    var shards = locked(block.key, reservation.database)
    return try shards.fill(block: block, block.key, reservation.attributes(of: block), lease: lease, condition: condition, at: now)
  }

  /// An entry for several readers outside the lock, which is held now; nil if the system has no memory.
  func share(_ entry: Entry) -> SharedValue? {
    guard let pinned = hold(entry) else { return nil }
    return SharedValue(pinned)
  }

  /// Shares a large value, copies a small one; nil if the system has no memory. Under the shard's lock.
  func hold(_ entry: Entry) -> PinnedValue? {
    if entry.isApart {
      entry.block.pin()
      return PinnedValue(store: self, block: entry.block, entry)
    }
    let memory = unsafe engine.pointee.memory
    guard let copy = memory.blocks.make(valueCount: entry.valueCount, contentType: entry.contentType, tags: entry.tags) else { return nil }
    copy.writeValue(entry.value)
    memory.ledger.add(copy.cost)
    return PinnedValue(store: self, block: copy, entry)
  }

  /// The entry of `key` for readers outside the lock; nil if there is none. Counts a hit or a miss.
  ///
  /// A large value is shared, not copied: it stays readable, and in the ledger, until the pin is gone, whatever happens to the
  /// entry. A small one is copied.
  package func pin(_ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime) throws(CacheError) -> PinnedValue? {
    var shards = locked(key, database)
    return try shards.pin(key, database: database, allowsStale: allowsStale, of: self, at: now)
  }

  /// Gives up a pin, a reservation, a prepared value.
  func release(_ block: ValueBlock) { unsafe engine.pointee.memory.blocks.release(block) }
}

extension LockedShards {
  fileprivate mutating func pin(
    _ key: RawSpan, database: UInt8, allowsStale: Bool, of store: CacheStore, at now: UnixTime
  ) throws(CacheError) -> PinnedValue? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: true, at: now) else { return nil }
    guard let pinned = store.hold(entry) else { throw .outOfMemory }
    return pinned
  }

  /// A block for the value of `plan`, its cost in the ledger; its value is yet to be written. `key` is kept in it. `hash`: of an entry
  /// that must not be evicted for it.
  func makeBlock(
    _ plan: borrowing Entry.Plan, protecting hash: UInt64?, key: RawSpan = RawSpan(), of own: UInt64, at now: UnixTime
  ) throws(CacheError) -> ValueBlock {
    let cost = ValueBlock.cost(bytes: plan.blockBytes + key.byteCount)
    let index = unsafe engine.pointee.shardIndex(own)
    guard unsafe engine.pointee.takeRoom(cost, own: index, held: held, protecting: hash, at: now) else { throw .outOfMemory }
    let memory = unsafe engine.pointee.memory
    let (contentType, tags) = (plan.attributes.contentType, plan.attributes.tags)
    if let block = memory.blocks.make(valueCount: plan.valueCount, contentType: contentType, tags: tags, key: key) { return block }
    // The ledger has room, the system has not: what is evicted may be enough.
    if unsafe engine.pointee.evicts {
      unsafe _ = engine.pointee.shard(index).pointee.evict(bytes: cost, at: now)
      if let block = memory.blocks.make(valueCount: plan.valueCount, contentType: contentType, tags: tags, key: key) { return block }
    }
    memory.ledger.subtract(cost)
    throw .outOfMemory
  }
}

/// An entry being written that nobody sees yet. May move between threads; one writes at a time.
package struct Reservation: ~Copyable, @unchecked Sendable {
  private let store: CacheStore
  /// Holds key, type and tags too. Nil once committed.
  private var block: ValueBlock?
  fileprivate let expiry: UnixTime
  fileprivate let staleUntil: UnixTime
  fileprivate let flags: UInt32
  fileprivate let database: UInt8
  /// Bytes of the value written so far.
  package private(set) var writtenCount = 0
  package let valueBytes: Int

  init(store: CacheStore, block: ValueBlock, attributes: borrowing PutAttributes, valueBytes: Int) {
    self.store = store
    self.block = block
    expiry = attributes.expiry
    staleUntil = attributes.staleUntil
    flags = attributes.flags
    database = attributes.database
    self.valueBytes = valueBytes
  }

  deinit {
    if let block { store.release(block) }
  }

  /// Writes the next bytes of the value; no more than are missing.
  package mutating func append(_ bytes: RawSpan) {
    block!.writeValue(bytes, at: writtenCount)
    writtenCount += bytes.byteCount
  }

  /// What came with the value.
  @_lifetime(borrow block)
  fileprivate func attributes(of block: borrowing ValueBlock) -> PutAttributes {
    let attributes = PutAttributes(
      expiry: expiry, staleUntil: staleUntil, flags: flags, database: database, contentType: block.contentType, tags: block.tags)
    return unsafe _overrideLifetime(attributes, borrowing: block)
  }

  /// The block, which the caller owns from here on.
  fileprivate mutating func take() -> ValueBlock {
    precondition(writtenCount == valueBytes, "a reservation is committed before it is written to its end")
    return block.take()!
  }
}

/// An entry held for reading outside the lock; unpinned when it goes. May move between threads.
package struct PinnedValue: ~Copyable, @unchecked Sendable {
  private let store: CacheStore
  private let block: ValueBlock
  package let version: UInt64
  /// As they were when pinned.
  package let expiry: UnixTime
  package let staleUntil: UnixTime
  /// Whether a tag of it had been softly invalidated.
  package let isSoftened: Bool
  package let flags: UInt32

  fileprivate init(store: CacheStore, block: ValueBlock, _ entry: Entry) {
    self.store = store
    self.block = block
    version = entry.version
    expiry = entry.expiry
    staleUntil = entry.staleUntil
    isSoftened = entry.isSoftened
    flags = entry.flags
  }

  deinit { store.release(block) }

  package var value: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(block.value, borrowing: self) }
  }

  package var contentType: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(block.contentType, borrowing: self) }
  }

  package var tags: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(block.tags, borrowing: self) }
  }

  package var storedAt: UnixTime { Version.time(version) }
}
