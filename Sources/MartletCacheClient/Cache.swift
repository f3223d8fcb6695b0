/// The store for Swift programs: typed values by key, under a memory limit, in process, without a server.
///
///     let cache = Cache()
///     let user = try await cache.value(for: "user:7", ttl: .seconds(60), tags: ["users"]) { try await database.user(7) }
///
/// A face over `CacheStore`, which counts, evicts, expires, invalidates and gives leases. Here are Codable, `async`, and a clock. Values are
/// kept as their JSON (`[UInt8]` as it is), outside Swift's heap, by the fast lane if their type has both of its protocols. Nobody shares
/// an object with the cache: each reader gets a value of his own.
///
/// Thread rule: everything from anywhere. What suspends is `value(for:)` alone.

internal import MartletBytes
public import MartletCache

public final class Cache: Sendable {
  public struct Options: Sendable {
    /// What entries and tables may take, in bytes: 1 MiB or more.
    public var memoryLimit = 64 << 20
    /// What happens at the limit: entries not used lately make room, or writes are refused.
    public var eviction = CacheStore.EvictionPolicy.s3fifo
    /// How long one task may fill a key, above 0 and up to 300 seconds, before another one may begin: for fills that hang.
    /// Those that throw or are cancelled are noticed at once.
    public var fillTimeout = Duration.seconds(30)
    /// The part of a TTL, 0 to 1, that is taken off at random, so that what was stored together does not expire together.
    public var ttlJitter = 0.0

    public init() {}
  }

  /// Unix time in milliseconds; it never steps back.
  public typealias Clock = @Sendable () -> Int64

  let store: CacheStore
  let options: Options
  let handOvers = HandOvers()
  private let clock: Clock
  private let sweeper: Task<Void, Never>?

  /// A cache with a clock of its own, which frees what has expired, from a background task that ends with the cache.
  public convenience init(options: Options = Options()) {
    let steady = SteadyClock()
    self.init(options: options, sweeps: true) { steady.unixTime(at: .now).milliseconds }
  }

  /// A cache whose time is handed in, for tests. What has expired is not served; its memory is freed by `sweep`.
  public convenience init(options: Options = Options(), clock: @escaping Clock) {
    self.init(options: options, sweeps: false, clock: clock)
  }

  private init(options: Options, sweeps: Bool, clock: @escaping Clock) {
    precondition(options.memoryLimit >= 1 << 20, "a cache needs a limit of 1 MiB or more")
    precondition(0...1 ~= options.ttlJitter, "TTL jitter is a part, 0 to 1")
    precondition(
      1...LeaseLimits.leaseMillisecondsMax ~= options.fillTimeout.wholeMilliseconds, "a fill takes above 0 and up to 300 seconds")
    self.options = options
    self.clock = clock
    // A shard wants a few segments of its own.
    let shards = options.memoryLimit < 16 << 20 ? 4 : 16
    let store = CacheStore(
      options: CacheStore.Options(
        limitBytes: options.memoryLimit, eviction: options.eviction, shardCount: shards,
        versionOrigin: UnixTime(milliseconds: clock())))
    self.store = store
    sweeper = sweeps ? Task.detached(priority: .utility) { await Sweep.run(over: store, clock) } : nil
  }

  deinit { sweeper?.cancel() }

  var now: UnixTime { UnixTime(milliseconds: clock()) }

  // MARK: One key

  /// The value of `key`; nil if there is none, or its time is over.
  ///
  /// Throws `DecodingError` if what is stored is no such value.
  public func get<Value: Codable>(_ key: String, as type: Value.Type = Value.self) throws -> Value? {
    let key = key.bytes
    var bytes: [UInt8]?
    var isLarge = false
    _ = store.get(key.rawSpan, at: now) { entry in
      if entry.isLarge { isLarge = true } else { bytes = entry.value.copied() }
    }
    if isLarge { bytes = try copyLarge(key) }
    return try bytes.map { try ValueCoding.decode(type, from: $0.rawSpan) }
  }

  /// Stores a value, in place of what was there.
  ///
  /// `ttl` nil: until it is evicted. `stale`: how much longer it may be served while it is filled anew. Throws `EncodingError`, or `CacheError`
  /// if it is too large, the cache is full with `eviction: .none`, or a tag is not 1 to 128 printable ASCII characters without a comma.
  public func set<Value: Codable>(
    _ key: String, _ value: Value, ttl: Duration? = nil, stale: Duration = .zero, tags: [String] = []
  ) throws {
    let bytes = try ValueCoding.encode(value)
    let tags = try CacheTags(ofEntry: tags)
    let key = key.bytes
    _ = try store.put(key.rawSpan, bytes.rawSpan, attributes(ttl, stale, tags.list.rawSpan), at: now)
  }

  /// Whether there was a value; it is gone. A fill under way cannot bring the old one back.
  @discardableResult
  public func remove(_ key: String) -> Bool {
    let key = key.bytes
    // Without a condition there is nothing to refuse.
    return (try? store.delete(key.rawSpan, at: now)) ?? false
  }

  // MARK: Many keys

  /// Makes every value with the tag absent, or with `soft` stale: then it is served once more to those who ask by `value(for:)`, while one
  /// of them fills it anew. O(1), whatever the number. A fill that is under way does not count any more.
  public func invalidate(tag: String, soft: Bool = false) throws {
    try invalidate(tags: [tag], soft: soft)
  }

  /// As `invalidate(tag:soft:)`, several at one time.
  public func invalidate(tags: [String], soft: Bool = false) throws {
    let tags = try CacheTags(tags)
    store.invalidate(tags: tags.list.rawSpan, isSoft: soft)
  }

  public func removeAll() { store.removeAll(at: now) }

  /// Frees what has expired, and wakes whoever has waited for too long: for caches whose clock is handed in. The others do it by themselves.
  public func sweep() {
    var round = Sweep()
    while !round.step(store, at: now) {}
  }

  /// Hits, misses, entries, bytes; `leases.herdSaved`: misses that did not reach the origin.
  public var statistics: CacheStatistics { store.statistics }

  // MARK: Below

  /// A value that is not to be copied under its shard's lock.
  func copyLarge(_ key: [UInt8], allowsStale: Bool = false) throws -> [UInt8]? {
    guard let pinned = try store.pin(key.rawSpan, allowsStale: allowsStale, at: now) else { return nil }
    return pinned.value.copied()
  }

  @_lifetime(copy tags)
  func attributes(_ ttl: Duration?, _ stale: Duration, _ tags: RawSpan) -> PutAttributes {
    guard let ttl else { return PutAttributes(contentType: RawSpan(), tags: tags) }
    let jitter = options.ttlJitter > 0 ? Double.random(in: 0...options.ttlJitter) : 0
    let milliseconds = Int64(Double(ttl.wholeMilliseconds) * (1 - jitter))
    let expiry = now.advanced(byMilliseconds: max(milliseconds, 0))
    let staleUntil = stale > .zero ? expiry.advanced(byMilliseconds: stale.wholeMilliseconds) : .neverStale
    return PutAttributes(expiry: expiry, staleUntil: staleUntil, contentType: RawSpan(), tags: tags)
  }
}

/// A tag that no entry can have.
public struct InvalidTag: Error, Equatable, CustomStringConvertible {
  public let tag: String
  public var description: String { "not a tag: 1 to 128 characters of printable ASCII without spaces and commas" }
}

/// Tags in the form in which the store keeps them.
struct CacheTags {
  let list: [UInt8]

  /// No more than an entry may have.
  init(ofEntry tags: [String]) throws {
    try self.init(tags)
    let limit = CacheLimits.tagsPerEntryMax
    guard TagList.count(list.rawSpan) <= limit else { throw CacheError.tagsTooLarge(limit: limit) }
  }

  init(_ tags: [String]) throws {
    var list = ByteBuffer()
    for tag in tags {
      let bytes = tag.bytes
      guard TagList.isValid(bytes.rawSpan) else { throw InvalidTag(tag: tag) }
      if TagList.contains(list.bytes, bytes.rawSpan) { continue }
      if !list.isEmpty { list.append(UInt8(ascii: ",")) }
      list.append(bytes)
    }
    self.list = list.copied()
  }
}

extension String {
  var bytes: [UInt8] { Array(utf8) }
}

extension Duration {
  /// Rounded up, so that what is not 0 does not become 0; as far as 64 bits go.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (milliseconds, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    if overflows { return seconds < 0 ? .min : .max }
    let rest = attoseconds <= 0 ? attoseconds / 1_000_000_000_000_000 : (attoseconds - 1) / 1_000_000_000_000_000 + 1
    return milliseconds.addingReportingOverflow(rest).overflow ? .max : milliseconds + rest
  }
}
