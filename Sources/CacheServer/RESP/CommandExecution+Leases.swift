/// Martlet's own commands: leases and tags, which Redis has not (CONTRACT section 4). The rules are the store's; here they get words.
///
/// `MARTLET.LEASE` may have to wait for another's fill: then no reply is written, `waiting` says who waits, and the session stops there
/// (`RESPSession+Waiting.swift`). Within a transaction nobody waits: there is no `client` to wake.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop

extension CommandExecution {
  // MARK: MARTLET.LEASE key seconds [WAIT seconds]

  mutating func lease(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let request = try leaseRequest(args)
    let (key, database, now) = (args[1], database, now)
    let mark = writer.output.count
    var isLarge = false
    var wait: WaitingLease?
    func makeWait(_ client: ConnectionID?) -> WaitingLease? {
      guard let client else { return nil }
      wait = WaitingLease(of: client, for: key, database: database, store: store, clock: clock, wake: wake)
      return wait
    }
    let answer = shards.acquire(key, database: database, request, waiter: makeWait(client), at: now) { entry, _ in
      writer.array(3)
      if entry.isLarge { isLarge = true } else { writer.bulk(entry.value) }
    }
    if isLarge, !writeLarge(key, &shards, allowsStale: true) {
      writer.output.truncate(to: mark)
      throw .outOfMemory
    }
    switch answer {
    case .hit(let token): writer.endLease(token, isStale: false)
    case .stale(let token): writer.endLease(token, isStale: true)
    case .miss(let token): writer.leaseWithoutValue(token)
    case .busy, .absent: writer.leaseWithoutValue(nil)
    case .waiting(let ticket):
      wait?.park(ticket)
      leave(to: wait)
    }
  }

  private func leaseRequest(_ args: borrowing RESPArguments) throws(CommandError) -> LeaseRequest {
    guard let lease = LeaseRequest.milliseconds(args[2], upTo: LeaseLimits.leaseMillisecondsMax), lease > 0 else {
      throw CommandError("ERR lease is a number of seconds above 0 and up to 300")
    }
    if args.count == 3 { return LeaseRequest(leaseMilliseconds: lease) }
    guard args.count == 5, args[3].equalsIgnoringCase("wait") else { throw .syntax }
    guard let wait = LeaseRequest.milliseconds(args[4], upTo: LeaseLimits.waitMillisecondsMax) else {
      throw CommandError("ERR wait is a number of seconds from 0 to 60")
    }
    return LeaseRequest(leaseMilliseconds: lease, waitMilliseconds: wait)
  }

  // MARK: MARTLET.FILL key lease value [PX ms] [STALE ms] [TAGS n tag…]

  mutating func fill(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let options = try fillOptions(args)
    guard let token = LeaseToken(args[2]) else { throw CommandError(.leaseOver) }
    let attributes = PutAttributes(
      expiry: options.expiry, staleUntil: options.staleUntil, database: database, contentType: RawSpan(), tags: options.tags.rawSpan)
    do throws(CacheError) {
      if args[3].byteCount >= CacheLimits.largeValueBytesMin, let ready = takePrepared(count: args[3].byteCount) {
        _ = try shards.fill(args[1], ready, attributes, lease: token, at: now)
      } else {
        _ = try shards.fill(args[1], args[3], attributes, lease: token, at: now)
      }
    } catch { throw CommandError(error) }
    writer.ok()
  }

  /// As a list, for a value that is prepared.
  func fillTags(_ args: borrowing RESPArguments) throws(CommandError) -> [UInt8] { try fillOptions(args).tags }

  private struct FillOptions {
    var expiry = UnixTime.never
    var staleUntil = UnixTime.neverStale
    /// As `TagList` writes them.
    var tags: [UInt8] = []
  }

  private func fillOptions(_ args: borrowing RESPArguments) throws(CommandError) -> FillOptions {
    var options = FillOptions()
    var staleMilliseconds: Int64?
    var index = 4
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      if args[index].equalsIgnoringCase("px") {
        options.expiry = try expiry(args[index + 1], unit: 1, isRelative: true, .martletFill, mustBePositive: true)
      } else if args[index].equalsIgnoringCase("stale") {
        let number = try Self.integer(args[index + 1])
        if number < 0 { throw .expireTime(.martletFill) }
        staleMilliseconds = number
      } else if args[index].equalsIgnoringCase("tags") {
        let count = try Self.integer(args[index + 1])
        guard count >= 0, count <= args.count - index - 2 else { throw .syntax }
        options.tags = try tags(args, from: index + 2, count: Int(count))
        index += Int(count)
      } else {
        throw .syntax
      }
      index += 2
    }
    if let staleMilliseconds, options.expiry != .never {
      options.staleUntil = options.expiry.advanced(byMilliseconds: staleMilliseconds)
    }
    return options
  }

  // MARK: MARTLET.UNLEASE key lease

  mutating func unlease(_ args: borrowing RESPArguments, _ shards: inout LockedShards) {
    guard let token = LeaseToken(args[2]) else { return writer.flag(false) }
    writer.flag(shards.giveUp(args[1], database: database, lease: token, at: now))
  }

  // MARK: MARTLET.TAG key tag…

  mutating func tag(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let tags = try tags(args, from: 2, count: args.count - 2)
    do throws(CacheError) {
      writer.flag(try shards.setTags(args[1], database: database, to: tags.rawSpan, at: now) != nil)
    } catch { throw CommandError(error) }
  }

  /// The tags of an entry as a list.
  private func tags(_ args: borrowing RESPArguments, from start: Int, count: Int) throws(CommandError) -> [UInt8] {
    guard count <= CacheLimits.tagsPerEntryMax else { throw .invalidTag }
    var list = ByteBuffer()
    for index in start..<(start + count) {
      guard TagList.isValid(args[index]) else { throw .invalidTag }
      if !TagList.contains(list.bytes, args[index]) { TagList.append(args[index], to: &list) }
    }
    return list.copied()
  }

  // MARK: MARTLET.INVALIDATE HARD|SOFT tag…

  /// Tags that one MARTLET.INVALIDATE may name.
  private static var invalidatedTagsMax: Int { 1024 }

  /// Answers how many tags were named: how many entries have them nobody counts.
  mutating func invalidate(_ args: borrowing RESPArguments) throws(CommandError) {
    let isSoft = args[1].equalsIgnoringCase("soft")
    guard isSoft || args[1].equalsIgnoringCase("hard") else { throw .syntax }
    guard args.count - 2 <= Self.invalidatedTagsMax else { throw CommandError("ERR more than \(Self.invalidatedTagsMax) tags") }
    var list = ByteBuffer()
    for index in 2..<args.count {
      guard TagList.isValid(args[index]) else { throw .invalidTag }
      TagList.append(args[index], to: &list)
    }
    store.invalidate(tags: list.bytes, isSoft: isSoft)
    writer.integer(args.count - 2)
  }
}

extension RESPWriter {
  /// The reply to MARTLET.LEASE after its head and the value.
  mutating func endLease(_ token: LeaseToken?, isStale: Bool) {
    if let token { bulk(text: token.description) } else { null() }
    flag(isStale)
  }

  mutating func leaseWithoutValue(_ token: LeaseToken?) {
    array(3)
    null()
    endLease(token, isStale: false)
  }
}
