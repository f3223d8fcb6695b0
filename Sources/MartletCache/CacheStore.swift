/// The store: values that know versions, tags and expiry, shared by all loops, in shards with one lock each.
///
/// What it is not: it knows no protocol, reads no clock (time is handed in), does no I/O. The verbs themselves live on
/// `LockedShards`; the calls for one key here lock its shard, call the verb, and unlock. Everything may be called from any
/// thread. Behind it, in files that say "Engine", are the table and the memory; no caller sees their types.

public import MartletBytes

@safe
public final class CacheStore: @unchecked Sendable {
  /// Owned from `init` to `deinit`; shards in it are guarded by their locks, the rest never changes or is atomic.
  @usableFromInline let engine: UnsafePointer<Engine>

  public enum EvictionPolicy: Sendable {
    /// At the limit, entries that were not used lately make room.
    case s3fifo
    /// At the limit, writes are refused.
    case none
  }

  public struct Options: Sendable {
    /// What entries and tables may take, in bytes. More than 0.
    public var limitBytes: Int
    public var eviction: EvictionPolicy
    /// A power of two, 1 to 64. Taken as fewer where the limit is too small for so many.
    public var shardCount: Int
    /// The wall clock at start: versions begin above all that were given before it.
    public var versionOrigin: UnixTime
    /// No value is larger. By default 64 MiB or an eighth of the limit, whichever is less.
    public var valueBytesMax: Int
    /// For tests; nil: random.
    public var hashSeed: UInt64?

    public init(
      limitBytes: Int, eviction: EvictionPolicy = .s3fifo, shardCount: Int = 64, versionOrigin: UnixTime,
      valueBytesMax: Int? = nil, hashSeed: UInt64? = nil
    ) {
      self.limitBytes = limitBytes
      self.eviction = eviction
      self.shardCount = shardCount
      self.versionOrigin = versionOrigin
      self.valueBytesMax = valueBytesMax ?? min(CacheLimits.valueBytesMax, limitBytes / 8)
      self.hashSeed = hashSeed
    }
  }

  public init(options: Options) {
    precondition(options.limitBytes > 0, "a cache needs a limit above 0")
    let isPowerOfTwo = options.shardCount > 0 && options.shardCount & (options.shardCount - 1) == 0
    precondition(isPowerOfTwo && options.shardCount <= CacheLimits.shardCountMax, "the number of shards is a power of two, 1 to 64")
    precondition(0...CacheLimits.valueBytesMax ~= options.valueBytesMax, "values hold 0 to 64 MiB")
    let cell = UnsafeMutablePointer<Engine>.allocate(capacity: 1)
    unsafe cell.initialize(to: Engine(options: options))
    unsafe engine = UnsafePointer(cell)
    unsafe cell.pointee.owner = unsafe .passUnretained(self)
  }

  deinit {
    let cell = unsafe UnsafeMutablePointer(mutating: engine)
    unsafe cell.deinitialize(count: 1)
    unsafe cell.deallocate()
  }

  /// The limit of entries and tables, in bytes.
  public var limitBytes: Int { unsafe engine.pointee.limitBytes }
  /// The largest value, in bytes.
  public var valueBytesMax: Int { unsafe engine.pointee.valueBytesMax }

  // MARK: Locking

  /// Locks the shards of a batch, in ascending order, for as long as `body` runs. `body` must not call the store otherwise.
  @inlinable
  package func withLockedShards<Result: ~Copyable, Failure: Error>(
    of batch: borrowing KeyBatch, _ body: (inout LockedShards) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withLockedShards(of: batch.shards, body)
  }

  @inlinable
  package func withLockedShards<Result: ~Copyable, Failure: Error>(
    of shards: ShardSet, _ body: (inout LockedShards) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var locked = unsafe LockedShards(engine: engine, locking: shards)
    return try body(&locked)
  }

  /// The shard of one key.
  package func shards(of key: RawSpan, database: UInt8 = 0) -> ShardSet { shards(hash: hash(key, database)) }

  /// Every shard.
  package var allShards: ShardSet { ShardSet(all: unsafe engine.pointee.shardCount) }

  @usableFromInline @inline(__always)
  func hash(_ key: RawSpan, _ database: UInt8) -> UInt64 { unsafe engine.pointee.hasher.hash(key, database: database) }

  /// The hash of a key, and the index of its shard.
  @inline(__always)
  func locate(_ key: RawSpan, _ database: UInt8) -> (hash: UInt64, shard: Int) {
    let hash = hash(key, database)
    return unsafe (hash, engine.pointee.shardIndex(hash))
  }

  @inline(__always)
  func shards(hash: UInt64) -> ShardSet { ShardSet(unsafe engine.pointee.shardIndex(hash)) }

  /// The shard of `hash`, locked until the value goes out of scope.
  @usableFromInline
  func locked(hash: UInt64) -> LockedShards { unsafe LockedShards(engine: engine, locking: shards(hash: hash)) }

  /// The shard of `key`, likewise.
  @usableFromInline
  func locked(_ key: RawSpan, _ database: UInt8) -> LockedShards { locked(hash: hash(key, database)) }

  // MARK: One key

  /// Lends the entry of `key` to `body`, under its shard's lock; nil if there is none. Counts a hit or a miss. Allocates nothing.
  /// If the view `isLarge`, leave and `pin` the key.
  @inlinable
  package func get<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    let hash = hash(key, database)
    var shards = locked(hash: hash)
    guard let entry = shards.find(key, database, hash, allowsStale: allowsStale, counts: true, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  /// As `get`, without counting, and without a use noted for eviction.
  @inlinable
  package func peek<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    var shards = locked(key, database)
    return try shards.peek(key, database: database, allowsStale: allowsStale, at: now, body)
  }

  /// Stores a new entry. A large value is written before the shard is locked.
  package func put(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes = PutAttributes(), condition: PutCondition = .always,
    at now: UnixTime
  ) throws(CacheError) -> PutResult {
    if value.byteCount >= CacheLimits.largeValueBytesMin {
      var reservation = try reserve(key, valueBytes: value.byteCount, attributes, at: now)
      reservation.append(value)
      return try commit(reservation, condition: condition, at: now)
    }
    let hash = hash(key, attributes.database)
    var shards = locked(hash: hash)
    return try shards.put(key, value, attributes, condition: condition, hash: hash, at: now)
  }

  /// Whether an entry was there and is gone.
  @discardableResult
  package func delete(
    _ key: RawSpan, database: UInt8 = 0, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> Bool {
    var shards = locked(key, database)
    return try shards.delete(key, database: database, condition: condition, at: now)
  }

  /// Replaces the value by what `body` makes of it, atomically; keeps expiry, tags, type, flags. Nil if there is no entry.
  package func update<Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, condition: PutCondition = .always, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> ByteBuffer
  ) throws(UpdateError<Failure>) -> UInt64? {
    var shards = locked(key, database)
    return try shards.update(key, database: database, condition: condition, at: now, body)
  }

  /// Adds to an integer; see `LockedShards.increment`. `attributes` are for a new entry.
  package func increment(
    _ key: RawSpan, by amount: Int64, initial: Int64 = 0, _ attributes: borrowing PutAttributes = PutAttributes(), at now: UnixTime
  ) throws(CacheError) -> (value: Int64, version: UInt64) {
    var shards = locked(key, attributes.database)
    return try shards.increment(key, by: amount, initial: initial, attributes, at: now)
  }

  /// Sets when the entry expires; whether it did.
  @discardableResult
  package func expire(
    _ key: RawSpan, database: UInt8 = 0, at expiry: UnixTime, condition: ExpireCondition = .always, now: UnixTime
  ) throws(CacheError) -> Bool {
    var shards = locked(key, database)
    return try shards.expire(key, database: database, at: expiry, condition: condition, now: now)
  }

  /// Whether there is an entry; notes a use.
  package func touch(_ key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> Bool {
    var shards = locked(key, database)
    return shards.touch(key, database: database, at: now)
  }

  // MARK: Telling

  /// Tells `observer` of every change from now on, under the lock of the shard where it happens.
  package func observe(_ observer: any CacheObserver) {
    allShards.forEach { index in
      unsafe engine.pointee.withLock(index) { $0.observe(observer) }
    }
  }
}
