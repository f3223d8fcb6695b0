/// The words of leases: what a reader asks for, what it is answered, what it is told later.
///
/// A lease is the right, and the duty, to fill one key: the first reader who misses gets it, the others wait or are served stale. It
/// belongs to its token and to nobody else: a filler may take it in one process and fill in another. It ends by its fill, its time,
/// by being given up, or by any change of the value; a fill that comes after its end is refused.

public import MartletBytes

/// What a lease is known by; never 0, and not given again.
public struct LeaseToken: Sendable, Hashable, CustomStringConvertible {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// From the 16 hexadecimal digits that `description` writes; nil for anything else.
  public init?(_ text: RawSpan) {
    guard text.byteCount == 16 else { return nil }
    var value: UInt64 = 0
    for index in 0..<16 {
      switch text[index] {
      case let byte where UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte: value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
      case let byte where UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte: value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    rawValue = value
  }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// How a reader wants to be treated if the value is not there.
public struct LeaseRequest: Sendable {
  /// How long a lease given to this reader lasts: 1 to `LeaseLimits.leaseMillisecondsMax`.
  public var leaseMilliseconds: Int64
  /// How long it will wait for another's fill: 0 to `LeaseLimits.waitMillisecondsMax`; 0: not at all.
  public var waitMilliseconds: Int64
  /// Above 0: the value may be refreshed before its expiry. Each reader of a value that expires soon is given a lease with a chance
  /// that rises as the expiry comes near, the sooner the longer the last fill took (XFetch); 1 is the usual choice, more is earlier.
  public var earlyRefresh: Double
  /// A value that expires within so long gives one reader a lease; 0: none. (The recache flag of memcached.)
  public var refreshMilliseconds: Int64

  public init(leaseMilliseconds: Int64, waitMilliseconds: Int64 = 0, earlyRefresh: Double = 0, refreshMilliseconds: Int64 = 0) {
    precondition(1...LeaseLimits.leaseMillisecondsMax ~= leaseMilliseconds, "a lease lasts above 0 and up to 300 seconds")
    precondition(0...LeaseLimits.waitMillisecondsMax ~= waitMilliseconds, "a reader waits 0 to 60 seconds")
    precondition(earlyRefresh >= 0 && refreshMilliseconds >= 0, "a value is refreshed 0 or more before its expiry")
    self.leaseMilliseconds = leaseMilliseconds
    self.waitMilliseconds = waitMilliseconds
    self.earlyRefresh = earlyRefresh
    self.refreshMilliseconds = refreshMilliseconds
  }
}

/// What a reader is answered at once.
public enum LeaseAnswer: Sendable, Equatable {
  /// The value was lent; with a lease, this reader is to refresh it early.
  case hit(lease: LeaseToken?)
  /// A stale value was lent; with a lease, this reader is to refresh it.
  case stale(lease: LeaseToken?)
  /// There is none: this reader is to fill.
  case miss(LeaseToken)
  /// Another fills; the waiter will be told.
  case waiting(WaitTicket)
  /// Another fills and this reader does not wait, or a bound is reached: ask again after so long.
  case busy(retryAfterMilliseconds: Int64)
  /// Whoever filled last found that there is nothing, and that this holds until then.
  case absent(until: UnixTime)
}

/// What a waiter is told, once.
public enum LeaseNews: Sendable {
  /// The value is there: as it was filled, whatever has happened to the entry since.
  case value(SharedValue)
  /// The one before has not filled; it is this reader's turn.
  case lease(LeaseToken)
  /// The filler found that there is nothing, and that this holds until then.
  case absent(until: UnixTime)
  /// It has waited long enough, or the value could not be kept for it.
  case timedOut
}

/// Somebody parked until a key is filled. An object for each wait: HTTP's is a reply that is owed, Swift's a suspended task.
public protocol LeaseWaiter: AnyObject, Sendable {
  /// Called once, on any thread, outside of the store's locks, and perhaps before the call that parked it has returned. Be quick: it
  /// runs on the filler's time. It may call the store. If a lease comes to someone who is gone, he gives it up at once
  /// (`CacheStore.giveUp`), so that it passes on.
  func settle(_ news: LeaseNews)
}

/// Names a parked waiter, to forget it. Harmless when that was told already.
public struct WaitTicket: Sendable, Hashable {
  let shard: Int32
  let slot: Int32
  let serial: UInt64
}

/// A value held for several readers at once, outside every lock; freed after the last of them.
public final class SharedValue: Sendable {
  private let pinned: PinnedValue

  init(_ pinned: consuming PinnedValue) { self.pinned = pinned }

  /// Lends the value's bytes.
  public func withValue<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try withPinned { (pinned) throws(Failure) in try body(pinned.value) }
  }

  /// Lends all of it.
  package func withPinned<Result: ~Copyable, Failure: Error>(
    _ body: (borrowing PinnedValue) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(pinned)
  }

  public var version: UInt64 { pinned.version }
  public var expiry: UnixTime { pinned.expiry }
}

/// The bounds of leases that have a name. Beyond one of them readers are answered `busy`, or served stale without a lease.
public enum LeaseLimits {
  public static var leaseMillisecondsMax: Int64 { 300_000 }
  public static var waitMillisecondsMax: Int64 { 60_000 }
  /// Keys of one shard with a lease, waiters or a known absence.
  public static var placeholdersPerShardMax: Int { 4096 }
  /// Bytes of all of them, each with its key and tags and `placeholderBytesEach`; or 1/32 of the store's limit if that is less.
  public static var placeholderBytesMax: Int { 16 << 20 }
  public static var placeholderBytesEach: Int { 192 }
  /// Waiters of the whole store; or one for each KiB of its limit if that is less (1024 at least).
  public static var waitersMax: Int { 1 << 17 }
  /// What `busy` advises at most.
  public static var retryMilliseconds: Int64 { 1000 }
}

/// What leases have done. Each lease has one of the outcomes; each waiter one of those of waiters.
public struct LeaseStatistics: Sendable, Equatable {
  /// Leases given, to readers and to waiters whose turn it was.
  public internal(set) var granted: UInt64 = 0
  /// Outcomes of leases: filled, known to be absent, given up, out of time, overtaken by another change of the value.
  public internal(set) var filled: UInt64 = 0
  public internal(set) var foundAbsent: UInt64 = 0
  public internal(set) var givenUp: UInt64 = 0
  public internal(set) var expired: UInt64 = 0
  public internal(set) var overtaken: UInt64 = 0
  /// Fills refused since their lease was over.
  public internal(set) var fillsRefused: UInt64 = 0
  /// Leases given before the expiry (early refresh), and for stale values; both are among `granted`.
  public internal(set) var grantedEarly: UInt64 = 0
  public internal(set) var grantedStale: UInt64 = 0
  /// Outcomes of waiters: told a value, told of absence, given the lease, out of time, disconnected.
  public internal(set) var waitersFilled: UInt64 = 0
  public internal(set) var waitersAbsent: UInt64 = 0
  public internal(set) var waitersLeased: UInt64 = 0
  public internal(set) var waitersTimedOut: UInt64 = 0
  public internal(set) var waitersForgotten: UInt64 = 0
  /// Readers served a stale value while another refreshes it.
  public internal(set) var servedStale: UInt64 = 0
  /// Readers told of a known absence.
  public internal(set) var servedAbsent: UInt64 = 0
  /// Readers told to ask again.
  public internal(set) var busy: UInt64 = 0
  /// Leases out, waiters parked, and known absences, now.
  public internal(set) var live: UInt64 = 0
  public internal(set) var waiting: UInt64 = 0
  public internal(set) var absences: UInt64 = 0

  /// Misses that did not reach the origin.
  public var herdSaved: UInt64 { waitersFilled + waitersAbsent + servedStale + servedAbsent }

  mutating func add(_ other: LeaseStatistics) {
    granted += other.granted
    filled += other.filled
    foundAbsent += other.foundAbsent
    givenUp += other.givenUp
    expired += other.expired
    overtaken += other.overtaken
    fillsRefused += other.fillsRefused
    grantedEarly += other.grantedEarly
    grantedStale += other.grantedStale
    waitersFilled += other.waitersFilled
    waitersAbsent += other.waitersAbsent
    waitersLeased += other.waitersLeased
    waitersTimedOut += other.waitersTimedOut
    waitersForgotten += other.waitersForgotten
    servedStale += other.servedStale
    servedAbsent += other.servedAbsent
    busy += other.busy
    live += other.live
    waiting += other.waiting
    absences += other.absences
  }
}
