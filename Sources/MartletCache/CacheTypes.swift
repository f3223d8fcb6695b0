/// The words in which callers speak to the store: attributes, conditions, results, errors. No behaviour beyond checking a condition.

package import MartletBytes

/// The bounds of the store that have a name.
public enum CacheLimits {
  /// Keys hold 0 to this many bytes of any kind.
  public static var keyBytesMax: Int { 64 << 10 }
  /// No value is larger, however large the limit; `CacheStore.valueBytesMax` may be less.
  public static var valueBytesMax: Int { 64 << 20 }
  /// From this size on a value is written before its shard is locked and read after it is unlocked (`reserve`, `pin`).
  public static var largeValueBytesMin: Int { 64 << 10 }
  public static var contentTypeBytesMax: Int { 1024 }
  public static var tagsPerEntryMax: Int { 32 }
  public static var tagBytesMax: Int { 128 }
  /// Databases are numbered from 0.
  public static var databaseCount: Int { 16 }
  /// A power of two; a set of shards is one 64-bit word.
  public static var shardCountMax: Int { 64 }
}

/// What comes with a value. Borrows its spans: build it where it is used.
package struct PutAttributes: ~Escapable {
  /// Absent from then on. At or before now: absent at once.
  package var expiry: UnixTime
  /// Until when the entry is kept beyond `expiry` for readers who take stale values. At or before `expiry`: not at all.
  package var staleUntil: UnixTime
  /// The client's number (memcached); kept and given back.
  package var flags: UInt32
  /// 0 to 15.
  package var database: UInt8
  /// Empty: the default of whoever asks. At most `CacheLimits.contentTypeBytesMax`.
  package let contentType: RawSpan
  /// Joined by commas, as `TagList.normalize` writes them; empty: none.
  package let tags: RawSpan
  /// Of a fill: when its lease was issued; of a rewritten entry: its own. Else it is given when the entry is linked.
  var tagStamp = TagStamp.open

  /// Without content type and tags.
  @_lifetime(immortal)
  package init(expiry: UnixTime = .never, staleUntil: UnixTime = .neverStale, flags: UInt32 = 0, database: UInt8 = 0) {
    self.expiry = expiry
    self.staleUntil = staleUntil
    self.flags = flags
    self.database = database
    contentType = RawSpan()
    tags = RawSpan()
  }

  @_lifetime(copy contentType, copy tags)
  package init(
    expiry: UnixTime = .never, staleUntil: UnixTime = .neverStale, flags: UInt32 = 0, database: UInt8 = 0,
    contentType: RawSpan, tags: RawSpan
  ) {
    self.expiry = expiry
    self.staleUntil = staleUntil
    self.flags = flags
    self.database = database
    self.contentType = contentType
    self.tags = tags
  }
}

extension UnixTime {
  /// Earlier than every other time: as `staleUntil`, "is not kept beyond its expiry".
  package static var neverStale: UnixTime { UnixTime(milliseconds: .min) }
}

/// When a verb that writes may go ahead. An expired entry counts as absent.
public enum PutCondition: Sendable {
  case always
  case ifAbsent
  case ifPresent
  case ifVersion(UInt64)
  /// `If-Match` with a list.
  case ifVersionIn([UInt64])
  /// `If-None-Match` with a list; holds when the entry is absent.
  case ifVersionNotIn([UInt64])

  /// Whether the condition holds for an entry of version `current` (nil: absent).
  package func holds(for current: UInt64?) -> Bool {
    switch self {
    case .always: true
    case .ifAbsent: current == nil
    case .ifPresent: current != nil
    case .ifVersion(let version): current == version
    case .ifVersionIn(let versions): current.map(versions.contains) ?? false
    case .ifVersionNotIn(let versions): !(current.map(versions.contains) ?? false)
    }
  }
}

/// When `expire` may go ahead. An entry without expiry counts as expiring later than any time.
public enum ExpireCondition: Sendable {
  case always
  /// The entry has no expiry (NX).
  case ifNone
  /// The entry has one (XX).
  case ifSome
  /// The new time is later than the entry's (GT).
  case ifLater
  /// The new time is earlier than the entry's (LT).
  case ifEarlier

  package func holds(for current: UnixTime, new: UnixTime) -> Bool {
    switch self {
    case .always: true
    case .ifNone: current == .never
    case .ifSome: current != .never
    case .ifLater: current < new
    case .ifEarlier: new < current
    }
  }
}

/// What a put did, with the version it gave.
public enum PutResult: Sendable, Equatable {
  case created(version: UInt64)
  case replaced(version: UInt64)

  public var version: UInt64 {
    switch self {
    case .created(let version), .replaced(let version): version
    }
  }
}

/// Why a verb did nothing. After any of these the entry is as it was.
public enum CacheError: Error, Equatable, Sendable {
  /// The condition did not hold; `current` is the version that is there, nil if none.
  case conditionFailed(current: UInt64?)
  case keyTooLarge(limit: Int)
  case valueTooLarge(limit: Int)
  case contentTypeTooLarge(limit: Int)
  /// More tags, or longer ones, than an entry may have.
  case tagsTooLarge(limit: Int)
  /// The memory limit is reached and nothing may or can be evicted, or the system gave no memory.
  case outOfMemory
  /// A fill came too late: its lease has ended, or one of its tags was invalidated since the lease was issued.
  case leaseOver
  /// `increment` met a value that is not the shortest decimal text of an Int64.
  case notAnInteger
  /// `increment` would leave Int64.
  case overflow
}

/// Why an update did nothing: the store refused, or the caller's function threw.
public enum UpdateError<Failure: Error>: Error {
  case cache(CacheError)
  case body(Failure)
}
