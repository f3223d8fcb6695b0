/// Verbs that Redis has and HTTP has not: entries carried from key to key or tagged again, and whole databases while every shard is held.

package import MartletBytes

extension LockedShards {
  /// Makes a new entry of `target` that has all that the entry of `source` has: value, expiry, type, tags, flags. False if there is none.
  /// What `target` had is gone.
  package mutating func copy(
    _ source: RawSpan, database: UInt8, to target: RawSpan, database targetDatabase: UInt8, at now: UnixTime
  ) throws(CacheError) -> Bool {
    guard let entry = find(source, database: database, allowsStale: false, counts: false, at: now) else { return false }
    _ = try putAgain(entry, as: target, database: targetDatabase, at: now)
    return true
  }

  /// Gives an entry other tags (a list as `TagList` writes it; empty: none) and keeps the rest of it. Invalidations before this call do not
  /// count for them. The new version, which ends a lease on the key as every change does; nil if there is no entry.
  package mutating func setTags(_ key: RawSpan, database: UInt8 = 0, to tags: RawSpan, at now: UnixTime) throws(CacheError) -> UInt64? {
    guard let entry = find(key, database: database, allowsStale: false, counts: false, at: now) else { return nil }
    return try putAgain(entry, as: key, database: database, otherTags: tags, at: now)
  }

  /// Puts what an entry holds under a key, perhaps its own; `otherTags` nil: with its tags, which are as old as they were.
  private mutating func putAgain(
    _ entry: Entry, as target: RawSpan, database: UInt8, otherTags: RawSpan? = nil, at now: UnixTime
  ) throws(CacheError) -> UInt64 {
    if entry.isApart, otherTags == nil { return try share(entry, as: target, database: database, at: now) }
    // Copied first: making room for the new one may move the old.
    var value = ByteBuffer(capacity: entry.valueCount)
    value.append(entry.value)
    var contentType = ByteBuffer()
    contentType.append(entry.contentType)
    var tags = ByteBuffer()
    if let otherTags { tags.append(otherTags) } else { tags.append(entry.tags) }
    var attributes = PutAttributes(
      expiry: entry.expiry, staleUntil: entry.fields.contains(.stale) ? entry.staleUntil : .neverStale, flags: entry.flags,
      database: database, contentType: contentType.bytes, tags: tags.bytes)
    if otherTags == nil, entry.fields.contains(.tags) { attributes.tagStamp = entry.tagStamp }
    return try put(target, value.bytes, attributes, at: now).version
  }

  /// The same of a large value, which both entries have together from then on: it takes no memory more, and is written anew when one of
  /// them changes.
  private mutating func share(_ entry: Entry, as target: RawSpan, database: UInt8, at now: UnixTime) throws(CacheError) -> UInt64 {
    let block = entry.block
    block.pin()  // its memory, type and tags among it, stays where it is; owned by the new entry, or given back
    var attributes = PutAttributes(
      expiry: entry.expiry, staleUntil: entry.fields.contains(.stale) ? entry.staleUntil : .neverStale, flags: entry.flags,
      database: database, contentType: block.contentType, tags: block.tags)
    if entry.fields.contains(.tags) { attributes.tagStamp = entry.tagStamp }
    return try put(block: block, target, attributes, condition: .always, at: now).version
  }

  /// The entry of `key` held for reading after the shards are unlocked; nil if there is none, or no memory. Counts nothing.
  package mutating func share(
    _ key: RawSpan, database: UInt8, allowsStale: Bool = false, of store: CacheStore, at now: UnixTime
  ) -> SharedValue? {
    guard let entry = find(key, database: database, allowsStale: allowsStale, counts: false, at: now) else { return nil }
    return store.share(entry)
  }

  /// How often an entry was used of late, as eviction counts it: 0 to 3; nil if there is none.
  package mutating func uses(_ key: RawSpan, database: UInt8, at now: UnixTime) -> Int? {
    let (hash, index) = locate(key, database)
    let found = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    return found.livePlace.map { Int($0.slot.uses) }
  }

  /// How many entries a database holds in these shards.
  package func count(database: UInt8) -> Int {
    var count = 0
    held.forEach { index in count += unsafe engine.pointee.shard(index).pointee.databaseCounts[Int(database)] }
    return count
  }

  /// Empties a database (nil: every one) in these shards.
  package mutating func removeAll(database: UInt8?, at now: UnixTime) {
    held.forEach { index in
      let shard = unsafe engine.pointee.shard(index)
      if let database, unsafe shard.pointee.databaseCounts[Int(database)] != shard.pointee.table.count {
        unsafe shard.pointee.clear(database: database, at: now)
      } else {
        unsafe engine.pointee.trash.add(shard.pointee.takeAll(of: database, at: now))
      }
    }
  }

  /// As `CacheStore.scan`, for when every shard is held already.
  package mutating func scan(
    from cursor: ScanCursor, limit: Int, database: UInt8, at now: UnixTime, _ body: (borrowing EntryView) -> Void
  ) -> ScanCursor? {
    var left = limit
    var position = cursor.position
    while left > 0 {
      let index = unsafe engine.pointee.shardIndex(position)
      precondition(held.contains(index), "a scan outside of the locked shards")
      let next = unsafe engine.pointee.shard(index).pointee.walk(from: position, shard: index) { entry in
        if left == 0 { return false }
        left -= 1
        if entry.database == database, now < entry.expiry { body(EntryView(entry)) }
        return true
      }
      guard let next else { return nil }
      position = next
    }
    return ScanCursor(position: position)
  }
}
