/// A large value copied into the store's memory before any shard is locked, to be put by a verb of `LockedShards`: what `Reservation` is to
/// `CacheStore.commit`, where the put is one step of a critical section.

package import MartletBytes

/// May move between threads; used once, freed when it is not. Counts against the limit from the beginning.
package final class PreparedValue: @unchecked Sendable {
  private let store: CacheStore
  private var block: ValueBlock?
  /// Bytes of the value.
  package let count: Int

  fileprivate init(store: CacheStore, block: ValueBlock, count: Int) {
    self.store = store
    self.block = block
    self.count = count
  }

  deinit {
    if let block { store.release(block) }
  }

  /// The block, which the caller owns from here on.
  func take() -> ValueBlock {
    guard let block = block.take() else { preconditionFailure("a prepared value is put once") }
    return block
  }
}

extension CacheStore {
  /// Copies `value`, which will be put under `key` with content type and tags of `attributes`. Nil: there is no room, or it is too large;
  /// the verb will say so. With no shard locked.
  package func prepare(
    _ value: RawSpan, for key: RawSpan, _ attributes: borrowing PutAttributes = PutAttributes(), at now: UnixTime
  ) -> PreparedValue? {
    let plan = Entry.Plan(key: key, attributes: attributes, valueCount: value.byteCount)
    let hash = hash(key, attributes.database)
    do throws(CacheError) {
      try unsafe engine.pointee.check(plan)
      let block = try unsafe LockedShards(engine: engine, locking: shards(hash: hash)).makeBlock(plan, protecting: nil, of: hash, at: now)
      block.writeValue(value)
      return PreparedValue(store: self, block: block, count: value.byteCount)
    } catch {
      return nil
    }
  }
}

extension LockedShards {
  /// As `put`, of a value that was prepared; it is large, and content type and tags are those that it was prepared with.
  package mutating func put(
    _ key: RawSpan, _ value: PreparedValue, _ attributes: borrowing PutAttributes, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    try put(block: value.take(), key, attributes, condition: condition, at: now)
  }

  /// As `fill`.
  package mutating func fill(
    _ key: RawSpan, _ value: PreparedValue, _ attributes: borrowing PutAttributes, lease: LeaseToken, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    try fill(block: value.take(), key, attributes, lease: lease, condition: .always, at: now)
  }
}
