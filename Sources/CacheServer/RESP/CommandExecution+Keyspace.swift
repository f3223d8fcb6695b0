/// Commands on whole databases. Outside of a transaction they go through the store, which holds one shard at a time, for a step of bounded
/// length. Within one every shard is held already, and stays so: all that a transaction says is of one moment, and of what other
/// commands in it have just changed. What has no end there (KEYS of a large database) keeps everybody else waiting, as it does in Redis.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  mutating func keyspace(_ command: Command, _ args: borrowing RESPArguments) throws(CommandError) {
    switch command {
    case .dbsize: writer.integer(store.count(database: database))
    case .flushdb:
      try checkFlush(args)
      store.removeAll(database: database, at: now)
      writer.ok()
    case .flushall:
      try checkFlush(args)
      store.removeAll(at: now)
      writer.ok()
    default:
      let (store, database, now) = (store, database, now)
      try iterate(command, args) { cursor, limit, body in
        store.scan(from: cursor, limit: limit, database: database, at: now) { body($0.key) }
      }
    }
  }

  mutating func keyspace(_ command: Command, _ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    switch command {
    case .dbsize: writer.integer(shards.count(database: database))
    case .flushdb, .flushall:
      try checkFlush(args)
      shards.removeAll(database: command == .flushdb ? database : nil, at: now)
      writer.ok()
    default:
      let (database, now) = (database, now)
      try iterate(command, args) { cursor, limit, body in
        shards.scan(from: cursor, limit: limit, database: database, at: now) { body($0.key) }
      }
    }
  }

  private func checkFlush(_ args: borrowing RESPArguments) throws(CommandError) {
    if args.count == 1 { return }
    guard args.count == 2, args[1].equalsIgnoringCase("async") || args[1].equalsIgnoringCase("sync") else { throw .syntax }
  }

  private typealias Walk = (ScanCursor, Int, (RawSpan) -> Void) -> ScanCursor?

  private mutating func iterate(_ command: Command, _ args: borrowing RESPArguments, _ walk: Walk) throws(CommandError) {
    switch command {
    case .randomkey: randomkey(walk)
    case .keys: try keys(args, walk)
    default: try scan(args, walk)
    }
  }

  private mutating func randomkey(_ walk: Walk) {
    var key: [UInt8]?
    var cursor: ScanCursor? = ScanCursor(position: .random(in: .min ... .max))
    var isWrapped = false
    while key == nil {
      guard let position = cursor else {
        if isWrapped { return writer.null() }
        isWrapped = true
        cursor = .start
        continue
      }
      cursor = walk(position, Self.stepCount) { if key == nil { key = $0.copied() } }
    }
    if let key { writer.bulk(key.rawSpan) }
  }

  /// Entries that a walk looks at before it lets others have the shard.
  private static var stepCount: Int { 4096 }

  private mutating func keys(_ args: borrowing RESPArguments, _ walk: Walk) throws(CommandError) {
    let pattern = args[1].copied()
    var found = ByteBuffer()
    var count = 0
    swap(&found, &writer.output)
    var cursor: ScanCursor? = .start
    while let position = cursor, writer.output.count <= replyBytesMax {
      cursor = walk(position, Self.stepCount) { key in
        guard GlobPattern.matches(key, pattern.rawSpan), writer.output.count <= replyBytesMax else { return }
        count += 1
        writer.bulk(key)
      }
    }
    swap(&found, &writer.output)
    if found.count > replyBytesMax { throw .replyTooLarge(replyBytesMax) }
    writer.array(count)
    writer.output.append(found)
  }

  /// Keys looked at by one SCAN at most, whatever COUNT says.
  private static var scanCountMax: Int { 1 << 20 }

  private mutating func scan(_ args: borrowing RESPArguments, _ walk: Walk) throws(CommandError) {
    guard let cursor = ScanCursor(args[1]) else { throw CommandError("ERR invalid cursor") }
    var pattern: [UInt8]?
    var count = 10
    var isStrings = true
    var index = 2
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      let value = args[index + 1]
      if args[index].equalsIgnoringCase("count") {
        let number = try Self.integer(value)
        if number < 1 { throw .syntax }
        count = Int(min(number, Int64(Self.scanCountMax)))
      } else if args[index].equalsIgnoringCase("match") {
        pattern = value.copied()
      } else if args[index].equalsIgnoringCase("type") {
        isStrings = value.equalsIgnoringCase("string")
      } else {
        throw .syntax
      }
      index += 2
    }
    var found = ByteBuffer()
    var foundCount = 0
    swap(&found, &writer.output)
    let next = walk(cursor, count) { key in
      guard isStrings, pattern.map({ GlobPattern.matches(key, $0.rawSpan) }) ?? true, writer.output.count <= replyBytesMax else { return }
      foundCount += 1
      writer.bulk(key)
    }
    swap(&found, &writer.output)
    if found.count > replyBytesMax { throw .replyTooLarge(replyBytesMax) }
    writer.array(2)
    var text = ByteBuffer()
    text.append(next ?? .start)
    writer.bulk(text.bytes)
    writer.array(foundCount)
    writer.output.append(found)
  }
}
