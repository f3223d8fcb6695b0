/// A shard's log: entries are appended to an open segment, and memory comes back segment by segment. Engine.
///
/// There are two queues of segments, as S3-FIFO wants them (see `Shard+Eviction`), each with one open segment at its young end. An entry
/// that is replaced or removed is marked dead where it lies; its bytes are free when its segment is: at once if nothing in it lives any
/// more, else when eviction or compaction comes by and has moved what lives.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: numbers of segments in the queues are units of blocks that the pool
/// handed out to this log.

internal import MartletBytes

@safe
struct SegmentLog: ~Copyable {
  private(set) var small = SegmentQueue()
  private(set) var main = SegmentQueue()
  /// Where entries are appended; `Segment.none` if there is none.
  private var openSmall = Segment.none
  private var openMain = Segment.none
  /// Segments that are being walked or filled: not freed under the walker's feet.
  var held: InlineArray<3, UInt32> = InlineArray(repeating: Segment.none)
  /// The next segment that a search looks at; `Segment.none`: none is under way. Not held: if it is freed, the one after it is next.
  var searchPosition = Segment.none
  /// Of all segments.
  private(set) var bytes = 0
  /// Values apart.
  private(set) var apartBytes = 0
  /// What dead entries take in all segments.
  private(set) var deadBytes = 0

  let pool: ChunkPool
  private let base: UnsafeMutableRawPointer

  init(pool: ChunkPool) {
    self.pool = pool
    unsafe base = pool.base
  }

  subscript(kind: SegmentQueue.Kind) -> SegmentQueue {
    get { kind == .small ? small : main }
    set { if kind == .small { small = newValue } else { main = newValue } }
  }

  func segment(_ unit: UInt32) -> Segment { unsafe Segment(base: base + Int(unit) * ChunkPool.unitBytes) }

  /// The number of the segment in which `entry` lies.
  @inline(__always)
  func number(of entry: Entry) -> UInt32 {
    let unit = unsafe (entry.base - base) / ChunkPool.unitBytes
    let order = pool.order(of: unit)
    return UInt32(unit & ~(1 << order - 1))
  }

  // MARK: Appending

  /// The open segment of a queue, if it has room for `bytes`.
  @inline(__always)
  func open(_ kind: SegmentQueue.Kind, for bytes: Int) -> Segment? {
    let number = kind == .small ? openSmall : openMain
    if number == Segment.none { return nil }
    let segment = segment(number)
    return segment.room >= bytes ? segment : nil
  }

  func isOpen(_ number: UInt32) -> Bool { number == openSmall || number == openMain }

  // MARK: All segments, those of the small queue first, each queue from old to young

  var oldest: UInt32 { small.oldest != Segment.none ? small.oldest : main.oldest }

  func segment(after number: UInt32) -> UInt32 {
    let segment = segment(number)
    return segment.next == Segment.none && segment.queue == .small ? main.oldest : segment.next
  }

  func first(where isIt: (UInt32) -> Bool) -> UInt32? {
    var number = oldest
    while number != Segment.none {
      if isIt(number) { return number }
      number = segment(after: number)
    }
    return nil
  }

  /// How large the next segment should be: a fiftieth of the log, so that open segments stay a small part of it, and room for a few
  /// entries of this size, so that little is lost at its end.
  func order(for bytes: Int) -> Int {
    let least = bytes + Segment.headBytes
    let wanted = min(max(self.bytes / 48, min(8 * bytes, self.bytes / 4)), Segment.bytesMax)
    return ChunkPool.order(of: max(least, wanted / 2 + 1))
  }

  /// Makes a block that the pool handed out the open segment of a queue.
  mutating func begin(_ unit: Int, order: Int, _ kind: SegmentQueue.Kind) {
    add(unit, order: order, kind, before: Segment.none)
    close(kind)
    if kind == .small { openSmall = UInt32(unit) } else { openMain = UInt32(unit) }
  }

  /// Links a block as a segment: before (that is, older than) another, or as the youngest.
  mutating func add(_ unit: Int, order: Int, _ kind: SegmentQueue.Kind, before younger: UInt32) {
    let number = UInt32(unit)
    let segment = segment(number)
    segment.initialize(order: order, queue: kind)
    var queue = self[kind]
    segment.next = younger
    segment.previous = younger == Segment.none ? queue.newest : self.segment(younger).previous
    if segment.previous == Segment.none { queue.oldest = number } else { self.segment(segment.previous).next = number }
    if younger == Segment.none { queue.newest = number } else { self.segment(younger).previous = number }
    queue.count += 1
    queue.bytes += segment.bytes
    self[kind] = queue
    bytes += segment.bytes
  }

  /// Nothing more is appended to the open segment of a queue.
  private mutating func close(_ kind: SegmentQueue.Kind) {
    let number = kind == .small ? openSmall : openMain
    if kind == .small { openSmall = Segment.none } else { openMain = Segment.none }
    if number != Segment.none { freeIfDead(number) }
  }

  /// The same for a segment that is about to be walked.
  mutating func close(_ number: UInt32) {
    if number == openSmall { openSmall = Segment.none }
    if number == openMain { openMain = Segment.none }
  }

  /// A place at the end of `segment`, which has room; whoever lays an entry there counts it by `didLay`.
  func nextPlace(in segment: Segment) -> Entry { segment.entry(at: segment.end) }

  /// Counts an entry that was laid at the end of its segment.
  mutating func didLay(_ entry: Entry, _ count: Int, in segment: Segment) {
    segment.end += count
    segment.liveBytes += count
    if entry.isApart { addApart(entry.block.cost, in: segment) }
  }

  private mutating func addApart(_ cost: Int, in segment: Segment) {
    segment.apartCount += cost > 0 ? 1 : -1
    apartBytes += cost
    self[segment.queue].bytes += cost
  }

  /// The value apart of an entry takes so much more.
  mutating func didGrow(_ entry: Entry, by cost: Int) {
    apartBytes += cost
    self[segment(number(of: entry)).queue].bytes += cost
  }

  // MARK: Removing

  /// Marks an entry dead. Its value apart, if any, is still the caller's to release or move.
  mutating func bury(_ entry: Entry) {
    let number = number(of: entry)
    let segment = segment(number)
    let count = entry.logBytes
    if entry.isApart { addApart(-entry.block.cost, in: segment) }
    entry.version = 0
    segment.liveBytes -= count
    deadBytes += count
    if segment.liveBytes == 0 { freeIfDead(number) }
  }

  private mutating func freeIfDead(_ number: UInt32) {
    let segment = segment(number)
    if segment.liveBytes > 0 || isOpen(number) { return }
    for index in 0..<3 where held[index] == number { return }
    free(number)
  }

  /// Frees a segment in which nothing lives.
  mutating func free(_ number: UInt32) {
    let segment = segment(number)
    precondition(segment.liveBytes == 0 && segment.apartCount == 0, "a segment is freed with live entries in it")
    if number == searchPosition { searchPosition = self.segment(after: number) }
    let kind = segment.queue
    var queue = self[kind]
    let (next, previous) = (segment.next, segment.previous)
    if previous == Segment.none { queue.oldest = next } else { self.segment(previous).next = next }
    if next == Segment.none { queue.newest = previous } else { self.segment(next).previous = previous }
    queue.count -= 1
    queue.bytes -= segment.bytes
    self[kind] = queue
    bytes -= segment.bytes
    deadBytes -= segment.deadBytes
    pool.free(Int(number), order: segment.order)
  }

  /// Frees one segment with all that is in it, for a log that nobody looks into any more. True: that was the last.
  mutating func freeStep(blocks: BlockPool) -> Bool {
    let number = oldest
    if number == Segment.none { return true }
    let segment = segment(number)
    var offset = Segment.headBytes
    while segment.apartCount > 0 {
      let entry = segment.entry(at: offset)
      offset += entry.logBytes
      guard entry.isLive, entry.isApart else { continue }
      addApart(-entry.block.cost, in: segment)
      blocks.release(entry.block)
    }
    segment.liveBytes = 0
    segment.end = Segment.headBytes
    openSmall = Segment.none
    openMain = Segment.none
    free(number)
    return oldest == Segment.none
  }
}
