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
    let plan = Entry.Plan(key: key, attributes: attributes, valueCount: value.byteCount)
    try check(plan)
    let (hash, index) = locate(key, attributes.database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: key, database: attributes.database, hash: hash, at: now)
    try check(condition, old)
    let entry = try makeEntry(plan, replacing: old.place, shard: index, at: now)
    entry.writeValue(value)
    return try link(entry, hash: hash, replacing: old, shard: index, at: now)
  }

  /// Links an entry that was made before the lock was taken, its cost in the ledger already.
  mutating func put(reserved entry: Entry, condition: PutCondition, at now: UnixTime) throws(CacheError) -> PutResult {
    let (hash, index) = locate(entry.key, entry.database)
    let old = unsafe engine.pointee.shard(index).pointee.look(for: entry.key, database: entry.database, hash: hash, at: now)
    do throws(CacheError) {
      try check(condition, old)
    } catch {
      discard(entry)
      throw error
    }
    return try link(entry, hash: hash, replacing: old, shard: index, at: now)
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
    unsafe engine.pointee.shard(index).pointee.delete(place, hash: hash, at: now)
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
      return try rewrite(place, value.bytes, hash: hash, shard: index, at: now)
    } catch { throw .cache(error) }
  }

  /// Gives a live entry another value and keeps everything else.
  private mutating func rewrite(
    _ place: Place, _ value: RawSpan, hash: UInt64, shard index: Int, at now: UnixTime
  ) throws(CacheError) -> UInt64 {
    let old = place.entry
    if value.byteCount == old.valueCount, !old.fields.contains(.large) {
      return unsafe engine.pointee.shard(index).pointee.overwrite(place, with: value, at: now)
    }
    let plan = old.plan(valueCount: value.byteCount)
    try check(plan)
    let entry = try makeEntry(plan, replacing: place, shard: index, at: now)
    entry.writeValue(value)
    return try link(entry, hash: hash, replacing: .live(place), shard: index, at: now).version
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
    return (sum, try rewrite(place, digits, hash: hash, shard: index, at: now))
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
    guard let place = old.livePlace else { return false }
    guard condition.holds(for: place.entry.expiry, new: expiry) else { return false }
    if expiry <= now {
      unsafe engine.pointee.shard(index).pointee.delete(place, hash: hash, at: now)
      return true
    }
    if !place.entry.fields.contains(.expiry) {
      if expiry == .never { return true }
      let old = place.entry
      let entry = try makeEntry(old.plan(valueCount: old.valueCount, expiry: expiry), replacing: place, shard: index, at: now)
      entry.writeValue(old.value)
      unsafe engine.pointee.shard(index).pointee.exchange(place, for: entry)
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

  /// Room in the ledger and a block, laid out but for its value.
  private mutating func makeEntry(
    _ plan: borrowing Entry.Plan, replacing old: Place?, shard index: Int, at now: UnixTime
  ) throws(CacheError) -> Entry {
    let cost = EntryMemory.cost(bytes: plan.bytes)
    let returning = old.map { EntryMemory.cost(bytes: $0.entry.bytes) } ?? 0
    guard unsafe engine.pointee.takeRoom(cost, returning: returning, replaced: old, own: index, held: held, at: now) else {
      throw .outOfMemory
    }
    guard let entry = Entry.make(plan) else {
      unsafe engine.pointee.giveBack(cost)
      throw .outOfMemory
    }
    return entry
  }

  private mutating func link(
    _ entry: Entry, hash: UInt64, replacing old: Shard.Lookup, shard index: Int, at now: UnixTime
  ) throws(CacheError) -> PutResult {
    if entry.fields.contains(.tags), entry.tagStamp == .open { entry.tagStamp = unsafe TagStamp(engine.pointee.tags.now) }
    let evicts = unsafe engine.pointee.evicts
    guard let version = unsafe engine.pointee.shard(index).pointee.link(entry, hash: hash, replacing: old.place, evicts: evicts, at: now)
    else {
      discard(entry)
      throw .outOfMemory
    }
    return old.livePlace == nil ? .created(version: version) : .replaced(version: version)
  }

  /// Frees an entry that nobody has seen.
  func discard(_ entry: Entry) {
    let cost = EntryMemory.cost(bytes: entry.bytes)
    if entry.release() { unsafe engine.pointee.giveBack(cost) }
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
