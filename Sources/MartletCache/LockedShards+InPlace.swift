/// Large values changed and shared where they lie, so that under the lock nothing is copied but what is new.
///
/// A block may be written while the table is its only owner: pins are taken under the shard's lock, which is held here, and a reader's
/// last look comes before it gives its pin up. What is smaller lies in the log, and is written anew.

package import MartletBytes

extension LockedShards {
  /// Writes `bytes` over a large value from `offset` on; it grows if they reach beyond its end, with zeros between. How long it is then.
  ///
  /// Nil, and nothing has changed: there is no large value, somebody else holds it, or it would outgrow its block.
  package mutating func writeInPlace(
    _ key: RawSpan, database: UInt8 = 0, offset: Int, _ bytes: RawSpan, at now: UnixTime
  ) throws(CacheError) -> Int? {
    let (hash, index) = locate(key, database)
    guard let place = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace,
      place.entry.isApart, place.entry.block.isExclusive
    else { return nil }
    let old = place.entry.valueCount
    let count = max(old, offset + bytes.byteCount)
    if count > old {
      let limit = unsafe engine.pointee.valueBytesMax
      if count > limit { throw .valueTooLarge(limit: limit) }
      guard try grow(place.entry.block, to: count, hash: hash, shard: index, at: now) else { return nil }
    }
    // Making room may have moved the entry, not its block.
    guard let kept = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace else {
      throw .outOfMemory
    }
    if count > old { unsafe engine.pointee.shard(index).pointee.growInPlace(kept, to: count) }
    kept.entry.block.clear(from: old, to: offset)
    kept.entry.block.writeValue(bytes, at: offset)
    _ = unsafe engine.pointee.shard(index).pointee.didWrite(kept, at: now)
    return count
  }

  /// Takes room for a block that is to hold a value of `count` bytes. False: it has no place for that.
  private func grow(_ block: ValueBlock, to count: Int, hash: UInt64, shard index: Int, at now: UnixTime) throws(CacheError) -> Bool {
    let bytes = block.bytes(valueCount: count)
    guard BlockPool.order(of: bytes) == BlockPool.order(of: block.bytes) else { return false }
    let cost = ValueBlock.cost(bytes: bytes) - block.cost
    if cost > 0, unsafe !engine.pointee.takeRoom(cost, own: index, held: held, protecting: hash, at: now) { throw .outOfMemory }
    return true
  }
}

extension Shard {
  /// Lets the value of an entry apart grow in its block, for which room has been taken. What is new in it is yet to be written.
  mutating func growInPlace(_ place: Place, to count: Int) {
    let block = place.entry.block
    let before = block.cost
    block.grow(to: count)
    place.entry.growApart(to: count)
    log.didGrow(place.entry, by: block.cost - before)
  }
}
