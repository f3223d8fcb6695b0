/// The keys that one session watches, from WATCH to EXEC. Registered with their shards; unregistered by `removeAll`, or when the list
/// goes. Belongs to one thread at a time.

package import MartletBytes

package struct WatchList: ~Copyable {
  private let store: CacheStore
  private var keys: [(key: [UInt8], database: UInt8)] = []
  private var flag = WatchFlag()
  /// The shards of all keys: to be locked, beside those of the commands, when the transaction runs.
  package private(set) var shards = ShardSet()

  package init(store: CacheStore) { self.store = store }

  deinit {
    for (key, database) in keys { store.unwatch(key.rawSpan, database: database, flag) }
  }

  package var isEmpty: Bool { keys.isEmpty }

  /// Watches a key from now on; twice is once. False if a bound of `WatchLimits` is reached.
  package mutating func add(_ key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> Bool {
    if keys.contains(where: { $0.database == database && $0.key.rawSpan.equals(key) }) { return true }
    guard keys.count < WatchLimits.keysPerListMax, store.watch(key, database: database, flag, at: now) else { return false }
    keys.append((key.copied(), database))
    shards.formUnion(store.shards(of: key, database: database))
    return true
  }

  /// Whether a key has changed since it was added. `locked` holds `shards`, so that what is decided now stays true while they are held.
  package func isChanged(in locked: inout LockedShards, at now: UnixTime) -> Bool {
    // An expiry that nobody has noticed yet is noticed here.
    for (key, database) in keys where !flag.isRaised { locked.notice(key.rawSpan, database: database, at: now) }
    return flag.isRaised
  }

  /// The same, locking for itself.
  package func isChanged(at now: UnixTime) -> Bool {
    flag.isRaised || store.withLockedShards(of: shards) { locked in isChanged(in: &locked, at: now) }
  }

  /// Watches nothing any more.
  package mutating func removeAll() {
    for (key, database) in keys { store.unwatch(key.rawSpan, database: database, flag) }
    keys = []
    shards = ShardSet()
    flag = WatchFlag()
  }
}

extension CacheStore {
  /// Raises `flag` at the next change of a key. False if too many are watched.
  fileprivate func watch(_ key: RawSpan, database: UInt8, _ flag: WatchFlag, at now: UnixTime) -> Bool {
    let hash = hash(key, database)
    return unsafe engine.pointee.withLock(engine.pointee.shardIndex(hash)) { shard in
      let wasPresent = shard.look(for: key, database: database, hash: hash, at: now).livePlace != nil
      return shard.interests.watches.add(key, database, hash: hash, wasPresent: wasPresent, flag)
    }
  }

  fileprivate func unwatch(_ key: RawSpan, database: UInt8, _ flag: WatchFlag) {
    let hash = hash(key, database)
    unsafe engine.pointee.withLock(engine.pointee.shardIndex(hash)) { shard in
      shard.interests.watches.remove(key, database, hash: hash, flag)
    }
  }
}

extension LockedShards {
  /// Removes the entry of `key` if its time is over or a tag of it was invalidated; counts nothing.
  fileprivate mutating func notice(_ key: RawSpan, database: UInt8, at now: UnixTime) {
    let (hash, index) = locate(key, database)
    _ = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
  }
}
