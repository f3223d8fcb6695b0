/// An entry as callers see it: lent to a function while its shard is locked, never kept.

package import MartletBytes

@usableFromInline
package struct EntryView: ~Copyable, ~Escapable {
  @usableFromInline let entry: Entry

  @usableFromInline
  @_lifetime(immortal)
  init(_ entry: Entry) { self.entry = entry }

  /// The value's bytes. If `isLarge`, do not copy them here, under the lock: `pin` the entry.
  @inlinable
  package var value: RawSpan {
    @_lifetime(copy self)
    get { unsafe _overrideLifetime(entry.value, copying: self) }
  }

  @inlinable
  package var key: RawSpan {
    @_lifetime(copy self)
    get { unsafe _overrideLifetime(entry.key, copying: self) }
  }

  /// Empty: whoever asks has a default.
  package var contentType: RawSpan {
    @_lifetime(copy self)
    get { unsafe _overrideLifetime(entry.contentType, copying: self) }
  }

  /// Joined by commas; empty: none.
  package var tags: RawSpan {
    @_lifetime(copy self)
    get { unsafe _overrideLifetime(entry.tags, copying: self) }
  }

  /// Changes with value, flags, type and tags, not with expiry; never given twice for a key.
  @inlinable package var version: UInt64 { entry.version }
  /// When the version was given (exact to the millisecond unless one shard wrote more than 4096 times in it): for `Age`.
  package var storedAt: UnixTime { Version.time(entry.version) }
  /// `.never` if it has none.
  package var expiry: UnixTime { entry.expiry }
  /// Until when it may be served stale; equal to `expiry` if it may not.
  package var staleUntil: UnixTime { entry.staleUntil }
  package var flags: UInt32 { entry.flags }
  package var database: UInt8 { entry.database }
  /// What it takes in the log, in a block of its own, and in the table.
  package var memoryBytes: Int { entry.logBytes + (entry.isApart ? entry.block.cost : 0) + MemoryLayout<Slot>.size }
  /// Whether the value has `CacheLimits.largeValueBytesMin` bytes or more.
  @inlinable package var isLarge: Bool { entry.valueCount >= CacheLimits.largeValueBytesMin }
  /// Whether the entry is past its expiry or softly invalidated (only readers who take stale values see such entries).
  package func isStale(at now: UnixTime) -> Bool { entry.expiry <= now || isSoftened }

  /// Whether a tag of it was softly invalidated: stale, though its expiry may be far.
  package var isSoftened: Bool { entry.isSoftened }
}

/// How versions are numbered: milliseconds of Unix time, then twelve bits of count.
/// 56 bits, which end in the year 2527.
///
/// A shard gives `max(last + 1, now << 12)`. So versions only rise, a restarted process begins above all that the last one gave,
/// an entry need not store when it was written, and the number stays below 2^53 (exact in every JSON reader) until 2039. Were more
/// than 4096 versions given in one millisecond by one shard, numbers run ahead of the clock; they stay unique.
enum Version {
  static func first(at time: UnixTime) -> UInt64 {
    UInt64(min(max(time.milliseconds, 0), 1 << 43)) << 12
  }

  static func time(_ version: UInt64) -> UnixTime { UnixTime(milliseconds: Int64(version >> 12)) }
}
