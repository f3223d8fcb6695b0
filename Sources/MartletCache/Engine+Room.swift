/// Room for what is written: taken from what is left, else from what is dead, else from what is used least. Engine.

internal import MartletBytes
internal import Synchronization

extension Engine {
  /// What is evicted from one shard before the next one has its turn, so that a large value does not empty a single shard.
  private static var turnBytes: Int { 64 << 10 }

  /// Enters `bytes` for a value apart in the ledger, making room as needed. False: there is none, and nothing is entered.
  func takeRoom(_ bytes: Int, own: Int, held: ShardSet, protecting hash: UInt64?, at now: UnixTime) -> Bool {
    if bytes > limitBytes { return false }
    return makeRoom(own: own, held: held, protecting: hash, at: now) { over in
      if memory.ledger.take(bytes, within: limitBytes) { return true }
      // What was freed is of no use to it where it lies.
      over = memory.ledger.usedBytes + bytes - limitBytes
      return memory.trim(over) > 0 && memory.ledger.take(bytes, within: limitBytes)
    }
  }

  /// Sees to it that the open segment of a queue of shard `own` takes `bytes` more.
  func openSegment(
    for bytes: Int, _ queue: SegmentQueue.Kind, own: Int, held: ShardSet, protecting hash: UInt64, at now: UnixTime
  ) -> Bool {
    makeRoom(own: own, held: held, protecting: hash, at: now) { over in
      let shard = unsafe shard(own)
      if unsafe shard.pointee.log.open(queue, for: bytes) != nil { return true }
      let wanted = unsafe shard.pointee.log.order(for: bytes)
      over = ChunkPool.bytes(order: wanted)
      let excess = memory.ledger.usedBytes - limitBytes
      if excess > 0 {
        over += excess
        _ = memory.trim(excess)
      }
      // Without eviction the last bytes are used, too.
      let least = evicts ? wanted : ChunkPool.order(of: bytes + Segment.headBytes)
      repeat {
        for order in (least...wanted).reversed() {
          guard let unit = memory.segments.allocate(order: order, within: limitBytes) else { continue }
          unsafe shard.pointee.log.begin(unit, order: order, queue)
          return true
        }
      } while memory.blocks.giveBackStep() > 0
      return false
    }
  }

  /// Calls `isMade` until it says yes, and makes room in between: what was removed and not freed yet, then evictions: from the entry's own
  /// shard while that holds its share, and from the others in turn, which are only tried, never waited for (their locks may come before
  /// ours in order). `isMade` says how much is missing. False: nothing more can be done.
  private func makeRoom(
    own: Int, held: ShardSet, protecting hash: UInt64?, at now: UnixTime, _ isMade: (_ over: inout Int) -> Bool
  ) -> Bool {
    var over = 0
    if isMade(&over) { return true }
    while trash.freeStep() { if isMade(&over) { return true } }
    unsafe shard(own).pointee.protectedHash = hash
    defer { unsafe shard(own).pointee.protectedHash = nil }
    unsafe shard(own).pointee.expireDue(at: now)
    if isMade(&over) { return true }
    if !evicts { return compact(own: own, at: now, isMade) }
    var victim = own
    var fruitless = 0
    while fruitless <= 2 * shardCount {
      let wanted = min(max(over, 1), Engine.turnBytes)
      var freed = 0
      if victim == own {
        let holdsItsShare = unsafe shard(own).pointee.bytes * shardCount >= memory.ledger.usedBytes / 4 * 3
        if holdsItsShare || fruitless >= shardCount { freed = unsafe shard(own).pointee.evict(bytes: wanted, at: now) }
      } else if held.contains(victim) {
        freed = unsafe shard(victim).pointee.evict(bytes: wanted, at: now)
      } else if tryLock(victim) {
        freed = unsafe shard(victim).pointee.evict(bytes: wanted, at: now)
        unlock(victim)
      }
      fruitless = freed > 0 ? 0 : fruitless + 1
      if isMade(&over) { return true }
      victim = (victim + 1) & (shardCount - 1)
    }
    return false
  }

  /// Without eviction: what is dead in the own shard's log makes room.
  private func compact(own: Int, at now: UnixTime, _ isMade: (_ over: inout Int) -> Bool) -> Bool {
    var over = 0
    while unsafe shard(own).pointee.log.deadBytes > 0, unsafe shard(own).pointee.compactStep(isEager: true, at: now) != nil {
      if isMade(&over) { return true }
    }
    return isMade(&over)
  }
}

/// What was removed all at once, freed a little at a time.
final class Trash: @unchecked Sendable {
  private let memory: Memory
  private let lock = ShardLock()
  private var remains: [Remains] = []
  /// `remains.count`, to be asked without the lock.
  private let count = Atomic<Int>(0)

  init(memory: Memory) { self.memory = memory }

  func add(_ more: Remains) {
    lock.lock()
    remains.append(more)
    count.store(remains.count, ordering: .relaxed)
    lock.unlock()
  }

  /// Frees a segment, or as much of a table. False: there is nothing.
  func freeStep() -> Bool {
    if count.load(ordering: .relaxed) == 0 { return false }
    lock.lock()
    defer { lock.unlock() }
    guard let last = remains.last else { return false }
    if last.freeStep(memory) { remains.removeLast() }
    count.store(remains.count, ordering: .relaxed)
    return true
  }
}
