/// What all shards have in common: the array of them, which one a hash belongs to, and the one ledger of bytes. Engine.
///
/// Lives in a heap cell that `CacheStore` owns, and is reached by pointer, so that the path of a get retains nothing.

internal import MartletBytes
internal import Synchronization

/// Where everything of one store gets its memory, and the account of it.
final class Memory: Sendable {
  let ledger: Ledger
  let segments: ChunkPool
  let tables: TablePool
  let blocks: BlockPool

  init(limitBytes: Int) {
    ledger = Ledger(limitBytes: limitBytes)
    // Addresses cost nothing: twice the limit, since free places are scattered, and four times for blocks of powers of two. Slots
    // count 37 bits of pairs of bytes.
    let chunk = AddressRange.chunkBytes
    segments = ChunkPool(rangeBytes: min(limitBytes * 2 + 32 * chunk, 1 << 38), hugeFromBytes: 256 << 20, ledger: ledger)
    tables = TablePool(pool: ChunkPool(rangeBytes: limitBytes + 32 * chunk, hugeFromBytes: 64 << 20, ledger: ledger))
    blocks = BlockPool(rangeBytes: limitBytes * 4 + 256 * chunk, ledger: ledger)
  }

  /// Gives some of what was freed back to the system, and has it lay a huge page more of each kind: ready for what comes, or under what is full.
  /// Both each time, since a cache that is full frees without end. False: there is nothing to do.
  func step() -> Bool {
    var isBusy = blocks.giveBackStep() > 0
    for pool in [segments, tables.pool] {
      if pool.giveBackStep() { isBusy = true }
      if pool.layHugePage() { isBusy = true }
    }
    return isBusy
  }

  /// Gives about `wanted` bytes of what was freed back at once, for who finds no room; how many.
  func trim(_ wanted: Int) -> Int {
    var given = 0
    while given < wanted {
      let bytes = blocks.giveBackStep()
      if bytes == 0 { break }
      given += bytes
    }
    if given < wanted { given += segments.trim(wanted - given) }
    if given < wanted { given += tables.pool.trim(wanted - given) }
    return given
  }
}

@safe @usableFromInline
struct Engine: ~Copyable {
  /// `shardCount` initialised shards, from `init` to `deinit`.
  private let shards: UnsafeMutablePointer<Shard>
  /// A lock for each, beside and not inside: a shard is touched by nobody but who holds its lock. Owned likewise.
  private let locks: UnsafeMutablePointer<LineLock>
  let memory: Memory
  /// Where the locations in slots count from, in all shards.
  private let logBase: UnsafeMutableRawPointer
  /// What was removed at once and is freed bit by bit.
  let trash: Trash
  let shardCount: Int
  private let shardBits: Int
  let hasher: KeyHasher
  let limitBytes: Int
  let valueBytesMax: Int
  let evicts: Bool
  let tags: TagRegistry
  let tagSweep = TagSweep()
  let leases: LeaseOffice
  /// Set once, by the store that owns this.
  var owner: Unmanaged<CacheStore>?
  /// Whose turn it is in `expireStep`.
  let expiryTurn = Atomic<Int>(0)

  init(options: CacheStore.Options) {
    shardCount = Engine.shardCount(options)
    shardBits = shardCount.trailingZeroBitCount
    hasher = KeyHasher(hasher: options.hashSeed.map { SeededHash(seed: $0) } ?? SeededHash())
    limitBytes = options.limitBytes
    valueBytesMax = options.valueBytesMax
    evicts = options.eviction == .s3fifo
    tags = TagRegistry(hasher: hasher.hasher, limitBytes: options.limitBytes)
    leases = LeaseOffice(limitBytes: options.limitBytes)
    let seed = options.hashSeed ?? .random(in: .min ... .max)
    memory = Memory(limitBytes: options.limitBytes)
    unsafe logBase = memory.segments.base
    trash = Trash(memory: memory)
    unsafe shards = Engine.alignedToLines(shardCount)
    unsafe locks = Engine.alignedToLines(shardCount)
    for index in 0..<shardCount {
      unsafe (locks + index).initialize(to: LineLock())
      unsafe (shards + index).initialize(
        to: Shard(
          bits: shardBits, hasher: hasher, versionOrigin: options.versionOrigin, memory: memory, tags: tags, leases: leases,
          seed: seed &+ UInt64(index)))
    }
  }

  /// Room for some values that begins with a cache line. Of a type whose size is a multiple of a line's each then does.
  @unsafe
  private static func alignedToLines<Value: ~Copyable>(_ count: Int) -> UnsafeMutablePointer<Value> {
    unsafe UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Value>.stride, alignment: 64)
      .bindMemory(to: Value.self, capacity: count)
  }

  /// What a shard needs at least, to have room for more than its open segments.
  private static var shardBytesMin: Int { 64 << 10 }

  /// As many as were asked for, or fewer for a limit that is small.
  private static func shardCount(_ options: CacheStore.Options) -> Int {
    var count = options.shardCount
    while count > 1, options.limitBytes / count < shardBytesMin { count /= 2 }
    return count
  }

  /// Nobody else holds the store any more: pins and reservations keep it alive. The memory goes with its ranges of addresses.
  deinit {
    unsafe locks.deinitialize(count: shardCount)
    unsafe locks.deallocate()
    unsafe shards.deinitialize(count: shardCount)
    unsafe shards.deallocate()
  }

  // MARK: Shards

  /// The shard at `index`, below `shardCount`; whoever reads or changes it holds its lock.
  @unsafe @inline(__always)
  func shard(_ index: Int) -> UnsafeMutablePointer<Shard> { unsafe shards + index }

  @inline(__always)
  func shardIndex(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: (hash &>> 1) &>> UInt64(truncatingIfNeeded: 63 &- shardBits))
  }

  /// A hash's tag in its shard's table.
  @inline(__always)
  func tag(_ hash: UInt64) -> UInt32 { Slot.tag(hash, shardBits: shardBits) }

  /// The entry of a slot of any shard.
  @inline(__always)
  func entry(_ slot: Slot) -> Entry { unsafe Entry(base: logBase + slot.location &* 2) }

  /// Runs `body` on one shard, locked.
  func withLock<Result: ~Copyable>(_ index: Int, _ body: (inout Shard) -> Result) -> Result {
    lock(index)
    defer { unlock(ShardSet(index)) }
    return unsafe body(&shard(index).pointee)
  }

  @inline(__always)
  private func lock(_ index: Int) { unsafe locks[index].lock.lock() }

  @inline(__always)
  func unlock(_ index: Int) { unsafe locks[index].lock.unlock() }

  func tryLock(_ index: Int) -> Bool { unsafe locks[index].lock.tryLock() }

  func lock(_ set: ShardSet) { set.forEach { lock($0) } }

  /// Unlocks; where something has happened for which somebody waits, that is settled first, and told afterwards.
  func unlock(_ set: ShardSet) {
    var newsworthy = ShardSet()
    set.forEach { index in
      if unsafe shard(index).pointee.interests.hasNews { newsworthy.insert(index) } else { unlock(index) }
    }
    if newsworthy.isEmpty { return }
    let news = takeNews(of: newsworthy)
    newsworthy.forEach { unlock($0) }
    news.deliver()
  }
}

/// A lock that has a cache line of its own, so that two threads with two locks do not slow each other down.
struct LineLock: ~Copyable {
  let lock = ShardLock()
  private let padding = InlineArray<63, UInt8>(repeating: 0)
}

/// A set of shards, locked together in ascending order.
@usableFromInline
package struct ShardSet: Sendable, Equatable {
  private var bits: UInt64 = 0

  package init() {}

  /// Of one shard. (An index is below 64: nothing is shifted out.)
  @inline(__always)
  init(_ index: Int) { bits = 1 &<< UInt64(truncatingIfNeeded: index) }

  init(all count: Int) { bits = count == 64 ? .max : 1 << UInt64(count) - 1 }

  var isEmpty: Bool { bits == 0 }

  mutating func insert(_ index: Int) { formUnion(ShardSet(index)) }

  @inline(__always)
  func contains(_ index: Int) -> Bool { bits & ShardSet(index).bits != 0 }

  @inline(__always)
  package mutating func formUnion(_ other: ShardSet) { bits |= other.bits }

  @inline(__always)
  func forEach(_ body: (Int) -> Void) {
    var rest = bits
    while rest != 0 {
      body(rest.trailingZeroBitCount)
      rest &= rest - 1
    }
  }
}
