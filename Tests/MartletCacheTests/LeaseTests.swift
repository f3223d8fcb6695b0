/// Who gets a lease, and what ends it.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Leases")
struct LeaseTests {
  let store = makeStore()

  // MARK: Who gets the lease

  @Test("The first reader who misses gets a lease, the next is told to ask again, a hit is lent")
  func missThenBusyThenHit() throws {
    let lease = try store.lease("a")
    guard case .busy(let retry) = store.read("a").answer else { return #expect(Bool(false)) }
    #expect(retry == LeaseLimits.retryMilliseconds)
    try store.fill("a", "1", lease)
    let read = store.read("a")
    #expect(read.answer == .hit(lease: nil))
    #expect(read.value == "1")
    #expect(store.statistics.leases.filled == 1)
    #expect(store.statistics.leases.live == 0)
  }

  @Test("Placeholders are no entries")
  func placeholdersAreNoEntries() throws {
    _ = try store.lease("a")
    #expect(store.count() == 0)
    #expect(store.keys() == [])
    #expect(store.text("a") == nil)
    #expect(try store.remove("a") == false)
  }

  @Test("Keys and databases have leases of their own")
  func ownLeases() throws {
    let first = try store.lease("a")
    let second = try store.lease("b")
    let third = try store.lease("a", database: 1)
    #expect(Set([first, second, third]).count == 3)
    #expect(throws: CacheError.leaseOver) { try store.fill("b", "1", first) }
    try store.fill("b", "1", second)
    try store.fill("a", "1", first)
    #expect(store.text("a", database: 1) == nil)
  }

  @Test("A token is 16 hexadecimal digits and reads back; nothing else is a token")
  func tokens() throws {
    let lease = try store.lease("a")
    #expect(lease.description.utf8.count == 16)
    let read = withBytes(lease.description) { LeaseToken($0) }
    #expect(read == lease)
    for text in ["", "0", "123456789012345", "12345678901234567", "12345678901234G6", "ABCDEF0123456789", "-234567890123456"] {
      let token = withBytes(text) { LeaseToken($0) }
      #expect(token == nil)
    }
    #expect(LeaseToken(rawValue: 7).description == "0000000000000007")
  }

  // MARK: What ends it

  @Test("A lease ends by its fill: the same fill again is refused")
  func endsByFill() throws {
    let lease = try store.lease("a")
    try store.fill("a", "1", lease)
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "2", lease) }
    #expect(store.text("a") == "1")
    #expect(store.statistics.leases.fillsRefused == 1)
  }

  @Test("A lease ends by its time, to the millisecond")
  func endsByTime() throws {
    let lease = try store.lease("a", seconds: 1)
    try store.fill("a", "1", lease, at: .start + 999)
    let late = try store.lease("b", seconds: 1)
    #expect(throws: CacheError.leaseOver) { try store.fill("b", "1", late, at: .start + 1000) }
    #expect(store.text("b") == nil)
    #expect(store.statistics.leases.expired == 1)
  }

  @Test("A lease ends by any change of the value, and the fill that was begun before is refused", arguments: Change.allCases)
  func endsByChange(change: Change) throws {
    try store.set("a", "0", expiry: .start + 10, staleUntil: .start + 1000, tags: "red")
    let now = change.needsLiveEntry ? UnixTime.start : .start + 20
    let lease = change.needsLiveEntry ? try store.early("a") : try store.refresh("a", at: now)
    try change.happen(to: store, at: now)
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease, at: now) }
    #expect(store.text("a", stale: true, at: now) != "old")
    #expect(store.statistics.leases.overtaken == 1)
  }

  enum Change: CaseIterable {
    case put, delete, patch, expireInThePast, flush, flushDatabase, removePrefix, invalidate, soften

    var needsLiveEntry: Bool {
      switch self {
      case .patch, .expireInThePast: true
      default: false
      }
    }

    func happen(to store: CacheStore, at now: UnixTime) throws {
      switch self {
      case .put: try store.set("a", "new", at: now)
      case .delete: try store.remove("a", at: now)
      case .patch: _ = try store.change("a", at: now) { $0 + "!" }
      case .expireInThePast: try store.expire("a", at: now, now: now)
      case .flush: store.removeAll(at: now)
      case .flushDatabase: store.removeAll(database: 0, at: now)
      case .removePrefix: _ = withBytes("a") { store.remove(prefix: $0, from: .start, at: now) }
      case .invalidate: store.invalidate("red")
      case .soften: store.invalidate("red", soft: true)
      }
    }
  }

  @Test("A delete, a flush, a removal by prefix of a key that is absent ends its lease too", arguments: 0..<4)
  func endsByChangeOfNothing(kind: Int) throws {
    let lease = try store.lease("a")
    switch kind {
    case 0: try store.remove("a")
    case 1: store.removeAll(at: .start)
    case 2: store.removeAll(database: 0, at: .start)
    default: _ = withBytes("a") { store.remove(prefix: $0, from: .start, at: .start) }
    }
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease) }
    #expect(store.text("a") == nil)
  }

  @Test("Touch, EXPIRE, expiry, another key's change and an emptied other database do not end it")
  func survives() throws {
    try store.set("a", "0", expiry: .start + 100, staleUntil: .start + 200)
    let lease = try store.early("a")
    _ = withBytes("a") { store.touch($0, at: .start) }
    try store.expire("a", at: .start + 50)
    try store.set("b", "1")
    store.removeAll(database: 1, at: .start)
    #expect(store.text("a", stale: true, at: .start + 300) == nil)
    _ = store.expireStep(at: .start + 300)
    try store.fill("a", "new", lease, at: .start + 300)
    #expect(store.text("a", at: .start + 300) == "new")
  }

  @Test("A fill is refused if one of its tags was invalidated since the lease was issued, hard or softly")
  func bornDead() throws {
    for soft in [false, true] {
      let lease = try store.lease("a")
      store.invalidate("red", soft: soft)
      #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease, tags: "blue,red") }
      #expect(store.text("a", stale: true) == nil)
      let next = try store.lease("a")
      try store.fill("a", "new", next, tags: "blue,red")
      #expect(store.text("a") == "new")
      try store.remove("a")
    }
  }

  @Test("A fill keeps the time of its lease: an invalidation between lease and fill is not forgotten by a sweep")
  func sweepRespectsLeases() throws {
    let lease = try store.lease("a", seconds: 100)
    store.invalidate("red")
    for _ in 0..<3 { for _ in 0..<50 { _ = store.tagSweepStep(at: .start) } }
    #expect(store.statistics.tags.records == 1)
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease, tags: "red") }
    store.sweepTags()
    #expect(store.statistics.tags.records == 0)
  }

  @Test("A filled entry is dead if its tag is invalidated after the fill, though its stamp is the lease's")
  func invalidatedAfterFill() throws {
    let lease = try store.lease("a")
    store.invalidate("blue")
    try store.fill("a", "1", lease, tags: "red")
    #expect(store.text("a") == "1")
    store.invalidate("red")
    #expect(store.text("a") == nil)
  }

  @Test("A fill that fails for another reason leaves the lease out")
  func failedFillKeepsTheLease() throws {
    let store = makeStore(limit: 1 << 20)
    let lease = try store.lease("a")
    #expect(throws: CacheError.valueTooLarge(limit: store.valueBytesMax)) {
      try store.fill("a", String(repeating: "v", count: store.valueBytesMax + 1), lease)
    }
    #expect(throws: CacheError.conditionFailed(current: nil)) { try store.fill("a", "1", lease, if: .ifPresent) }
    try store.fill("a", "1", lease)
    #expect(store.text("a") == "1")
  }

  @Test("A large value fills like a small one, and is refused like one without leaking its memory")
  func largeFills() throws {
    let large = String(repeating: "v", count: CacheLimits.largeValueBytesMin)
    let waiter = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    try store.fill("a", large, lease, tags: "red")
    #expect(store.text("a")?.utf8.count == large.utf8.count)
    #expect(waiter.news == ["value \(large)"])
    try store.remove("a")
    waiter.clear()
    let bytes = store.statistics.bytes
    let second = try store.lease("a")
    store.invalidate("red")
    #expect(throws: CacheError.leaseOver) { try store.fill("a", large, second, tags: "red") }
    #expect(throws: CacheError.leaseOver) { try store.fill("a", large, second) }
    #expect(store.statistics.bytes == bytes)
  }
}
