/// Leases on what is there: values past their time, known absences, values that are refreshed early.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Stale values, known absence, early refresh")
struct LeaseRefreshTests {
  let store = makeStore()

  // MARK: Stale values

  @Test("Of a stale value the first gets a lease, the others are served meanwhile; readers without a lease see nothing")
  func stale() throws {
    try store.set("a", "old", expiry: .start + 10, staleUntil: .start + 1000)
    let now = UnixTime.start + 10
    let first = store.read("a", at: now)
    guard case .stale(let lease?) = first.answer else { return #expect(Bool(false)) }
    #expect(first.value == "old")
    for _ in 0..<3 {
      let other = store.read("a", wait: 10, Waiter(), at: now)
      #expect(other.answer == .stale(lease: nil))
      #expect(other.value == "old")
    }
    #expect(store.text("a", at: now) == nil)
    try store.fill("a", "new", lease, at: now)
    #expect(store.read("a", at: now).answer == .hit(lease: nil))
    #expect(store.statistics.leases.servedStale == 3)
    #expect(store.statistics.leases.grantedStale == 1)
  }

  @Test("The lease of a stale value passes to the next reader when its time is over")
  func staleLeaseExpires() throws {
    try store.set("a", "old", expiry: .start + 10, staleUntil: .start + 10_000)
    let first = try store.refresh("a", seconds: 1, at: .start + 10)
    let second = try store.refresh("a", seconds: 1, at: .start + 1010)
    #expect(first != second)
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "1", first, at: .start + 1020) }
    try store.fill("a", "2", second, at: .start + 1020)
  }

  @Test("A soft invalidation while a stale value is being refreshed gives the next reader a new lease")
  func softenedAgain() throws {
    try store.set("a", "old", tags: "red")
    store.invalidate("red", soft: true)
    let first = try store.refresh("a")
    #expect(store.read("a").answer == .stale(lease: nil))
    store.invalidate("red", soft: true)
    let second = try store.refresh("a")
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "1", first, tags: "red") }
    try store.fill("a", "2", second, tags: "red")
    #expect(store.text("a") == "2")
  }

  @Test("Waiters behind a hard invalidation of a stale value are not served it")
  func staleThenHard() throws {
    try store.set("a", "old", tags: "red")
    store.invalidate("red", soft: true)
    let lease = try store.refresh("a")
    store.invalidate("red")
    let next = try store.lease("a")
    #expect(next != lease)
    #expect(throws: CacheError.leaseOver) { try store.fill("a", "1", lease, tags: "red") }
    try store.fill("a", "2", next, tags: "red")
  }

  // MARK: Known absence

  @Test("A filler may find that there is nothing: waiters and later readers are told so until it is over")
  func absence() throws {
    let waiter = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    #expect(try store.absent("a", lease, until: .start + 5000))
    #expect(waiter.news == ["absent"])
    #expect(store.read("a").answer == .absent(until: .start + 5000))
    #expect(store.text("a") == nil)
    #expect(store.count() == 0)
    #expect(store.statistics.leases.absences == 1)
    _ = try store.lease("a", at: .start + 5000)
    #expect(store.statistics.leases.absences == 0)
  }

  @Test("A known absence ends by a put, a delete, a tag's invalidation, a flush", arguments: 0..<4)
  func absenceEnds(kind: Int) throws {
    #expect(try store.absent("a", try store.lease("a"), until: .start + 5000, tags: "red"))
    switch kind {
    case 0:
      try store.set("a", "1")
      try store.remove("a")
    case 1: try store.remove("a")
    case 2: store.invalidate("red")
    default: store.removeAll(at: .start)
    }
    _ = try store.lease("a")
  }

  @Test("A stale value is gone once it is known that there is nothing")
  func absenceRemovesStale() throws {
    try store.set("a", "old", expiry: .start + 10, staleUntil: .start + 1000)
    let lease = try store.refresh("a", at: .start + 10)
    #expect(try store.absent("a", lease, until: .start + 500, at: .start + 10))
    #expect(store.text("a", stale: true, at: .start + 11) == nil)
    #expect(store.read("a", at: .start + 11).answer == .absent(until: .start + 500))
  }

  @Test("Absences are forgotten in time without anybody asking")
  func absencesExpire() throws {
    for index in 0..<10 { #expect(try store.absent("k\(index)", try store.lease("k\(index)"), until: .start + 100)) }
    #expect(store.statistics.leases.absences == 10)
    #expect(store.advanceLeases(at: .start + 100) == .never)
    #expect(store.statistics.leases.absences == 0)
  }

  @Test("A tag of a known absence is forgotten by the sweep though the absence lives on")
  func absenceAndSweep() throws {
    #expect(try store.absent("a", try store.lease("a"), until: .start + 5000, tags: "red"))
    store.invalidate("blue")
    store.sweepTags()
    #expect(store.statistics.tags.records == 0)
    #expect(store.read("a").answer == .absent(until: .start + 5000))
    store.invalidate("red")
    store.sweepTags()
    #expect(store.statistics.leases.absences == 0)
  }

  // MARK: Early refresh

  @Test("Early refresh: far from the expiry nobody, close to it nearly always somebody, and one at a time")
  func earlyRefresh() throws {
    let lease = try store.lease("a")
    try store.fill("a", "1", lease, expiry: .start + 100_000, at: .start + 100)  // the fill took 100 ms
    func chosen(left: Int64, of count: Int) -> Int {
      (0..<count).count { _ in
        guard case .hit(let lease?) = store.read("a", early: 1, at: .start + (100_000 - left)).answer else { return false }
        _ = store.end("a", lease, at: .start + (100_000 - left))
        return true
      }
    }
    #expect(chosen(left: 90_000, of: 1000) == 0)
    #expect((300...430).contains(chosen(left: 100, of: 1000)))  // e^-1
    #expect((95...172).contains(chosen(left: 200, of: 1000)))  // e^-2
    #expect(chosen(left: 1, of: 100) > 90)
    #expect(store.read("a", at: .start + 99_999).answer == .hit(lease: nil))
    var leases = 0
    for _ in 0..<100 {
      if case .hit(lease: _?) = store.read("a", early: 1000, at: .start + 99_000).answer { leases += 1 }
    }
    #expect(leases == 1)
  }

  @Test("A value that expires within the time asked for gives one reader a lease")
  func refreshWithin() throws {
    try store.set("a", "1", expiry: .start + 1000)
    func ask(at now: UnixTime) -> LeaseAnswer {
      withBytes("a") { key in
        store.acquire(key, LeaseRequest(leaseMilliseconds: 500, refreshMilliseconds: 300), at: now) { _, _ in }
      }
    }
    #expect(ask(at: .start + 700) == .hit(lease: nil))
    guard case .hit(lease: let lease?) = ask(at: .start + 701) else { return #expect(Bool(false)) }
    #expect(ask(at: .start + 702) == .hit(lease: nil))
    try store.fill("a", "2", lease, at: .start + 703)
    #expect(ask(at: .start + 1200) == .hit(lease: nil))
    #expect(store.text("a", at: .start + 1200) == "2")
  }

  @Test("The logarithm of chances is one")
  func logarithm() {
    #expect(abs(Logarithm.natural(1)) < 1e-9)
    #expect(abs(Logarithm.natural(2) - 0.693147) < 1e-3)
    #expect(abs(Logarithm.natural(0.001) + 6.907755) < 1e-2)
    #expect(abs(Logarithm.natural(0.7) + 0.356675) < 1e-3)
  }
}
