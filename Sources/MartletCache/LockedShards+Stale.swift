/// One entry made stale by itself. (Entries of a tag: `TagRegistry`.)

package import MartletBytes

extension LockedShards {
  /// Makes an entry stale: it gets a new version, and from now on it is there only for readers who take stale values, until the time when it
  /// would have expired, or until `end` if that is given. Leases on it are over. The new version; nil if there is no entry.
  ///
  /// What would be kept for ever is kept for `staleMillisecondsMax`.
  package mutating func makeStale(
    _ key: RawSpan, database: UInt8 = 0, until end: UnixTime? = nil, at now: UnixTime
  ) throws(CacheError) -> UInt64? {
    let (hash, index) = locate(key, database)
    let shard = unsafe engine.pointee.shard(index)
    guard let old = unsafe shard.pointee.look(for: key, database: database, hash: hash, at: now).place?.entry else { return nil }
    let longest = now.advanced(byMilliseconds: Self.staleMillisecondsMax)
    let attributes = (expiry: min(old.expiry, now), staleUntil: min(end ?? old.staleUntil, longest))
    if attributes.staleUntil <= now {
      let isDeleted = try delete(key, database: database, at: now)
      return isDeleted ? 0 : nil
    }
    let bytes = old.plan(valueCount: old.valueCount, expiry: attributes.expiry, staleUntil: attributes.staleUntil).logBytes
    // Making room may move the entry.
    guard let queue = makeRoom(bytes, replacing: old, hash: hash, shard: index, at: now),
      let kept = unsafe shard.pointee.look(for: key, database: database, hash: hash, at: now).place
    else { throw .outOfMemory }
    return unsafe shard.pointee.makeStale(kept, expiry: attributes.expiry, staleUntil: attributes.staleUntil, in: queue, at: now)
  }

  /// Ten years.
  package static var staleMillisecondsMax: Int64 { 315_360_000_000 }
}
