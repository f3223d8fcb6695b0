/// A page of the table: the entries of a shard whose hashes share their first bits, in up to 14 blocks of 7 lines. Engine.
///
/// The record of a page, one cache line:
///
/// ```
///  0  14 × UInt32  numbers of its blocks
/// 56  UInt16       entries
/// 58  UInt8        blocks in use
/// 59  UInt8        depth: how many leading bits of the tag all its keys share
/// 60  UInt32       the lowest tag that belongs here
/// ```
///
/// A key's home line follows from its tag alone, and rises with it: so a page can be laid out anew over more lines, or over two pages,
/// without reading an entry, and lines stand in the order of hashes, which is SCAN's. When the home line is full the entry stands in
/// one of the next three (round at the end of the page), and the home line's overflow counter says that looking there is worth it. So a probe
/// reads at most 4 lines, usually one; deleting leaves no tombstones; a miss reads one line and no entry.
///
/// A page grows block by block from 7 to 14 and then becomes two of 7: it is 80 to 90 % full, and no step moves more than 784 slots.
///
/// One of the four homes of unsafe code. Invariant, kept by `Table`: `base` is a record in use, its blocks are the page's alone. The
/// shard's lock guards both.

internal import MartletBytes

@safe
struct Page {
  let base: UnsafeMutableRawPointer
  /// Where blocks are counted from.
  let blocks: UnsafeMutableRawPointer

  static var recordBytes: Int { 64 }
  static var blocksMax: Int { 14 }
  static var linesPerBlock: Int { 7 }
  static var slotsPerBlock: Int { linesPerBlock * Line.slotCount }
  /// Seven in eight: beyond that too many entries would stand in other lines than their own, and cost another read.
  static var slotsPerBlockMax: Int { slotsPerBlock * 7 / 8 }
  static var slotsMax: Int { blocksMax * slotsPerBlock }
  /// The home line and those after it.
  static var windowLines: Int { 4 }
  /// How far a free place is looked for when all of the window is full.
  private static var searchLines: Int { 16 }

  @inline(__always)
  init(base: UnsafeMutableRawPointer, blocks: UnsafeMutableRawPointer) {
    unsafe self.base = unsafe base
    unsafe self.blocks = unsafe blocks
  }

  func initialize(depth: Int, firstTag: UInt32) {
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Page.recordBytes)
    unsafe base.storeBytes(of: UInt8(depth), toByteOffset: 59, as: UInt8.self)
    unsafe base.storeBytes(of: firstTag, toByteOffset: 60, as: UInt32.self)
  }

  /// Entries in the page.
  var count: Int {
    get { Int(unsafe base.load(fromByteOffset: 56, as: UInt16.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt16(newValue), toByteOffset: 56, as: UInt16.self) }
  }

  var blockCount: Int {
    @inline(__always)
    get { Int(unsafe base.load(fromByteOffset: 58, as: UInt8.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt8(newValue), toByteOffset: 58, as: UInt8.self) }
  }

  var depth: Int {
    @inline(__always)
    get { Int(unsafe base.load(fromByteOffset: 59, as: UInt8.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt8(newValue), toByteOffset: 59, as: UInt8.self) }
  }

  @inline(__always)
  var firstTag: UInt32 { unsafe base.load(fromByteOffset: 60, as: UInt32.self) }

  /// The first tag that belongs to the next page.
  var endTag: UInt32 { firstTag + UInt32(1) << UInt32(Slot.tagBits - depth) }

  var lineCount: Int { blockCount &* Page.linesPerBlock }
  var slotCount: Int { lineCount * Line.slotCount }
  /// Whether the page grows before it takes another entry.
  var isFull: Bool { count >= blockCount &* Page.slotsPerBlockMax }

  func block(_ index: Int) -> UInt32 { unsafe base.load(fromByteOffset: index &* 4, as: UInt32.self) }

  /// The numbers of all blocks; those from `blockCount` on mean nothing.
  var blockNumbers: InlineArray<14, UInt32> { unsafe base.load(as: InlineArray<14, UInt32>.self) }

  func setBlock(_ index: Int, _ block: UInt32) { unsafe base.storeBytes(of: block, toByteOffset: index &* 4, as: UInt32.self) }

  /// `index` is below `lineCount`.
  @inline(__always)
  func line(_ index: Int) -> Line {
    // By 7, exactly for all of a page's lines: a shorter way than the compiler takes for any number.
    let quotient = (index &* 147) &>> 10
    let block = Int(truncatingIfNeeded: block(quotient))
    return unsafe Line(base: blocks + (block &* TablePool.blockBytes &+ (index &- quotient &* Page.linesPerBlock) &* Line.bytes))
  }

  /// What the block at `index`, below `blockCount`, notes about its lines.
  @inline(__always)
  func notes(_ index: Int) -> BlockNotes {
    unsafe BlockNotes(base: blocks + (Int(truncatingIfNeeded: block(index)) &* TablePool.blockBytes &+ BlockNotes.offset))
  }

  @inline(__always)
  func homeLine(_ tag: UInt32) -> Int {
    Int(truncatingIfNeeded: (UInt64(tag &- firstTag) &* UInt64(lineCount)) &>> UInt64(Slot.tagBits &- depth))
  }

  @inline(__always)
  func line(_ home: Int, plus distance: Int) -> Int {
    var line = home &+ distance
    let count = lineCount
    while line >= count { line &-= count }
    return line
  }

  // MARK: Verbs

  /// Puts `slot` into a free place of its window, moving others if it must; false if there is none.
  func insert(_ slot: Slot, tick: UInt8) -> Bool {
    let home = homeLine(slot.tag)
    for distance in 0..<Page.windowLines {
      if let index = freeIndex(line(home, plus: distance)) {
        put(slot, tick, home: home, distance: distance, index)
        return true
      }
    }
    guard let (distance, index) = freePlace(for: home) else { return false }
    put(slot, tick, home: home, distance: distance, index)
    return true
  }

  private func put(_ slot: Slot, _ tick: UInt8, home: Int, distance: Int, _ index: Int) {
    let line = line(line(home, plus: distance))
    line[index] = slot
    if tick != 0 { line.setTick(index, tick) }
    count += 1
    if distance > 0 { self.line(home).overflow += 1 }
  }

  @inline(__always)
  private func freeIndex(_ number: Int) -> Int? {
    let line = line(number)
    for index in 0..<Line.slotCount where !line[index].isFull { return index }
    return nil
  }

  /// Makes a place in the window of `home`, all of which is full (hopscotch hashing): a free place further on is brought nearer by moving
  /// into it an entry that may stand there. Without this, four full lines in a row would make a page grow when it is two thirds full.
  private func freePlace(for home: Int) -> (distance: Int, index: Int)? {
    var distance = Page.windowLines
    let end = min(lineCount, Page.searchLines)
    var free: Int?
    while distance < end {
      free = freeIndex(line(home, plus: distance))
      if free != nil { break }
      distance += 1
    }
    guard var index = free else { return nil }
    while distance >= Page.windowLines {
      guard let (step, from) = movable(to: line(home, plus: distance)) else { return nil }
      let source = line(line(home, plus: distance - step))
      let target = line(line(home, plus: distance))
      let slotHome = line(homeLine(source[from].tag))
      if unsafe slotHome.base == source.base { slotHome.overflow += 1 }
      target[index] = source[from]
      target.setTick(index, source.tick(from))
      source[from] = .empty
      source.setTick(from, 0)
      distance -= step
      index = from
    }
    return (distance, index)
  }

  /// An entry up to three lines before line `number` that may stand in it: how many lines before, and where there.
  private func movable(to number: Int) -> (step: Int, index: Int)? {
    for step in (1..<Page.windowLines).reversed() {
      let source = number >= step ? number - step : number - step + lineCount
      let line = line(source)
      for index in 0..<Line.slotCount {
        let home = homeLine(line[index].tag)
        let displacement = source >= home ? source - home : source - home + lineCount
        if displacement + step < Page.windowLines { return (step, index) }
      }
    }
    return nil
  }

  /// Empties a slot of this page whose tick is 0.
  func remove(_ line: Line, _ index: Int) {
    let home = self.line(homeLine(line[index].tag))
    line[index] = .empty
    count -= 1
    if unsafe home.base != line.base { home.overflow -= 1 }
  }

  /// Calls `body` with each full slot, by rising home line but for those that overflowed.
  @inline(__always)
  func forEach(_ body: (Line, Int) -> Void) {
    for number in 0..<lineCount {
      let line = line(number)
      for index in 0..<Line.slotCount where line[index].isFull { body(line, index) }
    }
  }

  /// The slot in the window of `tag` that was used least: whom to evict when growing cannot make room.
  func leastUsed(inWindowOf tag: UInt32) -> (line: Line, index: Int) {
    let home = homeLine(tag)
    var best = (line: line(home), index: 0)
    for distance in 0..<Page.windowLines {
      let line = line(line(home, plus: distance))
      for index in 0..<Line.slotCount where line[index].uses < best.line[best.index].uses { best = (line, index) }
    }
    return best
  }
}

/// Where a walk over the table goes on: a page, and how far in it.
struct PagePosition {
  /// With which the page begins.
  var tag: UInt32 = 0
  /// In lines or blocks, as the walk counts them.
  var offset = 0
  /// Of the table; `offset` counts as long as this is the same.
  var layout: UInt32 = 0

  /// Whether lines have been taken or laid out anew in the midst of the page: it is to be begun again.
  func isOutdated(in table: borrowing Table) -> Bool { offset > 0 && layout != table.layout }
}
