/// A run of addresses reserved from the system, of which memory is used as far as it is committed. Engine.
///
/// Reserving costs nothing: the pages exist once they are committed *and* touched. What was touched can be given back page by page
/// without giving up the addresses. Positions in it are offsets, so that they fit into fewer bits than pointers.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: `base` up to `committedBytes` may be read and written from
/// `init` to `deinit`.

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
struct AddressRange: ~Copyable {
  /// Aligned to `chunkBytes`.
  let base: UnsafeMutableRawPointer
  /// A multiple of `chunkBytes`; 0 where the system refuses addresses, so that every write finds no memory.
  let bytes: Int
  private let mapping: UnsafeMutableRawPointer?
  private let mappingBytes: Int
  private(set) var committedBytes = 0

  /// The size of a huge page, where there are any.
  static var chunkBytes: Int { 2 << 20 }
  static var pageBytes: Int { 4096 }

  init(bytes wanted: Int) {
    var bytes = (wanted + AddressRange.chunkBytes - 1) & ~(AddressRange.chunkBytes - 1)
    while bytes > 0 {
      let whole = bytes + AddressRange.chunkBytes
      if let start = unsafe AddressRange.reserve(whole) {
        let address = UInt(bitPattern: start)
        let aligned = (address + UInt(AddressRange.chunkBytes) - 1) & ~UInt(AddressRange.chunkBytes - 1)
        unsafe base = unsafe start + Int(aligned - address)
        unsafe mapping = unsafe start
        mappingBytes = whole
        self.bytes = bytes
        return
      }
      bytes = bytes / 2 & ~(AddressRange.chunkBytes - 1)
    }
    unsafe base = .allocate(byteCount: 16, alignment: 16)
    unsafe mapping = nil
    mappingBytes = 0
    self.bytes = 0
  }

  deinit {
    if let mapping = unsafe mapping { unsafe _ = munmap(mapping, mappingBytes) } else { unsafe base.deallocate() }
  }

  private static func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
    #if os(Linux)
      let flags = MAP_PRIVATE | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
    #else
      let flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE
    #endif
    let start = unsafe mmap(nil, bytes, PROT_NONE, flags, -1, 0)
    if unsafe start == MAP_FAILED { return nil }
    return unsafe start
  }

  /// Makes the first `end` bytes usable, in whole chunks. False if the system has no memory, or they are not there.
  mutating func commit(upTo end: Int) -> Bool {
    if end <= committedBytes { return true }
    let whole = (end + AddressRange.chunkBytes - 1) & ~(AddressRange.chunkBytes - 1)
    guard whole <= bytes else { return false }
    guard unsafe mprotect(base + committedBytes, whole - committedBytes, PROT_READ | PROT_WRITE) == 0 else { return false }
    #if os(Linux)
      // Where huge pages are given unasked, a few touched bytes would count as 2 MiB.
      unsafe _ = madvise(base + committedBytes, whole - committedBytes, MADV_NOHUGEPAGE)
    #endif
    committedBytes = whole
    return true
  }

  /// Gives the memory of whole pages back; their content is lost, their addresses stay.
  @unsafe
  static func giveBack(_ start: UnsafeMutableRawPointer, _ count: Int) {
    #if os(Linux)
      unsafe _ = madvise(start, count, MADV_DONTNEED)
    #else
      unsafe _ = madvise(start, count, MADV_FREE)
    #endif
  }

  /// Puts one huge page in the place of a chunk's plain ones, all of which are in use; takes about half a millisecond. Where the system
  /// cannot do that at once (before Linux 6.1) it may in its own time.
  @unsafe
  static func collapse(_ start: UnsafeMutableRawPointer) {
    unsafe advise(huge: true, start, chunkBytes)
    #if os(Linux)
      let collapse: Int32 = 25  // MADV_COLLAPSE, which C libraries before 2.37 do not name
      unsafe _ = madvise(start, chunkBytes, collapse)
    #endif
  }

  /// Has a huge page under a chunk nobody has touched, cleared, before anybody does; takes up to five milliseconds. Changes no content, if
  /// somebody has by now. Where the system cannot do that (before Linux 5.14) the first touch will.
  @unsafe
  static func populate(_ start: UnsafeMutableRawPointer) {
    unsafe advise(huge: true, start, chunkBytes)
    #if os(Linux)
      let populate: Int32 = 23  // MADV_POPULATE_WRITE, which C libraries before 2.35 do not name
      unsafe _ = madvise(start, chunkBytes, populate)
    #endif
  }

  /// Asks for huge pages under a chunk, or for plain ones again. Advice only: where it is refused the chunk is as good as any other.
  @unsafe
  static func advise(huge: Bool, _ start: UnsafeMutableRawPointer, _ count: Int) {
    #if os(Linux)
      unsafe _ = madvise(start, count, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
    #endif
  }
}

/// The one account of bytes: everything that entries make the process hold, against what they may.
///
/// Counted here: segments and slabs handed out, free parts of huge pages, large values, reservations, pins, ghosts, directories, and what was
/// freed of all these until it is given back.
final class Ledger: Sendable {
  private let used = Atomic<Int>(0)
  private let loose = Atomic<Int>(0)
  let limitBytes: Int
  /// Chunks that the system will still give, for tests of the day when it gives none.
  let commitsLeft = Atomic<Int>(.max)

  init(limitBytes: Int) { self.limitBytes = limitBytes }

  var usedBytes: Int { used.load(ordering: .relaxed) }
  /// Of those, what nobody has any more and the system has not been given back yet.
  var looseBytes: Int { loose.load(ordering: .relaxed) }

  func addLoose(_ bytes: Int) { loose.add(bytes, ordering: .relaxed) }

  /// Enters `bytes`; returns the new sum.
  @discardableResult
  func add(_ bytes: Int) -> Int { used.add(bytes, ordering: .relaxed).newValue }

  func subtract(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }

  /// Enters `bytes` unless that would pass `limit` (nil: there is none).
  func take(_ bytes: Int, within limit: Int?) -> Bool {
    let sum = add(bytes)
    if let limit, sum > limit, bytes > 0 {
      subtract(bytes)
      return false
    }
    return true
  }

  /// Whether the system may be asked for memory once more.
  func mayCommit() -> Bool {
    if commitsLeft.load(ordering: .relaxed) == .max { return true }
    return commitsLeft.subtract(1, ordering: .relaxed).newValue >= 0
  }
}
