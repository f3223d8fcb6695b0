/// One shard: a table, its entries, its counters; everything here happens under its lock. Engine.
///
/// Knows nothing of conditions and errors: those are `LockedShards`. It does the linking and unlinking of entries, and each way
/// in or out passes the shard's `didChange` and the ledger.

internal import MartletBytes
internal import Synchronization

@safe
struct Shard: ~Copyable {
  var table: Table
  var counters = Counters()
  private var observers: [any CacheObserver] = []
  /// Leases with their waiters, watchers: who is to learn of changes. Not the engine's.
  var interests: Interests
  /// Which keys are read most. Not the engine's.
  var hotKeys: HotKeys
  /// Which tags were invalidated when; the engine's own, outlives every shard.
  let tags: Unmanaged<TagRegistry>
  /// Cost of the entries linked here, and of the table.
  private(set) var bytes = 0
  private(set) var lastVersion: UInt64
  /// Linked entries per database.
  private(set) var databaseCounts = InlineArray<16, Int>(repeating: 0)
  /// Linked entries that have a deadline.
  private(set) var deadlineCount = 0
  /// Where the search for a victim goes on.
  private var handTag: UInt32 = 0
  private var handIndex = 0
  /// Where the search for expired entries goes on.
  private var sweepTag: UInt32 = 0
  /// An entry that must not be evicted now: it is about to be replaced.
  private var protected: Entry?

  private let hasher: KeyHasher
  private let pool: PagePool
  /// The store's ledger of bytes; outlives every shard.
  private let ledger: UnsafeMutablePointer<Atomic<Int>>

  init(
    bits: Int, hasher: KeyHasher, versionOrigin: UnixTime, pool: PagePool, ledger: UnsafeMutablePointer<Atomic<Int>>,
    tags: TagRegistry, leases: LeaseOffice, seed: UInt64
  ) {
    unsafe self.tags = unsafe .passUnretained(tags)
    interests = Interests(leases: leases, seed: seed)
    hotKeys = HotKeys(seed: seed)
    table = Table(shardBits: bits, pool: pool)
    self.pool = pool
    self.hasher = hasher
    lastVersion = Version.first(at: versionOrigin)
    unsafe self.ledger = unsafe ledger
  }

  struct Counters {
    var hits: UInt64 = 0
    var misses: UInt64 = 0
    var sets: UInt64 = 0
    var deletes: UInt64 = 0
    var evictions: UInt64 = 0
    var expirations: UInt64 = 0
    var invalidations: UInt64 = 0
    var expiryLag = LatencyHistogram()
  }

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
  mutating func look(for key: RawSpan, database: UInt8, hash: UInt64, at now: UnixTime) -> Lookup {
    guard let place = table.find(key, database: database, hash: hash) else { return .absent }
    let entry = place.entry
    var isSoftened = false
    if entry.fields.contains(.tags) {
      switch tagState(of: entry) {
      case .current: break
      case .softened: isSoftened = true
      case .dead:
        invalidate(place, hash: hash, at: now)
        return .absent
      }
    }
    if !place.slot.hasDeadline { return isSoftened ? .stale(place) : .live(place) }
    if now < entry.expiry { return isSoftened ? .stale(place) : .live(place) }
    if now < entry.staleUntil { return .stale(place) }
    expire(place, hash: hash, at: now)
    return .absent
  }

  /// Notes a use, for eviction. Writes only while the count rises.
  @inline(__always)
  func use(_ place: Place) {
    var slot = place.slot
    if slot.uses < Slot.usesMax {
      slot.uses += 1
      place.slot = slot
    }
  }

  func hash(of entry: Entry) -> UInt64 { hasher.hash(entry) }

  // MARK: Linking and unlinking

  /// A version that this shard has not given.
  mutating func nextVersion(at now: UnixTime) -> UInt64 {
    lastVersion = max(lastVersion + 1, Version.first(at: now))
    return lastVersion
  }

  /// Links `entry`, whose cost the ledger holds already, in the place of `old` or as a new one, and gives it a version. Nil if there is
  /// no room for its slot: then nothing has changed, and the entry is still the caller's.
  mutating func link(_ entry: Entry, hash: UInt64, replacing old: Place?, evicts: Bool, at now: UnixTime) -> UInt64? {
    let hasDeadline = entry.deadline != .never
    let cost = EntryMemory.cost(bytes: entry.bytes)
    if let old {
      let oldSlot = old.slot
      let oldEntry = oldSlot.entry
      old.slot = Slot(entry, tag: oldSlot.tag, uses: min(oldSlot.uses + 1, Slot.usesMax), hasDeadline: hasDeadline)
      old.page.earliestDeadline = min(old.page.earliestDeadline, entry.deadline)
      deadlineCount += (hasDeadline ? 1 : 0) - (oldSlot.hasDeadline ? 1 : 0)
      bytes += cost
      release(oldEntry)
    } else {
      let slot = Slot(entry, tag: table.tag(hash), uses: 0, hasDeadline: hasDeadline)
      guard insert(slot, hash: hash, deadline: entry.deadline, evicts: evicts, at: now) else { return nil }
      deadlineCount += hasDeadline ? 1 : 0
      databaseCounts[Int(entry.database)] += 1
      bytes += cost
    }
    entry.version = nextVersion(at: now)
    counters.sets += 1
    didChange(.set, entry.version, entry.database, entry.key)
    return entry.version
  }

  private mutating func insert(_ slot: Slot, hash: UInt64, deadline: UnixTime, evicts: Bool, at now: UnixTime) -> Bool {
    let bytesBefore = table.bytes
    let directoryBytesBefore = table.directoryBytes
    let hasher = hasher
    while true {
      switch table.insert(slot, hash: hash, deadline: deadline, hashOf: { hasher.hash($0) }) {
      case .done:
        let growth = table.bytes - bytesBefore
        if growth != 0 {
          // Tables grow past the limit without asking; the next put evicts. Pages are in the pool's account already.
          bytes += growth
          unsafe _ = ledger.pointee.add(table.directoryBytes - directoryBytesBefore, ordering: .relaxed)
        }
        return true
      case .crowded(let page):
        if !evicts { return false }
        evict(Place(page: page, index: page.leastUsed(inWindowOf: hash)), at: now)
      case .outOfMemory:
        return false
      }
    }
  }

  /// Gives up the table's ownership of `entry`; a pinned one stays in the ledger until its last reader is done.
  private mutating func release(_ entry: Entry) {
    let cost = EntryMemory.cost(bytes: entry.bytes)
    bytes -= cost
    if entry.release() { unsafe _ = ledger.pointee.subtract(cost, ordering: .relaxed) }
  }

  /// Unlinks an entry and tells why.
  mutating func unlink(_ place: Place, hash: UInt64, as kind: CacheChange.Kind, at now: UnixTime) {
    let slot = place.slot
    let entry = slot.entry
    table.remove(place, hash: hash)
    if slot.hasDeadline { deadlineCount -= 1 }
    databaseCounts[Int(entry.database)] -= 1
    let version = nextVersion(at: now)
    didChange(kind, version, entry.database, entry.key)
    release(entry)
  }

  mutating func delete(_ place: Place, hash: UInt64, at now: UnixTime) {
    counters.deletes += 1
    unlink(place, hash: hash, as: .deleted, at: now)
  }

  private mutating func expire(_ place: Place, hash: UInt64, at now: UnixTime) {
    let late = now.milliseconds.subtractingReportingOverflow(place.entry.deadline.milliseconds)
    counters.expirations += 1
    counters.expiryLag.record(nanoseconds: late.overflow ? .max : UInt64(clamping: late.partialValue).multipliedSaturating(by: 1_000_000))
    unlink(place, hash: hash, as: .expired, at: now)
  }

  private mutating func evict(_ place: Place, at now: UnixTime) {
    counters.evictions += 1
    unlink(place, hash: hasher.hash(place.entry), as: .evicted, at: now)
  }

  // MARK: Changes in place

  /// Sets the expiry of an entry that has room for one, and tells so.
  mutating func setExpiry(_ expiry: UnixTime, of place: Place) {
    let entry = place.entry
    entry.expiry = expiry
    let hadDeadline = place.slot.hasDeadline
    let hasDeadline = entry.deadline != .never
    if hadDeadline != hasDeadline {
      place.slot = Slot(entry, tag: place.slot.tag, uses: place.slot.uses, hasDeadline: hasDeadline)
      deadlineCount += hasDeadline ? 1 : -1
    }
    place.page.earliestDeadline = min(place.page.earliestDeadline, entry.deadline)
    didChange(.expiry, entry.version, entry.database, entry.key)
  }

  /// Puts a block of the same entry with room for an expiry in its place. The version stays: expiry does not change it.
  mutating func exchange(_ place: Place, for entry: Entry) {
    let old = place.slot
    entry.version = old.entry.version
    place.slot = Slot(entry, tag: old.tag, uses: old.uses, hasDeadline: old.hasDeadline)
    bytes += EntryMemory.cost(bytes: entry.bytes)
    release(old.entry)
  }

  /// Writes `value`, as long as the old one, over the value of an entry that is not large; gives a new version.
  mutating func overwrite(_ place: Place, with value: RawSpan, at now: UnixTime) -> UInt64 {
    let entry = place.entry
    precondition(!entry.fields.contains(.large), "a large value never changes in place: readers may have pinned it")
    entry.writeValue(value)
    entry.version = nextVersion(at: now)
    use(place)
    counters.sets += 1
    didChange(.set, entry.version, entry.database, entry.key)
    return entry.version
  }

  // MARK: Making room

  /// Keeps the entry at `place` from eviction until the next call (nil: none).
  mutating func protect(_ place: Place?) { protected = place?.entry }

  /// Evicts until `wanted` bytes are gone or nothing is left to evict; expired entries first. Returns the bytes that went.
  mutating func evict(bytes wanted: Int, at now: UnixTime) -> Int {
    let before = bytes
    while before - bytes < wanted, evictOne(at: now) {}
    return before - bytes
  }

  /// A clock's hand over the slots, in the order of hashes: an entry used since the last visit loses one use, the first without any
  /// goes. Uses stand in the slot, so the hand reads no entry but the victim. After `patience` pages it takes what has been
  /// used least, so that no put waits for a whole round.
  private mutating func evictOne(at now: UnixTime) -> Bool {
    let victims = table.count - (protected == nil ? 0 : 1)
    guard victims > 0 else { return false }
    let patience = 8
    var pagesSeen = 0
    while true {
      let page = table.page(for: handTag)
      if page.earliestDeadline <= now, sweep(page, at: now) > 0 { return true }
      let usesEnough = UInt64(max(0, pagesSeen - patience))
      while handIndex < Page.slotCount {
        let index = handIndex
        handIndex += 1
        var slot = page[index]
        guard slot.isFull, !isProtected(slot) else { continue }
        if slot.uses <= usesEnough {
          evict(Place(page: page, index: index), at: now)
          return true
        }
        slot.uses -= 1
        page[index] = slot
      }
      handIndex = 0
      handTag = page.endTag & (1 << UInt32(Slot.tagBits) - 1)
      if page.count > 0 { pagesSeen += 1 }
    }
  }

  private func isProtected(_ slot: Slot) -> Bool {
    guard let protected else { return false }
    return slot.entry === protected
  }

  // MARK: Expiry

  /// Removes the entries of one page whose time is over. Returns how many.
  private mutating func sweep(_ page: Page, at now: UnixTime) -> Int {
    var removed = 0
    var earliest = UnixTime.never
    for index in 0..<Page.slotCount {
      let slot = page[index]
      guard slot.isFull, slot.hasDeadline else { continue }
      let deadline = slot.entry.deadline
      if deadline <= now, !isProtected(slot) {
        expire(Place(page: page, index: index), hash: hasher.hash(slot.entry), at: now)
        removed += 1
      } else {
        earliest = min(earliest, deadline)
      }
    }
    page.earliestDeadline = earliest
    return removed
  }

  /// Looks at pages from where it stopped, until `budget` is spent (a page costs 1, its slots 1 each if something in it may be over)
  /// or one page has been swept. `isDone`: the end of the shard was reached, and the next step begins anew.
  mutating func expireStep(at now: UnixTime, budget: inout Int) -> (expired: Int, isDone: Bool) {
    guard deadlineCount > 0 else {
      sweepTag = 0
      budget -= 1
      return (0, true)
    }
    while budget > 0 {
      let page = table.page(for: sweepTag)
      budget -= 1
      var expired = 0
      let isDue = page.earliestDeadline <= now
      if isDue {
        budget -= Page.slotCount
        expired = sweep(page, at: now)
      }
      let isDone = page.endTag >= 1 << UInt32(Slot.tagBits)
      sweepTag = isDone ? 0 : page.endTag
      if isDone || isDue { return (expired, isDone) }
    }
    return (0, false)
  }

  // MARK: Everything

  /// Takes the table out, for its entries to be freed outside the lock by `free(_:)`; what stays is empty.
  /// `database`: the only one that has entries here; nil: whatever there is.
  mutating func takeAll(of database: UInt8? = nil, at now: UnixTime) -> Table {
    counters.deletes += UInt64(table.count)
    let version = nextVersion(at: now)
    didChange(.cleared, version, database, RawSpan())
    return takeTable()
  }

  /// The same without counting and telling: for the end of the store.
  mutating func takeTable() -> Table {
    var taken = emptyTable()
    swap(&taken, &table)
    bytes = 0
    databaseCounts = InlineArray(repeating: 0)
    deadlineCount = 0
    handTag = 0
    handIndex = 0
    sweepTag = 0
    return taken
  }

  func emptyTable() -> Table { Table(shardBits: table.shardBits, pool: pool) }

  /// Frees a table that was taken out, and its entries. Returns the bytes that the ledger may forget.
  static func free(_ table: consuming Table) -> Int {
    var freed = table.directoryBytes
    var next = table.isEmpty ? nil : table.page(for: 0)
    while let page = next {
      for index in 0..<Page.slotCount where page[index].isFull {
        let entry = page[index].entry
        let cost = EntryMemory.cost(bytes: entry.bytes)
        if entry.release() { freed += cost }
      }
      next = table.page(after: page)
    }
    table.freePages()
    return freed
  }

  /// Removes the entries of one database where others are present, all under the lock.
  mutating func clear(database: UInt8, at now: UnixTime) {
    var next = table.isEmpty ? nil : table.page(for: 0)
    while let page = next {
      for index in 0..<Page.slotCount where page[index].isFull && page[index].entry.database == database {
        let slot = page[index]
        let entry = slot.entry
        table.remove(Place(page: page, index: index), hash: hasher.hash(entry))
        if slot.hasDeadline { deadlineCount -= 1 }
        counters.deletes += 1
        release(entry)
      }
      next = table.page(after: page)
    }
    databaseCounts[Int(database)] = 0
    let version = nextVersion(at: now)
    didChange(.cleared, version, database, RawSpan())
  }

  // MARK: Telling

  mutating func observe(_ observer: any CacheObserver) { observers.append(observer) }

  /// Where every mutation passes, once.
  @inline(__always)
  private mutating func didChange(_ kind: CacheChange.Kind, _ version: UInt64, _ database: UInt8?, _ key: RawSpan) {
    if !interests.isIdle { interests.didChange(kind, version, database, key, hasher) }
    if observers.isEmpty { return }
    let change = CacheChange(kind: kind, version: version, database: database, key: key)
    for observer in observers { observer.didChange(change) }
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
