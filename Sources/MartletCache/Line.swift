/// A line of the table: one cache line, in which seven entries stand. Engine.
///
/// ```
///  0  7 slots of 8 bytes
/// 56  7 ticks of a byte: when to look whether the entry is over; 0: never (see `ExpiryClock`)
/// 63  overflow: entries that belong to this line but stand in a later one
/// ```
///
/// A slot is `tag:25 | uses:2 | location:37`, 0 when empty. The location counts the log's bytes in twos.
///
/// One of the four homes of unsafe code. Invariant, kept by `Page`: `base` is one of the lines of a page, guarded by its shard's lock.

internal import MartletBytes

@safe
struct Line {
  let base: UnsafeMutableRawPointer

  static var bytes: Int { 64 }
  static var slotCount: Int { 7 }

  @inline(__always)
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  subscript(index: Int) -> Slot {
    @inline(__always)
    get { Slot(bits: unsafe base.load(fromByteOffset: index &* 8, as: UInt64.self)) }
    @inline(__always)
    nonmutating set { unsafe base.storeBytes(of: newValue.bits, toByteOffset: index &* 8, as: UInt64.self) }
  }

  /// The full slots with `tag`, as bits 0 to 6. Without branches: where in a line an entry stands cannot be predicted.
  @inline(__always)
  func matches(_ tag: UInt32) -> UInt8 {
    var matches: UInt8 = 0
    for index in 0..<Line.slotCount {
      let slot = self[index]
      matches |= (slot.tag == tag ? 1 : 0) &<< UInt8(truncatingIfNeeded: index)
    }
    if tag != 0 { return matches }
    // An empty slot looks like one of tag 0.
    for index in 0..<Line.slotCount where !self[index].isFull { matches &= ~(1 &<< UInt8(truncatingIfNeeded: index)) }
    return matches
  }

  func tick(_ index: Int) -> UInt8 { unsafe base.load(fromByteOffset: 56 &+ index, as: UInt8.self) }

  func setTick(_ index: Int, _ tick: UInt8) { unsafe base.storeBytes(of: tick, toByteOffset: 56 &+ index, as: UInt8.self) }

  /// The seven ticks, the first in the lowest byte; the highest byte is 0.
  @inline(__always)
  var ticks: UInt64 { UInt64(littleEndian: unsafe base.load(fromByteOffset: 56, as: UInt64.self)) & 0xFF_FFFF_FFFF_FFFF }

  var overflow: UInt8 {
    @inline(__always)
    get { unsafe base.load(fromByteOffset: 63, as: UInt8.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 63, as: UInt8.self) }
  }
}

/// Eight bytes of the table: where an entry is, and what can be known of it without going there.
struct Slot {
  var bits: UInt64

  static var tagBits: Int { 25 }
  static var usesMax: UInt64 { 3 }
  static var empty: Slot { Slot(bits: 0) }
  private static var locationMask: UInt64 { 1 << 37 - 1 }

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  /// `location` is below 2^37 and not 0: a segment begins with its head.
  init(location: Int, tag: UInt32, uses: UInt64) {
    bits = UInt64(truncatingIfNeeded: location) | uses << 37 | UInt64(tag) << 39
  }

  var isFull: Bool { bits != 0 }
  @inline(__always) var tag: UInt32 { UInt32(truncatingIfNeeded: bits &>> 39) }

  /// How often it was used lately, 0 to 3.
  var uses: UInt64 {
    @inline(__always)
    get { bits &>> 37 & 3 }
    @inline(__always)
    set { bits = bits & ~(3 << 37) | newValue << 37 }
  }

  var location: Int {
    @inline(__always)
    get { Int(truncatingIfNeeded: bits & Slot.locationMask) }
    set { bits = bits & ~Slot.locationMask | UInt64(truncatingIfNeeded: newValue) }
  }
}

/// Where an entry stands in the table; valid until the table changes.
struct Place {
  let line: Line
  let index: Int
  /// Of the slot; valid until the log moves it.
  let entry: Entry

  var slot: Slot {
    @inline(__always)
    get { line[index] }
    @inline(__always)
    nonmutating set { line[index] = newValue }
  }
  var tick: UInt8 {
    get { line.tick(index) }
    nonmutating set { line.setTick(index, newValue) }
  }
}
