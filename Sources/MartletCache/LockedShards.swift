/// Where the verbs live: the shards of a set of keys, locked together for as long as this value is lent.
///
/// Single-key calls of `CacheStore` are sugar over it; batches, MULTI/EXEC, MSETNX, RENAME need no second mechanism to be atomic.
/// A key whose shard is not among the locked ones is a mistake of the caller and stops the process.

public import MartletBytes

@safe @usableFromInline
package struct LockedShards: ~Copyable {
  /// The store outlives the loan. Not mutable: what changes are the shards, each under its lock, never the engine as a whole.
  let engine: UnsafePointer<Engine>
  let held: ShardSet

  /// Takes the locks, in ascending order.
  @usableFromInline
  init(engine: UnsafePointer<Engine>, locking set: ShardSet) {
    unsafe self.engine = unsafe engine
    held = set
    unsafe engine.pointee.lock(set)
  }

  @usableFromInline
  deinit { unsafe engine.pointee.unlock(held) }

  /// The hash of a key, and the index of its shard, which must be held.
  @inline(__always)
  func locate(_ key: RawSpan, _ database: UInt8) -> (hash: UInt64, shard: Int) {
    let hash = unsafe engine.pointee.hasher.hash(key, database: database)
    let shard = unsafe engine.pointee.shardIndex(hash)
    precondition(held.contains(shard), "a key outside of the locked shards")
    return (hash, shard)
  }

  // MARK: Reading

  /// Lends the entry of `key` to `body`; nil if there is none. Counts a hit or a miss, and a use.
  ///
  /// `allowsStale`: also an entry past its expiry that is kept until its `staleUntil`.
  @inlinable
  package mutating func get<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: true, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  /// As `get`, but neither counts nor notes the use.
  @inlinable
  package mutating func peek<Result: ~Copyable, Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, allowsStale: Bool = false, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: false, at: now) else { return nil }
    return try body(EntryView(entry))
  }

  @usableFromInline
  mutating func find(_ key: RawSpan, database: UInt8, allowsStale: Bool, counts: Bool, at now: UnixTime) -> Entry? {
    let (hash, index) = locate(key, database)
    let place: Place?
    switch unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now) {
    case .absent: place = nil
    case .live(let live): place = live
    case .stale(let stale): place = allowsStale ? stale : nil
    }
    if counts { unsafe engine.pointee.shard(index).pointee.hotKeys.note(key, database, hash: hash) }
    guard let place else {
      if counts { unsafe engine.pointee.shard(index).pointee.counters.misses += 1 }
      return nil
    }
    if counts {
      unsafe engine.pointee.shard(index).pointee.counters.hits += 1
      unsafe engine.pointee.shard(index).pointee.use(place)
    }
    return place.entry
  }

  /// Whether there is an entry; notes its use, counts nothing (TOUCH).
  package mutating func touch(_ key: RawSpan, database: UInt8 = 0, at now: UnixTime) -> Bool {
    let (hash, index) = locate(key, database)
    guard let place = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace else {
      return false
    }
    unsafe engine.pointee.shard(index).pointee.use(place)
    return true
  }

  /// Reads what the verbs of a batch will read, in two passes of independent loads (table, then entries), so that the machine waits
  /// for memory once and not once per key. Changes nothing.
  package borrowing func prefetch(_ batch: inout KeyBatch) {
    var first = 0
    while first < batch.count {
      let read = prefetch(batch, from: first, to: min(first + ReadAhead.countMax, batch.count))
      batch.witness &+= read
      first += ReadAhead.countMax
    }
  }

  /// First all addresses, then all reads: between two reads stand only a few instructions, so that the processor has all of them under
  /// way before the first has come back.
  private borrowing func prefetch(_ batch: borrowing KeyBatch, from first: Int, to end: Int) -> UInt64 {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 3 * ReadAhead.words) { memory in
      guard let words = memory.baseAddress else { return 0 }
      var lines = unsafe ReadAhead(words)
      for index in first..<end {
        let hash = batch.hashes[index]
        let shard = unsafe engine.pointee.shardIndex(hash)
        guard held.contains(shard), let line = unsafe engine.pointee.shard(shard).pointee.table.homeLine(hash) else { continue }
        unsafe lines.append(line.base, hash)
      }
      var sum = lines.read()
      var nextLines = unsafe ReadAhead(words + ReadAhead.words)
      var entries = unsafe ReadAhead(words + 2 * ReadAhead.words)
      for index in 0..<lines.count {
        let line = Line(lines, index)
        let hash = lines.hash(index)
        let shard = unsafe engine.pointee.shardIndex(hash)
        if let entry = unsafe engine.pointee.shard(shard).pointee.table.likelyEntry(hash, in: line) {
          entries.append(entry, hash)
        } else if line.overflow > 0 {
          unsafe nextLines.append(engine.pointee.shard(shard).pointee.table.homeLine(hash, plus: 1).base, hash)
        }
      }
      sum &+= nextLines.read()
      for index in 0..<nextLines.count {
        let hash = nextLines.hash(index)
        let shard = unsafe engine.pointee.shardIndex(hash)
        if let entry = unsafe engine.pointee.shard(shard).pointee.table.likelyEntry(hash, in: Line(nextLines, index)) {
          entries.append(entry, hash)
        }
      }
      return sum &+ entries.read()
    }
  }
}

/// Addresses to be read one after the other, and what they were found by, in memory that the caller lends: an `InlineArray` would be
/// copied whole at each look at it, and keep the reads from overlapping.
@safe
private struct ReadAhead {
  static var countMax: Int { 16 }
  /// Two addresses for each key, and a hash for each address.
  static var words: Int { 4 * countMax }
  private let addresses: UnsafeMutablePointer<UInt64>
  private(set) var count = 0

  /// `words` words from there on are this value's.
  @unsafe
  init(_ memory: UnsafeMutablePointer<UInt64>) { unsafe addresses = unsafe memory }

  @unsafe @inline(__always)
  mutating func append(_ address: UnsafeMutableRawPointer, _ hash: UInt64) {
    precondition(count < 2 * ReadAhead.countMax, "more is read ahead than there is room for")
    unsafe addresses[count] = UInt64(UInt(bitPattern: address))
    unsafe addresses[2 * ReadAhead.countMax + count] = hash
    count &+= 1
  }

  /// The line in which an entry begins, and the one behind it, where most end.
  @inline(__always)
  mutating func append(_ entry: Entry, _ hash: UInt64) {
    unsafe append(entry.base, hash)
    let address = unsafe UInt(bitPattern: entry.base)
    // Not beyond the page of memory.
    if address & 4095 < 4032 { unsafe append(entry.base + 64, hash) }
  }

  func hash(_ index: Int) -> UInt64 { unsafe addresses[2 * ReadAhead.countMax + index] }

  @unsafe @inline(__always)
  func address(_ index: Int) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(addresses[index])).unsafelyUnwrapped
  }

  /// Each address is of a line or an entry of a shard that is held, or 64 bytes further in the same page of memory.
  @inline(__always)
  func read() -> UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count { sum &+= unsafe UInt64(address(index).load(as: UInt8.self)) }
    return sum
  }
}

extension Line {
  fileprivate init(_ lines: ReadAhead, _ index: Int) { unsafe self.init(base: lines.address(index)) }
}

/// The keys of a batch, hashed: which shards to lock, and what to read ahead. Keeps its memory from batch to batch.
@usableFromInline
package struct KeyBatch: ~Copyable {
  private(set) var hashes: [UInt64] = []
  /// The sum of all that was read ahead. Nobody asks for it; without it the compiler would see that nobody needs the reads, and leave
  /// them out.
  fileprivate(set) var witness: UInt64 = 0
  /// The shards of all keys so far.
  @usableFromInline package private(set) var shards = ShardSet()

  package init() {}

  package var count: Int { hashes.count }

  package mutating func removeAll() {
    hashes.removeAll(keepingCapacity: true)
    shards = ShardSet()
  }

  package mutating func append(_ key: RawSpan, database: UInt8 = 0, of store: CacheStore) {
    let hash = store.hash(key, database)
    hashes.append(hash)
    shards.formUnion(store.shards(hash: hash))
  }
}
