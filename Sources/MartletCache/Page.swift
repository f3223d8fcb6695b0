/// A page of the table: 496 slots of 8 bytes whose keys share the first bits of their hash. Engine.
///
/// ```
///   0  local depth UInt8 | … | count UInt32 (at 4) | first tag UInt32 (at 8) | earliest deadline Int64 (at 16)
///  64  overflow     62 × UInt8: entries that belong to a line but stand in a later one
/// 128  62 lines of 8 slots, each line one cache line
/// ```
///
/// A slot is `tag:17 | has a deadline:1 | uses:2 | address / 16:44`, 0 when empty. A key's home line comes from the low bits of
/// its hash; when that is full it stands in one of the next three, and the home line's overflow counter says that looking there is
/// worth it. So a probe reads at most 4 lines, usually one, deleting leaves no tombstones, and a miss costs two reads.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: `base` is a live block of `Page.bytes` bytes, aligned to
/// 4096; indices are below `slotCount`. The shard's lock guards it.

internal import MartletBytes

@safe
struct Page {
  let base: UnsafeMutableRawPointer

  static var bytes: Int { 4096 }
  static var lineCount: Int { 62 }
  static var slotsPerLine: Int { 8 }
  static var slotCount: Int { lineCount * slotsPerLine }
  /// The home line and those after it.
  static var windowLines: Int { 4 }

  /// An empty page for keys whose tag begins as `firstTag` does in `depth` bits; nil if the system has no memory.
  static func make(depth: Int, firstTag: UInt32, from pool: PagePool) -> Page? {
    guard let base = unsafe pool.allocate() else { return nil }
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    let page = unsafe Page(base: base)
    page.depth = depth
    page.firstTag = firstTag
    page.earliestDeadline = .never
    return page
  }

  func free(to pool: PagePool) { unsafe pool.deallocate(base) }

  /// How many leading bits of the tag all keys here share.
  var depth: Int {
    get { Int(unsafe base.load(as: UInt8.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt8(newValue), as: UInt8.self) }
  }

  /// Entries in the page.
  var count: Int {
    get { Int(unsafe base.load(fromByteOffset: 4, as: UInt32.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt32(newValue), toByteOffset: 4, as: UInt32.self) }
  }

  /// The lowest tag that belongs here.
  var firstTag: UInt32 {
    get { unsafe base.load(fromByteOffset: 8, as: UInt32.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 8, as: UInt32.self) }
  }

  /// The first tag that belongs to the next page.
  var endTag: UInt32 { firstTag + UInt32(1) << UInt32(Slot.tagBits - depth) }

  /// No entry here has an earlier deadline.
  var earliestDeadline: UnixTime {
    get { UnixTime(milliseconds: unsafe base.load(fromByteOffset: 16, as: Int64.self)) }
    nonmutating set { unsafe base.storeBytes(of: newValue.milliseconds, toByteOffset: 16, as: Int64.self) }
  }

  subscript(index: Int) -> Slot {
    @inline(__always)
    get { Slot(bits: unsafe base.load(fromByteOffset: 128 &+ index &* 8, as: UInt64.self)) }
    @inline(__always)
    nonmutating set { unsafe base.storeBytes(of: newValue.bits, toByteOffset: 128 &+ index &* 8, as: UInt64.self) }
  }

  private func overflow(_ line: Int) -> UInt8 { unsafe base.load(fromByteOffset: 64 &+ line, as: UInt8.self) }

  private func setOverflow(_ line: Int, _ count: UInt8) { unsafe base.storeBytes(of: count, toByteOffset: 64 &+ line, as: UInt8.self) }

  @inline(__always)
  static func homeLine(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: ((hash & 0xFFFF_FFFF) &* UInt64(lineCount)) &>> 32)
  }

  private static func line(_ home: Int, plus distance: Int) -> Int {
    let line = home + distance
    return line < lineCount ? line : line - lineCount
  }

  // MARK: Verbs

  /// The index of the slot that holds `key`; nil if none does.
  func find(_ key: RawSpan, database: UInt8, hash: UInt64, tag: UInt32) -> Int? {
    let home = Page.homeLine(hash)
    if let index = find(key, database: database, tag: tag, inLine: home) { return index }
    if overflow(home) == 0 { return nil }
    for distance in 1..<Page.windowLines {
      if let index = find(key, database: database, tag: tag, inLine: Page.line(home, plus: distance)) { return index }
    }
    return nil
  }

  @inline(__always)
  private func find(_ key: RawSpan, database: UInt8, tag: UInt32, inLine line: Int) -> Int? {
    var index = line &* Page.slotsPerLine
    let end = index &+ Page.slotsPerLine
    while index < end {
      let slot = self[index]
      if slot.tag == tag, slot.isFull, slot.entry.matches(key, database: database) { return index }
      index &+= 1
    }
    return nil
  }

  /// Puts `slot` into the first free place of the window of `hash`; false if there is none.
  func insert(_ slot: Slot, hash: UInt64) -> Bool {
    let home = Page.homeLine(hash)
    for distance in 0..<Page.windowLines {
      let line = Page.line(home, plus: distance)
      for index in line * Page.slotsPerLine..<(line + 1) * Page.slotsPerLine where !self[index].isFull {
        self[index] = slot
        count += 1
        if distance > 0 { setOverflow(home, overflow(home) + 1) }
        return true
      }
    }
    return false
  }

  /// Empties the slot at `index`, whose key has `hash`.
  func remove(at index: Int, hash: UInt64) { clear(index, home: Page.homeLine(hash)) }

  private func clear(_ index: Int, home: Int) {
    self[index] = .empty
    count -= 1
    if index / Page.slotsPerLine != home { setOverflow(home, overflow(home) - 1) }
  }

  /// Moves the upper half of this page's tags into a new one, each slot to the place it had here. Nil if the system has no memory.
  func split(from pool: PagePool, hashOf: (Entry) -> UInt64) -> Page? {
    let upperTag = firstTag + UInt32(1) << UInt32(Slot.tagBits - depth - 1)
    guard let upper = Page.make(depth: depth + 1, firstTag: upperTag, from: pool) else { return nil }
    depth += 1
    upper.earliestDeadline = earliestDeadline
    for index in 0..<Page.slotCount {
      let slot = self[index]
      guard slot.isFull, slot.tag >= upperTag else { continue }
      upper[index] = slot
      upper.count += 1
      let home = Page.homeLine(hashOf(slot.entry))
      if index / Page.slotsPerLine != home { upper.setOverflow(home, upper.overflow(home) + 1) }
      clear(index, home: home)
    }
    return upper
  }

  /// The window slot of `hash` that was used least: whom to evict when no split can make room.
  func leastUsed(inWindowOf hash: UInt64) -> Int {
    let home = Page.homeLine(hash)
    var best = home * Page.slotsPerLine
    for distance in 0..<Page.windowLines {
      let line = Page.line(home, plus: distance)
      for index in line * Page.slotsPerLine..<(line + 1) * Page.slotsPerLine where self[index].uses < self[best].uses { best = index }
    }
    return best
  }

  /// Reads the home line's first slot, so that it is in the cache soon; the result only keeps the read alive.
  @inline(__always)
  func touch(_ hash: UInt64) -> UInt64 { self[Page.homeLine(hash) &* Page.slotsPerLine].bits }

  /// The first word of the entry that the home line holds under `tag`, read for the same reason.
  @inline(__always)
  func touchEntry(_ hash: UInt64, tag: UInt32) -> UInt64 {
    var index = Page.homeLine(hash) &* Page.slotsPerLine
    let end = index &+ Page.slotsPerLine
    while index < end {
      let slot = self[index]
      if slot.tag == tag, slot.isFull { return slot.entry.version }
      index &+= 1
    }
    return 0
  }
}

/// Eight bytes of the table: where an entry is, and what can be known of it without going there.
struct Slot {
  var bits: UInt64

  static var tagBits: Int { 17 }
  static var empty: Slot { Slot(bits: 0) }
  static var usesMax: UInt64 { 3 }

  init(bits: UInt64) { self.bits = bits }

  init(_ entry: Entry, tag: UInt32, uses: UInt64, hasDeadline: Bool) {
    let address = unsafe UInt64(UInt(bitPattern: entry.base))
    precondition(address & 15 == 0 && address < 1 << 48, "the system's allocator gave an address that a slot cannot hold")
    bits = address >> 4 | uses << 44 | (hasDeadline ? 1 << 46 : 0) | UInt64(tag) << 47
  }

  var isFull: Bool { bits != 0 }
  var tag: UInt32 { UInt32(truncatingIfNeeded: bits &>> 47) }
  var hasDeadline: Bool { bits & 1 << 46 != 0 }

  /// How often it was used lately, 0 to 3.
  var uses: UInt64 {
    get { bits &>> 44 & 3 }
    set { bits = bits & ~(3 << 44) | newValue << 44 }
  }

  /// The slot is full, so the address is one that `init(_:)` was given.
  var entry: Entry {
    @inline(__always)
    get { unsafe Entry(base: UnsafeMutableRawPointer(bitPattern: UInt(bits & 0xFFF_FFFF_FFFF) &<< 4).unsafelyUnwrapped) }
  }
}
