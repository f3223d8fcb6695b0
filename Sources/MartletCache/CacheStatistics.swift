/// What the store has counted since it was made, and what it holds now.

package import MartletBytes

public struct CacheStatistics: Sendable {
  public internal(set) var hits: UInt64 = 0
  public internal(set) var misses: UInt64 = 0
  /// Puts, updates and increments that went through.
  public internal(set) var sets: UInt64 = 0
  public internal(set) var deletes: UInt64 = 0
  public internal(set) var evictions: UInt64 = 0
  public internal(set) var expirations: UInt64 = 0
  /// Entries removed since one of their tags was invalidated.
  public internal(set) var invalidations: UInt64 = 0
  /// Entries now, expired ones not yet removed included.
  public internal(set) var entries: UInt64 = 0
  /// Memory of entries and tables, free parts of it that are resident included.
  public internal(set) var bytes: UInt64 = 0
  public internal(set) var limitBytes: UInt64 = 0
  /// Segments of the log now.
  package internal(set) var segments: UInt64 = 0
  /// Of entries that are gone, in segments with others that are not: reused before anything is evicted.
  package internal(set) var deadBytes: UInt64 = 0
  /// Freed, and not given back to the system yet: resident beside `bytes`, and within the limit together with them.
  package internal(set) var looseBytes: UInt64 = 0
  package internal(set) var tableBytes: UInt64 = 0
  /// Of entries that eviction and compaction have copied.
  package internal(set) var movedBytes: UInt64 = 0
  public internal(set) var leases = LeaseStatistics()
  public internal(set) var tags = TagStatistics()
  /// From the end of an entry's time until it was removed: from then on its memory is among `deadBytes`, which is reused before anything
  /// is evicted, and compacted once it is an eighth of the log.
  package internal(set) var expiryLag = LatencyHistogram()

  mutating func add(_ shard: Shard.Counters) {
    hits += shard.hits
    misses += shard.misses
    sets += shard.sets
    deletes += shard.deletes
    evictions += shard.evictions
    expirations += shard.expirations
    movedBytes += shard.movedBytes
    invalidations += shard.invalidations
    expiryLag.add(shard.expiryLag)
  }
}

public struct TagStatistics: Sendable, Equatable {
  /// Tags invalidated so far.
  public internal(set) var hardInvalidations: UInt64 = 0
  public internal(set) var softInvalidations: UInt64 = 0
  /// Tags remembered now, since an entry or a lease may be older than their invalidation.
  public internal(set) var records: UInt64 = 0
}
