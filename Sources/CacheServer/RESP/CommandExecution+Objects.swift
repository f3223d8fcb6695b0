/// What is known of a key beside its value: DUMP and RESTORE, OBJECT, MEMORY USAGE.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  // MARK: DUMP key

  mutating func dump(_ args: borrowing RESPArguments, _ shards: inout LockedShards) {
    var isLarge = false
    var payload = ByteBuffer()
    let found: Void? = shards.get(args[1], database: database, at: now) { entry in
      if entry.isLarge {
        isLarge = true
      } else {
        if !RDBString.appendInteger(entry.value, to: &payload) {
          RDBString.appendHead(ofCount: entry.value.byteCount, to: &payload)
          payload.append(entry.value)
        }
        RDBString.appendFooter(from: 0, to: &payload)
      }
    }
    if isLarge, writeLarge(args[1], &shards, as: .dump) { return }
    if found == nil || isLarge { return writer.null() }
    writer.bulk(payload.bytes)
  }

  // MARK: RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]

  private struct RestoreOptions {
    var replaces = false
    var isAbsolute = false
  }

  mutating func restore(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let options = try restoreOptions(args)
    if !options.replaces, isPresent(args[1], &shards) { throw CommandError("BUSYKEY Target key name already exists.") }
    let milliseconds = try Self.integer(args[2])
    if milliseconds < 0 { throw CommandError("ERR Invalid TTL value, must be >= 0") }
    var expiry = UnixTime.never
    if milliseconds > 0 {
      expiry = options.isAbsolute ? UnixTime(milliseconds: milliseconds) : now.advanced(byMilliseconds: milliseconds)
    }
    if let ready = prepared.popLast() {
      // It was read before the shard was locked.
      if expiry > now {
        _ = try stored { () throws(CacheError) in
          try shards.put(args[1], ready, PutAttributes(expiry: expiry, database: database), at: now)
        }
      }
    } else {
      let value = try restored(args[3])
      if expiry > now { try put(args[1], value.bytes, expiry: expiry, &shards) }
    }
    if expiry <= now { _ = try delete(args[1], &shards) }
    writer.ok()
  }

  private func restored(_ payload: RawSpan) throws(CommandError) -> ByteBuffer {
    do throws(RDBString.Failure) {
      return try RDBString.read(payload, bytesMax: store.valueBytesMax)
    } catch {
      switch error {
      case .damaged: throw CommandError("ERR DUMP payload version or checksum are wrong")
      case .notAString: throw CommandError("ERR Bad data format")
      case .tooLarge: throw .tooLong
      }
    }
  }

  /// How often a key was used before it came here, and when last, is checked and not kept.
  private func restoreOptions(_ args: borrowing RESPArguments) throws(CommandError) -> RestoreOptions {
    var options = RestoreOptions()
    var index = 4
    var hasUse = false
    while index < args.count {
      let hasNext = index + 1 < args.count
      if args[index].equalsIgnoringCase("replace") {
        options.replaces = true
      } else if args[index].equalsIgnoringCase("absttl") {
        options.isAbsolute = true
      } else if args[index].equalsIgnoringCase("idletime"), hasNext, !hasUse {
        if try Self.integer(args[index + 1]) < 0 { throw CommandError("ERR Invalid IDLETIME value, must be >= 0") }
        hasUse = true
        index += 1
      } else if args[index].equalsIgnoringCase("freq"), hasNext, !hasUse {
        guard 0...255 ~= (try Self.integer(args[index + 1])) else {
          throw CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255")
        }
        hasUse = true
        index += 1
      } else {
        throw .syntax
      }
      index += 1
    }
    return options
  }

  // MARK: OBJECT ENCODING|FREQ|IDLETIME|REFCOUNT key, OBJECT HELP

  mutating func object(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let sub = args[1]
    if sub.equalsIgnoringCase("help") { return try help(args, Self.objectHelp, of: .object) }
    if sub.equalsIgnoringCase("encoding") {
      try arity(args, 3, "object|encoding")
      let isThere: Void? = shards.peek(args[2], database: database, at: now) { writer.bulk(Self.encoding($0.value)) }
      if isThere == nil { writer.null() }
    } else if sub.equalsIgnoringCase("refcount") {
      try arity(args, 3, "object|refcount")
      if isPresent(args[2], &shards) { writer.integer(1) } else { writer.null() }
    } else if sub.equalsIgnoringCase("idletime") {
      try arity(args, 3, "object|idletime")
      let written = shards.peek(args[2], database: database, at: now) { $0.storedAt }
      if let written { writer.integer(max(now.milliseconds - written.milliseconds, 0) / 1000) } else { writer.null() }
    } else if sub.equalsIgnoringCase("freq") {
      try arity(args, 3, "object|freq")
      if let uses = shards.uses(args[2], database: database, at: now) { writer.integer(uses) } else { writer.null() }
    } else {
      throw .unknownSubcommand(sub, of: .object)
    }
  }

  /// As Redis would hold a value that was just set.
  static func encoding(_ value: RawSpan) -> StaticString {
    if RESPNumber.integer(value) != nil { return "int" }
    return value.byteCount <= 44 ? "embstr" : "raw"
  }

  private static let objectHelp = [
    "ENCODING <key>", "    Return how Redis would hold the value of <key>: int, embstr or raw.",
    "FREQ <key>", "    Return how often <key> was used of late, 0 to 3, as eviction counts it.",
    "IDLETIME <key>", "    Return the seconds since <key> was written last. Reads leave no time.",
    "REFCOUNT <key>", "    Return 1.",
  ]

  // MARK: MEMORY USAGE key [SAMPLES count]

  mutating func memory(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let sub = args[1]
    if sub.equalsIgnoringCase("help") { return try help(args, Self.memoryHelp, of: .memory) }
    guard sub.equalsIgnoringCase("usage") else { return try memoryReport(args) }
    if args.count == 2 { throw .arity("memory|usage") }
    if args.count > 3 {
      guard args.count == 5, args[3].equalsIgnoringCase("samples") else { throw .syntax }
      if try Self.integer(args[4]) < 0 { throw .syntax }
    }
    if let bytes = (shards.peek(args[2], database: database, at: now) { $0.memoryBytes }) { writer.integer(bytes) } else { writer.null() }
  }

  private static let memoryHelp = [
    "USAGE <key> [SAMPLES <count>]", "    Return memory in bytes used by <key> and its value, its place in the table included.",
    "DOCTOR", "    Tell how much of its memory the cache uses.", "MALLOC-STATS", "    Tell of the allocator.",
    "PURGE", "    Accepted: free memory is given back by itself.", "STATS", "    Return figures of memory.",
  ]

  // MARK: What they share

  private func arity(_ args: borrowing RESPArguments, _ count: Int, _ name: String) throws(CommandError) {
    if args.count != count { throw .arity(name) }
  }

  private mutating func help(_ args: borrowing RESPArguments, _ lines: [String], of command: Command) throws(CommandError) {
    try arity(args, 2, "\(command.row.name)|help")
    writer.array(lines.count + 3)
    writer.simple(text: "\(command.row.name.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    for line in lines { writer.simple(text: line) }
    writer.simple("HELP")
    writer.simple("    Prints this help.")
  }
}
