/// Which tags have been invalidated, and when: one counter of the process for the time, two marks for each tag.
///
/// The problem: a tag may stand on a million entries, and invalidating it must neither find them nor wait for them. So nothing is
/// written to entries. Each invalidation moves `counter`; the tag's record keeps the counter of its last hard and its last soft
/// invalidation; an entry with tags keeps the counter of its write (`TagStamp`). Whoever looks at the entry compares.
///
/// What a look at an entry with tags costs, from the most to the least frequent case:
/// 1. nothing was invalidated since its stamp: one atomic load;
/// 2. something was, but none of its tags: an atomic load per tag (`filter`, without a lock), and its stamp is raised so that the next
///    look is case 1 again;
/// 3. one of its tags was (or shares a place in the filter with one that was): the lock and the exact record.
///
/// How tags are forgotten. A sweep goes over all entries some time after an invalidation (`TagSweep`); what it meets is removed, or
/// marked as stale in its stamp, or has its stamp raised to the counter at which the round began. Entries written meanwhile have
/// younger stamps, except fills, which carry the stamp of a lease; and the round notes the oldest stamp of all leases. Hence: **when a
/// round is over, nothing refers to a time before both its beginning and the oldest lease it met, and records whose marks are not
/// later than that can go.** Records live in two generations; the older one goes as a whole. An idle registry holds no record.
///
/// The bound: if a generation fills up before rounds can empty it (`TagLimits.recordsMax` tags within one), the older
/// one goes all the same and `floor` rises to its last mark: entries from before then count as invalidated. Too much is forgotten by the
/// cache, never too little.
///
/// Tags are known by a seeded 64-bit hash. Two tags of one hash would be invalidated together: a needless miss, no wrong answer.

internal import MartletBytes
internal import Synchronization

/// When an entry was written, in invalidations; whether it has been found softly invalidated since.
@usableFromInline
struct TagStamp: Equatable {
  @usableFromInline let rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }
  init(_ counter: UInt64, isSoftened: Bool = false) { rawValue = counter << 1 | (isSoftened ? 1 : 0) }

  /// To be given when the entry is linked.
  static var open: TagStamp { TagStamp(rawValue: .max) }

  var counter: UInt64 { rawValue >> 1 }
  var isSoftened: Bool { rawValue & 1 != 0 }
}

enum TagLimits {
  /// Tags in one generation of records; there are two. Or one for each KiB of the store's limit if that is less (1024 at least).
  static var recordsMax: Int { 1 << 16 }
  /// Places of the filter, a power of two.
  static var filterCount: Int { 2048 }
}

@safe
final class TagRegistry: @unchecked Sendable {
  /// What invalidations have made of an entry, a fill, a placeholder.
  enum State: Equatable {
    case current
    /// A tag was softly invalidated.
    case softened
    case dead
  }

  /// Invalidations so far: the time that stamps and marks are counted in.
  let counter = Atomic<UInt64>(0)
  private let hasher: SeededHash
  private let recordsMax: Int
  /// By hash: no tag of that place has been invalidated after this mark. Owned; marks only rise.
  private let filter: UnsafeMutablePointer<Atomic<UInt64>>

  private let lock = ShardLock()
  // The rest is under the lock.
  private var records = TagRecords()
  private var hardCount: UInt64 = 0
  private var softCount: UInt64 = 0

  init(hasher: SeededHash, limitBytes: Int) {
    self.hasher = hasher
    recordsMax = min(TagLimits.recordsMax, max(1024, limitBytes >> 10))
    unsafe filter = .allocate(capacity: TagLimits.filterCount)
    for index in 0..<TagLimits.filterCount { unsafe (filter + index).initialize(to: Atomic(0)) }
  }

  deinit {
    unsafe filter.deinitialize(count: TagLimits.filterCount)
    unsafe filter.deallocate()
  }

  var now: UInt64 { counter.load(ordering: .acquiring) }

  // MARK: Invalidating

  /// Invalidates the tags of a list, all at one time. No look that begins after the return overlooks it.
  func invalidate(_ list: RawSpan, isSoft: Bool) {
    lock.lock()
    defer { lock.unlock() }
    let mark = counter.load(ordering: .relaxed) + 1
    TagList.forEach(of: list) { tag in
      let hash = hasher.hash(tag)
      records.mark(hash, mark, isSoft: isSoft, countMax: recordsMax)
      unsafe place(hash).pointee.store(mark, ordering: .relaxed)
      if isSoft { softCount += 1 } else { hardCount += 1 }
    }
    // Last: who has seen this counter sees what stands above.
    counter.store(mark, ordering: .releasing)
  }

  @unsafe
  private func place(_ hash: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe filter + Int(truncatingIfNeeded: hash & UInt64(TagLimits.filterCount - 1))
  }

  // MARK: Asking

  /// What has become, since `stamp`, of something with the tags of `list`.
  func state(of list: RawSpan, since stamp: UInt64) -> State {
    var isSuspect = false
    TagList.forEach(of: list) { tag in
      if unsafe place(hasher.hash(tag)).pointee.load(ordering: .relaxed) > stamp { isSuspect = true }
    }
    if !isSuspect { return .current }
    lock.lock()
    defer { lock.unlock() }
    return records.state(of: list, since: stamp, hasher)
  }

  // MARK: Forgetting

  /// Nothing refers to a time before `stamp` any more: drops what is known of the times until then.
  func forget(upTo stamp: UInt64) {
    lock.lock()
    defer { lock.unlock() }
    records.forget(upTo: stamp)
  }

  var statistics: TagStatistics {
    lock.withLock {
      TagStatistics(hardInvalidations: hardCount, softInvalidations: softCount, records: UInt64(records.count))
    }
  }
}

/// What the registry knows of tags, in two generations.
private struct TagRecords {
  private var young = TagMarks()
  private var old = TagMarks()
  /// Stamps below count as invalidated.
  private var floor: UInt64 = 0

  var count: Int { young.count + old.count }

  mutating func mark(_ hash: UInt64, _ mark: UInt64, isSoft: Bool, countMax: Int) {
    if young.count >= countMax { retireGeneration() }
    young.mark(hash, mark, isSoft: isSoft)
  }

  /// Makes room when rounds could not: what the old generation knew is replaced by the floor.
  private mutating func retireGeneration() {
    floor = max(floor, old.latestMark)
    old = young
    young = TagMarks()
  }

  func state(of list: RawSpan, since stamp: UInt64, _ hasher: SeededHash) -> TagRegistry.State {
    if stamp < floor { return .dead }
    var state = TagRegistry.State.current
    TagList.forEach(of: list) { tag in
      let hash = hasher.hash(tag)
      let marks = young.marks(hash)
      let before = old.marks(hash)
      if max(marks.hard, before.hard) > stamp { state = .dead }
      if state == .current, max(marks.soft, before.soft) > stamp { state = .softened }
    }
    return state
  }

  /// Drops what nothing refers to any more, a generation at a time.
  mutating func forget(upTo stamp: UInt64) {
    guard old.latestMark <= stamp else { return }
    old = young
    young = TagMarks()
    if old.latestMark <= stamp { old = TagMarks() }
  }
}

/// One generation of records: open addressing over 24-byte records, doubling at half full.
private struct TagMarks {
  private struct Record {
    /// 0: free.
    var hash: UInt64 = 0
    var hard: UInt64 = 0
    var soft: UInt64 = 0
  }

  private var records: [Record] = []
  private(set) var count = 0
  private(set) var latestMark: UInt64 = 0

  func marks(_ hash: UInt64) -> (hard: UInt64, soft: UInt64) {
    if count == 0 { return (0, 0) }
    let record = records[index(of: max(hash, 1))]
    return (record.hard, record.soft)
  }

  mutating func mark(_ hash: UInt64, _ mark: UInt64, isSoft: Bool) {
    let hash = max(hash, 1)
    if records.isEmpty { records = Array(repeating: Record(), count: 64) }
    var index = index(of: hash)
    if records[index].hash == 0 {
      if count * 2 >= records.count {
        grow()
        index = self.index(of: hash)
      }
      records[index].hash = hash
      count += 1
    }
    if isSoft { records[index].soft = mark } else { records[index].hard = mark }
    latestMark = mark
  }

  /// Where the record is, or would be.
  private func index(of hash: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: hash >> 11) & (records.count - 1)
    while records[index].hash != 0, records[index].hash != hash { index = (index + 1) & (records.count - 1) }
    return index
  }

  private mutating func grow() {
    let before = records
    records = Array(repeating: Record(), count: before.count * 2)
    for record in before where record.hash != 0 { records[index(of: record.hash)] = record }
  }
}
