/// The verbs that change an entry. Each checks its condition, makes room, links, in this order: what fails changes nothing.

package import MartletBytes

extension LockedShards {
  // MARK: put

  /// Stores a *new* entry: what the old one had (expiry, tags, type, flags) is gone unless given again.
  ///
  /// Large values go through `CacheStore.put`, which writes them before it locks; here they are written under the lock.
  package mutating func put(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    try put(
      key, value, attributes, condition: condition,
      hash: unsafe engine.pointee.hasher.hash(key, database: attributes.database), at: now)
  }

  /// As `put`, of a key whose hash is known.
  mutating func put(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes, condition: PutCondition, hash: UInt64, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let (_, index) = locate(hash)
    // A value is usually replaced by one of its own size.
    let bytes = min(Entry.headBytesMin + key.byteCount + value.byteCount, Entry.prefetchBytesMax)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: attributes.database, hash: hash, bytes: bytes, at: now)
    return try put(key, value, attributes, condition, replacing: old, hash: hash, shard: index, at: now)
  }

  /// As `put`, of a key that was announced as number `index` of `batch` (from 0), in the database of `attributes`: neither hashed nor, where
  /// `prefetch` has found it, looked for again. With another key than that its entry is not found again.
  package mutating func put(
    _ key: RawSpan, number index: Int, of batch: borrowing KeyBatch, _ value: RawSpan, _ attributes: borrowing PutAttributes,
    condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let note = batch[index]
    let (hash, shard) = locate(note)
    let old: Shard.Lookup
    if let place = unsafe engine.pointee.shard(shard).pointee.table.place(note, key, database: attributes.database) {
      old = unsafe engine.pointee.shard(shard).pointee.judged(place, at: now)
    } else {
      old = unsafe engine.pointee.shard(shard).pointee.look(for: key, database: attributes.database, hash: hash, at: now)
    }
    return try put(key, value, attributes, condition, replacing: old, hash: hash, shard: shard, at: now)
  }

  @inline(__always)
  private mutating func put(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes, _ condition: PutCondition, replacing old: Shard.Lookup,
    hash: UInt64, shard index: Int, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let plan = Entry.Plan(key: key, attributes: attributes, valueCount: value.byteCount)
    try check(plan)
    try check(condition, old)
    if let place = old.place, place.entry.isLaidOut(as: plan) {
      let version = unsafe engine.pointee.shard(index).pointee.overwrite(place, with: plan, value, at: now)
      return old.livePlace == nil ? .created(version: version) : .replaced(version: version)
    }
    if plan.isApart {
      let block = try makeBlock(plan, protecting: hash, of: hash, at: now)
      block.writeValue(value)
      return try put(plan, value, block, hash: hash, shard: index, at: now)
    }
    return try put(plan, value, nil, hash: hash, shard: index, at: now)
  }

  /// Makes a value that was written before the lock was taken the entry of `key`, which may stand in the block.
  mutating func put(
    block: ValueBlock, _ key: RawSpan, _ attributes: borrowing PutAttributes, condition: PutCondition, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let plan = Entry.Plan(key: key, attributes: attributes, valueCount: block.value.byteCount)
    let (hash, index) = locate(key, attributes.database)
    let blocks = unsafe engine.pointee.memory.blocks
    do throws(CacheError) {
      let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: attributes.database, hash: hash, at: now)
      try check(condition, old)
    } catch {
      blocks.release(block)
      throw error
    }
    if plan.isApart { return try put(plan, RawSpan(), block, hash: hash, shard: index, at: now) }
    defer { blocks.release(block) }
    return try put(plan, block.value, nil, hash: hash, shard: index, at: now)
  }

  /// Lays an entry out and links it. Its value is `value`, or in `block`, which the entry owns from here on.
  private mutating func put(
    _ plan: borrowing Entry.Plan, _ value: RawSpan, _ block: ValueBlock?, hash: UInt64, shard index: Int, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    let database = plan.attributes.database
    let before = unsafe engine.pointee.shard(index).pointee.table.find(plan.key, database: database, hash: hash)
    guard let queue = makeRoom(plan.logBytes, replacing: before?.entry, hash: hash, shard: index, at: now) else {
      if let block { unsafe engine.pointee.memory.blocks.release(block) }
      throw .outOfMemory
    }
    // Making room may have moved what was there.
    let old = unsafe engine.pointee.shard(index).pointee.look(for: plan.key, database: database, hash: hash, at: now)
    let entry = unsafe engine.pointee.shard(index).pointee.lay(plan, value, block, in: queue)
    let evicts = unsafe engine.pointee.evicts
    guard let version = unsafe engine.pointee.shard(index).pointee.link(entry, hash: hash, replacing: old.place, evicts: evicts, at: now)
    else { throw .outOfMemory }
    return old.livePlace == nil ? .created(version: version) : .replaced(version: version)
  }

  // MARK: delete

  /// Whether an entry was there and is gone.
  package mutating func delete(
    _ key: RawSpan, database: UInt8 = 0, condition: PutCondition = .always, at now: UnixTime
  ) throws(CacheError) -> Bool {
    let (hash, index) = locate(key, database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    try check(condition, old)
    guard let place = old.place else {
      // Nothing to remove, but whoever is filling must not bring back what was deleted elsewhere.
      if unsafe !engine.pointee.shard(index).pointee.interests.isIdle {
        unsafe engine.pointee.shard(index).pointee.interests.overtake(key, database, hash: hash, at: now)
      }
      return false
    }
    unsafe engine.pointee.shard(index).pointee.delete(place, at: now)
    return old.livePlace != nil
  }

  // MARK: update

  /// Replaces the value by what `body` makes of the entry; expiry, tags, type and flags stay. The new version, or nil if there is no
  /// entry. If `body` throws, the entry is as it was. `body` runs under the lock: keep it short, do not call the store.
  package mutating func update<Failure: Error>(
    _ key: RawSpan, database: UInt8 = 0, condition: PutCondition = .always, at now: UnixTime,
    _ body: (borrowing EntryView) throws(Failure) -> ByteBuffer
  ) throws(UpdateError<Failure>) -> UInt64? {
    let (hash, index) = locate(key, database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    do throws(CacheError) { try check(condition, old) } catch { throw .cache(error) }
    guard let place = old.livePlace else { return nil }
    let value: ByteBuffer
    do throws(Failure) { value = try body(EntryView(place.entry)) } catch { throw .body(error) }
    do throws(CacheError) {
      return try rewrite(place, key, database, value.bytes, hash: hash, shard: index, at: now)
    } catch { throw .cache(error) }
  }

  /// The entry of a key, for which `condition` holds; nil if there is none.
  mutating func live(_ key: RawSpan, _ database: UInt8, _ condition: PutCondition, at now: UnixTime) throws(CacheError) -> Entry? {
    let (hash, index) = locate(key, database)
    let found = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    try check(condition, found)
    return found.livePlace?.entry
  }

  /// Gives an entry another value, which is in `prepared` if it is large, and keeps everything else. Nil if it is of another version.
  mutating func rewrite(
    _ key: RawSpan, _ database: UInt8, version: UInt64, _ value: RawSpan, _ prepared: PreparedValue?, at now: UnixTime
  ) throws(CacheError) -> UInt64? {
    let (hash, index) = locate(key, database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    guard let place = old.livePlace, place.entry.version == version else { return nil }
    return try rewrite(place, key, database, value, prepared?.take(), hash: hash, shard: index, at: now)
  }

  /// Gives a live entry another value and keeps everything else. A large value is copied, if it is not in `ready`, together with the entry's
  /// type and tags.
  private mutating func rewrite(
    _ place: Place, _ key: RawSpan, _ database: UInt8, _ value: RawSpan, _ ready: ValueBlock? = nil, hash: UInt64, shard index: Int,
    at now: UnixTime
  ) throws(CacheError) -> UInt64 {
    let old = place.entry
    if value.byteCount == old.valueCount, !old.isApart {
      return unsafe engine.pointee.shard(index).pointee.overwrite(place, with: value, at: now)
    }
    // The old entry lends type and tags: it must not move between here and the copy, so room is made first, and then it is looked up.
    let plan = old.plan(valueCount: value.byteCount)
    try check(plan)
    let bytes = plan.logBytes
    var block = ready
    if plan.isApart, block == nil { block = try copyApart(key, database, value, hash: hash, at: now) }
    guard let queue = makeRoom(bytes, replacing: old, hash: hash, shard: index, at: now),
      let kept = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace
    else {
      if let block { unsafe engine.pointee.memory.blocks.release(block) }
      throw .outOfMemory
    }
    let entry = unsafe engine.pointee.shard(index).pointee.lay(kept.entry.plan(valueCount: value.byteCount), value, block, in: queue)
    let evicts = unsafe engine.pointee.evicts
    guard let version = unsafe engine.pointee.shard(index).pointee.link(entry, hash: hash, replacing: kept, evicts: evicts, at: now)
    else { throw .outOfMemory }
    return version
  }

  /// A block with `value`, and the type and tags of the entry that is there.
  private mutating func copyApart(
    _ key: RawSpan, _ database: UInt8, _ value: RawSpan, hash: UInt64, at now: UnixTime
  ) throws(CacheError) -> ValueBlock {
    let index = unsafe engine.pointee.shardIndex(hash)
    let memory = unsafe engine.pointee.memory
    var contentType = ByteBuffer()
    var tags = ByteBuffer()
    guard let old = unsafe engine.pointee.shard(index).pointee.table.find(key, database: database, hash: hash) else { throw .outOfMemory }
    contentType.append(old.entry.contentType)
    tags.append(old.entry.tags)
    let cost = ValueBlock.cost(bytes: ValueBlock.bytes(value: value.byteCount, contentType: contentType.count, tags: tags.count))
    guard unsafe engine.pointee.takeRoom(cost, own: index, held: held, protecting: hash, at: now) else { throw .outOfMemory }
    guard let block = memory.blocks.make(valueCount: value.byteCount, contentType: contentType.bytes, tags: tags.bytes) else {
      memory.ledger.subtract(cost)
      throw .outOfMemory
    }
    block.writeValue(value)
    return block
  }

  // MARK: increment

  /// Adds `amount` to a value that is the shortest decimal text of an Int64, and keeps everything else of the entry.
  /// Without an entry: a new one of `initial + amount` with `attributes`.
  package mutating func increment(
    _ key: RawSpan, by amount: Int64, initial: Int64 = 0, _ attributes: borrowing PutAttributes, at now: UnixTime
  ) throws(CacheError) -> (value: Int64, version: UInt64) {
    let (hash, index) = locate(key, attributes.database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: attributes.database, hash: hash, at: now)
    var current = initial
    if let place = old.livePlace {
      guard let number = LockedShards.integer(place.entry.value) else { throw .notAnInteger }
      current = number
    }
    let (sum, overflow) = current.addingReportingOverflow(amount)
    if overflow { throw .overflow }
    var text = InlineArray<20, UInt8>(repeating: 0)
    let count = LockedShards.write(sum, into: &text)
    let digits = unsafe text.span.bytes[0..<count]  // plain bytes, all initialised
    guard let place = old.livePlace else {
      return (sum, try put(key, digits, attributes, at: now).version)
    }
    return (sum, try rewrite(place, key, attributes.database, digits, hash: hash, shard: index, at: now))
  }

  /// As Redis reads integers: no sign but `-`, no leading zeros, no `-0`, nothing around.
  private static func integer(_ text: RawSpan) -> Int64? {
    guard text.byteCount > 0, text.byteCount <= 20, let number = Digits.parseSigned(text) else { return nil }
    let isNegative = text[0] == UInt8(ascii: "-")
    let digitCount = text.byteCount - (isNegative ? 1 : 0)
    return digitCount == Digits.count(number.magnitude) && !(isNegative && number == 0) ? number : nil
  }

  private static func write(_ number: Int64, into text: inout InlineArray<20, UInt8>) -> Int {
    var rest = number.magnitude
    var count = Digits.count(rest)
    if number < 0 {
      text[0] = UInt8(ascii: "-")
      count += 1
    }
    var index = count
    repeat {
      index -= 1
      text[index] = 0x30 + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    return count
  }

  // MARK: expire

  /// Sets when the entry expires (`.never`: not at all); at or before `now` it is deleted. The version stays.
  /// False if there is no entry or the condition does not hold.
  package mutating func expire(
    _ key: RawSpan, database: UInt8 = 0, at expiry: UnixTime, condition: ExpireCondition = .always, now: UnixTime
  ) throws(CacheError) -> Bool {
    let (hash, index) = locate(key, database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now)
    guard var place = old.livePlace else { return false }
    guard condition.holds(for: place.entry.expiry, new: expiry) else { return false }
    if expiry <= now {
      unsafe engine.pointee.shard(index).pointee.delete(place, at: now)
      return true
    }
    if !place.entry.fields.contains(.expiry) {
      if expiry == .never { return true }
      let bytes = place.entry.logBytes + 8
      guard let queue = makeRoom(bytes, replacing: place.entry, hash: hash, shard: index, at: now),
        let kept = unsafe engine.pointee.shard(index).pointee.look(for: key, database: database, hash: hash, at: now).livePlace
      else { throw .outOfMemory }
      place = unsafe engine.pointee.shard(index).pointee.exchange(kept, expiry: expiry, in: queue)
    }
    unsafe engine.pointee.shard(index).pointee.setExpiry(expiry, of: place)
    return true
  }

  // MARK: What they share

  func check(_ plan: borrowing Entry.Plan) throws(CacheError) {
    try unsafe engine.pointee.check(plan)
  }

  private func check(_ condition: PutCondition, _ old: Shard.Lookup) throws(CacheError) {
    if case .always = condition { return }
    let current = old.livePlace?.entry.version
    if !condition.holds(for: current) { throw .conditionFailed(current: current) }
  }

  /// Sees to it that `bytes` can be laid out in the log of a shard, for a key that is not evicted meanwhile. Where; nil: no room.
  func makeRoom(_ bytes: Int, replacing old: Entry?, hash: UInt64, shard index: Int, at now: UnixTime) -> SegmentQueue.Kind? {
    let queue = unsafe engine.pointee.shard(index).pointee.queue(for: hash, replacing: old)
    if unsafe engine.pointee.shard(index).pointee.log.open(queue, for: bytes) != nil { return queue }
    return unsafe engine.pointee.openSegment(for: bytes, queue, own: index, held: held, protecting: hash, at: now) ? queue : nil
  }
}

extension Engine {
  /// Whether the parts of an entry are within their limits.
  func check(_ plan: borrowing Entry.Plan) throws(CacheError) {
    if plan.key.byteCount > CacheLimits.keyBytesMax { throw .keyTooLarge(limit: CacheLimits.keyBytesMax) }
    if plan.valueCount > valueBytesMax { throw .valueTooLarge(limit: valueBytesMax) }
    if plan.attributes.contentType.byteCount > CacheLimits.contentTypeBytesMax {
      throw .contentTypeTooLarge(limit: CacheLimits.contentTypeBytesMax)
    }
    if plan.attributes.tags.byteCount > TagList.bytesMax { throw .tagsTooLarge(limit: TagList.bytesMax) }
    precondition(plan.attributes.database < CacheLimits.databaseCount, "databases are numbered 0 to 15")
  }
}
