/// One shard: a table, a log, their counters; everything here happens under its lock. Engine.
///
/// Knows nothing of conditions and errors: those are `LockedShards`. It does the linking and unlinking of entries, and each way
/// in or out passes the shard's `didChange` and the ledger.

internal import MartletBytes

@safe
struct Shard: ~Copyable {
  // What a read needs comes first, in few lines of memory.
  var table: Table
  /// What an entry that was stored or read of late takes in the log: a guess at what the next one does.
  private(set) var usualBytes = 0
  /// Which keys are read most. Not the engine's.
  var hotKeys: HotKeys
  var counters = Counters()
  var log: SegmentLog
  var ghosts: Ghosts
  var clock: ExpiryClock
  private var observers: [any CacheObserver] = []
  /// Leases with their waiters, watchers: who is to learn of changes. Not the engine's.
  var interests: Interests
  /// Which tags were invalidated when; the engine's own, outlives every shard.
  let tags: Unmanaged<TagRegistry>
  private(set) var lastVersion: UInt64
  /// Linked entries per database.
  private(set) var databaseCounts = InlineArray<16, Int>(repeating: 0)
  /// Linked entries that have a deadline.
  private(set) var deadlineCount = 0
  /// The same by database.
  private(set) var deadlineCounts = InlineArray<16, Int>(repeating: 0)
  /// The hash of an entry that must not be evicted now: it is about to be replaced.
  var protectedHash: UInt64?
  /// Where eviction and compaction go on (see there).
  var victim = SegmentWalk()
  var compaction = SegmentWalk()
  var search = SparseSearch()
  /// Of the two parts of `maintain`, the first is done.
  var isRoundOver = false
  /// Before this time a put that wants room does not look for expired entries again.
  var pressureTime = UnixTime(milliseconds: .min)

  private let hasher: KeyHasher
  let memory: Memory

  init(
    bits: Int, hasher: KeyHasher, versionOrigin: UnixTime, memory: Memory, tags: TagRegistry, leases: LeaseOffice, seed: UInt64
  ) {
    unsafe self.tags = unsafe .passUnretained(tags)
    interests = Interests(leases: leases, seed: seed)
    hotKeys = HotKeys(seed: seed)
    table = Table(shardBits: bits, memory: memory)
    log = SegmentLog(pool: memory.segments)
    ghosts = Ghosts(ledger: memory.ledger)
    clock = ExpiryClock(at: versionOrigin)
    self.hasher = hasher
    self.memory = memory
    lastVersion = Version.first(at: versionOrigin)
  }

  struct Counters {
    var hits: UInt64 = 0
    var misses: UInt64 = 0
    var sets: UInt64 = 0
    var deletes: UInt64 = 0
    var evictions: UInt64 = 0
    var expirations: UInt64 = 0
    var invalidations: UInt64 = 0
    /// Bytes of live entries that eviction and compaction copied.
    var movedBytes: UInt64 = 0
    var expiryLag = LatencyHistogram()
  }

  /// What the ledger holds for this shard.
  var bytes: Int { table.bytes + log.bytes + log.apartBytes + ghosts.bytes }

  // MARK: Looking

  enum Lookup {
    case absent
    /// Past its expiry or softly invalidated, kept for readers who take stale values.
    case stale(Place)
    case live(Place)

    var place: Place? {
      switch self {
      case .absent: nil
      case .stale(let place), .live(let place): place
      }
    }

    var livePlace: Place? {
      if case .live(let place) = self { place } else { nil }
    }
  }

  /// What there is for a key. Removes the entry if its time is over or one of its tags was invalidated.
  /// `bytes`: what it takes in the log, if the caller is about to write all of it and can guess.
  @inline(__always)
  mutating func look(for key: RawSpan, database: UInt8, hash: UInt64, bytes: Int = 0, at now: UnixTime) -> Lookup {
    guard let place = table.find(key, database: database, hash: hash, bytes: bytes) else { return .absent }
    return judged(place, at: now)
  }

  /// What an entry is worth now. Removes it if its time is over or one of its tags was invalidated.
  @inline(__always)
  mutating func judged(_ place: Place, at now: UnixTime) -> Lookup {
    if place.entry.fields.isDisjoint(with: [.expiry, .tags]) { return .live(place) }
    return judge(place, at: now)
  }

  /// Whether an entry may be served. Removes it if its time is over or one of its tags was invalidated.
  @inline(__always)
  mutating func isLive(_ place: Place, at now: UnixTime) -> Bool {
    if _fastPath(place.entry.fields.isDisjoint(with: [.expiry, .tags])) { return true }
    return judge(place, at: now).livePlace != nil
  }

  /// Removes an entry whose time is over or one of whose tags was invalidated. False: it stays.
  mutating func removeIfOver(_ place: Place, at now: UnixTime) -> Bool {
    if case .absent = judged(place, at: now) { true } else { false }
  }

  /// `judged`, for an entry with a deadline or tags.
  private mutating func judge(_ place: Place, at now: UnixTime) -> Lookup {
    var isSoftened = false
    if place.entry.fields.contains(.tags) {
      switch tagState(of: place.entry) {
      case .current: break
      case .softened: isSoftened = true
      case .dead:
        invalidate(place, at: now)
        return .absent
      }
    }
    if now < place.entry.expiry { return isSoftened ? .stale(place) : .live(place) }
    if now < place.entry.staleUntil { return .stale(place) }
    expire(place, at: now)
    return .absent
  }

  /// Notes a use, for eviction. Writes only while the count rises.
  @inline(__always)
  mutating func use(_ place: Place) {
    var slot = place.slot
    if slot.uses < Slot.usesMax {
      slot.uses += 1
      place.slot = slot
    }
  }

  /// Counts a read of what is at `place`, and its use; nil: a miss. Of those that are sampled for the hottest keys the entry's size is
  /// taken, too.
  @inline(__always)
  mutating func count(_ place: Place?, _ key: RawSpan, _ database: UInt8, hash: UInt64) {
    let isSampled = hotKeys.note(key, database, hash: hash)
    guard let place else {
      counters.misses &+= 1
      return
    }
    counters.hits &+= 1
    if isSampled { noteSize(place.entry.logBytes) }
    use(place)
  }

  private mutating func noteSize(_ bytes: Int) { usualBytes = min(bytes, Entry.prefetchBytesMax) }

  func hash(of entry: Entry) -> UInt64 { hasher.hash(entry) }

  // MARK: Linking and unlinking

  /// A version that this shard has not given.
  mutating func nextVersion(at now: UnixTime) -> UInt64 {
    lastVersion = max(lastVersion + 1, Version.first(at: now))
    return lastVersion
  }

  /// Where an entry of a key is laid: where the one is that it replaces; a new one in the small queue, unless its key was evicted lately.
  func queue(for hash: UInt64, replacing old: Entry?) -> SegmentQueue.Kind {
    if let old { return log.segment(log.number(of: old)).queue }
    return ghosts.contains(hash) ? .main : .small
  }

  /// Lays an entry out at the end of the open segment of a queue, which has room. Its value is `value`, or in `block`.
  mutating func lay(_ plan: borrowing Entry.Plan, _ value: RawSpan, _ block: ValueBlock?, in queue: SegmentQueue.Kind) -> Entry {
    let count = plan.logBytes
    guard let segment = log.open(queue, for: count) else { preconditionFailure("an entry is laid where there is no room") }
    let entry = log.nextPlace(in: segment)
    layOut(plan, at: entry)
    if let block { entry.block = block } else { entry.writeValue(value) }
    log.didLay(entry, count, in: segment)
    noteSize(count)
    return entry
  }

  /// Lays out all but the value; an entry with tags is stamped, unless a lease has done so.
  private func layOut(_ plan: borrowing Entry.Plan, at entry: Entry) {
    entry.layOut(plan)
    if plan.attributes.tags.byteCount > 0, plan.attributes.tagStamp == .open {
      entry.tagStamp = TagStamp(unsafe tags._withUnsafeGuaranteedRef { $0.now })
    }
  }

  /// Links `entry`, laid out in the log, in the place of `old` or as a new one, and gives it a version. Nil if there is no room for its
  /// slot: then it is dead, and nothing else has changed.
  mutating func link(_ entry: Entry, hash: UInt64, replacing old: Place?, evicts: Bool, at now: UnixTime) -> UInt64? {
    let tick = clock.code(for: entry.deadline)
    if let old {
      let hadDeadline = old.entry.hasDeadline
      countDeadline((tick != 0 ? 1 : 0) - (hadDeadline ? 1 : 0), entry.database)
      repoint(old, to: entry, uses: min(old.slot.uses + 1, Slot.usesMax))
      if tick != 0 || hadDeadline { old.tick = tick }
      release(old.entry)
    } else {
      let slot = Slot(location: table.location(entry), tag: table.tag(hash), uses: 0)
      guard insert(slot, tick: tick, evicts: evicts, at: now) else {
        release(entry)
        return nil
      }
      if tick != 0 { countDeadline(1, entry.database) }
      databaseCounts[Int(entry.database)] += 1
    }
    entry.version = nextVersion(at: now)
    counters.sets += 1
    didChange(.set, entry)
    return entry.version
  }

  private func repoint(_ place: Place, to entry: Entry, uses: UInt64) {
    place.slot = Slot(location: table.location(entry), tag: place.slot.tag, uses: uses)
  }

  private mutating func insert(_ slot: Slot, tick: UInt8, evicts: Bool, at now: UnixTime) -> Bool {
    while true {
      switch table.insert(slot, tick: tick) {
      case .done: return true
      case .crowded(let place):
        if !evicts { return false }
        evict(place, at: now)
      case .outOfMemory: return false
      }
    }
  }

  /// Gives up the table's ownership of an entry. A pinned value stays in the ledger until its last reader is done.
  private mutating func release(_ entry: Entry) {
    if entry.isApart {
      let block = entry.block
      log.bury(entry)
      memory.blocks.release(block)
    } else {
      log.bury(entry)
    }
  }

  /// Unlinks an entry and tells why.
  mutating func unlink(_ place: Place, as kind: CacheChange.Kind, at now: UnixTime) {
    let entry = place.entry
    forget(place)
    let version = nextVersion(at: now)
    if !isUnobserved { didChange(kind, version, entry.database, entry.key) }
    release(entry)
  }

  /// Takes a slot out of the table and the counts.
  private mutating func forget(_ place: Place) {
    // The tick is read and cleared only where there is one: it is in another cache line.
    if place.entry.hasDeadline {
      countDeadline(-1, place.entry.database)
      place.tick = 0
    }
    databaseCounts[Int(place.entry.database)] -= 1
    table.remove(place)
  }

  mutating func delete(_ place: Place, at now: UnixTime) {
    counters.deletes += 1
    unlink(place, as: .deleted, at: now)
  }

  mutating func expire(_ place: Place, at now: UnixTime) {
    let late = now.milliseconds.subtractingReportingOverflow(place.entry.deadline.milliseconds)
    counters.expirations += 1
    counters.expiryLag.record(nanoseconds: late.overflow ? .max : UInt64(clamping: late.partialValue).multipliedSaturating(by: 1_000_000))
    unlink(place, as: .expired, at: now)
  }

  mutating func evict(_ place: Place, at now: UnixTime) {
    counters.evictions += 1
    unlink(place, as: .evicted, at: now)
  }

  // MARK: Changes in place

  /// Sets the expiry of an entry that has room for one, and tells so.
  mutating func setExpiry(_ expiry: UnixTime, of place: Place) {
    let entry = place.entry
    entry.expiry = expiry
    setTick(of: place)
    didChange(.expiry, entry)
  }

  private mutating func setTick(of place: Place) {
    let tick = clock.code(for: place.entry.deadline)
    countDeadline((tick != 0 ? 1 : 0) - (place.tick != 0 ? 1 : 0), place.entry.database)
    place.tick = tick
  }

  private mutating func countDeadline(_ difference: Int, _ database: UInt8) {
    if difference == 0 { return }
    deadlineCount += difference
    deadlineCounts[Int(database)] += difference
  }

  /// Puts a copy of an entry that has room for an expiry in its place. The version stays: expiry does not change it.
  /// A value apart passes to the copy.
  mutating func exchange(_ place: Place, expiry: UnixTime, staleUntil: UnixTime? = nil, in queue: SegmentQueue.Kind) -> Place {
    let old = place.entry
    let plan = old.plan(valueCount: old.valueCount, expiry: expiry, staleUntil: staleUntil)
    let entry = lay(plan, old.value, old.isApart ? old.block : nil, in: queue)
    entry.version = old.version
    repoint(place, to: entry, uses: place.slot.uses)
    log.bury(old)
    return unsafe Place(slotAt: place.address, entry)
  }

  /// Puts a copy of an entry in its place that is stale from now on; gives a new version.
  mutating func makeStale(
    _ place: Place, expiry: UnixTime, staleUntil: UnixTime, in queue: SegmentQueue.Kind, at now: UnixTime
  ) -> UInt64 {
    let stale = exchange(place, expiry: expiry, staleUntil: staleUntil, in: queue)
    setTick(of: stale)
    stale.entry.version = nextVersion(at: now)
    didChange(.set, stale.entry)
    return stale.entry.version
  }

  /// Writes a new entry over one of the same key that takes exactly its place; gives a new version.
  mutating func overwrite(_ place: Place, with plan: borrowing Entry.Plan, _ value: RawSpan, at now: UnixTime) -> UInt64 {
    if plan.fields.haveAttributes {
      layOut(plan, at: place.entry)
      if plan.fields.contains(.expiry) { setTick(of: place) }
    }
    return overwrite(place, with: value, at: now)
  }

  /// Writes `value`, as long as the old one, over the value of an entry that is not large; gives a new version.
  mutating func overwrite(_ place: Place, with value: RawSpan, at now: UnixTime) -> UInt64 {
    place.entry.writeValue(value)
    return didWrite(place, at: now)
  }

  /// The value was written in its place: gives a new version.
  mutating func didWrite(_ place: Place, at now: UnixTime) -> UInt64 {
    let entry = place.entry
    entry.version = nextVersion(at: now)
    use(place)
    counters.sets += 1
    didChange(.set, entry)
    return entry.version
  }

  // MARK: Everything

  /// Takes table and log out, to be freed outside the lock; what stays is empty.
  /// `database`: the only one that has entries here; nil: whatever there is.
  mutating func takeAll(of database: UInt8? = nil, at now: UnixTime) -> Remains {
    counters.deletes += UInt64(table.count)
    let version = nextVersion(at: now)
    didChange(.cleared, version, database, RawSpan())
    let remains = Remains(
      table: Table(shardBits: table.shardBits, memory: memory, layout: table.layout &+ 1),
      log: SegmentLog(pool: memory.segments))
    swap(&remains.table, &table)
    swap(&remains.log, &log)
    ghosts.removeAll()
    databaseCounts = InlineArray(repeating: 0)
    deadlineCount = 0
    deadlineCounts = InlineArray(repeating: 0)
    victim = SegmentWalk()
    compaction = SegmentWalk()
    search = SparseSearch()
    return remains
  }

  /// Removes the entries of one database where others are present, all under the lock.
  mutating func clear(database: UInt8, at now: UnixTime) {
    var next = table.isEmpty ? nil : table.page(for: 0)
    while let page = next {
      page.forEach { line, index in
        let place = table.place(line, index)
        guard place.entry.database == database else { return }
        counters.deletes += 1
        forget(place)
        release(place.entry)
      }
      next = table.page(after: page)
    }
    let version = nextVersion(at: now)
    didChange(.cleared, version, database, RawSpan())
  }

  // MARK: Telling

  mutating func observe(_ observer: any CacheObserver) { observers.append(observer) }

  /// Whether nobody is to learn of changes.
  @inline(__always)
  private var isUnobserved: Bool { interests.isIdle && observers.isEmpty }

  /// As below, of an entry that is linked; reads nothing of it when nobody is to know.
  @inline(__always)
  private mutating func didChange(_ kind: CacheChange.Kind, _ entry: Entry) {
    if !isUnobserved { didChange(kind, entry.version, entry.database, entry.key) }
  }

  /// Where every mutation passes, once.
  @inline(never)
  private mutating func didChange(_ kind: CacheChange.Kind, _ version: UInt64, _ database: UInt8?, _ key: RawSpan) {
    if !interests.isIdle { interests.didChange(kind, version, database, key, hasher) }
    if observers.isEmpty { return }
    let change = CacheChange(kind: kind, version: version, database: database, key: key)
    for observer in observers { observer.didChange(change) }
  }
}

/// What a shard held before everything was removed, on its way to be freed by whoever holds it.
final class Remains {
  var table: Table
  var log: SegmentLog

  init(table: consuming Table, log: consuming SegmentLog) {
    self.table = table
    self.log = log
  }

  /// Frees a segment, or some of the table. True: all is free.
  func freeStep(_ memory: Memory) -> Bool {
    log.freeStep(blocks: memory.blocks) && table.freeStep(limit: 256)
  }
}

extension UInt64 {
  func multipliedSaturating(by factor: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}

/// Keys to hashes: the same key in two databases is two keys.
@usableFromInline
struct KeyHasher: Sendable {
  let hasher: SeededHash

  @inline(__always)
  func hash(_ key: RawSpan, database: UInt8) -> UInt64 { hasher.hash(key) ^ UInt64(database) &* 0x9E37_79B9_7F4A_7C15 }

  func hash(_ entry: Entry) -> UInt64 { hash(entry.key, database: entry.database) }
}
