/// Where the verbs live: the shards of a set of keys, locked together for as long as this value is lent.
///
/// Single-key calls of `CacheStore` are sugar over it; batches, MULTI/EXEC, MSETNX, RENAME need no second mechanism to be atomic.
/// A key whose shard is not among the locked ones is a mistake of the caller and stops the process.

public import MartletBytes

@safe @usableFromInline
package struct LockedShards: ~Copyable {
  /// The store outlives the loan. Not mutable: what changes are the shards, each under its lock, never the engine as a whole.
  let engine: UnsafePointer<Engine>
  let held: ShardSet

  /// Takes the locks, in ascending order.
  @usableFromInline
  init(engine: UnsafePointer<Engine>, locking set: ShardSet) {
    unsafe self.engine = unsafe engine
    held = set
    unsafe engine.pointee.lock(set)
  }

  @usableFromInline
  deinit { unsafe engine.pointee.unlock(held) }

  /// The hash of a key, and the index of its shard, which must be held.
  @inline(__always)
  func locate(_ key: RawSpan, _ database: UInt8) -> (hash: UInt64, shard: Int) {
    locate(unsafe engine.pointee.hasher.hash(key, database: database))
  }

  @inline(__always)
  func locate(_ hash: UInt64) -> (hash: UInt64, shard: Int) {
    let shard = unsafe engine.pointee.shardIndex(hash)
    precondition(held.contains(shard), "a key outside of the locked shards")
    return (hash, shard)
  }

  /// The same of a key that was announced.
  @inline(__always)
  func locate(_ note: KeyBatch.Note) -> (hash: UInt64, shard: Int) {
    let shard = Int(note.shard)
    precondition(held.contains(shard), "a key outside of the locked shards")
    return (note.hash, shard)
  }

  // MARK: Reading

  /// Lends the entry of `key` to `body`; nil if there is none. Counts a hit or a miss, and a use.
  ///
  /// `allowsStale`: also an entry past its expiry that is kept until its `staleUntil`.
  @inlinable
  package mutating func get<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: true, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  /// As `get`, for a key that was announced as number `index` of `batch` (from 0), in `database`: neither hashed nor, where `prefetch` has
  /// found it, looked for again. With another key than that nothing is found.
  @inlinable
  package mutating func get<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, number index: Int, of batch: borrowing KeyBatch, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let entry = find(key, number: index, of: batch, database: database, allowsStale: allowsStale, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  /// As `get`, but neither counts nor notes the use.
  @inlinable
  package mutating func peek<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: false, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  @usableFromInline
  mutating func find(_ key: RawSpan, database: UInt8, allowsStale: Bool, counts: Bool, at now: UnixTime) -> Entry? {
    find(
      key, database, unsafe engine.pointee.hasher.hash(key, database: database), allowsStale: allowsStale, counts: counts, at: now)
  }

  @usableFromInline
  mutating func find(
    _ key: RawSpan, number: Int, of batch: borrowing KeyBatch, database: UInt8, allowsStale: Bool, at now: UnixTime
  ) -> Entry? {
    let note = batch[number]
    let (hash, index) = locate(note)
    // The usual case. What is stale, or gone, is looked for anew.
    guard let place = unsafe engine.pointee.shard(index).pointee.table.place(note, key, database: database),
      unsafe engine.pointee.shard(index).pointee.isLive(place, at: now)
    else { return find(key, database, hash, allowsStale: allowsStale, counts: true, at: now) }
    unsafe engine.pointee.shard(index).pointee.count(place, key, database, hash: hash)
    return place.entry
  }

  @usableFromInline
  mutating func find(
    _ key: RawSpan, _ database: UInt8, _ hash: UInt64, allowsStale: Bool, counts: Bool, at now: UnixTime
  ) -> Entry? {
    let (_, index) = locate(hash)
    let found = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    let place = allowsStale ? found.place : found.livePlace
    if counts { unsafe engine.pointee.shard(index).pointee.count(place, key, database, hash: hash) }
    return place?.entry
  }

  /// Whether there is an entry; notes its use, counts nothing (TOUCH).
  package mutating func touch(_ key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> Bool {
    let (hash, index) = locate(key, database)
    guard let place = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace else {
      return false
    }
    unsafe engine.pointee.shard(index).pointee.use(place)
    return true
  }

  /// How often an entry was used of late, as eviction counts it: 0 to 3; nil if there is none.
  package mutating func uses(_ key: RawSpan, database: UInt8, at now: UnixTime) -> Int? {
    let (hash, index) = locate(key, database)
    let found = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    return found.livePlace.map { Int($0.slot.uses) }
  }

  /// Whether the entry of `key`, live or stale, has been read since it was stored. Eviction forgets uses that are long ago.
  package mutating func wasUsed(_ key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> Bool {
    let (hash, index) = locate(key, database)
    let found = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    return (found.place?.slot.uses ?? 0) > 0
  }
}
