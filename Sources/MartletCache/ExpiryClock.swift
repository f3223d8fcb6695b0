/// When to look at which entry: a byte in the table for each that has a deadline, and rounds over those bytes. Engine.
///
/// The problem: of ten million entries with deadlines some thousands are over in each second. A heap or a wheel that finds them costs 8 to
/// 16 bytes per entry and a cache miss at each put. Reading all entries to see costs seconds.
///
/// So time is counted in ticks of 0.6 s, and a slot's byte says at which tick to look at its entry: 0 never; 1 to 192 at that tick, modulo
/// 192; 193 to 255 at that coarse tick of 64 ticks, modulo 63. A round after a tick has begun reads the notes of all blocks of the table (14
/// MB for ten million entries), and the few entries whose byte is due. An entry that is over within 115 s is looked at once, when it is over;
/// one that has longer also when its coarse tick begins, to get the byte of its tick; one that has more than 40 minutes also every 40 minutes.
///
/// The length of a tick is how late memory comes back, against how often all notes are read.

internal import MartletBytes

struct ExpiryClock {
  /// The last tick whose round is over: all that was due at it or before has been looked at.
  private(set) var doneTick: Int64
  /// The round under way looks at what is due at the ticks after `doneTick` up to and with this one.
  private(set) var roundTick: Int64
  /// The round under way looks also at what is due at the next tick: some of it is over.
  private var looksAhead = false
  /// The block with which the round goes on; nil: none is under way.
  var position: PagePosition?

  static var tickMilliseconds: Int64 { 600 }
  private static var fine: CodeRing { CodeRing(first: 1, count: 192) }
  private static var coarse: CodeRing { CodeRing(first: 193, count: 63) }
  private static var ticksPerCoarseTick: Int64 { 64 }

  init(at time: UnixTime) {
    doneTick = ExpiryClock.tick(at: time)
    roundTick = doneTick
  }

  /// The tick that is running at `time`.
  private static func tick(at time: UnixTime) -> Int64 { time.milliseconds.flooredQuotient(tickMilliseconds) }

  private static func coarseTick(of tick: Int64) -> Int64 { tick.flooredQuotient(ticksPerCoarseTick) }

  /// The byte of an entry that is over at `deadline`.
  func code(for deadline: UnixTime) -> UInt8 {
    if deadline == .never { return 0 }
    // The first tick that begins when it is over; not before the next round, since this one may have passed by already.
    let due = max(ExpiryClock.tick(at: deadline.advanced(byMilliseconds: ExpiryClock.tickMilliseconds - 1)), roundTick + 1)
    if due - roundTick < Int64(ExpiryClock.fine.count) { return ExpiryClock.fine.code(due) }
    // A coarse tick that has not begun: there are fewer ticks in one than the fine ones tell.
    let last = ExpiryClock.coarseTick(of: roundTick) + Int64(ExpiryClock.coarse.count) - 1
    return ExpiryClock.coarse.code(min(ExpiryClock.coarseTick(of: due), last))
  }

  /// Begins a round at `now`; false: it would find nothing, since no tick has begun after the last (or the clock went back).
  /// `looksAhead`: it finds what is over since the tick began, too, at the price of looking at what is over soon.
  mutating func begin(at now: UnixTime, looksAhead: Bool = false) -> Bool {
    let tick = ExpiryClock.tick(at: now)
    if tick < doneTick || tick == doneTick && !looksAhead { return false }
    roundTick = tick
    self.looksAhead = looksAhead
    position = PagePosition()
    return true
  }

  mutating func end() {
    doneTick = roundTick
    position = nil
  }

  /// The bytes that are due in the round under way.
  var due: DueCodes {
    var due = DueCodes()
    due.insert(ExpiryClock.fine, after: doneTick, through: roundTick + (looksAhead ? 1 : 0))
    due.insert(ExpiryClock.coarse, after: ExpiryClock.coarseTick(of: doneTick), through: ExpiryClock.coarseTick(of: roundTick))
    return due
  }
}

/// Codes that count ticks of one length, round and round.
struct CodeRing {
  /// 1 or more.
  let first: UInt8
  let count: UInt8

  func code(_ tick: Int64) -> UInt8 { first + UInt8(tick - tick.flooredQuotient(Int64(count)) * Int64(count)) }
}

/// Codes of an entry, as up to four ranges.
struct DueCodes {
  struct Range {
    /// 1 or more; nothing is in the range if it is above `last`.
    var first: UInt8 = 1
    var last: UInt8 = 0
  }

  private(set) var ranges = InlineArray<4, Range>(repeating: Range())
  private(set) var count = 0

  private mutating func append(_ first: UInt8, _ last: UInt8) {
    ranges[count] = Range(first: first, last: last)
    count += 1
  }

  /// Adds the codes of the ticks after `doneTick` up to and with `tick`. Called twice at most.
  mutating func insert(_ ring: CodeRing, after doneTick: Int64, through tick: Int64) {
    let (least, greatest) = (ring.first, ring.first + (ring.count - 1))
    if tick <= doneTick { return }
    if tick - doneTick >= Int64(ring.count) { return append(least, greatest) }
    let (first, last) = (ring.code(doneTick + 1), ring.code(tick))
    if first <= last { return append(first, last) }
    append(first, greatest)
    append(least, last)
  }

  /// Whether a code is among them; 0 never is.
  func contains(_ code: UInt8) -> Bool {
    for index in 0..<count where ranges[index].first <= code && code <= ranges[index].last { return true }
    return false
  }
}

extension Int64 {
  /// The quotient rounded down.
  func flooredQuotient(_ divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
