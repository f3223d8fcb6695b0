/// Commands on strings. Each checks its arguments first, then calls the store: an error leaves everything as it was.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  @inline(__always)
  mutating func get(_ key: RawSpan, _ shards: inout LockedShards) {
    if !writeValue(of: key, &shards) { writer.null() }
  }

  // MARK: SET and its kin

  /// What SET and GETEX say of expiry.
  enum ExpiryOption {
    case none, keep, persist
    case at(UnixTime)
  }

  struct SetOptions {
    var expiry = ExpiryOption.none
    var condition = PutCondition.always
    var wantsOld = false
  }

  mutating func set(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    if args.count == 3 { return try set(args[1], args[2], &shards) }
    let options = try setOptions(args, .set, from: 3)
    if options.wantsOld, !writeValue(of: args[1], &shards) { writer.null() }
    var expiry = UnixTime.never
    switch options.expiry {
    case .at(let time): expiry = time
    case .keep: expiry = shards.peek(args[1], database: database, at: now) { $0.expiry } ?? .never
    case .none, .persist: break
    }
    let isDone = try put(args[1], args[2], expiry: expiry, condition: options.condition, &shards)
    if options.wantsOld { return }
    if isDone { writer.ok() } else { writer.null() }
  }

  @inline(__always)
  private mutating func set(_ key: RawSpan, _ value: RawSpan, _ shards: inout LockedShards) throws(CommandError) {
    if value.byteCount >= CacheLimits.largeValueBytesMin {
      try put(key, value, &shards)
    } else {
      do throws(CacheError) {
        _ = try shards.put(key, number: firstKey, of: keys, value, PutAttributes(database: database), at: now)
      } catch {
        throw CommandError(error)
      }
    }
    writer.ok()
  }

  /// The options from argument `start` on, of SET or GETEX.
  private func setOptions(_ args: borrowing RESPArguments, _ command: Command, from start: Int) throws(CommandError) -> SetOptions {
    var options = SetOptions()
    var hasExpiry = false
    var hasCondition = false
    var index = start
    let isSet = command == .set
    while index < args.count {
      let word = args[index]
      let hasNext = index + 1 < args.count
      if isSet, !hasCondition, word.equalsIgnoringCase("nx") || word.equalsIgnoringCase("xx") {
        options.condition = word.equalsIgnoringCase("nx") ? .ifAbsent : .ifPresent
        hasCondition = true
      } else if isSet, hasCondition, word.equalsIgnoringCase("nx") || word.equalsIgnoringCase("xx") {
        let isAgain =
          switch options.condition {
          case .ifAbsent: word.equalsIgnoringCase("nx")
          default: word.equalsIgnoringCase("xx")
          }
        if !isAgain { throw .syntax }
      } else if isSet, word.equalsIgnoringCase("get") {
        options.wantsOld = true
      } else if isSet, !hasExpiry, word.equalsIgnoringCase("keepttl") {
        options.expiry = .keep
        hasExpiry = true
      } else if !isSet, !hasExpiry, word.equalsIgnoringCase("persist") {
        options.expiry = .persist
        hasExpiry = true
      } else if !hasExpiry, hasNext, let (unit, isRelative) = Self.expiryUnit(word) {
        options.expiry = .at(try expiry(args[index + 1], unit: unit, isRelative: isRelative, command, mustBePositive: true))
        hasExpiry = true
        index += 1
      } else {
        throw .syntax
      }
      index += 1
    }
    return options
  }

  private static func expiryUnit(_ word: RawSpan) -> (Int64, isRelative: Bool)? {
    if word.equalsIgnoringCase("ex") { return (1000, true) }
    if word.equalsIgnoringCase("px") { return (1, true) }
    if word.equalsIgnoringCase("exat") { return (1000, false) }
    if word.equalsIgnoringCase("pxat") { return (1, false) }
    return nil
  }

  /// A time from its text.
  func expiry(
    _ text: RawSpan, unit: Int64, isRelative: Bool, _ command: Command, mustBePositive: Bool
  ) throws(CommandError) -> UnixTime {
    let number = try Self.integer(text)
    if mustBePositive, number <= 0 { throw .expireTime(command) }
    let (milliseconds, isTooLarge) = number.multipliedReportingOverflow(by: unit)
    let (sum, overflow) = milliseconds.addingReportingOverflow(isRelative ? now.milliseconds : 0)
    if isTooLarge || overflow || sum == .max { throw .expireTime(command) }
    return UnixTime(milliseconds: sum)
  }

  /// False if the condition does not hold.
  @discardableResult
  mutating func put(
    _ key: RawSpan, _ value: RawSpan, expiry: UnixTime = .never, condition: PutCondition = .always, _ shards: inout LockedShards
  ) throws(CommandError) -> Bool {
    try put(key, value, PutAttributes(expiry: expiry, database: database), condition, &shards)
  }

  mutating func put(
    _ key: RawSpan, _ value: RawSpan, _ attributes: borrowing PutAttributes, _ condition: PutCondition, _ shards: inout LockedShards
  ) throws(CommandError) -> Bool {
    do throws(CacheError) {
      if value.byteCount >= CacheLimits.largeValueBytesMin, let ready = takePrepared(count: value.byteCount) {
        _ = try shards.put(key, ready, attributes, condition: condition, at: now)
      } else {
        _ = try shards.put(key, value, attributes, condition: condition, at: now)
      }
      return true
    } catch .conditionFailed {
      return false
    } catch {
      throw CommandError(error)
    }
  }

  mutating func setnx(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    writer.flag(try put(args[1], args[2], condition: .ifAbsent, &shards))
  }

  mutating func setex(
    _ args: borrowing RESPArguments, _ shards: inout LockedShards, _ command: Command, unit: Int64
  ) throws(CommandError) {
    let expiry = try expiry(args[2], unit: unit, isRelative: true, command, mustBePositive: true)
    try put(args[1], args[3], expiry: expiry, &shards)
    writer.ok()
  }

  mutating func getset(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    get(args[1], &shards)
    try put(args[1], args[2], &shards)
  }

  mutating func getdel(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let (key, database, now) = (args[1], database, now)
    guard writeValue(of: key, &shards) else { return writer.null() }
    _ = try stored { () throws(CacheError) in try shards.delete(key, database: database, at: now) }
  }

  mutating func getex(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let options = try setOptions(args, .getex, from: 2)
    guard writeValue(of: args[1], &shards) else { return writer.null() }
    switch options.expiry {
    case .none, .keep: return
    case .persist: _ = try setExpiry(args[1], .never, &shards)
    case .at(let time): _ = try setExpiry(args[1], time, &shards)
    }
  }

  func setExpiry(_ key: RawSpan, _ expiry: UnixTime, _ shards: inout LockedShards) throws(CommandError) -> Bool {
    do throws(CacheError) { return try shards.expire(key, database: database, at: expiry, now: now) } catch { throw CommandError(error) }
  }

  // MARK: Several keys

  mutating func mget(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    writer.array(args.count - 1)
    let end = writer.output.count + replyBytesMax
    for index in 1..<args.count {
      if !writeValue(of: args[index], number: index - 1, &shards) { writer.null() }
      if writer.output.count > end { throw .replyTooLarge(replyBytesMax) }
    }
  }

  mutating func mset(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    guard args.count % 2 == 1 else { throw .arity("mset") }
    for index in stride(from: 1, to: args.count, by: 2) { try put(args[index], args[index + 1], &shards) }
    writer.ok()
  }

  mutating func msetnx(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    guard args.count % 2 == 1 else { throw .arity("msetnx") }
    for index in stride(from: 1, to: args.count, by: 2) where isPresent(args[index], &shards) { return writer.flag(false) }
    for index in stride(from: 1, to: args.count, by: 2) { try put(args[index], args[index + 1], &shards) }
    writer.flag(true)
  }

  func isPresent(_ key: RawSpan, _ shards: inout LockedShards) -> Bool {
    shards.peek(key, database: database, at: now) { _ in true } ?? false
  }

  // MARK: Parts

  mutating func strlen(_ args: borrowing RESPArguments, _ shards: inout LockedShards) {
    writer.integer(shards.get(args[1], database: database, at: now) { $0.value.byteCount } ?? 0)
  }

  mutating func append(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let tail = args[2]
    let limit = store.valueBytesMax
    let old = shards.peek(args[1], database: database, at: now) { $0.value.byteCount } ?? 0
    if old + tail.byteCount > limit { throw .tooLong }
    if let length = try writeInPlace(args[1], offset: old, tail, &shards) { return writer.integer(length) }
    let length = try change(args[1], &shards) { (value) throws(CommandError) in
      var new = ByteBuffer(capacity: value.byteCount + tail.byteCount)
      new.append(value)
      new.append(tail)
      return new
    }
    writer.integer(length)
  }

  /// Writes into a large value where it lies; its length then. Nil: it is to be written anew.
  func writeInPlace(_ key: RawSpan, offset: Int, _ bytes: RawSpan, _ shards: inout LockedShards) throws(CommandError) -> Int? {
    do throws(CacheError) {
      return try shards.writeInPlace(key, database: database, offset: offset, bytes, at: now)
    } catch { throw CommandError(error) }
  }

  /// Replaces a value, an absent one being empty, by what `body` makes of it; how long it is then. Expiry, type and tags stay.
  @discardableResult
  mutating func change(
    _ key: RawSpan, _ shards: inout LockedShards, _ body: (RawSpan) throws(CommandError) -> ByteBuffer
  ) throws(CommandError) -> Int {
    var length = 0
    do throws(UpdateError<CommandError>) {
      let version = try shards.update(key, database: database, at: now) { (entry) throws(CommandError) in
        let new = try body(entry.value)
        length = new.count
        return new
      }
      if version != nil { return length }
    } catch {
      switch error {
      case .cache(let error): throw CommandError(error)
      case .body(let error): throw error
      }
    }
    let new = try body(RawSpan())
    try put(key, new.bytes, &shards)
    return new.count
  }

  mutating func getrange(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let first = try Self.integer(args[2])
    let last = try Self.integer(args[3])
    var large: Range<Int>?
    let found: Void? = shards.get(args[1], database: database, at: now) { entry in
      let range = Self.range(first, last, of: entry.value.byteCount)
      if range.count >= CacheLimits.largeValueBytesMin { large = range } else { writer.bulk(entry.value[range]) }
    }
    if let large, writeLarge(args[1], &shards, range: large) { return }
    if found == nil || large != nil { writer.bulk(RawSpan()) }
  }

  /// Redis's ends: both inclusive, counted from the back when negative.
  static func range(_ first: Int64, _ last: Int64, of count: Int) -> Range<Int> {
    if first < 0, last < 0, first > last { return 0..<0 }
    let count = Int64(count)
    let start = max(first < 0 ? first + count : first, 0)
    let end = min(max(last < 0 ? last + count : last, 0), count - 1)
    return start > end || count == 0 ? 0..<0 : Int(start)..<(Int(end) + 1)
  }

  mutating func setrange(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let offset = try Self.integer(args[2])
    if offset < 0 { throw .offsetRange }
    let piece = args[3]
    if piece.byteCount == 0 { return strlen(args, &shards) }
    guard offset <= Int64(store.valueBytesMax - piece.byteCount) else { throw .tooLong }
    let start = Int(offset)
    if let length = try writeInPlace(args[1], offset: start, piece, &shards) { return writer.integer(length) }
    let length = try change(args[1], &shards) { (value) throws(CommandError) in
      var new = ByteBuffer(capacity: max(value.byteCount, start + piece.byteCount))
      new.append(value[0..<min(start, value.byteCount)])
      while new.count < start { new.append(UInt8(0)) }
      new.append(piece)
      if new.count < value.byteCount { new.append(value[new.count..<value.byteCount]) }
      return new
    }
    writer.integer(length)
  }

  // MARK: Numbers

  mutating func increment(_ key: RawSpan, by amount: Int64, _ shards: inout LockedShards) throws(CommandError) {
    do throws(CacheError) {
      writer.integer(try shards.increment(key, by: amount, PutAttributes(database: database), at: now).value)
    } catch { throw CommandError(error) }
  }

  mutating func decrby(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let amount = try Self.integer(args[2])
    if amount == .min { throw CommandError("ERR decrement would overflow") }
    try increment(args[1], by: -amount, &shards)
  }

  mutating func incrbyfloat(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let overflow = CommandError("ERR increment would produce NaN or Infinity")
    func number(_ text: RawSpan) throws(CommandError) -> RESPDecimal {
      switch RESPDecimal.read(text) {
      case .number(let number): return number
      case .malformed: throw .notAFloat
      case .tooLarge: throw overflow
      }
    }
    // The value is looked at before the argument, as Redis does.
    if let old: Result<RESPDecimal, CommandError> = shards.peek(
      args[1], database: database, at: now, { entry in Result { () throws(CommandError) in try number(entry.value) } }),
      case .failure(let error) = old
    {
      throw error
    }
    let amount = try number(args[2])
    let mark = writer.output.count
    var text = ByteBuffer()
    try change(args[1], &shards) { (value) throws(CommandError) in
      let old = value.byteCount == 0 ? RESPDecimal() : try number(value)
      guard let sum = old.adding(amount) else { throw overflow }
      text.removeAll()
      sum.write(to: &text)
      var new = ByteBuffer()
      new.append(text)
      return new
    }
    writer.output.truncate(to: mark)
    writer.bulk(text.bytes)
  }
}
