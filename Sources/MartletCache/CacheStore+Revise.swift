/// Large values made anew with no shard held: an edit reads all of one, and what comes out is copied, which takes milliseconds for which all
/// other keys of the shard would wait. Here both are done on the value as it is shared, and what came out takes its place if nobody has
/// changed it meanwhile; under the lock a pointer moves.

package import MartletBytes

extension CacheStore {
  package enum Revision {
    /// Nothing has changed: there is no entry, its value is not large, or it was another one each time. `update` does what is asked for.
    case notMade
    /// `body` wanted no other.
    case unchanged
    case made(version: UInt64)
  }

  /// Tries of one edit.
  private static var revisionsMax: Int { 4 }

  /// As `update`, of a large value. `body` may be called more than once.
  package func revise<Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, condition: PutCondition = .always, at now: UnixTime,
    _ body: (borrowing PinnedValue) throws(Failure) -> ByteBuffer?
  ) throws(UpdateError<Failure>) -> Revision {
    for _ in 0..<Self.revisionsMax {
      let held: PinnedValue?
      do throws(CacheError) { held = try pinLarge(key, database, condition, at: now) } catch { throw .cache(error) }
      guard let held else { return .notMade }
      let new: ByteBuffer?
      do throws(Failure) { new = try body(held) } catch { throw .body(error) }
      guard let new else { return .unchanged }
      do throws(CacheError) {
        if let version = try replace(held, key, database, by: new.bytes, at: now) { return .made(version: version) }
      } catch { throw .cache(error) }
    }
    return .notMade
  }

  private func pinLarge(_ key: RawSpan, _ database: UInt8, _ condition: PutCondition, at now: UnixTime) throws(CacheError) -> PinnedValue? {
    var shards = locked(key, database)
    guard let entry = try shards.live(key, database, condition, at: now), entry.isApart else { return nil }
    return hold(entry)
  }

  /// The new version; nil if the entry is not any more what was held.
  private func replace(
    _ held: borrowing PinnedValue, _ key: RawSpan, _ database: UInt8, by value: RawSpan, at now: UnixTime
  ) throws(CacheError) -> UInt64? {
    if value.byteCount > valueBytesMax { throw .valueTooLarge(limit: valueBytesMax) }
    var prepared: PreparedValue?
    if value.byteCount >= CacheLimits.largeValueBytesMin {
      prepared = prepare(value, for: key, PutAttributes(database: database, contentType: held.contentType, tags: held.tags), at: now)
      if prepared == nil { throw .outOfMemory }
    }
    var shards = locked(key, database)
    return try shards.rewrite(key, database, version: held.version, value, prepared, at: now)
  }
}
