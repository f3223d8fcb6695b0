/// Whole databases, while every shard that they stand in is held.

package import MartletBytes

extension LockedShards {
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
