/// Memory in blocks of 4 KiB to 2 MiB, cut from chunks of 2 MiB: segments of the log from one pool, slabs of the tables from another. Engine.
///
/// A lookup in a large cache waits for memory twice, and for the translation of both addresses; huge pages make it 1.4 times faster.
/// But a huge page is resident whole, and whoever touches it first waits 5 ms here until the system has cleared it. So a chunk has plain
/// pages, resident as far as they are touched, until all of it is handed out and `collapse` comes by; once the pool is large, `prepare` has
/// the next chunk ready as a huge page before it is wanted. A huge chunk is counted whole in the ledger; what is freed in it is reused, and
/// given back when the chunk is empty or when `trim` is asked for room. What is freed in a plain chunk is reused as it is (`LooseBlocks`), or
/// given back by `giveBackStep`. All that asks something of the system is for a thread that serves nobody; only who finds no room does it, too.
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
  /// The buddies' own, as long as this pool.
  private let orders: UnsafeMutablePointer<UInt8>
  /// Which chunks are huge pages now.
  private var isHuge: [Bool]
  /// What is handed out of each chunk.
  private var handedBytes: [Int32]
  private var collapseHand = 0
  /// Chunks in which something is handed out.
  private var openCount = 0
  /// With so many of them open, the next chunk is made ready as a huge page.
  private let hugeFromCount: Int
  /// Chunks in which nothing is handed out, resident as huge pages and in the ledger: opened before others.
  private var ready: [Int] = []
  /// What was freed in plain chunks. Still in the ledger, and for the buddies handed out.
  private var loose: LooseBlocks
  /// Free bytes in huge chunks that are open: resident, in the ledger, nobody's.
  private var freeHugeBytes = 0
  private var trimHand = 0

  static var unitBytes: Int { AddressRange.pageBytes }
  static var topOrder: Int { 9 }

  init(rangeBytes: Int, hugeFromBytes: Int, ledger: Ledger) {
    range = AddressRange(bytes: rangeBytes)
    unsafe base = range.base
    buddy = Buddy(unitCount: range.bytes / ChunkPool.unitBytes, topOrder: ChunkPool.topOrder)
    unsafe orders = buddy.orders
    isHuge = Array(repeating: false, count: range.bytes / AddressRange.chunkBytes)
    handedBytes = Array(repeating: 0, count: range.bytes / AddressRange.chunkBytes)
    hugeFromCount = hugeFromBytes / AddressRange.chunkBytes
    loose = LooseBlocks(topOrder: ChunkPool.topOrder, ledger: ledger)
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
    if let block = handOut(loose.take(order: order)) { return block.unit }
    while true {
      if let unit = cut(order: order, within: limit) { return unit }
      guard let block = handOut(loose.takeLargest()) else { return nil }
      giveBack(block)
    }
  }

  /// A loose block that is somebody's again: who has asked for one, or who gives it back.
  private func handOut(_ block: LooseBlocks.Block?) -> LooseBlocks.Block? {
    guard let block else { return nil }
    handedBytes[block.unit >> ChunkPool.topOrder] += Int32(block.bytes)
    return block
  }

  private func cut(order: Int, within limit: Int?) -> Int? {
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
    guard let first = ready.last.map({ $0 << ChunkPool.topOrder }) ?? buddy.nextTop else { return nil }
    let end = (first + 1 << ChunkPool.topOrder) * ChunkPool.unitBytes
    if end > range.committedBytes || ledger.commitsLeft.load(ordering: .relaxed) != .max {
      guard ledger.mayCommit(), range.commit(upTo: end) else { return nil }
    }
    let chunk = first >> ChunkPool.topOrder
    if ready.popLast() != nil {
      isHuge[chunk] = true
      freeHugeBytes += AddressRange.chunkBytes - bytes
    } else if !ledger.take(bytes, within: limit) {
      return nil
    }
    openCount += 1
    handedBytes[chunk] = Int32(bytes)
    return buddy.takeTop(first, order: order)
  }

  /// Asks nothing of the system.
  func free(_ unit: Int, order: Int) {
    lock.lock()
    defer { lock.unlock() }
    let block = LooseBlocks.Block(unit: unit, order: order, bytes: ChunkPool.bytes(order: order))
    if isHuge[unit >> ChunkPool.topOrder] {
      settle(block)
    } else {
      handedBytes[unit >> ChunkPool.topOrder] -= Int32(block.bytes)
      loose.append(block)
    }
  }

  /// Nobody has a block any more: it leaves the ledger, if it is not of a huge page, and merges with its neighbours. Under the lock.
  private func settle(_ block: LooseBlocks.Block) {
    let chunk = block.unit >> ChunkPool.topOrder
    handedBytes[chunk] -= Int32(block.bytes)
    if isHuge[chunk] { freeHugeBytes += block.bytes } else { ledger.subtract(block.bytes) }
    guard buddy.give(block.unit, order: block.order) else { return }
    openCount -= 1
    guard isHuge[chunk] else { return }
    isHuge[chunk] = false
    freeHugeBytes -= AddressRange.chunkBytes
    ready.append(chunk)
  }

  // MARK: Giving back

  /// Gives some of what was freed, 2 MiB at most, back to the system. False: there was nothing to give. For a thread that serves nobody;
  /// the lock is free meanwhile.
  func giveBackStep() -> Bool {
    var left = AddressRange.chunkBytes
    while left > 0, let block = lock.withLock({ handOut(loose.takeLargest()) }) {
      unsafe AddressRange.giveBack(base + block.unit * ChunkPool.unitBytes, block.bytes)
      lock.withLock { settle(block) }
      left -= block.bytes
    }
    if left < AddressRange.chunkBytes { return true }
    guard let chunk = withdrawReady() else { return false }
    discard(chunk)
    lock.withLock {
      ledger.subtract(AddressRange.chunkBytes)
      _ = buddy.give(chunk << ChunkPool.topOrder, order: ChunkPool.topOrder)
    }
    return true
  }

  /// An empty chunk more than the one that should be ready, if any should. For the buddies it is handed out.
  private func withdrawReady() -> Int? {
    lock.lock()
    defer { lock.unlock() }
    guard ready.count > (openCount < hugeFromCount ? 0 : 1) else { return nil }
    let chunk = ready.removeFirst()
    return buddy.takeTop(chunk << ChunkPool.topOrder, order: ChunkPool.topOrder) >> ChunkPool.topOrder
  }

  /// Under the lock.
  private func giveBack(_ block: LooseBlocks.Block) {
    unsafe AddressRange.giveBack(base + block.unit * ChunkPool.unitBytes, block.bytes)
    settle(block)
  }

  /// Gives what was freed in a chunk back before it becomes huge. Under the lock.
  private func giveBackLoose(in chunk: Int) {
    let first = chunk << ChunkPool.topOrder
    while let block = handOut(loose.take(in: first..<first + 1 << ChunkPool.topOrder)) { giveBack(block) }
  }

  /// Under the lock.
  private func giveBackReady() {
    for chunk in ready {
      discard(chunk)
      ledger.subtract(AddressRange.chunkBytes)
    }
    ready.removeAll()
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
  /// do. The system takes milliseconds to clear it: meanwhile the lock is free, but this thread is not. Nobody gets that chunk before: whoever
  /// touched it would clear a huge page of his own.
  ///
  /// `meanwhile`: what others do, for tests.
  func prepare(meanwhile: () -> Void = {}) -> Bool {
    guard let first = takeNext() else { return false }
    meanwhile()
    unsafe AddressRange.populate(base + first * ChunkPool.unitBytes)
    lock.withLock {
      _ = buddy.give(first, order: ChunkPool.topOrder)
      ready.append(first >> ChunkPool.topOrder)
    }
    return true
  }

  /// The chunk to be opened next, in the ledger; for the buddies it is handed out.
  private func takeNext() -> Int? {
    lock.lock()
    defer { lock.unlock() }
    guard openCount >= hugeFromCount, ready.isEmpty, let first = buddy.nextTop else { return nil }
    let end = (first + 1 << ChunkPool.topOrder) * ChunkPool.unitBytes
    guard ledger.mayCommit(), ledger.take(AddressRange.chunkBytes, within: ledger.limitBytes) else { return nil }
    if range.commit(upTo: end) { return buddy.takeTop(first, order: ChunkPool.topOrder) }
    ledger.subtract(AddressRange.chunkBytes)
    return nil
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
    giveBackLoose(in: chunk)
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

  /// The order of the block handed out that holds `unit`; the caller owns that block, whose notes do not change: no lock.
  @inline(__always)
  func order(of unit: Int) -> Int { Int(unsafe orders[unit]) }

  /// Gives about `wanted` bytes of what was freed back to the system: plain blocks, empty huge pages, then free parts of huge pages, whose
  /// chunks are plain pages then. Returns how many.
  func trim(_ wanted: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    let chunkCount = buddy.end >> ChunkPool.topOrder
    var given = 0
    while given < wanted, let block = handOut(loose.takeLargest()) {
      giveBack(block)
      given += block.bytes
    }
    if given < wanted {
      given += ready.count * AddressRange.chunkBytes
      giveBackReady()
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
