/// A line of the table: one cache line, in which eight entries stand; and what a block notes about its lines. Engine.
///
/// A block of 512 bytes is seven lines and their notes:
///
/// ```
///   0  7 lines of 8 slots of 8 bytes
/// 448  56 ticks of a byte: when to look whether the entry of that slot is over; 0: never (see `ExpiryClock`)
/// 504  7 overflow counters of a byte: entries that belong to that line but stand in a later one
/// 511  nothing
/// ```
///
/// So who looks for a key reads its line, and the notes only if the key is not there; a round of expiry reads only the notes, an eighth of
/// the table.
///
/// A slot is `tag:25 | uses:2 | location:37`, 0 when empty. The location counts the log's bytes in twos.
///
/// One of the four homes of unsafe code. Invariant, kept by `Page`: `base` is one of the lines of a page, guarded by its shard's lock, in a
/// block that begins at a multiple of its size.

internal import CPrefetch
internal import MartletBytes

@safe
struct Line {
  let base: UnsafeMutableRawPointer

  static var bytes: Int { 64 }
  static var slotCount: Int { 8 }

  @inline(__always)
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  subscript(index: Int) -> Slot {
    @inline(__always)
    get { Slot(bits: unsafe base.load(fromByteOffset: index &* 8, as: UInt64.self)) }
    @inline(__always)
    nonmutating set { unsafe base.storeBytes(of: newValue.bits, toByteOffset: index &* 8, as: UInt64.self) }
  }

  @inline(__always)
  private var notes: BlockNotes {
    unsafe BlockNotes(base: UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: base) | UInt(BlockNotes.offset)).unsafelyUnwrapped)
  }

  /// Its place in the block.
  @inline(__always)
  private var number: Int { unsafe Int(bitPattern: UInt(bitPattern: base) &>> 6 & 7) }

  func prefetchNotes() { unsafe martlet_prefetch(notes.base) }

  func tick(_ index: Int) -> UInt8 { notes[number &* Line.slotCount &+ index] }

  func setTick(_ index: Int, _ tick: UInt8) { notes[number &* Line.slotCount &+ index] = tick }

  var overflow: UInt8 {
    @inline(__always)
    get { notes[BlockNotes.tickCount &+ number] }
    nonmutating set { notes[BlockNotes.tickCount &+ number] = newValue }
  }
}

/// The last 64 bytes of a block: a tick for each slot, an overflow counter for each line.
@safe
struct BlockNotes {
  let base: UnsafeMutableRawPointer

  static var offset: Int { Page.linesPerBlock * Line.bytes }
  static var tickCount: Int { Page.linesPerBlock * Line.slotCount }

  /// `base` is `offset` bytes into a block.
  @inline(__always)
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  subscript(index: Int) -> UInt8 {
    @inline(__always)
    get { unsafe base.load(fromByteOffset: index, as: UInt8.self) }
    @inline(__always)
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: index, as: UInt8.self) }
  }

  /// The line of which `tick` is noted here, and the place in it.
  func slot(ofTick tick: Int) -> (line: Line, index: Int) {
    let line = unsafe Line(base: base - BlockNotes.offset + tick / Line.slotCount * Line.bytes)
    return (line, tick % Line.slotCount)
  }
}

/// Eight bytes of the table: where an entry is, and what can be known of it without going there.
struct Slot {
  var bits: UInt64

  static var tagBits: Int { 25 }
  static var tagOffset: UInt64 { 39 }
  static var usesMax: UInt64 { 3 }
  static var empty: Slot { Slot(bits: 0) }
  private static var locationMask: UInt64 { 1 << 37 - 1 }

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  /// `location` is below 2^37 and not 0: a segment begins with its head.
  init(location: Int, tag: UInt32, uses: UInt64) {
    bits = UInt64(truncatingIfNeeded: location) | uses << 37 | UInt64(tag) << Slot.tagOffset
  }

  /// The bits of a hash after those that chose the shard.
  @inline(__always)
  static func tag(_ hash: UInt64, shardBits: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: (hash &<< UInt64(truncatingIfNeeded: shardBits)) &>> UInt64(64 &- Slot.tagBits))
  }

  var isFull: Bool { bits != 0 }
  @inline(__always) var tag: UInt32 { UInt32(truncatingIfNeeded: bits &>> Slot.tagOffset) }

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
@safe
struct Place {
  /// Of a slot of a line.
  let address: UnsafeMutableRawPointer
  /// Of the slot; valid until the log moves it.
  let entry: Entry

  @inline(__always)
  init(_ line: Line, _ index: Int, _ entry: Entry) { unsafe self.init(slotAt: line.base + index &* 8, entry) }

  @unsafe @inline(__always)
  init(slotAt address: UnsafeMutableRawPointer, _ entry: Entry) {
    unsafe self.address = unsafe address
    self.entry = entry
  }

  var line: Line { unsafe Line(base: address - index &* 8) }
  var index: Int { unsafe Int(bitPattern: UInt(bitPattern: address) &>> 3 & UInt(Line.slotCount &- 1)) }

  var slot: Slot {
    @inline(__always)
    get { Slot(bits: unsafe address.load(as: UInt64.self)) }
    @inline(__always)
    nonmutating set { unsafe address.storeBytes(of: newValue.bits, as: UInt64.self) }
  }
  var tick: UInt8 {
    get { line.tick(index) }
    nonmutating set { line.setTick(index, newValue) }
  }
}
