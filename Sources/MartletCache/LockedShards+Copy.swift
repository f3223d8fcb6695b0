/// Entries carried from key to key, tagged again, and lent beyond the lock.

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
}
