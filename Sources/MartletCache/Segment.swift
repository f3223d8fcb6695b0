/// A segment of the log: up to 256 KiB in which entries of one shard lie one behind the other, in the order in which they came. Engine.
///
/// ```
///  0  next, previous  UInt32 × 2   in the queue, as unit numbers; `none`
///  8  end             UInt32       where the next entry would be laid
/// 12  live bytes      UInt32       of entries to which the table points
/// 16  apart           UInt32       live entries whose values lie apart
/// 20  order           UInt8        its size, as the pool counts it
/// 21  queue           UInt8        `SegmentQueue.Kind`
/// 24  entries
/// ```
///
/// One of the four homes of unsafe code. Invariant, kept by `SegmentLog`: `base` is a block that the pool handed out to this shard.

@safe
struct Segment {
  let base: UnsafeMutableRawPointer

  static var headBytes: Int { 24 }
  static var bytesMax: Int { 256 << 10 }
  static var none: UInt32 { .max }

  func initialize(order: Int, queue: SegmentQueue.Kind) {
    next = Segment.none
    previous = Segment.none
    end = Segment.headBytes
    liveBytes = 0
    apartCount = 0
    unsafe base.storeBytes(of: UInt8(order), toByteOffset: 20, as: UInt8.self)
    self.queue = queue
  }

  private func load(_ offset: Int) -> UInt32 { unsafe base.load(fromByteOffset: offset, as: UInt32.self) }
  private func store(_ value: UInt32, _ offset: Int) { unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt32.self) }

  /// The younger neighbour.
  var next: UInt32 {
    get { load(0) }
    nonmutating set { store(newValue, 0) }
  }
  /// The older neighbour.
  var previous: UInt32 {
    get { load(4) }
    nonmutating set { store(newValue, 4) }
  }
  var end: Int {
    get { Int(load(8)) }
    nonmutating set { store(UInt32(newValue), 8) }
  }
  var liveBytes: Int {
    get { Int(load(12)) }
    nonmutating set { store(UInt32(newValue), 12) }
  }
  var apartCount: Int {
    get { Int(load(16)) }
    nonmutating set { store(UInt32(newValue), 16) }
  }
  var order: Int { Int(unsafe base.load(fromByteOffset: 20, as: UInt8.self)) }
  var queue: SegmentQueue.Kind {
    get { unsafe base.load(fromByteOffset: 21, as: UInt8.self) == 0 ? .small : .main }
    nonmutating set { unsafe base.storeBytes(of: newValue == .small ? 0 : 1, toByteOffset: 21, as: UInt8.self) }
  }

  var bytes: Int { ChunkPool.bytes(order: order) }
  var room: Int { bytes - end }
  var deadBytes: Int { end - Segment.headBytes - liveBytes }

  /// The entry at `offset`, which is below `end`.
  @inline(__always)
  func entry(at offset: Int) -> Entry { unsafe Entry(base: base + offset) }

  func offset(of entry: Entry) -> Int { unsafe entry.base - base }
}

/// Segments by age, and what their entries take.
struct SegmentQueue {
  enum Kind: UInt8 {
    /// New entries: most of them are never asked for again.
    case small
    /// Entries that were used while they were new, or came back soon after they had gone.
    case main
  }

  var oldest = Segment.none
  var newest = Segment.none
  /// Segments, and values apart.
  var bytes = 0
  var count = 0
}
