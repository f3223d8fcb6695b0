import MartletBytes
import MartletCache
import Synchronization
import Testing

@testable import MartletCacheClient

@Suite("Cache.value(for:)")
struct CacheValueTests {
  private let clock = HandClock()
  private let fills = Counter()
  private let gate = Gate()

  /// Many tasks that ask for one key with the same closure.
  private func herd(
    _ count: Int, of cache: Cache, fill: @escaping @Sendable () async throws -> User
  ) -> [Task<User, any Error>] {
    (0..<count).map { _ in Task { try await cache.value(for: "u", ttl: .seconds(60), fill: fill) } }
  }

  @Test("A missing value is filled and kept for its time; a value that is there is not")
  func fill() async throws {
    let cache = Cache.make(clock: clock)
    let fills = fills
    for expected in [1, 1, 2] {
      let user = try await cache.value(for: "u", ttl: .seconds(60)) { User(id: fills.next()) }
      #expect(user == User(id: expected))
      clock.advance(.seconds(30))
    }
    #expect(cache.statistics.leases.filled == 2)
  }

  @Test("Ten thousand tasks that miss one key make one fill")
  func singleFlight() async throws {
    let cache = Cache.make(clock: clock) { $0.memoryLimit = 64 << 20 }
    let (fills, gate) = (fills, gate)
    let tasks = herd(10_000, of: cache) {
      fills.next()
      try await gate.pass()
      return User(id: 7)
    }
    try await until { cache.waiting == 9999 }
    gate.open()
    for task in tasks { #expect(try await task.value == User(id: 7)) }
    #expect(fills.value == 1)
    #expect(cache.statistics.leases.herdSaved == 9999)
    #expect(cache.waiting == 0)
  }

  @Test("More readers than may wait make one fill too: the rest ask again after a while")
  func moreThanMayWait() async throws {
    let cache = Cache.make(clock: clock) { $0.memoryLimit = 1 << 20 }
    let (fills, gate) = (fills, gate)
    let tasks = herd(1200, of: cache) {
      fills.next()
      try await gate.pass()
      return User(id: 7)
    }
    try await until { cache.statistics.leases.busy >= 1200 - 1024 - 1 }
    gate.open()
    for task in tasks { #expect(try await task.value == User(id: 7)) }
    #expect(fills.value == 1)
  }

  @Test("A fill that throws gives its error to all who wait, and is tried again by who asks afterwards")
  func error() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    let tasks = herd(2000, of: cache) {
      let number = fills.next()
      try await gate.pass()
      throw OriginError(number: number)
    }
    try await until { cache.waiting == 1999 }
    gate.open()
    for task in tasks { await #expect(throws: OriginError(number: 1)) { try await task.value } }
    #expect(fills.value == 1)
    #expect(try await cache.value(for: "u", ttl: nil) { User(id: 2) } == User(id: 2))
  }

  @Test("A filler that is cancelled hands over to the next, who fills by his own closure")
  func cancelledFiller() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    let filler = Task {
      try await cache.value(for: "u", ttl: nil) {
        fills.next()
        try await Gate().pass()
        return User(id: 1)
      }
    }
    try await until { fills.value == 1 }
    let next = Task { try await cache.value(for: "u", ttl: nil) { User(id: 2) } }
    let last = Task { try await cache.value(for: "u", ttl: nil) { User(id: 3) } }
    try await until { cache.waiting == 2 }
    filler.cancel()
    await #expect(throws: CancellationError.self) { try await filler.value }
    let users = [try await next.value, try await last.value]
    #expect(users[0] == users[1])
    #expect(users[0].id > 1)
    #expect(cache.statistics.leases.givenUp == 1)
    gate.open()
  }

  @Test("A waiter that is cancelled leaves at once, and the others do not notice")
  func cancelledWaiter() async throws {
    let cache = Cache.make(clock: clock)
    let gate = gate
    let tasks = herd(3, of: cache) {
      try await gate.pass()
      return User(id: 1)
    }
    try await until { cache.waiting == 2 }
    // Whichever of them fills: the others wait, and one of those is cancelled.
    let extra = Task { try await cache.value(for: "u", ttl: nil) { User(id: 9) } }
    try await until { cache.waiting == 3 }
    extra.cancel()
    await #expect(throws: CancellationError.self) { try await extra.value }
    #expect(cache.waiting == 2)
    #expect(cache.statistics.leases.waitersForgotten == 1)
    gate.open()
    for task in tasks { #expect(try await task.value == User(id: 1)) }
  }

  @Test("A task that is cancelled before it asks does not fill")
  func cancelledBefore() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    let task = Task {
      try? await gate.pass()
      return try await cache.value(for: "u", ttl: nil) { User(id: fills.next()) }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(fills.value == 0)
    #expect(cache.statistics.leases.granted == 0)
  }

  @Test("An absence is remembered for its time, told to those who wait, and ended by a value or by its tag")
  func absence() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    @Sendable func ask(_ answer: User?) async throws -> User? {
      try await cache.value(for: "u", ttl: .seconds(60), absence: .seconds(5), tags: ["users"]) {
        fills.next()
        try await gate.pass()
        return answer
      }
    }
    let tasks = (0..<100).map { _ in Task { try await ask(nil) } }
    try await until { cache.waiting == 99 }
    gate.open()
    for task in tasks { #expect(try await task.value == nil) }
    #expect(fills.value == 1)
    clock.advance(.milliseconds(4999))
    #expect(try await ask(User(id: 1)) == nil)
    clock.advance(.milliseconds(1))
    #expect(try await ask(nil) == nil)
    #expect(fills.value == 2)
    try cache.invalidate(tag: "users")
    #expect(try await ask(nil) == nil)
    #expect(fills.value == 3)
    // Who cannot do without fills all the same, and that ends the absence.
    #expect(try await cache.value(for: "u", ttl: .seconds(60)) { User(id: 2) } == User(id: 2))
    #expect(try await ask(nil) == User(id: 2))
    #expect(fills.value == 3)
  }

  @Test("A stale value is served at once while one reader fills anew; when that time is over too, everybody waits")
  func stale() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    @Sendable func ask() async throws -> Int {
      try await cache.value(for: "u", ttl: .seconds(10), stale: .seconds(20)) {
        let number = fills.next()
        if number == 2 { try await gate.pass() }
        return number
      }
    }
    #expect(try await ask() == 1)
    clock.advance(.seconds(11))
    for _ in 0..<50 { #expect(try await ask() == 1) }
    try await until { fills.value == 2 }
    gate.open()
    try await until { cache.statistics.leases.filled == 2 }
    #expect(try await ask() == 2)
    #expect(fills.value == 2)
    clock.advance(.seconds(31))
    #expect(try await ask() == 3)
  }

  @Test("A refresh that fails leaves the stale value, and is not tried again by every reader")
  func failedRefresh() async throws {
    let cache = Cache.make(clock: clock)
    let fills = fills
    @Sendable func ask() async throws -> Int {
      try await cache.value(for: "u", ttl: .seconds(10), stale: .seconds(20)) {
        let number = fills.next()
        if number > 1 { throw OriginError() }
        return number
      }
    }
    #expect(try await ask() == 1)
    clock.advance(.seconds(11))
    #expect(try await ask() == 1)
    try await until { fills.value == 2 }
    for _ in 0..<20 { #expect(try await ask() == 1) }
    #expect(fills.value == 2)
  }

  @Test("A value near its end is filled anew early, by chance, and served meanwhile; one far from it is not")
  func earlyRefresh() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, clock) = (fills, clock)
    /// A fill costs three seconds of the clock.
    @Sendable func ask() async throws -> Int {
      try await cache.value(for: "u", ttl: .seconds(100), earlyRefresh: 1) {
        clock.advance(.seconds(3))
        return fills.next()
      }
    }
    #expect(try await ask() == 1)
    clock.advance(.seconds(10))
    for _ in 0..<100 { #expect(try await ask() == 1) }
    // 90 seconds left: a chance of e^-30 for each reader.
    #expect(cache.statistics.leases.grantedEarly == 0)
    clock.advance(.seconds(86))
    // 4 seconds left: a chance of e^-4/3, so that a hundred readers who are all out of luck are not to be expected.
    var asked = 0
    while cache.statistics.leases.grantedEarly == 0, asked < 100 {
      #expect(try await ask() == 1)
      asked += 1
    }
    try await until { fills.value == 2 && cache.statistics.leases.filled == 2 }
    #expect(try await ask() == 2)
  }

  @Test("A fill that is overtaken by a removal or an invalidation is given to its caller and not stored")
  func overtaken() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    func begin(_ key: String) -> Task<User, any Error> {
      Task {
        try await cache.value(for: key, ttl: nil, tags: ["t"]) {
          fills.next()
          try await gate.pass()
          return User(id: 1)
        }
      }
    }
    let (removed, invalidated, replaced) = (begin("a"), begin("b"), begin("c"))
    try await until { fills.value == 3 }
    cache.remove("a")
    try cache.invalidate(tag: "t")
    try cache.set("c", User(id: 2))
    gate.open()
    for task in [removed, invalidated, replaced] { #expect(try await task.value == User(id: 1)) }
    #expect(try cache.get("a", as: User.self) == nil)
    #expect(try cache.get("b", as: User.self) == nil)
    #expect(try cache.get("c") == User(id: 2))
  }

  @Test("Who waits for a fill that is overtaken by a value gets that value")
  func waiterGetsNewValue() async throws {
    let cache = Cache.make(clock: clock)
    let gate = gate
    let tasks = herd(10, of: cache) {
      try await gate.pass()
      return User(id: 1)
    }
    try await until { cache.waiting == 9 }
    try cache.set("u", User(id: 2))
    gate.open()
    var ids: [Int] = []
    for task in tasks { ids.append(try await task.value.id) }
    #expect(ids.sorted() == [1] + Array(repeating: 2, count: 9))
  }

  @Test("A fill that takes longer than it may is passed on; its caller gets its value all the same")
  func timeout() async throws {
    let cache = Cache.make(clock: clock) { $0.fillTimeout = .seconds(5) }
    let (fills, gate) = (fills, gate)
    let slow = Task {
      try await cache.value(for: "u", ttl: nil) {
        fills.next()
        try await gate.pass()
        return User(id: 1)
      }
    }
    try await until { fills.value == 1 }
    let next = Task { try await cache.value(for: "u", ttl: nil) { User(id: 2) } }
    try await until { cache.waiting == 1 }
    clock.advance(.seconds(5))
    cache.sweep()
    #expect(try await next.value == User(id: 2))
    gate.open()
    #expect(try await slow.value == User(id: 1))
    #expect(try cache.get("u") == User(id: 2))
  }

  @Test("A value that cannot be kept still serves all who wait for it")
  func tooLarge() async throws {
    let cache = Cache.make(clock: clock)
    let (fills, gate) = (fills, gate)
    let large = [UInt8](repeating: 1, count: 2 << 20)
    let tasks = (0..<50).map { _ in
      Task {
        try await cache.value(for: "u", ttl: nil) {
          fills.next()
          try await gate.pass()
          return large
        }
      }
    }
    try await until { cache.waiting == 49 }
    gate.open()
    for task in tasks { #expect(try await task.value == large) }
    #expect(fills.value == 1)
    #expect(try cache.get("u", as: [UInt8].self) == nil)
  }

  @Test("An entry that is no such value counts as absent; tags that are none are told before anything is asked")
  func unreadable() async throws {
    let cache = Cache.make(clock: clock)
    let fills = fills
    try cache.set("u", "text")
    #expect(try await cache.value(for: "u", ttl: nil) { User(id: 3) } == User(id: 3))
    #expect(try cache.get("u") == User(id: 3))
    await #expect(throws: InvalidTag(tag: " ")) { try await cache.value(for: "x", ttl: nil, tags: [" "]) { fills.next() } }
    await #expect(throws: EncodingError.self) { try await cache.value(for: "x", ttl: nil) { Double.nan } }
    #expect(fills.value == 0)
    #expect(try await cache.value(for: "x", ttl: nil) { 1.5 } == 1.5)
  }

  @Test("A value that is an optional is kept as one: its nil is a value like others")
  func optionalValue() async throws {
    let cache = Cache.make(clock: clock)
    let fills = fills
    for _ in 0..<2 {
      let value: Int? = try await cache.value(for: "u", as: Int?.self, ttl: .seconds(5)) {
        fills.next()
        return nil
      }
      #expect(value == nil)
    }
    #expect(fills.value == 1)
    #expect(try cache.get("u", as: Int?.self) == .some(nil))
  }

  @Test("Large values are filled, shared with those who wait, and read again")
  func largeValues() async throws {
    let cache = Cache.make(clock: clock)
    let gate = gate
    let large = String(repeating: "x", count: 300_000)
    let tasks = (0..<20).map { _ in
      Task {
        try await cache.value(for: "u", ttl: nil) {
          try await gate.pass()
          return large
        }
      }
    }
    try await until { cache.waiting == 19 }
    gate.open()
    for task in tasks { #expect(try await task.value == large) }
    #expect(try await cache.value(for: "u", ttl: nil) { "" } == large)
  }
}
