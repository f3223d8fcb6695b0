/// A shard's table: a directory of pages by the first bits of the tag. Engine.
///
/// The tag of a key is the 25 bits of its hash after those that chose the shard. Pages stand in the order of tags, which makes a SCAN cursor a
/// position in hash space. No step of growth works on more than one page (see `Page`); the directory is 4 bytes for every ~500
/// entries and doubles rarely.

internal import CPrefetch
internal import MartletBytes

@safe
struct Table: ~Copyable {
  /// 2^depth numbers of records, neighbours sharing one while it is shallower. Empty until the first insert.
  /// A block of its own: an array's reference counting would keep the reads of a batch from overlapping.
  private var directory = unsafe UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private let blocks: UnsafeMutableRawPointer
  /// Where the locations in slots count from.
  private let log: UnsafeMutableRawPointer
  private var depth = 0
  let shardBits: Int
  /// Rises whenever lines are taken, given back, or laid out anew: addresses of lines hold while it stays. From 1.
  private(set) var layout: UInt32
  // So far what a look-up reads: one line of memory.
  /// Entries in all pages.
  private(set) var count = 0
  private(set) var pageCount = 0

  private let pool: TablePool
  private let ledger: Ledger
  /// Blocks of eight records each, the last of them filled as far as `recordCount` says.
  private var recordBlocks: [UInt32] = []
  private var recordCount = 0
  /// Blocks held, those of records included.
  private(set) var blockCount = 0
  /// Where `shrinkStep` goes on: the first tag of a page.
  private var shrinkTag: UInt32 = 0
  /// Whether the walk under way has made a page smaller.
  private var hasShrunk = false
  /// With so many entries or more no walk is begun: the last one found nothing to do.
  private var shrinkBelow = Int.max

  /// `layout`: other than that of the table whose place it takes.
  init(shardBits: Int, memory: Memory, layout: UInt32 = 1) {
    self.shardBits = shardBits
    self.layout = layout
    pool = memory.tables
    unsafe blocks = pool.base
    unsafe log = memory.segments.base
    ledger = memory.ledger
  }

  deinit {
    if unsafe directory.count > 0 { unsafe directory.deallocate() }
  }

  /// Memory of pages and directory.
  var bytes: Int { blockCount * TablePool.blockBytes + directoryBytes }

  private var directoryBytes: Int { unsafe directory.count * 4 }

  /// Where a hash stands among its shard's: the bits after those that chose the shard.
  @inline(__always)
  func tag(_ hash: UInt64) -> UInt32 { Slot.tag(hash, shardBits: shardBits) }

  var isEmpty: Bool { unsafe directory.isEmpty }

  /// The page in which `tag` belongs; the table is not empty.
  @inline(__always)
  func page(for tag: UInt32) -> Page {
    let record = unsafe Int(directory[Int(tag) &>> (Slot.tagBits &- depth)])
    return unsafe Page(base: blocks + record &* Page.recordBytes, blocks: blocks)
  }

  /// The page that follows, in the order of hashes; nil after the last.
  func page(after page: Page) -> Page? { page.endTag < 1 << UInt32(Slot.tagBits) ? self.page(for: page.endTag) : nil }

  // MARK: Looking

  @inline(__always)
  func entry(_ slot: Slot) -> Entry { unsafe Entry(base: log + slot.location &* 2) }

  func location(_ entry: Entry) -> Int { unsafe (entry.base - log) / 2 }

  @inline(__always)
  func place(_ line: Line, _ index: Int) -> Place { Place(line, index, entry(line[index])) }

  /// The place of a full slot of this table, by the slot's address.
  @unsafe @inline(__always)
  func place(atSlot address: UnsafeMutableRawPointer) -> Place {
    unsafe Place(slotAt: address, entry(Slot(bits: address.load(as: UInt64.self))))
  }

  /// `bytes`: what the entry takes in the log, if the caller is about to write all of it and can guess.
  @inline(__always)
  func find(_ key: RawSpan, database: UInt8, hash: UInt64, bytes: Int = 0) -> Place? {
    if isEmpty { return nil }
    let tag = tag(hash)
    return find(tag) {
      // What will be read or written next, while the head is waited for.
      $0.prefetch(bytes: bytes)
      return $0.matches(key, database: database)
    }
  }

  /// The place of an entry of the log; nil if the table does not point to it.
  @inline(__always)
  func find(_ entry: Entry, hash: UInt64) -> Place? {
    if isEmpty { return nil }
    return find(tag(hash)) { unsafe $0.base == entry.base }
  }

  @inline(__always)
  private func find(_ tag: UInt32, _ isIt: (Entry) -> Bool) -> Place? {
    let page = page(for: tag)
    let home = page.homeLine(tag)
    let line = page.line(home)
    if let place = find(tag, in: line, isIt) { return place }
    if line.overflow == 0 { return nil }
    for distance in 1..<Page.windowLines {
      if let place = find(tag, in: page.line(page.line(home, plus: distance)), isIt) { return place }
    }
    return nil
  }

  @inline(__always)
  private func find(_ tag: UInt32, in line: Line, _ isIt: (Entry) -> Bool) -> Place? {
    var matches = line.matches(tag)
    while !matches.isEmpty {
      let index = matches.first
      let entry = entry(line[index])
      if isIt(entry) { return Place(line, index, entry) }
      matches.removeFirst()
    }
    return nil
  }

  // MARK: Reading ahead

  /// The home line of a hash; nil if the table is empty.
  @inline(__always)
  func homeLine(_ hash: UInt64) -> Line? {
    if isEmpty { return nil }
    let tag = tag(hash)
    let page = page(for: tag)
    return page.line(page.homeLine(tag))
  }

  /// Asks for the record of a page that a walk comes to soon after the one with `tag`.
  func prefetchPage(soonAfter tag: UInt32) {
    let number = min(Int(tag) &>> (Slot.tagBits &- depth) + 2, unsafe directory.count - 1)
    unsafe martlet_prefetch(page(directory[number]).base)
  }

  /// Asks for what is read after the home line, of a table that is not empty: whether there is more, and the next two lines. Few entries
  /// stand in the third.
  func prefetchNext(_ hash: UInt64) {
    let tag = tag(hash)
    let page = page(for: tag)
    let home = page.homeLine(tag)
    page.line(home).prefetchNotes()
    unsafe martlet_prefetch(page.line(page.line(home, plus: 1)).base)
    unsafe martlet_prefetch(page.line(page.line(home, plus: 2)).base)
  }

  /// Where in the lines after the home line the tag of a hash stands.
  func likelySlotNext(_ hash: UInt64) -> (line: Line, index: Int)? {
    let tag = tag(hash)
    let page = page(for: tag)
    let home = page.homeLine(tag)
    if page.line(home).overflow == 0 { return nil }
    for distance in 1..<Page.windowLines {
      let line = page.line(page.line(home, plus: distance))
      let matches = line.matches(tag)
      if !matches.isEmpty { return (line, matches.first) }
    }
    return nil
  }

  /// The place of a key at a slot that was noted ahead; nil if it does not stand there, or no longer.
  @inline(__always)
  func place(_ note: KeyBatch.Note, _ key: RawSpan, database: UInt8) -> Place? {
    guard note.layout == layout, let address = unsafe note.address else { return nil }
    // The layout is the same, so the slot is one of this table; what it holds may have changed.
    guard unsafe Slot(bits: address.load(as: UInt64.self)).isFull else { return nil }
    let place = unsafe place(atSlot: address)
    return place.entry.matches(key, database: database) ? place : nil
  }

  // MARK: Inserting and removing

  enum Insertion {
    case done
    /// No free slot in reach, and growing would not help: hashes that agree in too many bits.
    case crowded(Place)
    case outOfMemory
  }

  /// Puts an entry whose key is not here yet.
  mutating func insert(_ slot: Slot, tick: UInt8) -> Insertion {
    if isEmpty, !begin() { return .outOfMemory }
    while true {
      let page = page(for: slot.tag)
      if !page.isFull, page.insert(slot, tick: tick) {
        count += 1
        return .done
      }
      // A window overflows in a page filled to 80 % or more; in an emptier one the hashes are the trouble.
      let isCrowded = page.count < page.slotCount / 4
      switch isCrowded ? .crowded : grow(page) {
      case .done: continue
      case .outOfMemory: return .outOfMemory
      case .crowded:
        let least = page.leastUsed(inWindowOf: slot.tag)
        return .crowded(place(least.line, least.index))
      }
    }
  }

  mutating func remove(_ place: Place) {
    page(for: place.slot.tag).remove(place.line, place.index)
    count -= 1
  }

  private mutating func begin() -> Bool {
    guard let record = makeRecord(depth: 0, firstTag: 0) else { return false }
    guard addBlock(to: page(record)) else {
      recordCount -= 1
      return false
    }
    unsafe directory = .allocate(capacity: 1)
    unsafe directory.initialize(repeating: record)
    ledger.add(directoryBytes)
    pageCount = 1
    return true
  }

  private func page(_ record: UInt32) -> Page {
    unsafe Page(base: blocks + Int(record) * Page.recordBytes, blocks: blocks)
  }

  private mutating func makeRecord(depth: Int, firstTag: UInt32) -> UInt32? {
    let perBlock = TablePool.blockBytes / Page.recordBytes
    if recordCount == recordBlocks.count * perBlock {
      guard let block = pool.allocate(for: .records) else { return nil }
      recordBlocks.append(block)
      blockCount += 1
    }
    let record = recordBlocks[recordCount / perBlock] * UInt32(perBlock) + UInt32(recordCount % perBlock)
    recordCount += 1
    page(record).initialize(depth: depth, firstTag: firstTag)
    return record
  }

  private mutating func addBlock(to page: Page) -> Bool {
    layout &+= 1
    guard let block = pool.allocate(for: .lines) else { return false }
    page.setBlock(page.blockCount, block)
    page.blockCount += 1
    blockCount += 1
    return true
  }

  private mutating func removeBlock(from page: Page) {
    layout &+= 1
    page.blockCount -= 1
    pool.free(page.block(page.blockCount))
    blockCount -= 1
  }

  // MARK: Growing

  private enum Growth { case done, crowded, outOfMemory }

  /// Gives a page one block more, or makes two of it.
  private mutating func grow(_ page: Page) -> Growth {
    shrinkBelow = .max
    let scratch = PageCopy(page)
    while page.blockCount < Page.blocksMax {
      guard addBlock(to: page) else {
        scratch.restore(page)
        return .outOfMemory
      }
      if scratch.layOut(in: page, from: page.firstTag, to: page.endTag) { return .done }
    }
    let outcome = split(page, scratch)
    if case .done = outcome { return .done }
    while page.blockCount > scratch.blockCount { removeBlock(from: page) }
    scratch.restore(page)
    return outcome
  }

  /// Makes two of a page whose slots are in `scratch`; if that fails its lines are anything.
  private mutating func split(_ page: Page, _ scratch: borrowing PageCopy) -> Growth {
    if page.depth == Slot.tagBits { return .crowded }
    let end = page.endTag
    let middle = page.firstTag + (end - page.firstTag) / 2
    guard let record = makeRecord(depth: page.depth + 1, firstTag: middle) else { return .outOfMemory }
    let upper = self.page(record)
    page.depth += 1
    if fill(upper, scratch, from: middle, to: end), refill(page, scratch, to: middle) {
      pageCount += 1
      enter(record, upper)
      return .done
    }
    while upper.blockCount > 0 { removeBlock(from: upper) }
    recordCount -= 1
    page.depth -= 1
    return .crowded
  }

  /// Over how many blocks `count` slots are laid out at first.
  private static func blocks(for count: Int) -> Int {
    min(Page.blocksMax, count / Page.slotsPerBlockMax + 1)
  }

  /// Lays the copied slots with tags from `first` to `end` out in a page without blocks. False: no memory, or hashes to blame.
  private mutating func fill(_ page: Page, _ scratch: borrowing PageCopy, from first: UInt32, to end: UInt32) -> Bool {
    let wanted = Table.blocks(for: scratch.count(from: first, to: end))
    while page.blockCount < Page.blocksMax {
      guard addBlock(to: page) else { return false }
      if page.blockCount >= wanted, scratch.layOut(in: page, from: first, to: end) { return true }
    }
    return false
  }

  /// Lays the copied slots up to `end` out in the page they came from, and frees the blocks that it has too many.
  private mutating func refill(_ page: Page, _ scratch: borrowing PageCopy, to end: UInt32) -> Bool {
    let held = page.blockCount
    page.blockCount = Table.blocks(for: scratch.count(from: page.firstTag, to: end))
    while !scratch.layOut(in: page, from: page.firstTag, to: end) {
      if page.blockCount == held { return false }
      page.blockCount += 1
    }
    for index in page.blockCount..<held {
      pool.free(page.block(index))
      blockCount -= 1
    }
    return true
  }

  /// Enters a page that was split off in the directory.
  private mutating func enter(_ record: UInt32, _ page: Page) {
    if page.depth > depth {
      let wider = unsafe UnsafeMutableBufferPointer<UInt32>.allocate(capacity: directory.count * 2)
      for index in wider.indices { unsafe wider.initializeElement(at: index, to: directory[index / 2]) }
      ledger.add(directoryBytes)
      unsafe directory.deallocate()
      unsafe directory = wider
      depth += 1
    }
    for index in Int(page.firstTag) >> (Slot.tagBits - depth)..<Int(page.endTag) >> (Slot.tagBits - depth) {
      unsafe directory[index] = record
    }
  }

  // MARK: Shrinking

  /// Whether so few slots are full that it pays to look for pages with blocks to spare.
  var isSparse: Bool {
    let used = blockCount &- recordBlocks.count
    return used > pageCount && count < used &* Page.slotsPerBlock / 3 && count < shrinkBelow
  }

  /// Looks at a page, and lays it out over half of its blocks or fewer if that is enough. False: this was the last page of the table.
  mutating func shrinkStep() -> Bool {
    let page = page(for: shrinkTag)
    if Table.blocks(for: page.count) * 2 <= page.blockCount, shrink(page) { hasShrunk = true }
    let end = page.endTag
    if end < 1 << UInt32(Slot.tagBits) {
      shrinkTag = end
      return true
    }
    if !hasShrunk { shrinkBelow = count / 4 * 3 }
    hasShrunk = false
    shrinkTag = 0
    return false
  }

  /// Moves a page to blocks that are all new, as few as will do. They come from slabs in use, one behind the other, and so the slabs that the
  /// old ones are scattered over become empty. False: there is no memory, or the hashes want more room; nothing has changed then.
  private mutating func shrink(_ page: Page) -> Bool {
    let scratch = PageCopy(page)
    let old = page.blockNumbers
    let oldCount = page.blockCount
    let count = page.count
    page.blockCount = 0
    while page.blockCount < oldCount - 1, addBlock(to: page) {
      guard page.blockCount >= Table.blocks(for: count), scratch.layOut(in: page, from: page.firstTag, to: page.endTag) else { continue }
      for index in 0..<oldCount { pool.free(old[index]) }
      blockCount -= oldCount
      return true
    }
    while page.blockCount > 0 { removeBlock(from: page) }
    for index in 0..<oldCount { page.setBlock(index, old[index]) }
    page.blockCount = oldCount
    page.count = count
    return false
  }

  // MARK: The end

  /// Frees up to `limit` blocks of a table whose entries are gone or do not matter any more. True: all of it is free.
  mutating func freeStep(limit: Int) -> Bool {
    var left = limit
    while left > 0, recordCount > 0 {
      let perBlock = TablePool.blockBytes / Page.recordBytes
      let last = recordCount - 1
      let page = page(recordBlocks[last / perBlock] * UInt32(perBlock) + UInt32(last % perBlock))
      while page.blockCount > 0 {
        removeBlock(from: page)
        left -= 1
      }
      recordCount = last
      if last % perBlock == 0 {
        pool.free(recordBlocks.removeLast())
        blockCount -= 1
      }
    }
    guard recordCount == 0 else { return false }
    for block in recordBlocks {
      pool.free(block)
      blockCount -= 1
    }
    recordBlocks.removeAll()
    ledger.subtract(directoryBytes)
    if unsafe directory.count > 0 { unsafe directory.deallocate() }
    unsafe directory = UnsafeMutableBufferPointer(start: nil, count: 0)
    depth = 0
    count = 0
    pageCount = 0
    return true
  }
}
