/// Each rule of leases by itself: who gets one, who waits, what ends it, who is told what.

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

  // MARK: Waiters

  @Test("Waiters are told the value by the fill, and by any other put")
  func waitersGetTheValue() throws {
    for byFill in [true, false] {
      let waiters = (0..<3).map { _ in Waiter() }
      let lease = try store.lease("a")
      for waiter in waiters { #expect(store.read("a", wait: 10, waiter).answer.isWaiting) }
      #expect(store.statistics.leases.waiting == 3)
      if byFill { try store.fill("a", "1", lease) } else { try store.set("a", "1") }
      for waiter in waiters { #expect(waiter.news == ["value 1"]) }
      #expect(store.statistics.leases.waiting == 0)
      try store.remove("a")
    }
    #expect(store.statistics.leases.herdSaved == 6)
  }

  @Test("When the filler gives up, runs out of time or is overtaken, the first waiter gets the lease and the others wait on")
  func handover() throws {
    for end in 0..<3 {
      let waiters = (0..<3).map { _ in Waiter() }
      let lease = try store.lease("a", seconds: 2)
      for waiter in waiters { _ = store.read("a", wait: 10, waiter) }
      var now = UnixTime.start
      switch end {
      case 0: #expect(store.end("a", lease))
      case 1:
        now = .start + 2000
        #expect(store.advanceLeases(at: .start + 1999) == .start + 2000)
        #expect(waiters[0].news == [])
        _ = store.advanceLeases(at: now)
      default: try store.remove("a")
      }
      let handed = try #require(waiters[0].lease)
      #expect(handed != lease)
      #expect(waiters[1].news == [])
      #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease, at: now) }
      try store.fill("a", "new", handed, at: now)
      #expect(waiters[1].news == ["value new"])
      #expect(waiters[2].news == ["value new"])
      try store.remove("a", at: now)
    }
  }

  @Test("A waiter whose time is over is told so, and gets no lease")
  func waiterTimesOut() throws {
    let short = Waiter()
    let long = Waiter()
    let lease = try store.lease("a", seconds: 5)
    _ = store.read("a", wait: 1, short)
    _ = store.read("a", wait: 10, long)
    #expect(store.advanceLeases(at: .start) == .start + 1000)
    #expect(store.advanceLeases(at: .start + 1000) == .start + 5000)
    #expect(short.news == ["timed out"])
    #expect(long.news == [])
    #expect(store.end("a", lease, at: .start + 4000))
    #expect(long.lease != nil)
    #expect(short.news == ["timed out"])
  }

  @Test("A lease passes over waiters whose time is over though nobody has noticed yet")
  func passesOverTheLate() throws {
    let late = Waiter()
    let next = Waiter()
    let lease = try store.lease("a", seconds: 5)
    _ = store.read("a", wait: 1, late)
    _ = store.read("a", wait: 10, next)
    #expect(store.end("a", lease, at: .start + 2000))
    #expect(late.news == ["timed out"])
    #expect(next.lease != nil)
  }

  @Test("A waiter that is forgotten is told nothing and gets no lease")
  func forgotten() throws {
    let gone = Waiter()
    let next = Waiter()
    let lease = try store.lease("a")
    let ticket = try #require(store.read("a", wait: 10, gone).answer.ticket)
    _ = store.read("a", wait: 10, next)
    #expect(store.forget(ticket))
    #expect(!store.forget(ticket))
    #expect(store.end("a", lease))
    #expect(gone.news == [])
    let handed = try #require(next.lease)
    #expect(store.end("a", handed))
    #expect(store.statistics.leases.waiting == 0)
    #expect(store.statistics.leases.live == 0)
  }

  @Test("A ticket of the past names nobody, though its place is taken again")
  func oldTickets() throws {
    let first = Waiter()
    let lease = try store.lease("a")
    let ticket = try #require(store.read("a", wait: 10, first).answer.ticket)
    try store.fill("a", "1", lease)
    try store.remove("a")
    let second = Waiter()
    _ = try store.lease("a")
    _ = store.read("a", wait: 10, second)
    #expect(!store.forget(ticket))
    #expect(store.statistics.leases.waiting == 1)
  }

  @Test("Who asks while an ended lease is about to pass on queues behind those who wait already")
  func newcomersQueue() throws {
    let waiter = Waiter()
    _ = try store.lease("a", seconds: 1)
    _ = store.read("a", wait: 10, waiter)
    let newcomer = Waiter()
    #expect(store.read("a", wait: 10, newcomer, at: .start + 1500).answer.isWaiting)
    #expect(waiter.lease != nil)
    #expect(newcomer.news == [])
  }

  @Test("The value that waiters get is the one that was filled, whatever happens to the entry afterwards")
  func sharedValueIsHeld() throws {
    let waiter = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    try store.fill("a", "1", lease)
    try store.remove("a")
    #expect(waiter.news == ["value 1"])
    let bytes = store.statistics.bytes
    waiter.clear()
    #expect(store.statistics.bytes < bytes)
  }

  @Test("Several changes under one lock count as one: waiters see what is there at the end")
  func changesUnderOneLock() throws {
    let waiter = Waiter()
    _ = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    try withBytes("a") { key in
      try store.withLockedShards(of: store.shards(of: key)) { shards in
        _ = try withBytes("1") { try shards.put(key, $0, PutAttributes(), at: .start) }
        #expect(waiter.news == [])
        _ = try shards.delete(key, at: .start)
        _ = try withBytes("2") { try shards.put(key, $0, PutAttributes(), at: .start) }
      }
    }
    #expect(waiter.news == ["value 2"])
  }

  @Test("A waiter that gives its lease up at once, inside the call, passes it on")
  func givesUpInside() throws {
    let store = store
    let gone = Waiter { store.end("a", $0) }
    let next = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, gone)
    _ = store.read("a", wait: 10, next)
    #expect(store.end("a", lease))
    #expect(gone.lease != nil)
    #expect(next.lease != nil)
  }

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

  // MARK: Bounds

  @Test("Beyond the bound of placeholders readers are told to ask again; stale values are served without a lease")
  func placeholderBound() throws {
    let store = makeStore(shards: 1)
    for index in 0..<LeaseLimits.placeholdersPerShardMax { _ = try store.lease("k\(index)", seconds: 300) }
    guard case .busy = store.read("one more").answer else { return #expect(Bool(false)) }
    try store.set("a", "old", expiry: .start + 10, staleUntil: .start + 1000)
    #expect(store.read("a", at: .start + 20).answer == .stale(lease: nil))
    _ = store.advanceLeases(at: .start + 300_000)
    while store.statistics.leases.live > 0 { _ = store.advanceLeases(at: .start + 300_000) }
    _ = try store.lease("one more", at: .start + 300_000)
  }

  @Test("Beyond the bound of their bytes too, and giving leases back makes room")
  func placeholderBytesBound() throws {
    let store = makeStore(limit: 1 << 30)
    let key = String(repeating: "k", count: 60_000)
    var leases: [LeaseToken] = []
    while case .miss(let lease) = store.read(key + "\(leases.count)").answer { leases.append(lease) }
    #expect(leases.count * 60_000 < LeaseLimits.placeholderBytesMax)
    #expect((leases.count + 2) * 60_000 > LeaseLimits.placeholderBytesMax)
    #expect(store.end(key + "0", leases[0]))
    _ = try store.lease(key + "again")
  }

  @Test("Beyond the bound of waiters readers are told to ask again")
  func waiterBound() throws {
    let store = makeStore(limit: 8 << 20)
    let waitersMax = 8 << 10
    _ = try store.lease("a")
    let waiter = Waiter()
    for _ in 0..<waitersMax { #expect(store.read("a", wait: 10, waiter).answer.isWaiting) }
    guard case .busy = store.read("a", wait: 10, waiter).answer else { return #expect(Bool(false)) }
    try store.set("a", "1")
    #expect(store.statistics.leases.waitersFilled == UInt64(waitersMax))
    try store.remove("a")
    _ = try store.lease("a")
    #expect(store.read("a", wait: 10, waiter).answer.isWaiting)
  }

  @Test("The alarm rings for a deadline that comes before those it was told, and only then")
  func alarm() throws {
    let rung = Rung()
    store.setLeaseAlarm { rung.note($0) }
    let first = try store.lease("a", seconds: 10)
    #expect(rung.take() == [.start + 10_000])
    _ = try store.lease("b", seconds: 20)
    #expect(rung.take() == [])
    _ = try store.lease("c", seconds: 5)
    #expect(rung.take() == [.start + 5000])
    try store.fill("a", "1", first)
    #expect(store.advanceLeases(at: .start + 5000) == .start + 20_000)
    #expect(rung.take() == [])
    _ = try store.lease("d", seconds: 1, at: .start + 5000)
    #expect(rung.take() == [.start + 6000])
    store.setLeaseAlarm(nil)
  }
}

/// What an alarm was told.
private final class Rung: Sendable {
  private let times = Guarded<[UnixTime]>([])
  func note(_ time: UnixTime) { times.with { $0.append(time) } }
  func take() -> [UnixTime] { times.with { times in times.popAll() } }
}

/// A waiter that writes down what it is told.
final class Waiter: LeaseWaiter {
  private let told = Guarded<[LeaseNews]>([])
  private let onLease: @Sendable (LeaseToken) -> Void

  init(onLease: @escaping @Sendable (LeaseToken) -> Void = { _ in }) { self.onLease = onLease }

  func settle(_ news: LeaseNews) {
    told.with { $0.append(news) }
    if case .lease(let lease) = news { onLease(lease) }
  }

  func clear() { told.with { $0 = [] } }

  var lease: LeaseToken? {
    told.with { news in
      if case .lease(let lease) = news.last { return lease }
      return nil
    }
  }

  var news: [String] {
    told.with {
      $0.map { (news: LeaseNews) -> String in
        switch news {
        case .value(let value): "value \(value.withValue { $0.text })"
        case .lease: "lease"
        case .absent: "absent"
        case .timedOut: "timed out"
        }
      }
    }
  }
}

extension LeaseAnswer {
  var isWaiting: Bool { ticket != nil }
  var ticket: WaitTicket? { if case .waiting(let ticket) = self { ticket } else { nil } }
}

extension CacheStore {
  /// Asks with a lease of ten seconds.
  func read(
    _ key: String, database: UInt8 = 0, seconds: Int64 = 10, wait: Int64 = 0, early: Double = 0, _ waiter: Waiter? = nil,
    at now: UnixTime = .start
  ) -> (answer: LeaseAnswer, value: String?) {
    var value: String?
    let answer = withBytes(key) { key in
      acquire(
        key, database: database,
        LeaseRequest(leaseMilliseconds: seconds * 1000, waitMilliseconds: wait * 1000, earlyRefresh: early), waiter: waiter, at: now
      ) { entry, _ in value = entry.value.text }
    }
    return (answer, value)
  }

  /// The lease of a miss.
  func lease(_ key: String, database: UInt8 = 0, seconds: Int64 = 10, at now: UnixTime = .start) throws -> LeaseToken {
    guard case .miss(let lease) = read(key, database: database, seconds: seconds, at: now).answer else { throw NoLease() }
    return lease
  }

  /// The lease of a stale value.
  func refresh(_ key: String, seconds: Int64 = 10, at now: UnixTime = .start) throws -> LeaseToken {
    guard case .stale(let lease?) = read(key, seconds: seconds, at: now).answer else { throw NoLease() }
    return lease
  }

  /// A lease on a live value.
  func early(_ key: String, at now: UnixTime = .start) throws -> LeaseToken {
    // Something must have been filled before, at a cost.
    let first = try lease("cost of \(key)", at: now)
    try fill("cost of \(key)", "", first, at: now + 9000)
    for other in 0..<64 {  // in every shard
      if case .miss(let lease) = read("cost \(other)", at: now).answer { try fill("cost \(other)", "", lease, at: now + 9000) }
    }
    for _ in 0..<1000 {
      if case .hit(let lease?) = read(key, early: 1_000_000, at: now).answer { return lease }
    }
    throw NoLease()
  }

  struct NoLease: Error {}

  @discardableResult
  func fill(
    _ key: String, _ value: String, _ lease: LeaseToken, expiry: UnixTime = .never, staleUntil: UnixTime = .neverStale,
    tags: String = "", if condition: PutCondition = .always, at now: UnixTime = .start
  ) throws(CacheError) -> PutResult {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(value) { value throws(CacheError) in
        try withBytes(tags) { tags throws(CacheError) in
          let attributes = PutAttributes(expiry: expiry, staleUntil: staleUntil, contentType: RawSpan(), tags: tags)
          return try fill(key, value, attributes, lease: lease, condition: condition, at: now)
        }
      }
    }
  }

  func absent(
    _ key: String, _ lease: LeaseToken, until: UnixTime, tags: String = "", at now: UnixTime = .start
  ) throws(CacheError) -> Bool {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(tags) { tags throws(CacheError) in try fillAbsent(key, lease: lease, until: until, tags: tags, at: now) }
    }
  }

  @discardableResult
  func end(_ key: String, _ lease: LeaseToken, at now: UnixTime = .start) -> Bool {
    withBytes(key) { giveUp($0, lease: lease, at: now) }
  }
}
