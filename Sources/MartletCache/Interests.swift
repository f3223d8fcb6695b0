/// Who is to learn of changes in a shard: leases with their waiters, and watchers of keys. A shard passes every change by here, under
/// its lock; while nobody is interested that costs two loads.

internal import MartletBytes

struct Interests: ~Copyable {
  var leases: LeaseTable
  var watches = WatchTable()

  init(leases office: LeaseOffice, seed: UInt64) { leases = LeaseTable(office: office, seed: seed) }

  @inline(__always)
  var isIdle: Bool { leases.count == 0 && watches.count == 0 }

  /// Whether somebody is to be told something before the lock is given back.
  @inline(__always)
  var hasNews: Bool { leases.hasNews }

  @inline(never)
  mutating func didChange(_ kind: CacheChange.Kind, _ version: UInt64, _ database: UInt8?, _ key: RawSpan, _ hasher: KeyHasher) {
    let now = Version.time(version)
    switch kind {
    case .set, .deleted, .invalidated:
      guard let database else { return }
      let hash = hasher.hash(key, database: database)
      overtake(key, database, hash: hash, at: now)
      watches.mark(key, database, hash: hash)
    case .expiry, .expired, .evicted:
      // Not a change of the value: what is being fetched is as good as before. A watcher wants to know all the same.
      guard let database else { return }
      watches.mark(key, database, hash: hasher.hash(key, database: database))
    case .cleared:
      endAll(of: database, at: now)
      watches.markAll(of: database)
    }
  }

  /// The value of `key` has changed or was deleted, if only from absent to absent: a fill that was begun before comes too late.
  mutating func overtake(_ key: RawSpan, _ database: UInt8, hash: UInt64, at now: UnixTime) {
    guard let slot = leases.find(key, database, hash: hash) else { return }
    leases.clearAbsence(slot)
    leases.end(slot, slot == leases.filling ? .filled : .overtaken, at: now)
  }

  /// The same for all keys of a database (nil: of all), perhaps only those that begin with `prefix`.
  mutating func endAll(of database: UInt8?, prefix: RawSpan = RawSpan(), at now: UnixTime) {
    if leases.count == 0 { return }
    var slots: [Int32] = []
    leases.forEach { slot in
      let placeholder = leases[slot]
      if database.map({ $0 == placeholder.database }) ?? true, placeholder.key.rawSpan.begins(with: prefix) { slots.append(slot) }
    }
    for slot in slots {
      leases.clearAbsence(slot)
      leases.end(slot, .overtaken, at: now)
    }
  }
}
