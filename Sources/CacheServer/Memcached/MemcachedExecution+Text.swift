/// The commands of the text protocol. Each does its work, then says how it went, unless nobody wants to know.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension MemcachedExecution {
  // MARK: Retrieval

  /// `get`, `gets`, `gat`, `gats`, of the keys from `first` on. See `execute`.
  @inline(__always)
  mutating func get(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, from first: Int, _ shards: inout LockedShards
  ) -> Int {
    if words.count == 0 {
      if request.key.count > 0 { get(request, request.key.of(input), number: firstKey, &shards) }
      writer.line("END\r\n")
      return 0
    }
    return getMany(request, words, from: first, &shards)
  }

  @inline(never)
  private mutating func getMany(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, from first: Int, _ shards: inout LockedShards
  ) -> Int {
    for index in first..<min(words.count, first &+ MemcachedBatch.keysMax) {
      if isFull, index > first { return index }
      get(request, words[index], number: firstKey &+ index &- first, &shards)
    }
    if words.count > first &+ MemcachedBatch.keysMax { return first &+ MemcachedBatch.keysMax }
    writer.line("END\r\n")
    return 0
  }

  @inline(__always)
  private mutating func get(_ request: MemcachedRequest, _ key: RawSpan, number index: Int, _ shards: inout LockedShards) {
    let wantsVersion = request.command.showsVersion
    var isLarge = false
    let found: Void? = shards.get(key, number: index, of: keys, at: now) { entry in
      if entry.isLarge {
        isLarge = true
      } else {
        writer.value(key, flags: entry.flags, entry.value, version: wantsVersion ? entry.version : nil)
      }
    }
    if found == nil {
      statistics.getMisses &+= 1
    } else {
      statistics.getHits &+= 1
      if isLarge { getLarge(key, wantsVersion: wantsVersion, &shards) }
    }
    if request.command.touches { retouch(request, key, isHit: found != nil, &shards) }
  }

  @inline(never)
  private mutating func getLarge(_ key: RawSpan, wantsVersion: Bool, _ shards: inout LockedShards) {
    guard let value = shards.share(key, database: 0, of: store, at: now) else { return }
    value.withPinned { pinned in
      let count = pinned.value.byteCount
      writer.valueHead(key, flags: pinned.flags, count: count, version: wantsVersion ? pinned.version : nil)
      large.append(LargePiece(offset: writer.output.count, value: value, range: 0..<count, tail: []))
    }
    writer.line("\r\n")
  }

  private mutating func retouch(_ request: MemcachedRequest, _ key: RawSpan, isHit: Bool, _ shards: inout LockedShards) {
    guard isHit else {
      statistics.touchMisses &+= 1
      return
    }
    statistics.touchHits &+= 1
    prolong(key, until: expiry(request.time), &shards)
  }

  // MARK: Storage

  /// `set`, `add`, `replace`, `cas`.
  @inline(__always)
  mutating func store(_ request: MemcachedRequest, _ key: RawSpan, _ data: RawSpan, _ shards: inout LockedShards) {
    statistics.sets &+= 1
    do throws(CacheError) {
      let attributes = PutAttributes(expiry: expiry(request.time), flags: request.flags)
      _ = try put(key, data, attributes, Self.condition(of: request), &shards)
      didStore(request)
    } catch {
      // What it was to replace goes: its client believes that the new value is there.
      if case .set = request.command { drop(key, &shards) }
      didNotStore(request, error)
    }
  }

  @inline(__always)
  private static func condition(of request: MemcachedRequest) -> PutCondition {
    switch request.command {
    case .add: .ifAbsent
    case .replace: .ifPresent
    case .cas: .ifVersion(request.number)
    default: .always
    }
  }

  @inline(__always)
  private mutating func didStore(_ request: MemcachedRequest) {
    if case .cas = request.command { statistics.casHits &+= 1 }
    if !request.isQuiet { writer.line("STORED\r\n") }
  }

  private mutating func didNotStore(_ request: MemcachedRequest, _ error: CacheError) {
    let mark = writer.output.count
    switch error {
    case .conditionFailed(let current) where request.command == .cas:
      if current == nil { statistics.casMisses &+= 1 } else { statistics.casBadVersions &+= 1 }
      if current == nil { writer.line("NOT_FOUND\r\n") } else { writer.line("EXISTS\r\n") }
    case .conditionFailed: writer.line("NOT_STORED\r\n")
    default: fail(error)
    }
    if request.isQuiet { writer.output.truncate(to: mark) }
  }

  /// `append`, `prepend`: flags and expiry stay as they are.
  mutating func extend(_ request: MemcachedRequest, _ key: RawSpan, _ piece: RawSpan, _ shards: inout LockedShards) {
    statistics.sets &+= 1
    let mark = writer.output.count
    do throws(CacheError) {
      let isStored = try extended(key, piece, atFront: request.command == .prepend, &shards) != nil
      if isStored { writer.line("STORED\r\n") } else { writer.line("NOT_STORED\r\n") }
    } catch { fail(error) }
    if request.isQuiet { writer.output.truncate(to: mark) }
  }

  /// `prepend` to a large value, all of which moves: with no shard held. False, and nothing has changed: `extend` does it.
  mutating func prependLarge(_ request: MemcachedRequest, _ key: RawSpan, _ piece: RawSpan) -> Bool {
    let limit = store.valueBytesMax
    let revision = try? store.revise(key, at: now) { (held) throws(CacheError) in
      let count = piece.byteCount + held.value.byteCount
      if count > limit { throw .valueTooLarge(limit: limit) }
      var value = ByteBuffer(capacity: count)
      value.append(piece)
      value.append(held.value)
      return value
    }
    guard case .made = revision else { return false }
    statistics.sets &+= 1
    if !request.isQuiet { writer.line("STORED\r\n") }
    return true
  }

  /// The version of the longer value; nil if there is none to be made longer.
  mutating func extended(
    _ key: RawSpan, _ piece: RawSpan, atFront: Bool, condition: PutCondition = .always, _ shards: inout LockedShards
  ) throws(CacheError) -> UInt64? {
    let limit = store.valueBytesMax
    if !atFront, let version = try extendedInPlace(key, piece, condition: condition, &shards) { return version }
    do {
      return try shards.update(key, condition: condition, at: now) { (entry) throws(CacheError) in
        let count = entry.value.byteCount + piece.byteCount
        if count > limit { throw .valueTooLarge(limit: limit) }
        var value = ByteBuffer(capacity: count)
        if atFront { value.append(piece) }
        value.append(entry.value)
        if !atFront { value.append(piece) }
        return value
      }
    } catch {
      switch error {
      case .cache(let error), .body(let error): throw error
      }
    }
  }

  /// Of a large value: only what is new is written under the lock. Nil, and nothing has changed: it is to be written anew.
  private mutating func extendedInPlace(
    _ key: RawSpan, _ piece: RawSpan, condition: PutCondition, _ shards: inout LockedShards
  ) throws(CacheError) -> UInt64? {
    let old = shards.peek(key, at: now) { (count: $0.value.byteCount, version: $0.version) }
    guard let old, old.count >= CacheLimits.largeValueBytesMin, condition.holds(for: old.version),
      try shards.writeInPlace(key, offset: old.count, piece, at: now) != nil
    else { return nil }
    return shards.peek(key, at: now) { $0.version }
  }

  // MARK: Changes

  mutating func arithmetic(_ request: MemcachedRequest, _ key: RawSpan, _ shards: inout LockedShards) {
    let isIncrement = request.command == .incr
    let mark = writer.output.count
    do throws(CacheError) {
      if let result = try counted(key, by: request.number, isIncrement: isIncrement, &shards) {
        if isIncrement { statistics.incrHits &+= 1 } else { statistics.decrHits &+= 1 }
        writer.number(result.value)
      } else {
        if isIncrement { statistics.incrMisses &+= 1 } else { statistics.decrMisses &+= 1 }
        writer.line("NOT_FOUND\r\n")
      }
    } catch { fail(error) }
    if request.isQuiet { writer.output.truncate(to: mark) }
  }

  /// Counts in 64 bits without a sign: up past the last number to 0 again, down to 0 and no further. Nil if there is no entry.
  mutating func counted(
    _ key: RawSpan, by amount: UInt64, isIncrement: Bool, condition: PutCondition = .always, _ shards: inout LockedShards
  ) throws(CacheError) -> (value: UInt64, version: UInt64)? {
    var value: UInt64 = 0
    do {
      let version = try shards.update(key, condition: condition, at: now) { (entry) throws(CacheError) in
        guard let old = MemcachedNumber.value(entry.value) else { throw .notAnInteger }
        value = isIncrement ? old &+ amount : old > amount ? old - amount : 0
        var text = ByteBuffer(capacity: 20)
        text.append(decimal: value)
        return text
      }
      return version.map { (value, $0) }
    } catch {
      switch error {
      case .cache(let error), .body(let error): throw error
      }
    }
  }

  mutating func delete(_ request: MemcachedRequest, _ key: RawSpan, _ shards: inout LockedShards) {
    let isDeleted = remove(key, &shards)
    if isDeleted { statistics.deleteHits &+= 1 } else { statistics.deleteMisses &+= 1 }
    if request.isQuiet { return }
    if isDeleted { writer.line("DELETED\r\n") } else { writer.line("NOT_FOUND\r\n") }
  }

  mutating func touch(_ request: MemcachedRequest, _ key: RawSpan, _ shards: inout LockedShards) {
    let mark = writer.output.count
    do throws(CacheError) {
      let isTouched = try shards.expire(key, at: expiry(request.time), now: now)
      if isTouched { statistics.touchHits &+= 1 } else { statistics.touchMisses &+= 1 }
      if isTouched { writer.line("TOUCHED\r\n") } else { writer.line("NOT_FOUND\r\n") }
    } catch { fail(error) }
    if request.isQuiet { writer.output.truncate(to: mark) }
  }
}
