/// What memcached's meta commands ask of the store: entries made stale one by one, uses, leases that are out.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Entries made stale")
struct MakeStaleTests {
  private let store = makeStore()

  private func makeStale(_ key: String, until end: UnixTime? = nil, at now: UnixTime = .start) throws -> UInt64? {
    try withBytes(key) { key in
      try store.withLockedShards(of: store.shards(of: key)) { shards in try shards.makeStale(key, until: end, at: now) }
    }
  }

  private func wasUsed(_ key: String, at now: UnixTime = .start) -> Bool {
    withBytes(key) { key in store.withLockedShards(of: store.shards(of: key)) { shards in shards.wasUsed(key, at: now) } }
  }

  private func lease(_ key: String, at now: UnixTime = .start) -> LeaseToken? {
    withBytes(key) { key in store.withLockedShards(of: store.shards(of: key)) { shards in shards.lease(of: key, at: now) } }
  }

  private func acquire(_ key: String, at now: UnixTime = .start) -> LeaseAnswer {
    withBytes(key) { key in store.acquire(key, LeaseRequest(leaseMilliseconds: 10_000), at: now) { _, _ in } }
  }

  @Test("It is absent for plain readers, there for others, with a new version, and keeps all else")
  func stale() throws {
    let before = try store.set("a", "value", flags: 7, type: "text/plain", tags: "red").version
    let version = try #require(try makeStale("a"))
    #expect(version > before)
    #expect(store.text("a") == nil && store.text("a", stale: true) == "value")
    let facts = withBytes("a") { key in
      store.peek(key, allowsStale: true, at: .start) { ($0.version, $0.flags, $0.contentType.text, $0.tags.text, $0.isStale(at: .start)) }
    }
    #expect(facts?.0 == version && facts?.1 == 7 && facts?.2 == "text/plain" && facts?.3 == "red" && facts?.4 == true)
  }

  @Test("It stays until it would have expired, or until it is said")
  func until() throws {
    try store.set("a", "1", expiry: .start + 5000)
    try store.set("b", "1", expiry: .start + 5000)
    try store.set("c", "1")
    _ = try makeStale("a")
    _ = try makeStale("b", until: .start + 9000)
    _ = try makeStale("c")
    #expect(store.text("a", stale: true, at: .start + 4999) == "1" && store.text("a", stale: true, at: .start + 5000) == nil)
    #expect(store.text("b", stale: true, at: .start + 8999) == "1" && store.text("b", stale: true, at: .start + 9000) == nil)
    #expect(store.text("c", stale: true, at: .start + 100_000_000_000) == "1" && store.text("c", at: .start + 1) == nil)
    // Again: another version, another end.
    try store.set("d", "1")
    let first = try makeStale("d")
    let second = try makeStale("d", until: .start + 1000, at: .start + 1)
    #expect(
      first != second && store.text("d", stale: true, at: .start + 999) == "1" && store.text("d", stale: true, at: .start + 1000) == nil)
    _ = store.expireStep(at: .start + 10_000)
  }

  @Test("At an end that has come it is deleted; what is not there is not made stale")
  func over() throws {
    try store.set("a", "1")
    _ = try makeStale("a", until: .start)
    #expect(store.text("a", stale: true) == nil)
    #expect(try makeStale("a") == nil && makeStale("nope") == nil)
  }

  @Test("A large value passes on, and its memory is given back once")
  func large() throws {
    let value = String(repeating: "x", count: 300_000)
    try store.set("a", value)
    let bytes = store.statistics.bytes
    for _ in 0..<100 { _ = try makeStale("a") }
    #expect(store.text("a", stale: true) == value)
    #expect(store.statistics.bytes < bytes + 100_000)
    try store.set("a", "small")
    #expect(store.text("a") == "small" && store.statistics.bytes < bytes)
  }

  @Test("A lease that is out on it is over; the next reader is given one, and a new value ends it")
  func leases() throws {
    try store.set("a", "1", expiry: .start + 1000)
    _ = try makeStale("a")
    guard case .stale(let given) = acquire("a"), let given else {
      Issue.record("no lease on a stale value")
      return
    }
    #expect(lease("a") == given && lease("a", at: .start + 10_000) == nil)
    guard case .stale(nil) = acquire("a") else {
      Issue.record("two leases")
      return
    }
    _ = try makeStale("a", at: .start + 1)
    #expect(lease("a", at: .start + 1) == nil)
    guard case .stale(.some) = acquire("a", at: .start + 1) else {
      Issue.record("no lease after it was made stale again")
      return
    }
    try store.set("a", "2", at: .start + 2)
    #expect(lease("a", at: .start + 2) == nil && store.text("a", at: .start + 2) == "2")
    #expect(lease("nope") == nil)
  }

  @Test("Whether it was used is known until eviction forgets it")
  func uses() throws {
    try store.set("a", "1")
    #expect(!wasUsed("a") && !wasUsed("nope"))
    _ = store.text("a")
    #expect(wasUsed("a"))
    _ = try makeStale("a")
    #expect(wasUsed("a"))
  }

  @Test("Without memory it stays as it is")
  func noMemory() throws {
    let store = makeStore(limit: 2 << 20, eviction: .none, shards: 1)
    var count = 0
    while (try? store.set("k\(count)", String(repeating: "x", count: 200))) != nil { count += 1 }
    // Each copy needs 16 bytes more than what it replaces; some fit in what is left.
    var refused: String?
    for index in 0..<count {
      let key = "k\(index)"
      do {
        _ = try withBytes(key) { key in
          try store.withLockedShards(of: store.shards(of: key)) { shards in try shards.makeStale(key, at: .start) }
        }
      } catch CacheError.outOfMemory {
        refused = key
        break
      }
    }
    if let refused { #expect(store.text(refused) == String(repeating: "x", count: 200)) }
  }
}
