/// The store with keys and values as text, for tests that are about something else; and their clock and random source.

import MartletBytes
import Testing

@testable import MartletCache

extension UnixTime {
  /// A usual start of a test.
  static let start = UnixTime(milliseconds: 1_750_000_000_000)

  static func + (time: UnixTime, milliseconds: Int64) -> UnixTime { time.advanced(byMilliseconds: milliseconds) }
}

func makeStore(
  limit: Int = 64 << 20, eviction: CacheStore.EvictionPolicy = .s3fifo, shards: Int = 4, origin: UnixTime = .start,
  valueBytesMax: Int? = nil, seed: UInt64? = 42
) -> CacheStore {
  CacheStore(
    options: .init(
      limitBytes: limit, eviction: eviction, shardCount: shards, versionOrigin: origin, valueBytesMax: valueBytesMax, hashSeed: seed))
}

/// Lends the bytes of `text`.
func withBytes<Result: ~Copyable, Failure: Error>(
  _ text: some StringProtocol, _ body: (RawSpan) throws(Failure) -> Result
) throws(Failure) -> Result {
  try withBytes(Array(text.utf8), body)
}

func withBytes<Result: ~Copyable, Failure: Error>(
  _ bytes: [UInt8], _ body: (RawSpan) throws(Failure) -> Result
) throws(Failure) -> Result {
  try body(unsafe bytes.span.bytes)
}

extension CacheStore {
  func text(_ key: String, database: UInt8 = 0, stale: Bool = false, at now: UnixTime = .start) -> String? {
    withBytes(key) { key in get(key, database: database, allowsStale: stale, at: now) { $0.value.text } }
  }

  func version(_ key: String, at now: UnixTime = .start) -> UInt64? {
    withBytes(key) { key in peek(key, at: now) { $0.version } }
  }

  @discardableResult
  func set(
    _ key: String, _ value: String, expiry: UnixTime = .never, staleUntil: UnixTime = .neverStale, flags: UInt32 = 0,
    database: UInt8 = 0, type: String = "", tags: String = "", if condition: PutCondition = .always, at now: UnixTime = .start
  ) throws(CacheError) -> PutResult {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(value) { value throws(CacheError) in
        try withBytes(type) { type throws(CacheError) in
          try withBytes(tags) { tags throws(CacheError) in
            let attributes = PutAttributes(
              expiry: expiry, staleUntil: staleUntil, flags: flags, database: database, contentType: type, tags: tags)
            return try put(key, value, attributes, condition: condition, at: now)
          }
        }
      }
    }
  }

  @discardableResult
  func remove(
    _ key: String, database: UInt8 = 0, if condition: PutCondition = .always, at now: UnixTime = .start
  ) throws(CacheError) -> Bool {
    try withBytes(key) { key throws(CacheError) in try delete(key, database: database, condition: condition, at: now) }
  }

  @discardableResult
  func add(
    _ key: String, _ amount: Int64, initial: Int64 = 0, expiry: UnixTime = .never, at now: UnixTime = .start
  ) throws(CacheError) -> Int64 {
    try withBytes(key) { key throws(CacheError) in
      try increment(key, by: amount, initial: initial, PutAttributes(expiry: expiry), at: now).value
    }
  }

  @discardableResult
  func expire(
    _ key: String, at expiry: UnixTime, if condition: ExpireCondition = .always, now: UnixTime = .start
  ) throws(CacheError) -> Bool {
    try withBytes(key) { key throws(CacheError) in try expire(key, at: expiry, condition: condition, now: now) }
  }

  @discardableResult
  func change(
    _ key: String, if condition: PutCondition = .always, at now: UnixTime = .start, _ body: (String) -> String
  ) throws(UpdateError<Never>) -> UInt64? {
    try withBytes(key) { key throws(UpdateError<Never>) in
      try update(key, condition: condition, at: now) { entry in
        var value = ByteBuffer()
        value.append(body(entry.value.text))
        return value
      }
    }
  }

  @discardableResult
  func tag(_ key: String, _ tags: String, at now: UnixTime = .start) throws(CacheError) -> UInt64? {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(tags) { tags throws(CacheError) in
        try withLockedShards(of: shards(of: key)) { (locked) throws(CacheError) in try locked.setTags(key, to: tags, at: now) }
      }
    }
  }

  /// All keys of a database, by pages of `limit`.
  func keys(limit: Int = 100, prefix: String = "", database: UInt8? = 0, at now: UnixTime = .start) -> [String] {
    var keys: [String] = []
    var cursor: ScanCursor? = .start
    while let from = cursor {
      cursor = withBytes(prefix) { prefix in
        scan(from: from, limit: limit, prefix: prefix, database: database, at: now) { keys.append($0.key.text) }
      }
    }
    return keys
  }
}

/// A value behind a lock. Not `Mutex`: the thread sanitizer reports races with it that are none.
final class Guarded<Value>: @unchecked Sendable {
  private let lock = ShardLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func with<Result>(_ body: (inout Value) -> Result) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return body(&value)
  }
}

extension Array {
  mutating func popAll() -> [Element] {
    defer { self = [] }
    return self
  }
}
