/// Where all tables get their memory: blocks of 512 bytes, all alike. Engine.
///
/// A table grows in small steps, every page of it at another time. Were pages blocks of memory of their many sizes, those of one size would
/// soon lie scattered among free places of another. So a page is a handful of blocks of one size, and any free block serves any page.
/// Blocks are cut from slabs of 32 KiB, whose first block holds the list of the free ones; an empty slab is given back.
///
/// Records of pages, one look-up in each, have slabs of their own: those of a million entries lie in 32 pages of the system's instead of one
/// in nearly every page of the table, where each would want its address translated.
///
/// One of the four homes of unsafe code. Invariant, kept by this file under its lock: bit n of a slab's map is set if its block n is free.

internal import MartletBytes

@safe
final class TablePool: @unchecked Sendable {
  /// Block number × `blockBytes` from here is a block.
  let base: UnsafeMutableRawPointer
  let pool: ChunkPool
  private let lock = ShardLock()
  /// What a slab holds.
  enum Use: Int, CaseIterable { case lines, records }
  /// By use, the first slab that has free blocks.
  private var heads = [UInt32](repeating: TablePool.none, count: Use.allCases.count)

  static var blockBytes: Int { 512 }
  private static var slabOrder: Int { 3 }
  private static var blocksPerSlab: Int { 64 }
  private static var allFree: UInt64 { ~1 }
  private static var none: UInt32 { .max }

  init(pool: ChunkPool) {
    self.pool = pool
    unsafe base = pool.base
  }

  /// The notes in the first block of a slab. `slab` counts slabs from `base`.
  private struct Notes {
    var free: UInt64
    var next: UInt32
    var previous: UInt32
    let use: Use
  }

  @unsafe
  private func notes(_ slab: UInt32) -> UnsafeMutablePointer<Notes> {
    unsafe (base + Int(slab) * TablePool.blocksPerSlab * TablePool.blockBytes).assumingMemoryBound(to: Notes.self)
  }

  /// A block of zeros; nil if the system has no memory. Tables grow past the limit: the next put makes up for it.
  func allocate(for use: Use) -> UInt32? {
    lock.lock()
    defer { lock.unlock() }
    if heads[use.rawValue] == TablePool.none, !addSlab(for: use) { return nil }
    let slab = heads[use.rawValue]
    let notes = unsafe notes(slab)
    let index = unsafe notes.pointee.free.trailingZeroBitCount
    unsafe notes.pointee.free &= notes.pointee.free &- 1
    if unsafe notes.pointee.free == 0 { unlink(slab) }
    let block = slab * UInt32(TablePool.blocksPerSlab) + UInt32(index)
    unsafe (base + Int(block) * TablePool.blockBytes).initializeMemory(as: UInt8.self, repeating: 0, count: TablePool.blockBytes)
    return block
  }

  func free(_ block: UInt32) {
    lock.lock()
    defer { lock.unlock() }
    let slab = block / UInt32(TablePool.blocksPerSlab)
    let notes = unsafe notes(slab)
    if unsafe notes.pointee.free == 0 { link(slab) }
    unsafe notes.pointee.free |= 1 << UInt64(block % UInt32(TablePool.blocksPerSlab))
    if unsafe notes.pointee.free == TablePool.allFree {
      unlink(slab)
      pool.free(Int(slab) << TablePool.slabOrder, order: TablePool.slabOrder)
    }
  }

  private func addSlab(for use: Use) -> Bool {
    guard let unit = pool.allocate(order: TablePool.slabOrder, within: nil) else { return false }
    let slab = UInt32(unit >> TablePool.slabOrder)
    unsafe notes(slab).initialize(to: Notes(free: TablePool.allFree, next: TablePool.none, previous: TablePool.none, use: use))
    link(slab)
    return true
  }

  private func link(_ slab: UInt32) {
    let use = unsafe notes(slab).pointee.use.rawValue
    unsafe notes(slab).pointee.next = heads[use]
    unsafe notes(slab).pointee.previous = TablePool.none
    if heads[use] != TablePool.none { unsafe notes(heads[use]).pointee.previous = slab }
    heads[use] = slab
  }

  private func unlink(_ slab: UInt32) {
    let notes = unsafe notes(slab).pointee
    if notes.previous == TablePool.none {
      heads[notes.use.rawValue] = notes.next
    } else {
      unsafe self.notes(notes.previous).pointee.next = notes.next
    }
    if notes.next != TablePool.none { unsafe self.notes(notes.next).pointee.previous = notes.previous }
  }
}
