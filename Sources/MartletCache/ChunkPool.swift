/// Memory in blocks of 4 KiB to 2 MiB, cut from chunks of 2 MiB: segments of the log from one pool, slabs of the tables from another. Engine.
///
/// A lookup in a large cache waits for memory twice, and for the translation of both addresses; huge pages make it 1.4 times faster.
/// But a huge page is resident whole, and whoever touches it first waits 5 ms here until the system has cleared it. So a chunk has plain
/// pages, resident as far as they are touched, until all of it is handed out and `collapse` comes by; once the pool is large, `prepare` has
/// the next chunk ready as a huge page before it is wanted. Both are for a thread that serves nobody. A huge chunk is counted whole in the
/// ledger; what is freed in it is reused, and given back when the chunk is empty or when `trim` is asked for room. What is freed in a plain
/// chunk goes back to the system at once.
///
/// One of the four homes of unsafe code. Invariant, kept by this file under its lock: blocks handed out lie in the committed part of
/// the range and do not overlap.

internal import MartletBytes
internal import Synchronization

@safe
final class ChunkPool: @unchecked Sendable {
  /// Where offsets count from; committed up to the last block handed out.
  let base: UnsafeMutableRawPointer
  private let lock = ShardLock()
  private let ledger: Ledger
  private var range: AddressRange
  private var buddy: Buddy
  /// Which chunks are huge pages now.
  private var isHuge: [Bool]
  /// What is handed out of each chunk.
  private var handedBytes: [Int32]
  private var collapseHand = 0
  /// Chunks in which something is handed out.
  private var openCount = 0
  /// With so many of them open, the next chunk is made ready as a huge page.
  private let hugeFromCount: Int
  /// A chunk in which nothing is handed out, resident as a huge page and in the ledger.
  private var ready: Int?
  /// Free bytes in huge chunks that are open: resident, in the ledger, nobody's.
  private var freeHugeBytes = 0
  private var trimHand = 0

  static var unitBytes: Int { AddressRange.pageBytes }
  static var topOrder: Int { 9 }

  init(rangeBytes: Int, hugeFromBytes: Int, ledger: Ledger) {
    range = AddressRange(bytes: rangeBytes)
    unsafe base = range.base
    buddy = Buddy(unitCount: range.bytes / ChunkPool.unitBytes, topOrder: ChunkPool.topOrder)
    isHuge = Array(repeating: false, count: range.bytes / AddressRange.chunkBytes)
    handedBytes = Array(repeating: 0, count: range.bytes / AddressRange.chunkBytes)
    hugeFromCount = hugeFromBytes / AddressRange.chunkBytes
    self.ledger = ledger
  }

  static func bytes(order: Int) -> Int { unitBytes << order }

  /// The least order whose blocks hold `bytes`.
  static func order(of bytes: Int) -> Int {
    let units = max(1, (bytes + unitBytes - 1) / unitBytes)
    return Int.bitWidth - (units - 1).leadingZeroBitCount
  }

  /// A block, entered in the ledger unless that would pass `limit`; nil if there is no room or the system has no memory. Its content
  /// is anything. The number is that of its first unit.
  func allocate(order: Int, within limit: Int?) -> Int? {
    lock.lock()
    defer { lock.unlock() }
    // A free part of a huge page costs nothing more; what stands above the limit has to go all the same.
    if let limit, ledger.usedBytes > limit { return nil }
    let bytes = ChunkPool.bytes(order: order)
    if let unit = buddy.takePart(order: order) {
      if isHuge[unit >> ChunkPool.topOrder] {
        freeHugeBytes -= bytes
      } else if !ledger.take(bytes, within: limit) {
        _ = buddy.give(unit, order: order)
        return nil
      }
      handedBytes[unit >> ChunkPool.topOrder] += Int32(bytes)
      return unit
    }
    return openChunk(for: order, bytes, within: limit)
  }

  private func openChunk(for order: Int, _ bytes: Int, within limit: Int?) -> Int? {
    guard let first = buddy.nextTop else { return nil }
    let end = (first + 1 << ChunkPool.topOrder) * ChunkPool.unitBytes
    if end > range.committedBytes || ledger.commitsLeft.load(ordering: .relaxed) != .max {
      guard ledger.mayCommit(), range.commit(upTo: end) else { return nil }
    }
    let chunk = first >> ChunkPool.topOrder
    if chunk == ready {
      ready = nil
      isHuge[chunk] = true
      freeHugeBytes += AddressRange.chunkBytes - bytes
    } else if !ledger.take(bytes, within: limit) {
      return nil
    }
    openCount += 1
    handedBytes[chunk] = Int32(bytes)
    return buddy.takeTop(order: order)
  }

  func free(_ unit: Int, order: Int) {
    lock.lock()
    defer { lock.unlock() }
    let bytes = ChunkPool.bytes(order: order)
    let chunk = unit >> ChunkPool.topOrder
    handedBytes[chunk] -= Int32(bytes)
    if isHuge[chunk] {
      freeHugeBytes += bytes
    } else {
      unsafe AddressRange.giveBack(base + unit * ChunkPool.unitBytes, bytes)
      ledger.subtract(bytes)
    }
    guard buddy.give(unit, order: order) else { return }
    openCount -= 1
    if isHuge[chunk] {
      isHuge[chunk] = false
      freeHugeBytes -= AddressRange.chunkBytes
      giveBackReady()
      ready = chunk
    }
    if openCount < hugeFromCount { giveBackReady() }
  }

  /// Under the lock.
  private func giveBackReady() {
    guard let chunk = ready else { return }
    ready = nil
    discard(chunk)
    ledger.subtract(AddressRange.chunkBytes)
  }

  /// Gives the huge page of an empty chunk back to the system.
  private func discard(_ chunk: Int) {
    let start = unsafe base + chunk * AddressRange.chunkBytes
    // Or it would be filled up again behind our back.
    unsafe AddressRange.advise(huge: false, start, AddressRange.chunkBytes)
    unsafe AddressRange.giveBack(start, AddressRange.chunkBytes)
  }

  /// One huge page: for what comes, or else under what is full. False: there is nothing to do. For a thread that serves nobody.
  func layHugePage() -> Bool { prepare() || collapse() }

  /// Has the chunk that will be opened next be a huge page by then, if this pool is large and the limit allows. False: there was nothing to
  /// do. The system takes milliseconds to clear it: meanwhile the lock is free, but this thread is not.
  func prepare() -> Bool {
    guard let chunk = chooseNext() else { return false }
    unsafe AddressRange.populate(base + chunk * AddressRange.chunkBytes)
    didPopulate(chunk)
    return true
  }

  private func chooseNext() -> Int? {
    lock.lock()
    defer { lock.unlock() }
    guard openCount >= hugeFromCount, ready == nil, let first = buddy.nextTop else { return nil }
    let end = (first + 1 << ChunkPool.topOrder) * ChunkPool.unitBytes
    guard ledger.mayCommit(), ledger.take(AddressRange.chunkBytes, within: ledger.limitBytes) else { return nil }
    if range.commit(upTo: end) { return first >> ChunkPool.topOrder }
    ledger.subtract(AddressRange.chunkBytes)
    return nil
  }

  /// A chunk that was opened while the system was at work is a huge page, too, but its part that is handed out was counted before.
  private func didPopulate(_ chunk: Int) {
    lock.lock()
    defer { lock.unlock() }
    let handed = Int(handedBytes[chunk])
    if handed > 0 {
      isHuge[chunk] = true
      freeHugeBytes += AddressRange.chunkBytes - handed
      ledger.subtract(handed)
    } else {
      giveBackReady()
      ready = chunk
      if openCount < hugeFromCount { giveBackReady() }
    }
  }

  /// Makes the next chunk that is wholly handed out a huge page, if this pool is larger than what the processor finds without. False:
  /// there is none. The system may take milliseconds for it: meanwhile the lock is free, but this thread is not.
  func collapse() -> Bool {
    guard let chunk = chooseFull() else { return false }
    unsafe AddressRange.collapse(base + chunk * AddressRange.chunkBytes)
    didCollapse(chunk)
    return true
  }

  private func chooseFull() -> Int? {
    lock.lock()
    defer { lock.unlock() }
    guard openCount >= ChunkPool.collapseFromCount else { return nil }
    for _ in 0..<min(ChunkPool.collapseSearchCount, buddy.end >> ChunkPool.topOrder) {
      collapseHand = collapseHand + 1 < buddy.end >> ChunkPool.topOrder ? collapseHand + 1 : 0
      guard !isHuge[collapseHand], handedBytes[collapseHand] == AddressRange.chunkBytes else { continue }
      isHuge[collapseHand] = true
      return collapseHand
    }
    return nil
  }

  /// A chunk that became plain again while the system was at work may have got its huge page afterwards: it is given back, or counted.
  private func didCollapse(_ chunk: Int) {
    lock.lock()
    defer { lock.unlock() }
    if isHuge[chunk] { return }
    let free = AddressRange.chunkBytes - Int(handedBytes[chunk])
    if handedBytes[chunk] > 0 {
      isHuge[chunk] = true
      freeHugeBytes += free
      ledger.add(free)
    } else {
      discard(chunk)
    }
  }

  private static var collapseFromCount: Int { 4 }
  private static var collapseSearchCount: Int { 1024 }

  /// The order of the block handed out that holds `unit`; the caller owns that block.
  @inline(__always)
  func order(of unit: Int) -> Int { buddy.order(of: unit) }

  /// Gives about `wanted` bytes of free huge pages, and of free parts of them, back to the system: those chunks are plain pages then.
  /// Returns how many.
  func trim(_ wanted: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    let chunkCount = buddy.end >> ChunkPool.topOrder
    var given = 0
    if ready != nil {
      giveBackReady()
      given = AddressRange.chunkBytes
    }
    var looked = 0
    while looked < chunkCount, freeHugeBytes > 0, given < wanted {
      looked += 1
      trimHand = trimHand + 1 < chunkCount ? trimHand + 1 : 0
      guard isHuge[trimHand] else { continue }
      var freed = 0
      buddy.forEachFree(inTopAt: trimHand << ChunkPool.topOrder) { unit, order in
        if freed == 0 { unsafe AddressRange.advise(huge: false, base + trimHand * AddressRange.chunkBytes, AddressRange.chunkBytes) }
        unsafe AddressRange.giveBack(base + unit * ChunkPool.unitBytes, ChunkPool.bytes(order: order))
        freed += ChunkPool.bytes(order: order)
      }
      if freed == 0 { continue }
      isHuge[trimHand] = false
      freeHugeBytes -= freed
      given += freed
      ledger.subtract(freed)
    }
    return given
  }
}
