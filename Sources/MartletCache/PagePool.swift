/// Where the pages of all tables come from: chunks cut into pages of 4 KiB, huge ones once the tables are large. Engine.
///
/// A lookup in a large cache waits for memory twice, and for the address translation of both; tables on huge pages need none
/// of theirs. A small cache must not pay: chunks are of
/// 128 KiB until they add up to 2 MiB. Chunks count in the ledger whole, and are given back when no page of any is in use.
///
/// One of the four homes of unsafe code. Invariant, kept by this file under its lock: `free` heads a list through the first words
/// of free pages, each inside one of `chunks`; all other pages cut so far are in use by one table each.

internal import MartletBytes
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

@safe
final class PagePool: @unchecked Sendable {
  private let lock = ShardLock()
  private var chunks: [UnsafeMutableRawPointer] = unsafe []
  private var chunkBytesTotal = 0
  private var free: UnsafeMutableRawPointer?
  private var pagesInUse = 0
  /// Where the bytes of all chunks are entered; the store's, and outlives this.
  private let ledger: UnsafeMutablePointer<Atomic<Int>>

  static var smallChunkBytes: Int { 128 << 10 }
  static var hugeChunkBytes: Int { 2 << 20 }

  init(ledger: UnsafeMutablePointer<Atomic<Int>>) { unsafe self.ledger = unsafe ledger }

  /// A page of any content, aligned to its size; nil if the system has no memory.
  @unsafe
  func allocate() -> UnsafeMutableRawPointer? {
    lock.lock()
    defer { lock.unlock() }
    if unsafe free == nil, !addChunk() { return nil }
    guard let page = unsafe free else { return nil }
    unsafe free = page.load(as: UnsafeMutableRawPointer?.self)
    pagesInUse += 1
    return unsafe page
  }

  /// Takes back pages that `allocate` gave.
  @unsafe
  func deallocate(_ page: UnsafeMutableRawPointer) {
    lock.lock()
    defer { lock.unlock() }
    unsafe page.storeBytes(of: free, as: UnsafeMutableRawPointer?.self)
    unsafe free = page
    pagesInUse -= 1
    if pagesInUse == 0 { freeChunks() }
  }

  private func addChunk() -> Bool {
    let isHuge = chunkBytesTotal >= PagePool.hugeChunkBytes
    let bytes = isHuge ? PagePool.hugeChunkBytes : PagePool.smallChunkBytes
    var memory: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&memory, isHuge ? bytes : Page.bytes, bytes) == 0, let chunk = unsafe memory else { return false }
    #if os(Linux)
      // Advice only: where it is refused the chunk is as good as any other.
      if isHuge { _ = unsafe madvise(chunk, bytes, MADV_HUGEPAGE) }
    #endif
    unsafe chunks.append(chunk)
    chunkBytesTotal += bytes
    unsafe _ = ledger.pointee.add(bytes, ordering: .relaxed)
    for offset in stride(from: bytes - Page.bytes, through: 0, by: -Page.bytes) {
      unsafe (chunk + offset).storeBytes(of: free, as: UnsafeMutableRawPointer?.self)
      unsafe free = chunk + offset
    }
    return true
  }

  private func freeChunks() {
    for index in unsafe chunks.indices { unsafe EntryMemory.free(chunks[index]) }
    unsafe chunks.removeAll()
    unsafe _ = ledger.pointee.subtract(chunkBytesTotal, ordering: .relaxed)
    chunkBytesTotal = 0
    unsafe free = nil
  }
}
