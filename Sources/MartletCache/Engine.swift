/// What all shards have in common: the array of them, which one a hash belongs to, and the one ledger of bytes. Engine.
///
/// Lives in a heap cell that `CacheStore` owns, and is reached by pointer, so that the path of a get retains nothing.

internal import MartletBytes
internal import Synchronization

@safe @usableFromInline
struct Engine: ~Copyable {
  /// `shardCount` initialised shards, from `init` to `deinit`.
  private let shards: UnsafeMutablePointer<Shard>
  /// A lock for each, beside and not inside: a shard is touched by nobody but who holds its lock. Owned; unmanaged, since a retain and
  /// a release would cost as much as the lock itself.
  private let locks: UnsafeMutablePointer<Unmanaged<ShardLock>>
  /// Bytes of all entries (linked, reserved, or pinned) and tables.
  private let ledger: UnsafeMutablePointer<Atomic<Int>>
  let pool: PagePool
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
    shardCount = options.shardCount
    shardBits = options.shardCount.trailingZeroBitCount
    hasher = KeyHasher(hasher: options.hashSeed.map { SeededHash(seed: $0) } ?? SeededHash())
    limitBytes = options.limitBytes
    valueBytesMax = options.valueBytesMax
    evicts = options.eviction == .s3fifo
    tags = TagRegistry(hasher: hasher.hasher)
    leases = LeaseOffice()
    let seed = options.hashSeed ?? .random(in: .min ... .max)
    unsafe ledger = .allocate(capacity: 1)
    unsafe ledger.initialize(to: Atomic(0))
    pool = unsafe PagePool(ledger: ledger)
    unsafe shards = .allocate(capacity: shardCount)
    unsafe locks = .allocate(capacity: shardCount)
    for index in 0..<shardCount {
      unsafe (locks + index).initialize(to: .passRetained(ShardLock()))
      unsafe (shards + index).initialize(
        to: Shard(
          bits: shardBits, hasher: hasher, versionOrigin: options.versionOrigin, pool: pool, ledger: ledger, tags: tags,
          leases: leases, seed: seed &+ UInt64(index)))
    }
  }

  /// Nobody else holds the store any more: pins and reservations keep it alive.
  deinit {
    for index in 0..<shardCount {
      _ = Shard.free(unsafe shards[index].takeTable())
    }
    for index in 0..<shardCount { unsafe locks[index].release() }
    unsafe locks.deallocate()
    unsafe shards.deinitialize(count: shardCount)
    unsafe shards.deallocate()
    unsafe ledger.deinitialize(count: 1)
    unsafe ledger.deallocate()
  }

  // MARK: Shards

  /// The shard at `index`, below `shardCount`; whoever reads or changes it holds its lock.
  @unsafe @inline(__always)
  func shard(_ index: Int) -> UnsafeMutablePointer<Shard> { unsafe shards + index }

  @inline(__always)
  func shardIndex(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: (hash &>> 1) &>> UInt64(63 &- shardBits)) }

  /// Runs `body` on one shard, locked.
  func withLock<Result: ~Copyable>(_ index: Int, _ body: (inout Shard) -> Result) -> Result {
    lock(index)
    defer { unlock(ShardSet(index)) }
    return unsafe body(&shard(index).pointee)
  }

  @inline(__always)
  private func lock(_ index: Int) { unsafe locks[index]._withUnsafeGuaranteedRef { $0.lock() } }

  @inline(__always)
  private func unlock(_ index: Int) { unsafe locks[index]._withUnsafeGuaranteedRef { $0.unlock() } }

  private func tryLock(_ index: Int) -> Bool { unsafe locks[index]._withUnsafeGuaranteedRef { $0.tryLock() } }

  func lock(_ set: ShardSet) { set.forEach { lock($0) } }

  /// Unlocks, and then tells those for whom something has happened under the locks.
  func unlock(_ set: ShardSet) {
    var hasNews = false
    set.forEach { index in if unsafe shard(index).pointee.interests.hasNews { hasNews = true } }
    let news = hasNews ? takeNews(of: set) : nil
    set.forEach { unlock($0) }
    news?.deliver()
  }

  // MARK: The ledger

  var usedBytes: Int { unsafe ledger.pointee.load(ordering: .relaxed) }

  /// Enters `bytes` without asking for room.
  func enter(_ bytes: Int) { unsafe _ = ledger.pointee.add(bytes, ordering: .relaxed) }

  func giveBack(_ bytes: Int) { unsafe _ = ledger.pointee.subtract(bytes, ordering: .relaxed) }

  /// Enters `bytes` in the ledger for an entry of shard `own`, evicting as needed. `returning`: what will leave it when the new entry
  /// replaces `replaced`, which is not evicted meanwhile. False: no room, nothing entered.
  func takeRoom(_ bytes: Int, returning: Int = 0, replaced: Place? = nil, own: Int, held: ShardSet, at now: UnixTime) -> Bool {
    let used = unsafe ledger.pointee.add(bytes, ordering: .relaxed).newValue
    if used - returning <= limitBytes { return true }
    let target = limitBytes + returning
    unsafe shard(own).pointee.protect(replaced)
    let isMade = makeRoom(target, own: own, held: held, at: now)
    unsafe shard(own).pointee.protect(nil)
    if !isMade { giveBack(bytes) }
    return isMade
  }

  /// What is evicted from one shard before the next one has its turn, so that a large value does not empty a single shard.
  private static var turnBytes: Int { 64 << 10 }

  /// Evicts until the ledger is at `target` or below: from the entry's own shard while that holds its share, then from the
  /// others in turn, which are only tried, never waited for (their locks may come before ours in order). Where the others are
  /// busy the limit may be passed, by one value; the next put makes up for it.
  private func makeRoom(_ target: Int, own: Int, held: ShardSet, at now: UnixTime) -> Bool {
    guard evicts else {
      var budget = 4 * Page.slotCount
      while usedBytes > target, budget > 0, unsafe !shard(own).pointee.expireStep(at: now, budget: &budget).isDone {}
      return usedBytes <= target
    }
    var victim = own
    var fruitless = 0
    var someoneWasBusy = false
    while true {
      let over = usedBytes - target
      if over <= 0 { return true }
      if fruitless > 2 * shardCount { return someoneWasBusy }
      let wanted = min(over, Engine.turnBytes)
      var freed = 0
      if victim == own {
        let holdsItsShare = unsafe shard(own).pointee.bytes * shardCount >= usedBytes / 4 * 3
        if holdsItsShare || fruitless >= shardCount { freed = unsafe shard(own).pointee.evict(bytes: wanted, at: now) }
      } else if held.contains(victim) {
        freed = unsafe shard(victim).pointee.evict(bytes: wanted, at: now)
      } else if tryLock(victim) {
        freed = unsafe shard(victim).pointee.evict(bytes: wanted, at: now)
        unlock(victim)
      } else {
        someoneWasBusy = true
      }
      fruitless = freed > 0 ? 0 : fruitless + 1
      victim = (victim + 1) & (shardCount - 1)
    }
  }
}

/// A set of shards, locked together in ascending order.
@usableFromInline
package struct ShardSet: Sendable, Equatable {
  private var bits: UInt64 = 0

  package init() {}

  init(_ index: Int) { bits = 1 << UInt64(index) }

  init(all count: Int) { bits = count == 64 ? .max : 1 << UInt64(count) - 1 }

  mutating func insert(_ index: Int) { bits |= 1 << UInt64(index) }

  func contains(_ index: Int) -> Bool { bits & 1 << UInt64(index) != 0 }

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
