/// `JSON.*`, as RedisJSON has them, for paths that name one place (`JSONPath`). Documents are strings like any other: GET gives their bytes,
/// and a change of one place leaves all other bytes as they were. A value that is no JSON text is of the wrong type.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletJSON

extension CommandExecution {
  // MARK: JSON.GET key [INDENT indent] [NEWLINE newline] [SPACE space] [path…]

  mutating func jsonGet(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let request = try JSONGet(args, bytesMax: store.valueBytesMax)
    var isLarge = false
    let found: Void? = try shards.get(args[1], database: database, at: now) { (entry) throws(CommandError) in
      if entry.isLarge { isLarge = true } else { try request.write(entry.value, to: &writer) }
    }
    if found == nil { return writer.null() }
    if isLarge { try leave(.jsonGet(request, shared(args[1], &shards))) }
  }

  /// A large document, to be read once no shard is held.
  private func shared(_ key: RawSpan, _ shards: inout LockedShards) throws(CommandError) -> SharedValue {
    guard let value = shards.share(key, database: database, of: store, at: now) else { throw .outOfMemory }
    return value
  }

  // MARK: JSON.TYPE key [path]

  mutating func jsonType(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    if args.count > 3 { throw .arity("json.type") }
    let path = try jsonPath(args, at: 2)
    var isLarge = false
    let found: Void? = try shards.get(args[1], database: database, at: now) { (entry) throws(CommandError) in
      if entry.isLarge { isLarge = true } else { try path.writeType(in: entry.value, to: &writer) }
    }
    if found == nil { return writer.null() }
    if isLarge { try leave(.jsonType(path, shared(args[1], &shards))) }
  }

  // MARK: JSON.SET key path value [NX|XX]

  mutating func jsonSet(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let path = try jsonPath(args, at: 2)
    let condition = try jsonCondition(args)
    let range = try path.checkedValue(args[3])
    if path.isRoot {
      return if try putJSON(args[1], args[3], condition, &shards) { writer.ok() } else { writer.null() }
    }
    let value = args[3][range]
    let outcome = try edit(args[1], &shards) { (document) throws(CommandError) in
      if let place = try path.place(in: document) {
        if case .ifAbsent = condition { return nil }
        return place.replacing(in: document, by: value)
      }
      if case .ifPresent = condition { return nil }
      return try path.adding(value, to: document)
    }
    switch outcome {
    case .changed: writer.ok()
    case .unchanged: writer.null()
    case .absent:
      guard case .ifPresent = condition else { throw .jsonRoot }
      writer.null()
    }
  }

  private func jsonCondition(_ args: borrowing RESPArguments) throws(CommandError) -> PutCondition {
    if args.count == 4 { return .always }
    guard args.count == 5 else { throw .syntax }
    if args[4].equalsIgnoringCase("nx") { return .ifAbsent }
    if args[4].equalsIgnoringCase("xx") { return .ifPresent }
    throw .syntax
  }

  /// A whole document, known as JSON to HTTP too. False if the condition does not hold.
  private mutating func putJSON(
    _ key: RawSpan, _ value: RawSpan, _ condition: PutCondition, _ shards: inout LockedShards
  ) throws(CommandError) -> Bool {
    let type: StaticString = "application/json"
    return try put(key, value, PutAttributes(database: database, contentType: type.rawSpan, tags: RawSpan()), condition, &shards)
  }

  // MARK: JSON.MERGE key path value

  mutating func jsonMerge(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let path = try jsonPath(args, at: 2)
    let patch = args[3][try path.checkedValue(args[3])]
    let bytesMax = store.valueBytesMax
    let isRemoval = patch.equals("null")
    if path.isRoot, isRemoval {
      if isPresent(args[1], &shards) { _ = try delete(args[1], &shards) }
      return writer.ok()
    }
    let outcome = try edit(args[1], &shards) { (document) throws(CommandError) in
      guard let place = try path.place(in: document) else {
        if isRemoval { return nil }
        let value = try Self.merged(patch, with: nil, bytesMax)
        return try path.adding(value.bytes, to: document)
      }
      if isRemoval { return place.removing(from: document) }
      let value = try Self.merged(patch, with: document[place.value], bytesMax)
      return place.replacing(in: document, by: value.bytes)
    }
    switch outcome {
    case .changed: writer.ok()
    case .unchanged: writer.null()
    case .absent:
      guard path.isRoot else { throw .jsonRoot }
      let document = try Self.merged(patch, with: nil, bytesMax)
      _ = try putJSON(args[1], document.bytes, .always, &shards)
      writer.ok()
    }
  }

  /// RFC 7396.
  private static func merged(_ patch: RawSpan, with value: RawSpan?, _ bytesMax: Int) throws(CommandError) -> ByteBuffer {
    let nothing: StaticString = "null"
    do throws(JSONPatchError) {
      if let value { return try JSONMergePatch.apply(patch: patch, to: value, bytesMax: bytesMax) }
      return try JSONMergePatch.apply(patch: patch, to: nothing.rawSpan, bytesMax: bytesMax)
    } catch {
      if case .tooLarge = error { throw .tooLong }
      throw CommandError("ERR \(error)")
    }
  }

  // MARK: JSON.DEL key [path]

  mutating func jsonDel(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    if args.count > 3 { throw .arity("json.del") }
    let path = try jsonPath(args, at: 2)
    if path.isRoot { return writer.flag(try delete(args[1], &shards)) }
    let outcome = try edit(args[1], &shards) { (document) throws(CommandError) in
      guard let place = try path.place(in: document) else { return nil }
      return place.removing(from: document)
    }
    writer.flag(outcome == .changed)
  }

  // MARK: JSON.NUMINCRBY key path number

  mutating func jsonNumIncrBy(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let path = try jsonPath(args, at: 2)
    let number = args[3][try path.checkedValue(args[3])]
    guard number[0] == UInt8(ascii: "-") || ASCII.isDigit(number[0]) else { throw CommandError("ERR expected a number") }
    var sum: [UInt8]?
    var isThere = false
    let outcome = try edit(args[1], &shards) { (document) throws(CommandError) in
      (sum, isThere) = (nil, false)
      guard let place = try path.place(in: document) else { return nil }
      isThere = true
      guard place.kind == .number else { return nil }
      guard let new = JSONSum.text(document[place.value], number) else { throw CommandError("ERR result is not a number") }
      sum = new.copied()
      return place.replacing(in: document, by: new.bytes)
    }
    if outcome == .absent { throw .jsonNoKey }
    var text = ByteBuffer()
    if !path.isBare { text.append(UInt8(ascii: "[")) }
    if let sum { text.append(sum) } else if path.isBare { throw .jsonPath(path.text, "or does not contains a number") }
    if !path.isBare, isThere, sum == nil { text.append("null") }
    if !path.isBare { text.append(UInt8(ascii: "]")) }
    writer.bulk(text.bytes)
  }

  // MARK: JSON.ARRAPPEND key path value…

  mutating func jsonArrAppend(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let path = try jsonPath(args, at: 2)
    var elements = ByteBuffer()
    for index in 3..<args.count {
      if index > 3 { elements.append(UInt8(ascii: ",")) }
      elements.append(args[index][try path.checkedValue(args[index], levelsAround: 1)])
    }
    var count: Int?
    var isThere = false
    let outcome = try edit(args[1], &shards) { (document) throws(CommandError) in
      (count, isThere) = (nil, false)
      guard let place = try path.place(in: document) else { return nil }
      isThere = true
      guard place.kind == .array else { return nil }
      count = try place.count(in: document) + args.count - 3
      return place.appending(elements.bytes, to: document)
    }
    if outcome == .absent { throw .jsonNoKey }
    if !path.isBare { writer.array(isThere ? 1 : 0) }
    if let count {
      writer.integer(count)
    } else if path.isBare {
      throw .jsonPath(path.original, "or not an array")
    } else if isThere {
      writer.null()
    }
  }

  // MARK: What they share

  /// The path in an argument; without it, the whole document.
  private func jsonPath(_ args: borrowing RESPArguments, at index: Int) throws(CommandError) -> JSONPath {
    if args.count <= index { return .root }
    return try JSONPath.read(args[index])
  }
}
