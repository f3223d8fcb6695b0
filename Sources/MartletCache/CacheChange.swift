/// The one place that tells of change: every mutation of the store becomes one `CacheChange`, inside the lock of its shard.
///
/// Watchers of keys, waiters on leases, a log, a change feed hang here. What is told is told in the order in which it happened
/// to that shard. An observer must be quick, must not call the store, and may be called on any thread.

package struct CacheChange: ~Copyable, ~Escapable {
  package enum Kind: UInt8, Sendable, CaseIterable {
    /// Created, replaced, updated or incremented: it has the value and the version now.
    case set
    /// Only the time until which it is served has changed.
    case expiry
    case deleted
    /// Removed since its time was over.
    case expired
    /// Removed since one of its tags was invalidated.
    case invalidated
    /// Removed to make room.
    case evicted
    /// All entries of `database` in one shard are gone (told once per shard, with an empty key; nil: of every database).
    case cleared
  }

  package let kind: Kind
  /// Rises with every change of a shard. For `.set` it is the entry's version; for `.expiry` too, which gives no new one.
  package let version: UInt64
  package let database: UInt8?
  package let key: RawSpan

  @_lifetime(copy key)
  init(kind: Kind, version: UInt64, database: UInt8?, key: RawSpan) {
    self.kind = kind
    self.version = version
    self.database = database
    self.key = key
  }
}

package protocol CacheObserver: AnyObject, Sendable {
  func didChange(_ change: borrowing CacheChange)
}
