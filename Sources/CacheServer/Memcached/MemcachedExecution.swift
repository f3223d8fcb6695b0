/// Commands on keys, one short function each: a request in, a reply out, over shards that are locked already. `execute` is the one place
/// where a command's name becomes a call.
///
/// One per loop, reused from batch to batch. memcached clients live in database 0.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

struct MemcachedExecution: ~Copyable {
  let store: CacheStore
  var writer = MemcachedWriter()
  var now = UnixTime(milliseconds: 0)
  /// Large values that belong into the reply, held until they are poured.
  var large: [LargePiece] = []
  /// The data of the request under way, copied before its shard was locked.
  private var prepared: PreparedValue?
  private(set) var keys = KeyBatch()
  /// Per request of the batch, the number in `keys` of its first key.
  private var firstKeys = UniqueArray<Int>()
  /// Of the request under way.
  private(set) var firstKey = 0
  var statistics = MemcachedStatistics()

  init(store: CacheStore) { self.store = store }

  /// Whether the reply should be written out before more is added to it.
  var isFull: Bool { writer.output.count >= SessionLimits.outputBytesMax || !large.isEmpty }

  // MARK: Keys

  @inline(__always)
  mutating func removeKeys() {
    keys.removeAll()
    firstKeys.removeAll()
  }

  /// Asks for what the requests whose keys were noted will read.
  @inline(__always)
  mutating func readAhead(_ shards: borrowing LockedShards) { if keys.count > 1 { shards.prefetch(&keys) } }

  /// Notes the keys of a request, to be locked and read ahead: of many keys those from `first` on, up to a bound.
  @inline(__always)
  mutating func noteKeys(of request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, from first: Int) {
    firstKeys.append(keys.count)
    if request.key.count == 0 || !request.command.isKeyed { return }
    // Of what is refused, the one that takes the old value with it.
    if let error = request.error, error != .tooLarge { return }
    if request.command.isMeta {
      Self.withMetaKey(of: request, words, input) { keys.append($0, of: store) }
      return
    }
    if words.count == 0 { return keys.append(request.key.of(input), of: store) }
    for index in first..<min(words.count, first &+ MemcachedBatch.keysMax) { keys.append(words[index], of: store) }
  }

  // MARK: Running

  /// Runs one request, the one whose keys were noted as number `index`, from 0. `shards` holds what `noteKeys` noted, of which the first `first` keys have been answered before. How many are
  /// answered now, if some are left; else 0.
  @inline(__always)
  mutating func execute(
    _ request: MemcachedRequest, number index: Int = 0, _ words: borrowing ArgumentList, _ input: RawSpan, from first: Int,
    _ shards: inout LockedShards
  ) -> Int {
    firstKey = firstKeys[index]
    if first == 0 { statistics.calls[Int(request.command.rawValue)] &+= 1 }
    if let error = request.error {
      refuse(request, words, error, input, &shards)
      return 0
    }
    switch request.command {
    case .get, .gets, .gat, .gats: return get(request, words, input, from: first, &shards)
    default:
      call(request, words, input, &shards)
      return 0
    }
  }

  mutating func call(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    let key = request.key.of(input)
    switch request.command {
    case .set, .add, .replace, .cas:
      store(request, key, request.data.of(input), &shards)
    case .append, .prepend: extend(request, key, request.data.of(input), &shards)
    case .incr, .decr: arithmetic(request, key, &shards)
    case .delete: delete(request, key, &shards)
    case .touch: touch(request, key, &shards)
    case .mg, .ms, .md, .ma, .me: meta(request, words, input, &shards)
    case .mn: writer.line("MN\r\n")
    case .version: version()
    case .verbosity: if !request.isQuiet { writer.line("OK\r\n") }
    case .get, .gets, .gat, .gats, .flushAll, .stats, .metadump, .quit, .authenticate, .unknown:
      preconditionFailure("a request that is not run here")
    }
  }

  /// A request with a data block that is not to be copied under a lock, or whose value may not be. With no shard locked.
  mutating func runLarge(_ request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan) {
    let data = request.data.of(input)
    switch request.command {
    case .set, .add, .replace, .cas: prepared = store.prepare(data, for: request.key.of(input), at: now)
    case .ms: Self.withMetaKey(of: request, words, input) { prepared = store.prepare(data, for: $0, at: now) }
    default: break
    }
    if request.command == .prepend, prependLarge(request, request.key.of(input), data) { return }
    removeKeys()
    noteKeys(of: request, words, input, from: 0)
    firstKey = 0
    store.withLockedShards(of: keys.shards) { shards in call(request, words, input, &shards) }
    prepared = nil
  }

  /// Stores the data of the request under way.
  @inline(__always)
  mutating func put(
    _ key: RawSpan, _ data: RawSpan, _ attributes: borrowing PutAttributes, _ condition: PutCondition, _ shards: inout LockedShards
  ) throws(CacheError) -> UInt64 {
    if let prepared = prepared.take() { return try shards.put(key, prepared, attributes, condition: condition, at: now).version }
    return try shards.put(key, number: firstKey, of: keys, data, attributes, condition: condition, at: now).version
  }

  /// The same under a lease.
  mutating func fill(
    _ key: RawSpan, _ data: RawSpan, _ attributes: borrowing PutAttributes, _ lease: LeaseToken, _ shards: inout LockedShards
  ) throws(CacheError) -> UInt64 {
    if let prepared = prepared.take() { return try shards.fill(key, prepared, attributes, lease: lease, at: now).version }
    return try shards.fill(key, data, attributes, lease: lease, at: now).version
  }

  // MARK: What they share

  /// Tells what is wrong with a request. What it was to replace goes: its client believes that the new value is there.
  private mutating func refuse(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, _ error: MemcachedError, _ input: RawSpan, _ shards: inout LockedShards
  ) {
    if error == .tooLarge {
      statistics.tooLarge &+= 1
      if request.command == .set { drop(request.key.of(input), &shards) }
      if request.command == .ms { Self.withMetaKey(of: request, words, input) { drop($0, &shards) } }
    }
    if !request.isQuiet { writer.error(error) }
  }

  mutating func drop(_ key: RawSpan, _ shards: inout LockedShards) { _ = remove(key, &shards) }

  /// Whether an entry was there and is gone. Only a condition can fail, and there is none.
  mutating func remove(_ key: RawSpan, _ shards: inout LockedShards) -> Bool { (try? shards.delete(key, at: now)) ?? false }

  /// What a read that touches does beside answering. Where there is no memory for an expiry the entry keeps the one it has, which is counted
  /// and not told: the value is what was asked for.
  mutating func prolong(_ key: RawSpan, until time: UnixTime, _ shards: inout LockedShards) {
    do { _ = try shards.expire(key, at: time, now: now) } catch { statistics.outOfMemory &+= 1 }
  }

  /// A store's refusal as a reply.
  mutating func fail(_ error: CacheError) {
    switch error {
    case .valueTooLarge:
      statistics.tooLarge &+= 1
      writer.error(.tooLarge)
    case .outOfMemory:
      statistics.outOfMemory &+= 1
      writer.error(.outOfMemory)
    case .notAnInteger, .overflow: writer.error(.notANumber)
    case .keyTooLarge: writer.error(.badLine)
    case .conditionFailed, .leaseOver, .contentTypeTooLarge, .tagsTooLarge:
      preconditionFailure("answered where it is asked for, or not asked for at all")
    }
  }

  /// When an entry expires, of which a client says `time`: 0 never, below 0 at once, up to 30 days from now, beyond that in Unix time.
  func expiry(_ time: Int64) -> UnixTime {
    if time == 0 { return .never }
    if time < 0 { return now }
    let seconds = min(time, 1 << 40)
    return time > Self.relativeSecondsMax ? UnixTime(milliseconds: seconds * 1000) : now.advanced(byMilliseconds: seconds * 1000)
  }

  private static let relativeSecondsMax: Int64 = 60 * 60 * 24 * 30

  /// What clients are told: they look for what that one can do.
  static var version: String { "1.6.18" }

  private mutating func version() {
    writer.line("VERSION ")
    writer.output.append(Self.version)
    writer.endLine()
  }

  // MARK: Who may ask

  /// Whether `data`, a name and a token, shows the right token. Any name will do.
  mutating func authenticate(_ data: RawSpan, _ token: [UInt8]?) -> Bool {
    statistics.authentications &+= 1
    var words: [ArgumentSlice] = []
    var place = 0
    while place < data.byteCount, words.count < 2 {
      let end = data.firstIndex(of: ASCII.space, from: place) ?? data.byteCount
      if end > place { words.append(ArgumentSlice(start: place, count: end - place)) }
      place = end + 1
    }
    guard words.count == 2 else {
      writer.error(.badCredentials)
      return false
    }
    guard let token, token.rawSpan.equalsInConstantTime(words[1].of(data)) else {
      statistics.authenticationErrors &+= 1
      writer.error(.wrongCredentials)
      return false
    }
    writer.line("STORED\r\n")
    return true
  }
}
