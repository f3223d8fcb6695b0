/// Deadlines of many connections at O(1) each: a timing wheel that is lazy about what is put off.
///
///        cursor                          16.8 ms a bucket, 4096 buckets: 68.7 s
///          v
///   ... [ ] [3,7] [ ] [ ] [12] [ ] ...   entries filed under a tick at or before their deadline
///
/// Almost every deadline is put off before it comes: each request moves its connection's. So putting off is one store, and the
/// entry stays where it is filed; when the cursor reaches it, it is filed again under its deadline, or is due. Moving a deadline
/// forward unlinks and links. A bitmap finds the next bucket that holds anything, so that an idle loop sleeps until then.
///
/// Never early, late by at most one tick (and what the loop adds). Beyond the horizon entries are filed at its end and again from
/// there. Pure: time is handed in; entries are small numbers (connection slots).

import MartletBytes

struct DeadlineWheel: ~Copyable {
  /// log2 of a tick in nanoseconds: 16.8 ms.
  static var tickBits: UInt64 { 24 }
  static var bucketCount: UInt64 { 4096 }
  static var tickNanoseconds: UInt64 { 1 << tickBits }

  private struct Node {
    var deadline: UInt64 = .max
    /// The tick it is filed under; `.max` if it is not filed.
    var tick: UInt64 = .max
    var next: UInt32 = .max
    var previous: UInt32 = .max
  }

  private var nodes: [Node] = []
  /// The first entry of each bucket; `.max` if empty.
  private var heads: [UInt32]
  /// Bit b of word w: bucket 64 w + b is not empty.
  private var occupied: [UInt64]
  /// The next tick to look at: every earlier one has been emptied.
  private var cursor: UInt64
  /// Nothing is filed before this: the tick after the last time handed in.
  private var floor: UInt64
  /// No entry is filed before this; exact after `nextDue()`.
  private var earliestTick: UInt64 = .max

  init(start: MonotonicTime) {
    heads = Array(repeating: .max, count: Int(Self.bucketCount))
    occupied = Array(repeating: 0, count: Int(Self.bucketCount / 64))
    cursor = start.nanoseconds >> Self.tickBits
    floor = cursor
  }

  /// A time before which nothing is due; cheap, may be too early.
  var earliest: MonotonicTime { MonotonicTime(nanoseconds: earliestTick >= 1 << 40 ? .max : earliestTick << Self.tickBits) }

  /// The deadline that `entry` has now.
  func deadline(of entry: UInt32) -> MonotonicTime {
    MonotonicTime(nanoseconds: Int(entry) < nodes.count ? nodes[Int(entry)].deadline : .max)
  }

  /// Sets the deadline of `entry`; `.never` for none.
  mutating func set(_ entry: UInt32, to deadline: MonotonicTime) {
    let index = Int(entry)
    if index >= nodes.count { grow(toFit: index) }
    nodes[index].deadline = deadline.nanoseconds
    let tick = Self.tick(atOrAfter: deadline.nanoseconds)
    let filed = nodes[index].tick
    if tick >= filed && filed != .max { return }  // put off: found again when the cursor comes by
    if deadline == .never { return }
    if filed != .max { unlink(index) }
    link(index, at: max(tick, floor))
  }

  /// Forgets `entry`.
  mutating func remove(_ entry: UInt32) {
    let index = Int(entry)
    guard index < nodes.count else { return }
    if nodes[index].tick != .max { unlink(index) }
    nodes[index].deadline = .max
  }

  /// The next entry whose deadline is at or before `now`, which has none afterwards; nil when there is no more. The caller may
  /// set deadlines between calls.
  mutating func popDue(at now: MonotonicTime) -> UInt32? {
    let nowTick = now.nanoseconds >> Self.tickBits
    floor = max(floor, nowTick &+ 1)  // a deadline set meanwhile that has passed already waits for the next call
    while cursor <= nowTick {
      let head = heads[Self.bucket(cursor)]
      guard head != .max else {
        cursor = min(nextOccupiedTick(), nowTick &+ 1)
        continue
      }
      let index = Int(head)
      unlink(index)
      let deadline = nodes[index].deadline
      if deadline <= now.nanoseconds {
        nodes[index].deadline = .max
        return head
      }
      if deadline != .max { link(index, at: max(Self.tick(atOrAfter: deadline), cursor &+ 1)) }
    }
    return nil
  }

  /// When to call `popDue` next; `.never` if nothing is filed.
  mutating func nextDue() -> MonotonicTime {
    earliestTick = nextOccupiedTick()
    return earliest
  }

  // MARK: Buckets

  private static func bucket(_ tick: UInt64) -> Int { Int(truncatingIfNeeded: tick & (bucketCount &- 1)) }

  private static func tick(atOrAfter time: UInt64) -> UInt64 {
    time > .max &- (tickNanoseconds &- 1) ? .max >> tickBits &+ 1 : (time &+ (tickNanoseconds &- 1)) >> tickBits
  }

  private mutating func link(_ index: Int, at wanted: UInt64) {
    let tick = min(wanted, cursor &+ Self.bucketCount &- 1)
    let bucket = Self.bucket(tick)
    let head = heads[bucket]
    nodes[index].tick = tick
    nodes[index].next = head
    nodes[index].previous = .max
    if head != .max { nodes[Int(head)].previous = UInt32(truncatingIfNeeded: index) }
    heads[bucket] = UInt32(truncatingIfNeeded: index)
    occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
    if tick < earliestTick { earliestTick = tick }
  }

  private mutating func unlink(_ index: Int) {
    let node = nodes[index]
    let bucket = Self.bucket(node.tick)
    if node.previous != .max { nodes[Int(node.previous)].next = node.next } else { heads[bucket] = node.next }
    if node.next != .max { nodes[Int(node.next)].previous = node.previous }
    if heads[bucket] == .max { occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63)) }
    nodes[index].tick = .max
  }

  /// The first tick from `cursor` on under which something is filed; `.max` if nothing is.
  private func nextOccupiedTick() -> UInt64 {
    let start = Self.bucket(cursor)
    var word = start >> 6
    var bits = occupied[word] & (.max << UInt64(start & 63))
    for _ in 0...occupied.count {  // the first word twice: its upper part first, its lower part last
      if bits != 0 {
        let bucket = word << 6 | bits.trailingZeroBitCount
        return cursor &+ UInt64((bucket &- start) & Int(Self.bucketCount &- 1))
      }
      word = (word &+ 1) & (occupied.count &- 1)
      bits = occupied[word]
    }
    return .max
  }

  private mutating func grow(toFit index: Int) {
    nodes.append(contentsOf: repeatElement(Node(), count: max(index + 1, nodes.count * 2) - nodes.count))
  }
}
