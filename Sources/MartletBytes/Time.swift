/// Two clocks with two types, so that they cannot be mixed up: deadlines are monotonic, expiry is in Unix time.
///
/// Both are *handed in* by whoever owns the loop or the test; nothing in the engine reads a clock by itself.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A point on the machine's monotonic clock, in nanoseconds since an arbitrary start.
public struct MonotonicTime: Comparable, Sendable, Hashable {
  public var nanoseconds: UInt64

  @inlinable
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Later than every other time: "no deadline".
  @inlinable public static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

  /// The clock, read now (about 20 ns).
  public static var now: MonotonicTime { MonotonicTime(nanoseconds: read(CLOCK_MONOTONIC)) }

  @inlinable
  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Saturates at `never`.
  @inlinable
  public func advanced(byNanoseconds distance: UInt64) -> MonotonicTime {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(distance)
    return MonotonicTime(nanoseconds: overflow ? .max : sum)
  }

  @inlinable
  public func advanced(bySeconds seconds: Double) -> MonotonicTime {
    advanced(byNanoseconds: seconds <= 0 ? 0 : seconds >= 1e10 ? .max : UInt64(seconds * 1e9))
  }

  /// Nanoseconds from `earlier` to here; 0 if `earlier` is later.
  @inlinable
  public func nanoseconds(since earlier: MonotonicTime) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds &- earlier.nanoseconds : 0
  }

  /// CPU time that this process has used, user and system, in nanoseconds.
  package static var processCPUNanoseconds: UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// CPU time that another process of this machine has used, all its threads, user and system, in nanoseconds; nil if there is no such
  /// process, or the system does not tell.
  package static func processCPUNanoseconds(of process: Int32) -> UInt64? {
    #if os(Linux)
      guard 1...(1 << 22) ~= process else { return nil }
      // No process has a larger number (PID_MAX_LIMIT), and this one must leave room for three bits. clock_getcpuclockid(3): the complement of the number, and 2 for the time that the scheduler has counted.
      var time = timespec()
      guard unsafe clock_gettime(clockid_t(truncatingIfNeeded: ~process &<< 3 | 2), &time) == 0 else { return nil }
      return nanoseconds(time)
    #else
      return nil
    #endif
  }

  static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return nanoseconds(time)
  }

  private static func nanoseconds(_ time: timespec) -> UInt64 {
    UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

/// A point in Unix time, in milliseconds: what expiry is counted in.
public struct UnixTime: Comparable, Sendable, Hashable {
  public var milliseconds: Int64

  @inlinable
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Later than every other time: "does not expire".
  @inlinable public static var never: UnixTime { UnixTime(milliseconds: .max) }

  @inlinable
  public static func < (left: UnixTime, right: UnixTime) -> Bool { left.milliseconds < right.milliseconds }

  /// Saturates at `never`.
  @inlinable
  public func advanced(byMilliseconds distance: Int64) -> UnixTime {
    let (sum, overflow) = milliseconds.addingReportingOverflow(distance)
    return UnixTime(milliseconds: overflow ? (distance > 0 ? .max : .min) : sum)
  }
}

/// Unix time that never jumps: the wall clock sampled once, advanced by the monotonic clock. Steps of the system's clock expire
/// nothing and revive nothing.
public struct SteadyClock: Sendable {
  private let unixNanosecondsAtOrigin: Int64

  /// Samples both clocks.
  public init() {
    let monotonic = MonotonicTime.read(CLOCK_MONOTONIC)
    unixNanosecondsAtOrigin = Int64(MonotonicTime.read(CLOCK_REALTIME)) - Int64(monotonic)
  }

  /// Unix time at the monotonic time `now`.
  @inline(__always)
  public func unixTime(at now: MonotonicTime) -> UnixTime {
    UnixTime(milliseconds: (unixNanosecondsAtOrigin &+ Int64(truncatingIfNeeded: now.nanoseconds)) / 1_000_000)
  }
}
