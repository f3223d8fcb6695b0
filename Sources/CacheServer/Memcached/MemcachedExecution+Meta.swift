/// The meta commands. Each answers a line of a return code and of the flags that were asked for, in their order.
///
/// **Leases.** What memcached keeps in flags of an item is a lease of the store here, so that HTTP readers, Redis and memcached clients
/// wait for one another:
///
/// | memcached | here |
/// |---|---|
/// | `N`: the first who misses makes a stub, and wins (`W`) | a lease for `N` seconds, 300 at most; no entry. `c` shows the lease: with `C` of it `ms` is its fill, and refused when the lease is over |
/// | others who miss it see an empty value and `Z` | the same for those who say `N`; without, a miss |
/// | `R`: the first reader near expiry wins | a lease for `recacheMilliseconds` on the entry that is there |
/// | `md I`: stale (`X`); the next reader wins | the same; stale by time or by tag counts too |
/// | a winner who dies blocks others until the item goes | the next one wins when the lease's time is over |

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension MemcachedExecution {
  /// How long a winner of `R`, or of a stale value, has before another may win.
  static let recacheMilliseconds: Int64 = 30_000

  mutating func meta(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    statistics.metas &+= 1
    var flags = MemcachedMetaFlags()
    if request.command != .me {
      do throws(MemcachedError) { flags = try MemcachedMetaFlags(request.command, words) } catch { return writer.error(error) }
    }
    let isKnown = Self.withMetaKey(of: request, words, input) { key in
      let call = MetaCall(request: request, flags: flags, key: key, data: request.data.of(input))
      switch request.command {
      case .mg: metaGet(call, words, input, &shards)
      case .ms: metaSet(call, words, input, &shards)
      case .md: metaDelete(call, words, input, &shards)
      case .ma: metaArithmetic(call, words, input, &shards)
      default: metaDebug(call, input, &shards)
      }
    }
    if !isKnown { writer.error(request.command == .md || request.command == .ma ? .invalidOrDuplicateFlag : .badKeyEncoding) }
  }

  /// Lends the key, decoded from base64 if a flag says so. False if it is not that.
  @discardableResult
  static func withMetaKey(
    of request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, _ body: (RawSpan) -> Void
  ) -> Bool {
    for index in 0..<words.count where words[index][0] == UInt8(ascii: "b") {
      guard let decoded = Base64.decode(request.key.of(input)), !decoded.isEmpty else { return false }
      body(decoded.bytes)
      return true
    }
    body(request.key.of(input))
    return true
  }

  /// What a meta command is about.
  struct MetaCall: ~Escapable {
    let request: MemcachedRequest
    let flags: MemcachedMetaFlags
    let key: RawSpan
    let data: RawSpan

    @_lifetime(copy key, copy data)
    init(request: MemcachedRequest, flags: MemcachedMetaFlags, key: RawSpan, data: RawSpan) {
      self.request = request
      self.flags = flags
      self.key = key
      self.data = data
    }
  }

  /// What is told of an item.
  struct ItemFacts {
    var count = 0
    var flags: UInt32 = 0
    var version: UInt64 = 0
    var expiry = UnixTime.never
    var storedAt = UnixTime(milliseconds: 0)
    var wasUsed = false
    var isStale = false

    init() {}

    init(_ entry: borrowing EntryView, at now: UnixTime) {
      count = entry.value.byteCount
      flags = entry.flags
      version = entry.version
      storedAt = entry.storedAt
      isStale = entry.isStale(at: now)
      expiry = isStale ? entry.staleUntil : entry.expiry
      // Made stale with no time to go, it is kept for very long, but not for ever.
      if isStale, expiry.milliseconds - now.milliseconds > LockedShards.staleMillisecondsMax / 2 { expiry = .never }
    }
  }

  // MARK: mg

  /// What became of a read.
  private enum Reading {
    case absent
    case written
    /// All but the value, which is large.
    case headWritten
    /// A lease may be won: nothing is written.
    case leasable
  }

  private mutating func metaGet(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    let flags = call.flags
    let isSent = shards.lease(of: call.key, at: now) != nil
    let wasUsed = flags.has("h") && shards.wasUsed(call.key, at: now)
    var reading = Reading.leasable
    if !flags.has("N") { reading = read(call, words, input, isSent: isSent, wasUsed: wasUsed, &shards) }
    if case .leasable = reading {
      reading = readLeased(call, words, input, isSent: isSent, wasUsed: wasUsed, &shards)
    } else if case .absent = reading, !flags.has("q") {
      metaLine("EN", call, words, input)
    }
    if case .headWritten = reading { settleHead(call, &shards) }
    if case .absent = reading {
      statistics.getMisses &+= 1
    } else {
      statistics.getHits &+= 1
      if flags.has("T") {
        statistics.touchHits &+= 1
        prolong(call.key, until: expiry(flags.time), &shards)
      }
    }
  }

  /// A read as `get` does it, but of stale values too.
  private mutating func read(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, isSent: Bool, wasUsed: Bool,
    _ shards: inout LockedShards
  ) -> Reading {
    let found: Reading?
    if call.flags.has("u") {
      found = shards.peek(call.key, allowsStale: true, at: now) { entry in
        read(entry, call, words, input, isSent: isSent, wasUsed: wasUsed)
      }
    } else {
      found = shards.get(call.key, allowsStale: true, at: now) { entry in
        read(entry, call, words, input, isSent: isSent, wasUsed: wasUsed)
      }
    }
    return found ?? .absent
  }

  private mutating func read(
    _ entry: borrowing EntryView, _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, isSent: Bool,
    wasUsed: Bool
  ) -> Reading {
    let flags = call.flags
    let isNearExpiry = entry.expiry != .never && entry.expiry.milliseconds - now.milliseconds < flags.recacheTime.asMilliseconds
    if !isSent, entry.isStale(at: now) || flags.has("R") && isNearExpiry { return .leasable }
    return write(entry, call, words, input, isWon: false, isSent: isSent, wasUsed: wasUsed)
  }

  /// A read that may win a lease, of a value that is there or not.
  private mutating func readLeased(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, isSent: Bool, wasUsed: Bool,
    _ shards: inout LockedShards
  ) -> Reading {
    let flags = call.flags
    var lease = LeaseRequest(leaseMilliseconds: Self.recacheMilliseconds)
    if flags.has("N") {
      let longest = LeaseLimits.leaseMillisecondsMax
      lease.leaseMilliseconds = flags.vivifyTime == 0 ? longest : min(max(flags.vivifyTime.asMilliseconds, 1), longest)
    }
    if flags.has("R") { lease.refreshMilliseconds = max(flags.recacheTime.asMilliseconds, 0) }
    var reading = Reading.absent
    // Without `N` it was counted when it was found.
    let answer = shards.acquire(call.key, lease, counts: flags.has("N"), at: now) { entry, token in
      reading = write(entry, call, words, input, isWon: token != nil, isSent: isSent && token == nil, wasUsed: wasUsed)
    }
    var stub = ItemFacts()
    stub.expiry = expiry(flags.vivifyTime)
    switch answer {
    case .hit, .stale: break
    case .miss(let token):
      stub.version = token.rawValue
      writeHead(stub, call, words, input, isWon: true, isSent: false)
      if flags.has("v") { writer.endLine() }
    case .busy, .waiting:
      writeHead(stub, call, words, input, isWon: false, isSent: true)
      if flags.has("v") { writer.endLine() }
    case .absent: if !flags.has("q") { metaLine("EN", call, words, input) }
    }
    return reading
  }

  /// An item in full, as `mg` answers it.
  private mutating func write(
    _ entry: borrowing EntryView, _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, isWon: Bool, isSent: Bool,
    wasUsed: Bool
  ) -> Reading {
    var facts = ItemFacts(entry, at: now)
    facts.wasUsed = wasUsed
    if call.flags.has("T"), !facts.isStale { facts.expiry = expiry(call.flags.time) }
    writeHead(facts, call, words, input, isWon: isWon, isSent: isSent)
    guard call.flags.has("v") else { return .written }
    if entry.isLarge { return .headWritten }
    writer.output.append(entry.value)
    writer.endLine()
    return .written
  }

  private mutating func writeHead(
    _ facts: ItemFacts, _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, isWon: Bool, isSent: Bool
  ) {
    if call.flags.has("v") { writer.metaValueHead(facts.count) } else { writer.line("HD") }
    for index in 0..<words.count { itemFlag(words[index], call, facts, input) }
    if isSent { writer.flag(UInt8(ascii: "Z")) }
    if facts.isStale { writer.flag(UInt8(ascii: "X")) }
    if isWon { writer.flag(UInt8(ascii: "W")) }
    writer.endLine()
  }

  /// Has a large value follow its head, once the shards are unlocked.
  private mutating func settleHead(_ call: borrowing MetaCall, _ shards: inout LockedShards) {
    if let value = shards.share(call.key, database: 0, allowsStale: true, of: store, at: now) {
      let count = value.withValue { $0.byteCount }
      large.append(LargePiece(offset: writer.output.count, value: value, range: 0..<count, tail: []))
    }
    writer.endLine()
  }

  private mutating func itemFlag(_ word: RawSpan, _ call: borrowing MetaCall, _ facts: ItemFacts, _ input: RawSpan) {
    switch word[0] {
    case UInt8(ascii: "c"): writer.flag(word[0], facts.version)
    case UInt8(ascii: "f"): writer.flag(word[0], UInt64(facts.flags))
    case UInt8(ascii: "h"): writer.flag(word[0], facts.wasUsed ? 1 : 0)
    case UInt8(ascii: "l"): writer.flag(word[0], UInt64(age(facts)))
    case UInt8(ascii: "s"): writer.flag(word[0], UInt64(facts.count))
    case UInt8(ascii: "t"): writer.flag(word[0], signed: secondsLeft(facts.expiry))
    default: echo(word, call, input)
    }
  }

  /// Flags that every command gives back. That a key is base64 is said behind it.
  private mutating func echo(_ word: RawSpan, _ call: borrowing MetaCall, _ input: RawSpan) {
    switch word[0] {
    case UInt8(ascii: "O"): writer.flag(word: word)
    case UInt8(ascii: "k"):
      writer.flag(word[0], call.request.key.of(input))
      if call.flags.has("b") { writer.flag(UInt8(ascii: "b")) }
    default: break
    }
  }

  /// A line of a return code and of what every command gives back.
  private mutating func metaLine(
    _ code: StaticString, _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, version: UInt64? = nil
  ) {
    writer.line(code)
    for index in 0..<words.count {
      if let version, words[index][0] == UInt8(ascii: "c") {
        writer.flag(UInt8(ascii: "c"), version)
      } else {
        echo(words[index], call, input)
      }
    }
    writer.endLine()
  }

  /// -1: it does not expire.
  private func secondsLeft(_ expiry: UnixTime) -> Int64 {
    expiry == .never ? -1 : max((expiry.milliseconds - now.milliseconds + 500) / 1000, 0)
  }

  /// Since when it is there, in seconds: what stands for the time since the last access, which nobody keeps.
  private func age(_ facts: ItemFacts) -> Int64 {
    facts.storedAt.milliseconds == 0 ? 0 : max(now.milliseconds - facts.storedAt.milliseconds, 0) / 1000
  }

  // MARK: ms

  private mutating func metaSet(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    statistics.sets &+= 1
    let flags = call.flags
    let mode = flags.has("M") ? flags.mode : UInt8(ascii: "S")
    do throws(CacheError) {
      let version: UInt64?
      switch mode {
      case UInt8(ascii: "A"), UInt8(ascii: "P"), UInt8(ascii: "a"), UInt8(ascii: "p"):
        let condition: PutCondition = flags.has("C") ? .ifVersion(flags.version) : .always
        version = try extended(call.key, call.data, atFront: mode | 0x20 == UInt8(ascii: "p"), condition: condition, &shards)
      case UInt8(ascii: "S"): version = try metaPut(call, .always, &shards)
      case UInt8(ascii: "E"): version = try metaPut(call, .ifAbsent, &shards)
      case UInt8(ascii: "R"): version = try metaPut(call, .ifPresent, &shards)
      default: return writer.error(.setMode)
      }
      guard let version else { return metaLine("NS", call, words, input, version: 0) }
      if !flags.has("q") { metaLine("HD", call, words, input, version: version) }
    } catch {
      switch error {
      case .conditionFailed(let current) where flags.has("C"):
        metaLine(current == nil ? "NF" : "EX", call, words, input, version: 0)
      case .leaseOver: metaLine("NF", call, words, input, version: 0)
      case .conditionFailed: metaLine("NS", call, words, input, version: 0)
      default:
        if mode == UInt8(ascii: "S") { drop(call.key, &shards) }
        fail(error)
      }
    }
  }

  /// Stores a new item if the version is the one that `C` wants; a stale item's counts too.
  private mutating func metaPut(
    _ call: borrowing MetaCall, _ condition: PutCondition, _ shards: inout LockedShards
  ) throws(CacheError) -> UInt64 {
    let flags = call.flags
    let attributes = PutAttributes(expiry: flags.has("T") ? expiry(flags.time) : .never, flags: flags.clientFlags)
    guard flags.has("C") else { return try put(call.key, call.data, attributes, condition, &shards) }
    if let lease = shards.lease(of: call.key, at: now), lease.rawValue == flags.version {
      return try fill(call.key, call.data, attributes, lease, &shards)
    }
    guard let current = (shards.peek(call.key, allowsStale: true, at: now) { $0.version }) else { throw .conditionFailed(current: nil) }
    let isOlder = flags.has("I") && flags.version < current
    guard flags.version == current || isOlder else { throw .conditionFailed(current: current) }
    let version = try put(call.key, call.data, attributes, .always, &shards)
    if !isOlder { return version }
    return try shards.makeStale(call.key, until: attributes.expiry, at: now) ?? version
  }

  // MARK: md

  private mutating func metaDelete(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    let flags = call.flags
    do throws(CacheError) {
      guard let current = (shards.peek(call.key, allowsStale: true, at: now) { $0.version }) else {
        statistics.deleteMisses &+= 1
        _ = try shards.delete(call.key, at: now)  // so that nobody fills in what was deleted
        return metaLine("NF", call, words, input)
      }
      if flags.has("C"), flags.version != current { return metaLine("EX", call, words, input) }
      if flags.has("I") {
        _ = try shards.makeStale(call.key, until: flags.has("T") ? expiry(flags.time) : nil, at: now)
      } else {
        _ = try shards.delete(call.key, at: now)
        statistics.deleteHits &+= 1
      }
      if !flags.has("q") { metaLine("HD", call, words, input) }
    } catch { fail(error) }
  }

  // MARK: ma

  private mutating func metaArithmetic(
    _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    let flags = call.flags
    let isIncrement: Bool
    switch flags.has("M") ? flags.mode : UInt8(ascii: "I") {
    case UInt8(ascii: "I"), UInt8(ascii: "+"): isIncrement = true
    case UInt8(ascii: "D"), UInt8(ascii: "-"): isIncrement = false
    default: return writer.error(.arithmeticMode)
    }
    do throws(CacheError) {
      let condition: PutCondition = flags.has("C") ? .ifVersion(flags.version) : .always
      var result = try counted(call.key, by: flags.delta, isIncrement: isIncrement, condition: condition, &shards)
      let isCounted = result != nil
      if isCounted {
        if isIncrement { statistics.incrHits &+= 1 } else { statistics.decrHits &+= 1 }
        if flags.has("T") { _ = try shards.expire(call.key, at: expiry(flags.time), now: now) }
      } else {
        if isIncrement { statistics.incrMisses &+= 1 } else { statistics.decrMisses &+= 1 }
        guard flags.has("N") else { return metaLine("NF", call, words, input) }
        result = try seeded(call, &shards)
      }
      // Of a counter that is new `q` does not keep quiet.
      guard let result, !isCounted || !flags.has("q") else { return }
      sum(result, call, words, input, &shards)
    } catch {
      switch error {
      case .conditionFailed(let current): metaLine(current == nil ? "NF" : "EX", call, words, input)
      default: fail(error)
      }
    }
  }

  /// A counter that was not there, with the value and the time it begins with.
  private mutating func seeded(
    _ call: borrowing MetaCall, _ shards: inout LockedShards
  ) throws(CacheError) -> (value: UInt64, version: UInt64) {
    var text = ByteBuffer(capacity: 20)
    text.append(decimal: call.flags.initial)
    let put = try shards.put(call.key, text.bytes, PutAttributes(expiry: expiry(call.flags.vivifyTime)), at: now)
    return (call.flags.initial, put.version)
  }

  private mutating func sum(
    _ result: (value: UInt64, version: UInt64), _ call: borrowing MetaCall, _ words: borrowing ArgumentList, _ input: RawSpan,
    _ shards: inout LockedShards
  ) {
    let wantsValue = call.flags.has("v")
    if wantsValue { writer.metaValueHead(Digits.count(result.value)) } else { writer.line("HD") }
    for index in 0..<words.count {
      let word = words[index]
      switch word[0] {
      case UInt8(ascii: "c"): writer.flag(word[0], result.version)
      case UInt8(ascii: "t"):
        let expiry = shards.peek(call.key, at: now) { $0.expiry } ?? now
        writer.flag(word[0], signed: secondsLeft(expiry))
      default: echo(word, call, input)
      }
    }
    writer.endLine()
    if wantsValue { writer.number(result.value) }
  }

  // MARK: me

  /// What is known of an item, for people. `exp` counts up to 0, as memcached prints it.
  private mutating func metaDebug(_ call: borrowing MetaCall, _ input: RawSpan, _ shards: inout LockedShards) {
    let wasUsed = shards.wasUsed(call.key, at: now)
    let now = now
    guard let facts = (shards.peek(call.key, allowsStale: true, at: now) { ItemFacts($0, at: now) }) else { return writer.line("EN\r\n") }
    let seconds = facts.expiry == .never ? -1 : -secondsLeft(facts.expiry)
    writer.line("ME ")
    writer.output.append(call.request.key.of(input))
    writer.output.append(
      """
       exp=\(seconds) la=\(age(facts)) cas=\(facts.version) fetch=\(wasUsed ? "yes" : "no") cls=1 size=\(facts.count + call.key.byteCount)\r\n
      """)
  }
}

extension Int64 {
  /// Of seconds that a client has said.
  fileprivate var asMilliseconds: Int64 { Swift.min(Swift.max(self, -(1 << 40)), 1 << 40) * 1000 }
}
