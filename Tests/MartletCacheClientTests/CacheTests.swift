import MartletBytes
import MartletCache
import MartletJSON
import Synchronization
import Testing

@testable import MartletCacheClient

@Suite("Cache: one key at a time")
struct CacheTests {
  private let clock = HandClock()

  @Test("A value is kept until its time is over, is replaced, and is removed")
  func life() throws {
    let cache = Cache.make(clock: clock)
    #expect(try cache.get("u", as: User.self) == nil)
    try cache.set("u", User(id: 1), ttl: .seconds(2))
    #expect(try cache.get("u") == User(id: 1))
    try cache.set("u", User(id: 2), ttl: .milliseconds(1500))
    clock.advance(.milliseconds(1499))
    #expect(try cache.get("u") == User(id: 2))
    clock.advance(.milliseconds(1))
    #expect(try cache.get("u", as: User.self) == nil)
    try cache.set("u", User(id: 3))
    clock.advance(.seconds(1_000_000))
    #expect(cache.remove("u"))
    #expect(!cache.remove("u"))
    try cache.set("u", User(id: 3), ttl: .zero)
    #expect(try cache.get("u", as: User.self) == nil)
  }

  @Test("Values of many shapes come back: scalars, bytes as they are, large ones, those with a fast lane")
  func shapes() throws {
    struct Fast: Codable, Equatable, JSONEncodable, JSONDecodable {
      var id: Int
      init(id: Int) { self.id = id }
      func encode(to json: inout JSONWriter) { json.integer(id) }
      init(from json: inout JSONReader) throws { id = Int(try json.readInteger()) }
    }
    let cache = Cache.make(clock: clock)
    try cache.set("", "empty key")
    #expect(try cache.get("", as: String.self) == "empty key")
    let bytes: [UInt8] = [0, 255, 0x22]
    try cache.set("b", bytes)
    #expect(try cache.get("b") == bytes)
    #expect(ValueCoding.size(of: bytes) == 3)
    let large = String(repeating: "é", count: 200_000)
    try cache.set("l", large)
    #expect(try cache.get("l") == large)
    try cache.set("f", [Fast(id: 7)])
    #expect(try cache.get("f") == [Fast(id: 7)])
    #expect(try ValueCoding.encode(Fast(id: 7)) == [0x37])
    try cache.set("n", Int?.none)
    #expect(try cache.get("n", as: Int?.self) == .some(nil))
    #expect(throws: DecodingError.self) { try cache.get("b", as: User.self) }
    #expect(throws: EncodingError.self) { try cache.set("x", Double.nan) }
  }

  @Test("What cannot be kept is told: a tag that is none, a value that is too large, no room without eviction")
  func refusals() throws {
    let cache = Cache.make(clock: clock) { $0.eviction = .none }
    for tag in ["", "a b", "a,b", "é", String(repeating: "t", count: 129)] {
      #expect(throws: InvalidTag(tag: tag)) { try cache.set("k", 1, tags: [tag]) }
      #expect(throws: InvalidTag(tag: tag)) { try cache.invalidate(tag: tag) }
    }
    #expect(throws: CacheError.self) { try cache.set("k", 1, tags: (0..<33).map { "t\($0)" }) }
    #expect(throws: CacheError.self) { try cache.set("k", [UInt8](repeating: 0, count: 2 << 20)) }
    #expect(throws: CacheError.outOfMemory) {
      for number in 0..<100 { try cache.set("\(number)", [UInt8](repeating: 0, count: 1 << 19)) }
    }
  }

  @Test("Tags are invalidated hard and softly, several at a time; removing all leaves nothing")
  func tags() async throws {
    let cache = Cache.make(clock: clock)
    try cache.set("a", 1, tags: ["x", "y", "x"])
    try cache.set("b", 2, tags: ["y"])
    try cache.set("c", 3)
    try cache.invalidate(tag: "x")
    #expect(try cache.get("a", as: Int.self) == nil)
    #expect(try cache.get("b") == 2)
    try cache.set("a", 4, tags: ["x"])
    #expect(try cache.get("a") == 4)
    try cache.invalidate(tags: ["x", "y"], soft: true)
    #expect(try cache.get("a", as: Int.self) == nil)
    #expect(try await cache.value(for: "b", ttl: nil, tags: ["y"]) { 5 } == 2)
    try await until { (try? cache.get("b")) == 5 }
    #expect(try cache.get("c") == 3)
    cache.removeAll()
    #expect(try cache.get("c", as: Int.self) == nil)
  }

  @Test("A TTL loses up to its jitter, at random, and never more")
  func jitter() throws {
    let cache = Cache.make(clock: clock) { $0.ttlJitter = 0.25 }
    for number in 0..<400 { try cache.set("\(number)", number, ttl: .seconds(100)) }
    func left() throws -> Int { try (0..<400).count { try cache.get("\($0)", as: Int.self) != nil } }
    clock.advance(.seconds(74))
    #expect(try left() == 400)
    clock.advance(.milliseconds(13_500))
    // Half of them, give or take five standard deviations.
    #expect(150...250 ~= (try left()))
    clock.advance(.milliseconds(12_500))
    #expect(try left() == 0)
  }

  @Test("What has expired is freed by a sweep, without being asked for")
  func sweep() throws {
    let cache = Cache.make(clock: clock)
    for number in 0..<2000 { try cache.set("\(number)", number, ttl: .seconds(1)) }
    clock.advance(.seconds(10))
    cache.sweep()
    #expect(cache.statistics.entries == 0)
    #expect(cache.statistics.expirations == 2000)
  }

  @Test("A cache with its own clock frees what has expired by itself, and ends when nobody holds it")
  func ownClock() async throws {
    weak var store: CacheStore?
    do {
      let cache = Cache()
      store = cache.store
      for number in 0..<100 { try cache.set("\(number)", number, ttl: .milliseconds(1)) }
      try await until { cache.statistics.entries == 0 }
    }
    try await until { store == nil }
  }

  @Test("Durations are rounded up to milliseconds, and saturate")
  func durations() {
    #expect(Duration.nanoseconds(1).wholeMilliseconds == 1)
    #expect(Duration.milliseconds(2).wholeMilliseconds == 2)
    #expect(Duration.zero.wholeMilliseconds == 0)
    #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
    #expect(Duration.seconds(-5).wholeMilliseconds == -5000)
  }
}

extension ValueCoding {
  static func size<Value: Codable>(of value: Value) -> Int? { try? encode(value).count }
}

extension Sequence {
  fileprivate func count(_ isCounted: (Element) throws -> Bool) rethrows -> Int {
    try reduce(0) { try isCounted($1) ? $0 + 1 : $0 }
  }
}
