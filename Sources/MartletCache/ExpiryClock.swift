/// When to look at which entry: a byte in the table for each that has a deadline, and rounds over those bytes. Engine.
///
/// The problem: of ten million entries with deadlines a few thousand are over in each half second. A heap or a wheel that finds them costs 8 to
/// 16 bytes per entry and a cache miss at each put. Reading all entries to see costs seconds.
///
/// So time is counted in ticks of half a second, and a slot's byte says at which tick to look at its entry: 0 never, else the tick
/// modulo 255, plus 1. A round at a tick reads the notes of all blocks of the table (14 MB for ten million entries), and the few entries whose
/// byte is due. A deadline more than two minutes away is looked at after two minutes, and its byte set anew.

internal import MartletBytes

struct ExpiryClock {
  /// Everything due at this tick or before has been looked at, apart from what the running tick still brings.
  private(set) var doneTick: Int64
  /// The round under way covers the ticks after `doneTick` up to and with this one; the last of them has only begun.
  private(set) var roundTick: Int64
  /// The tag with which the round goes on; nil: none is under way.
  var position: UInt32?

  static var tickMilliseconds: Int64 { 500 }
  private static var codeCount: Int64 { 255 }
  /// How far ahead a byte can tell.
  private static var horizonTicks: Int64 { 240 }

  init(at time: UnixTime) {
    doneTick = ExpiryClock.tick(at: time)
    roundTick = doneTick
  }

  /// The tick that is running at `time`.
  private static func tick(at time: UnixTime) -> Int64 { time.milliseconds.flooredQuotient(tickMilliseconds) }

  /// The byte of an entry that is over at `deadline`.
  func code(for deadline: UnixTime) -> UInt8 {
    if deadline == .never { return 0 }
    // The tick that is running at the deadline; not before the next round, since this one may have passed by already.
    let due = min(max(ExpiryClock.tick(at: deadline), roundTick), roundTick + ExpiryClock.horizonTicks)
    return ExpiryClock.code(due)
  }

  private static func code(_ tick: Int64) -> UInt8 { UInt8(tick - tick.flooredQuotient(codeCount) * codeCount) + 1 }

  /// Begins a round at `now`; false if the clock went back.
  mutating func begin(at now: UnixTime) -> Bool {
    let tick = ExpiryClock.tick(at: now)
    if tick < doneTick { return false }
    roundTick = tick
    position = 0
    return true
  }

  mutating func end() {
    doneTick = roundTick
    position = nil
  }

  /// The bytes that are due in the round under way.
  var due: DueCodes {
    let count = min(roundTick - doneTick + 1, ExpiryClock.codeCount)
    return DueCodes(first: ExpiryClock.code(roundTick - count + 1), count: Int(count))
  }
}

/// A run of codes: `first` and those after it, 255 followed by 1.
struct DueCodes {
  let first: UInt8
  /// 1 to 255.
  let count: Int

  /// Whether a code is in the run; 0 never is.
  @inline(__always)
  func contains(_ code: UInt8) -> Bool {
    let distance = code &- first &- (code < first ? 1 : 0)
    return code != 0 && Int(distance) < count
  }
}

extension Int64 {
  /// The quotient rounded down.
  func flooredQuotient(_ divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
