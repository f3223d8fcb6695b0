/// Commands on keys, whatever they hold.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  mutating func del(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    var count = 0
    for index in 1..<args.count where try delete(args[index], &shards) { count += 1 }
    writer.integer(count)
  }

  func delete(_ key: RawSpan, _ shards: inout LockedShards) throws(CommandError) -> Bool {
    do throws(CacheError) { return try shards.delete(key, database: database, at: now) } catch { throw CommandError(error) }
  }

  mutating func exists(_ args: borrowing RESPArguments, _ shards: inout LockedShards, isTouch: Bool) {
    var count = 0
    for index in 1..<args.count {
      let isThere = isTouch ? shards.touch(args[index], database: database, at: now) : isPresent(args[index], &shards)
      if isThere { count += 1 }
    }
    writer.integer(count)
  }

  mutating func type(_ args: borrowing RESPArguments, _ shards: inout LockedShards) {
    if isPresent(args[1], &shards) { writer.simple("string") } else { writer.simple("none") }
  }

  // MARK: Expiry

  /// The conditions of EXPIRE and its kin; several may be asked for together.
  private struct ExpireConditions: OptionSet {
    let rawValue: Int
    static let nx = ExpireConditions(rawValue: 1)
    static let xx = ExpireConditions(rawValue: 2)
    static let gt = ExpireConditions(rawValue: 4)
    static let lt = ExpireConditions(rawValue: 8)

    init(rawValue: Int) { self.rawValue = rawValue }

    init(_ args: borrowing RESPArguments) throws(CommandError) {
      var options: ExpireConditions = []
      for index in 3..<max(args.count, 3) {
        let word = args[index]
        if word.equalsIgnoringCase("nx") {
          options.insert(.nx)
        } else if word.equalsIgnoringCase("xx") {
          options.insert(.xx)
        } else if word.equalsIgnoringCase("gt") {
          options.insert(.gt)
        } else if word.equalsIgnoringCase("lt") {
          options.insert(.lt)
        } else {
          throw CommandError("ERR Unsupported option \(word.text)")
        }
      }
      if options.contains(.nx), options != .nx {
        throw CommandError("ERR NX and XX, GT or LT options at the same time are not compatible")
      }
      if options.isSuperset(of: [.gt, .lt]) { throw CommandError("ERR GT and LT options at the same time are not compatible") }
      self = options
    }

    /// An entry without expiry counts as expiring later than any time.
    func hold(for current: UnixTime, new: UnixTime) -> Bool {
      if contains(.nx), current != .never { return false }
      if contains(.xx), current == .never { return false }
      if contains(.gt), current >= new { return false }
      if contains(.lt), current <= new { return false }
      return true
    }
  }

  mutating func expire(
    _ args: borrowing RESPArguments, _ shards: inout LockedShards, _ command: Command, unit: Int64, isRelative: Bool
  ) throws(CommandError) {
    let conditions = try ExpireConditions(args)
    let time = try expiry(args[2], unit: unit, isRelative: isRelative, command, mustBePositive: false)
    guard let current = (shards.peek(args[1], database: database, at: now) { $0.expiry }), conditions.hold(for: current, new: time) else {
      return writer.flag(false)
    }
    writer.flag(try setExpiry(args[1], time, &shards))
  }

  mutating func ttl(_ args: borrowing RESPArguments, _ shards: inout LockedShards, unit: Int64, isRelative: Bool) {
    guard let expiry = (shards.peek(args[1], database: database, at: now) { $0.expiry }) else { return writer.integer(-2) }
    if expiry == .never { return writer.integer(-1) }
    let milliseconds = isRelative ? max(expiry.milliseconds - now.milliseconds, 0) : expiry.milliseconds
    writer.integer(unit == 1 ? milliseconds : (milliseconds + 500) / unit)
  }

  mutating func persist(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    guard let current = (shards.peek(args[1], database: database, at: now) { $0.expiry }), current != .never else {
      return writer.flag(false)
    }
    writer.flag(try setExpiry(args[1], .never, &shards))
  }

  // MARK: From key to key

  mutating func rename(_ args: borrowing RESPArguments, _ shards: inout LockedShards, onlyIfAbsent: Bool) throws(CommandError) {
    guard isPresent(args[1], &shards) else { throw .noSuchKey }
    if !args[1].equals(args[2]) {
      if onlyIfAbsent, isPresent(args[2], &shards) { return writer.flag(false) }
      _ = try carry(args[1], to: args[2], database, &shards)
      _ = try delete(args[1], &shards)
    } else if onlyIfAbsent {
      return writer.flag(false)
    }
    if onlyIfAbsent { writer.flag(true) } else { writer.ok() }
  }

  private func carry(_ source: RawSpan, to target: RawSpan, _ targetDatabase: UInt8, _ shards: inout LockedShards) throws(CommandError)
    -> Bool
  {
    do throws(CacheError) {
      return try shards.copy(source, database: database, to: target, database: targetDatabase, at: now)
    } catch { throw CommandError(error) }
  }

  func copyOptions(_ args: borrowing RESPArguments) throws(CommandError) -> (database: UInt8, replaces: Bool) {
    var target = database
    var replaces = false
    var index = 3
    while index < args.count {
      if args[index].equalsIgnoringCase("replace") {
        replaces = true
      } else if args[index].equalsIgnoringCase("db"), index + 1 < args.count {
        target = databases[try Self.database(args[index + 1])]
        index += 1
      } else {
        throw .syntax
      }
      index += 1
    }
    return (target, replaces)
  }

  mutating func copy(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let options = try copyOptions(args)
    if options.database == database, args[1].equals(args[2]) { throw .sameObject }
    let isThere = shards.peek(args[2], database: options.database, at: now) { _ in true } ?? false
    if isThere, !options.replaces { return writer.flag(false) }
    writer.flag(try carry(args[1], to: args[2], options.database, &shards))
  }

  mutating func move(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let target = databases[try Self.database(args[2])]
    if target == database { throw .sameObject }
    let isThere = shards.peek(args[1], database: target, at: now) { _ in true } ?? false
    guard !isThere, try carry(args[1], to: args[1], target, &shards) else { return writer.flag(false) }
    _ = try delete(args[1], &shards)
    writer.flag(true)
  }
}
