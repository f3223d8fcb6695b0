/// A value that lies apart from the log: a large one, one that is being written, one that is held for reading. Engine.
///
/// ```
///  0  owners     UInt64, atomic   the table, each pin, a reservation
///  8  bytes      Int              all of the block
/// 16  counts     UInt32 × 4       value, content type, tags, key
/// 32  value, content type, tags, key (the key only in reservations)
/// ```
///
/// Its bytes never change while anyone but the table owns it, so readers need no lock. Blocks of 64 KiB and more are runs of whole
/// pages in a range of addresses of their own, resident as far as they are used and given back to the system when freed; smaller ones
/// (pins and reservations of small values) come from the system's allocator.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: `base` is followed by `bytes` bytes until the last owner is gone.

internal import MartletBytes
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

@safe @usableFromInline
struct ValueBlock {
  @usableFromInline let base: UnsafeMutableRawPointer

  @usableFromInline
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  @usableFromInline static var headBytes: Int { 32 }

  static func bytes(value: Int, contentType: Int, tags: Int, key: Int = 0) -> Int { headBytes + value + contentType + tags + key }

  /// What a block of `bytes` takes in memory.
  static func cost(bytes: Int) -> Int {
    if bytes >= BlockPool.unitBytes { return (bytes + AddressRange.pageBytes - 1) & ~(AddressRange.pageBytes - 1) }
    return (bytes + 8 + 15) & ~15
  }

  var bytes: Int { unsafe base.load(fromByteOffset: 8, as: Int.self) }
  var cost: Int { ValueBlock.cost(bytes: bytes) }

  private func count(_ index: Int) -> Int { Int(unsafe base.load(fromByteOffset: 16 + index * 4, as: UInt32.self)) }

  @usableFromInline var value: RawSpan {
    @_lifetime(borrow self)
    get { span(at: ValueBlock.headBytes, count: count(0)) }
  }

  var contentType: RawSpan {
    @_lifetime(borrow self)
    get { span(at: ValueBlock.headBytes + count(0), count: count(1)) }
  }

  var tags: RawSpan {
    @_lifetime(borrow self)
    get { span(at: ValueBlock.headBytes + count(0) + count(1), count: count(2)) }
  }

  var key: RawSpan {
    @_lifetime(borrow self)
    get { span(at: ValueBlock.headBytes + count(0) + count(1) + count(2), count: count(3)) }
  }

  /// The bytes are inside the block: the counts were given when it was made.
  @_lifetime(borrow self)
  private func span(at offset: Int, count: Int) -> RawSpan {
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base) + offset, byteCount: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  // MARK: Writing, by the only owner

  func initialize(bytes: Int, valueCount: Int, contentType: RawSpan, tags: RawSpan, key: RawSpan) {
    unsafe owners.initialize(to: Atomic(1))
    unsafe base.storeBytes(of: bytes, toByteOffset: 8, as: Int.self)
    for (index, count) in [valueCount, contentType.byteCount, tags.byteCount, key.byteCount].enumerated() {
      unsafe base.storeBytes(of: UInt32(count), toByteOffset: 16 + index * 4, as: UInt32.self)
    }
    var offset = ValueBlock.headBytes + valueCount
    write(contentType, at: offset)
    offset += contentType.byteCount
    write(tags, at: offset)
    write(key, at: offset + tags.byteCount)
  }

  /// Writes `bytes` into the value from `offset`.
  func writeValue(_ bytes: RawSpan, at offset: Int = 0) {
    precondition(offset >= 0 && offset + bytes.byteCount <= count(0), "wrote past the end of a value")
    write(bytes, at: ValueBlock.headBytes + offset)
  }

  private func write(_ bytes: RawSpan, at offset: Int) {
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe (base + offset).copyMemory(from: start, byteCount: source.count) }
    }
  }

  /// What the block takes with a value of `count` bytes; not less than now.
  func bytes(valueCount count: Int) -> Int {
    max(bytes, ValueBlock.bytes(value: count, contentType: self.count(1), tags: self.count(2)))
  }

  /// Lets the value be `count` bytes long, for which the block's run has room: type and tags move behind it. A key is not kept.
  func grow(to count: Int) {
    let old = self.count(0)
    let tail = self.count(1) + self.count(2)
    unsafe base.storeBytes(of: bytes(valueCount: count), toByteOffset: 8, as: Int.self)
    unsafe (base + ValueBlock.headBytes + count).copyMemory(from: base + ValueBlock.headBytes + old, byteCount: tail)
    unsafe base.storeBytes(of: UInt32(count), toByteOffset: 16, as: UInt32.self)
    unsafe base.storeBytes(of: UInt32(0), toByteOffset: 16 + 3 * 4, as: UInt32.self)
  }

  /// Zeros a part of the value; an empty one if it ends before it begins.
  func clear(from start: Int, to end: Int) {
    if start >= end { return }
    precondition(start >= 0 && end <= count(0), "cleared past the end of a value")
    unsafe (base + ValueBlock.headBytes + start).initializeMemory(as: UInt8.self, repeating: 0, count: end - start)
  }

  // MARK: Owners

  private var owners: UnsafeMutablePointer<Atomic<UInt64>> { unsafe base.assumingMemoryBound(to: Atomic<UInt64>.self) }

  /// Whether the table is the only owner: then, under the shard's lock, nobody else reads it.
  var isExclusive: Bool { unsafe owners.pointee.load(ordering: .acquiring) == 1 }

  func pin() { unsafe _ = owners.pointee.add(1, ordering: .relaxed) }

  /// Gives up one ownership. True if it was the last: the block is to be freed.
  func unpin() -> Bool { unsafe owners.pointee.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}

/// Where value blocks come from. Blocks are in the ledger from before they are made until they are freed.
@safe
final class BlockPool: @unchecked Sendable {
  private let lock = ShardLock()
  private let ledger: Ledger
  private let base: UnsafeMutableRawPointer
  private var range: AddressRange
  private var buddy: Buddy
  /// What was released. Still in the ledger, and for the buddies handed out.
  private var loose: LooseBlocks

  static var unitBytes: Int { 64 << 10 }
  /// 128 MiB: the largest value and its head, as a power of two (addresses only).
  private static var topOrder: Int { 11 }

  init(rangeBytes: Int, ledger: Ledger) {
    self.ledger = ledger
    range = AddressRange(bytes: rangeBytes)
    unsafe base = range.base
    buddy = Buddy(unitCount: range.bytes / BlockPool.unitBytes, topOrder: BlockPool.topOrder)
    loose = LooseBlocks(topOrder: BlockPool.topOrder, ledger: ledger)
  }

  static func order(of bytes: Int) -> Int {
    Int.bitWidth - ((bytes + unitBytes - 1) / unitBytes - 1).leadingZeroBitCount
  }

  /// A block with room for a value, all else written. Its cost is in the ledger already. Nil if the system has no memory.
  func make(valueCount: Int, contentType: RawSpan, tags: RawSpan, key: RawSpan = RawSpan()) -> ValueBlock? {
    let bytes = ValueBlock.bytes(value: valueCount, contentType: contentType.byteCount, tags: tags.byteCount, key: key.byteCount)
    guard let memory = unsafe bytes < BlockPool.unitBytes ? smallMemory(bytes) : run(of: bytes) else { return nil }
    let block = unsafe ValueBlock(base: memory)
    block.initialize(bytes: bytes, valueCount: valueCount, contentType: contentType, tags: tags, key: key)
    return block
  }

  @unsafe
  private func smallMemory(_ bytes: Int) -> UnsafeMutableRawPointer? { unsafe ledger.mayCommit() ? malloc(bytes) : nil }

  @unsafe
  private func run(of bytes: Int) -> UnsafeMutableRawPointer? {
    lock.lock()
    defer { lock.unlock() }
    let order = BlockPool.order(of: bytes)
    guard order <= BlockPool.topOrder, ledger.mayCommit() else { return nil }
    if let unit = buddy.takePart(order: order) { return unsafe base + unit * BlockPool.unitBytes }
    guard let first = buddy.nextTop, range.commit(upTo: (first + 1 << BlockPool.topOrder) * BlockPool.unitBytes) else { return nil }
    return unsafe base + buddy.takeTop(first, order: order) * BlockPool.unitBytes
  }

  /// Gives up one ownership of `block`; with the last its memory goes, and leaves the ledger: a small one's at once, a large one's when it
  /// is given back.
  func release(_ block: ValueBlock) {
    guard block.unpin() else { return }
    let bytes = block.bytes
    let cost = block.cost
    if bytes < BlockPool.unitBytes {
      unsafe free(block.base)
      ledger.subtract(cost)
    } else {
      let unit = unsafe (block.base - base) / BlockPool.unitBytes
      lock.withLock { loose.append(.init(unit: unit, order: BlockPool.order(of: bytes), bytes: cost)) }
    }
  }

  /// Gives one of the blocks released back to the system; how many bytes. 0: there was none. For a thread that serves nobody, or who finds no
  /// room.
  func giveBackStep() -> Int {
    guard let block = lock.withLock({ loose.takeLargest() }) else { return 0 }
    unsafe AddressRange.giveBack(base + block.unit * BlockPool.unitBytes, block.bytes)
    lock.withLock { _ = buddy.give(block.unit, order: block.order) }
    ledger.subtract(block.bytes)
    return block.bytes
  }
}
