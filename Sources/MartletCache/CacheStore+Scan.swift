/// Verbs over many entries, in bounded steps: iteration, removal by prefix, everything, expiry.
///
/// A cursor is a position in hash space. Pages of the table stand in that order and only ever split, so an entry that is there
/// from the first step to the last is met, whatever else comes and goes; each at most once. The lock of one shard is held for one
/// page at a time.

package import MartletBytes
internal import Synchronization

/// Where an iteration goes on: as text for clients, a decimal number; 0 is the start.
package struct ScanCursor: Sendable, Equatable {
  /// All entries whose hash is below have been met.
  package let position: UInt64

  package static var start: ScanCursor { ScanCursor(position: 0) }

  package init(position: UInt64) { self.position = position }

  /// Nil unless `text` is a decimal number of 64 bits.
  package init?(_ text: RawSpan) {
    guard let position = Digits.parseUnsigned(text) else { return nil }
    self.position = position
  }
}

extension ByteBuffer {
  package mutating func append(_ cursor: ScanCursor) { append(decimal: cursor.position) }
}

extension CacheStore {
  /// Lends up to `limit` entries from `cursor` on to `body`, under their shard's lock; returns where to go on, nil at the end.
  ///
  /// `database` nil: all of them. Only keys that begin with `prefix`. Looks at no more than `examineMax` entries, and one page, so
  /// a step may lend few or none without being the last.
  package func scan(
    from cursor: ScanCursor, limit: Int, prefix: RawSpan = RawSpan(), database: UInt8? = 0, examineMax: Int = 4096,
    at now: UnixTime, _ body: (borrowing EntryView) -> Void
  ) -> ScanCursor? {
    var left = limit
    var examinable = examineMax
    var position = cursor.position
    while left > 0, examinable > 0 {
      let index = unsafe engine.pointee.shardIndex(position)
      let next = unsafe engine.pointee.withLock(index) {
        $0.walk(from: position, shard: index) { entry in
          if left == 0 || examinable == 0 { return false }
          examinable -= 1
          let isAsked = database.map { $0 == entry.database } ?? true
          if isAsked, now < entry.expiry, isCurrent(entry), entry.key.begins(with: prefix) {
            left -= 1
            body(EntryView(entry))
          }
          return true
        }
      }
      guard let next else { return nil }
      position = next
      examinable -= 1
    }
    return ScanCursor(position: position)
  }

  /// Whether no tag of an entry was invalidated; under its shard's lock.
  private func isCurrent(_ entry: Entry) -> Bool {
    guard entry.fields.contains(.tags) else { return true }
    let stamp = entry.tagStamp
    let state = unsafe engine.pointee.tags.state(of: entry.tags, since: stamp.counter)
    return !stamp.isSoftened && state == .current
  }

  /// Removes entries whose keys begin with `prefix`, from `cursor` on, looking at `maxSteps` entries and the rest of a page.
  package func remove(
    prefix: RawSpan, database: UInt8 = 0, from cursor: ScanCursor, maxSteps: Int = 4096, at now: UnixTime
  ) -> (deleted: Int, next: ScanCursor?) {
    var deleted = 0
    var steps = 0
    var position = cursor.position
    while steps < maxSteps {
      let index = unsafe engine.pointee.shardIndex(position)
      let step = unsafe engine.pointee.withLock(index) {
        // Before any page of a shard: keys that are not there but being filled.
        if $0.isStart(position) { $0.interests.endAll(of: database, prefix: prefix, at: now) }
        return $0.remove(prefix: prefix, database: database, from: position, shard: index, at: now)
      }
      deleted += step.deleted
      steps += step.steps
      guard let onward = step.next else { return (deleted, nil) }
      position = onward
    }
    return (deleted, ScanCursor(position: position))
  }

  /// What is freed at once when all is removed, in segments; the rest waits for `expireStep`, or for who wants room.
  private static var freedAtOnceCount: Int { 256 }

  /// Removes everything. A shard's entries vanish at once; much of their memory comes back in the steps of `expireStep`.
  package func removeAll(at now: UnixTime) {
    for index in unsafe 0..<engine.pointee.shardCount {
      let remains = unsafe engine.pointee.withLock(index) { $0.takeAll(at: now) }
      unsafe engine.pointee.trash.add(remains)
    }
    freeSome()
  }

  /// Removes one database. Where it shares a shard with others, that shard is locked while its part is freed.
  package func removeAll(database: UInt8, at now: UnixTime) {
    for index in unsafe 0..<engine.pointee.shardCount {
      let remains: Remains? = unsafe engine.pointee.withLock(index) { shard in
        if shard.databaseCounts[Int(database)] == shard.table.count { return shard.takeAll(of: database, at: now) }
        shard.clear(database: database, at: now)
        return nil
      }
      if let remains { unsafe engine.pointee.trash.add(remains) }
    }
    freeSome()
  }

  private func freeSome() {
    for _ in 0..<CacheStore.freedAtOnceCount { guard unsafe engine.pointee.trash.freeStep() else { return } }
  }

  /// How many entries a database holds, expired ones not yet removed included.
  package func count(database: UInt8 = 0) -> Int { counts(database: database).entries }

  /// As `count`, and how many of those have an expiry.
  package func counts(database: UInt8) -> (entries: Int, deadlines: Int) {
    var counts = (entries: 0, deadlines: 0)
    for index in unsafe 0..<engine.pointee.shardCount {
      let more = unsafe engine.pointee.withLock(index) { ($0.databaseCounts[Int(database)], $0.deadlineCounts[Int(database)]) }
      counts = (counts.entries + more.0, counts.deadlines + more.1)
    }
    return counts
  }

  /// Frees memory in a step of about `budget` lines of the table: removes entries whose time is over, compacts what is sparse, frees what
  /// `removeAll` left. A line costs 1, what is done about an entry 32: the usual 256 take some 5 µs, and many times as long where nobody has
  /// touched the memory for long.
  ///
  /// Call it from a loop's timer, again at once while `isDone` is false and the loop has time. Any thread may; each step takes up
  /// where the last one stopped, shard after shard.
  package func expireStep(at now: UnixTime, budget: Int = 256) -> (expired: Int, isDone: Bool) {
    let count = unsafe engine.pointee.shardCount
    var budget = budget
    var expired = 0
    while budget > 0, unsafe engine.pointee.trash.freeStep() { budget -= 1024 }
    while budget > 0 {
      let turn = unsafe engine.pointee.expiryTurn.load(ordering: .relaxed)
      let index = turn % count
      let step = unsafe engine.pointee.withLock(index) { $0.maintain(at: now, budget: &budget) }
      expired += step.expired
      guard step.isDone else { continue }
      let moved = unsafe engine.pointee.expiryTurn.compareExchange(expected: turn, desired: (turn + 1) % count, ordering: .relaxed)
      if moved.exchanged, turn + 1 == count { return (expired, true) }
    }
    return (expired, false)
  }

  /// Gives some of the memory that was freed back to the system, and has a huge page ready for the next entries and tables of a large cache,
  /// or puts one under a chunk that is full: lookups in a large cache are 1.4 times faster with them. False: there is nothing to do for now.
  /// Takes some milliseconds, and tens of them where the system has to make room first: call it from a thread that serves nobody.
  package func memoryStep() -> Bool { unsafe engine.pointee.memory.step() }

  /// The counters of all shards, added up, each under its lock.
  public var statistics: CacheStatistics {
    var sum = CacheStatistics()
    for index in unsafe 0..<engine.pointee.shardCount {
      unsafe engine.pointee.withLock(index) {
        sum.add($0.counters)
        sum.entries += UInt64($0.table.count)
        sum.leases.add($0.interests.leases.statistics)
        sum.segments += UInt64($0.log.small.count + $0.log.main.count)
        sum.deadBytes += UInt64($0.log.deadBytes)
        sum.tableBytes += UInt64($0.table.bytes)
      }
    }
    let ledger = unsafe engine.pointee.memory.ledger
    sum.looseBytes = UInt64(max(0, ledger.looseBytes))
    sum.bytes = UInt64(max(0, ledger.usedBytes - ledger.looseBytes))
    sum.tags = unsafe engine.pointee.tags.statistics
    sum.limitBytes = unsafe UInt64(engine.pointee.limitBytes)
    return sum
  }
}
