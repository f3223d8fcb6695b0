/// Leases in a world made from a seed: clients on loops, an origin, clocks, deaths, messages that take their time.
///
/// Everything is one thread and one source of randomness, so a seed that fails fails again. Each client asks for a key, and then does as
/// it is answered: reads the origin and fills (perhaps too late, perhaps never, perhaps it gives up), waits (perhaps it is gone before
/// it is told), or asks again. Writers change the origin and then delete, invalidate, overwrite or flush. What the store tells goes through
/// a mailbox that is emptied later, as through a loop.
///
/// What must hold, checked after every step:
/// 1. a key has at most one live lease, and no fill of a lease that has ended succeeds;
/// 2. whoever waits is told something, once, by its deadline; and while somebody waits, somebody has the lease;
/// 3. nothing is resurrected: a value that is served is not older than the last change that was told to the cache;
/// 4. without faults a herd costs one call of the origin.

import MartletBytes
import Testing

@testable import MartletCache

/// What can go wrong, in percent of the occasions.
struct Faults {
  var fillerDies = 20
  var fillerGivesUp = 10
  var fillerIsSlow = 10
  var fillerFindsNothing = 5
  var waiterLeaves = 15
  var writes = 12

  static var none: Faults { Faults(fillerDies: 0, fillerGivesUp: 0, fillerIsSlow: 0, fillerFindsNothing: 0, waiterLeaves: 0, writes: 0) }
}

final class LeaseWorld {
  /// A lease as the outside sees it.
  struct Lease {
    let token: LeaseToken
    let key: Int
    let deadline: UnixTime
    /// Invalidations of each tag when it was issued.
    let tagTimes: [Int]
    var hasEnded = false
    /// The entry that it refreshes was gone or not when a tag of it was invalidated: refusing and accepting are both right.
    var isUncertain = false
  }

  /// A client that waits or fills.
  final class Client: LeaseWaiter, @unchecked Sendable {
    let number: Int
    let key: Int
    var ticket: WaitTicket?
    var deadline = UnixTime.never
    var isGone = false
    var told = 0
    var mailbox: [LeaseNews] = []

    init(number: Int, key: Int) {
      self.number = number
      self.key = key
    }

    // The world is one thread.
    func settle(_ news: LeaseNews) {
      told += 1
      mailbox.append(news)
    }
  }

  private enum Event {
    case client(key: Int)
    case fill(key: Int, LeaseToken)
    case write
    case empty(Client)
    case leave(Client)
    case sweep
    case timer
  }

  let seed: UInt64
  let faults: Faults
  let store: CacheStore
  let keyCount: Int
  let tagNames = ["t0", "t1", "t2"]
  private var random: SplitMix64
  private(set) var now = UnixTime.start
  private var agenda: [(time: UnixTime, order: Int, event: Event)] = []
  private var order = 0
  private var clients: [Client] = []
  private var leases: [LeaseToken: Lease] = [:]

  /// The truth, and what the cache was last told of it: values below are dead, those below `staleFloor` may not even be served stale.
  private var origin: [Int]
  private var floor: [Int]
  private var staleFloor: [Int]
  private var tagTimes = [0, 0, 0]

  private(set) var originCalls = 0
  private(set) var problems: [String] = []
  private(set) var served = 0

  init(seed: UInt64, keys: Int, faults: Faults = Faults()) {
    self.seed = seed
    self.faults = faults
    keyCount = keys
    random = SplitMix64(seed: seed)
    store = makeStore(shards: 2, seed: seed)
    origin = Array(repeating: 1, count: keys)
    floor = Array(repeating: 0, count: keys)
    staleFloor = Array(repeating: 0, count: keys)
  }

  // MARK: The world's course

  func run(clients count: Int, herd: Bool = false) {
    for _ in 0..<count { plan(herd ? 0 : random.below(3000), .client(key: random.below(keyCount))) }
    if faults.writes > 0 {
      for _ in 0..<count / 8 { plan(random.below(3000), .write) }
      for _ in 0..<10 { plan(random.below(3000), .sweep) }
    }
    while let next = popEvent() {
      now = next.time
      happen(next.event)
      armTimer()
      check()
      if !problems.isEmpty { return }
    }
    // All is quiet: nobody waits, nothing is kept.
    now = now + 1_000_000
    while store.advanceLeases(at: now) <= now {}
    for client in clients where client.ticket != nil && !client.isGone && client.told == 0 { fail("client \(client.number) was lost") }
    let statistics = store.statistics.leases
    if statistics.waiting != 0 || statistics.live != 0 || statistics.absences != 0 { fail("not all was forgotten: \(statistics)") }
  }

  private func fail(_ problem: String) {
    problems.append("seed \(seed) at \(now.milliseconds - UnixTime.start.milliseconds) ms: \(problem)")
  }

  private func plan(_ delay: Int, _ event: Event) {
    order += 1
    agenda.append((now + Int64(delay), order, event))
  }

  /// The next event in time; among those of one time any.
  private func popEvent() -> (time: UnixTime, order: Int, event: Event)? {
    guard let first = agenda.map(\.time).min() else { return nil }
    let due = agenda.indices.filter { agenda[$0].time == first }
    return agenda.remove(at: due[random.below(due.count)])
  }

  private func happens(_ percent: Int) -> Bool { random.below(100) < percent }

  private func happen(_ event: Event) {
    switch event {
    case .client(let key): ask(key)
    case .fill(let key, let token): fill(key, token)
    case .write: write()
    case .empty(let client): empty(client)
    case .leave(let client): leave(client)
    case .sweep: for _ in 0...random.below(4) { _ = store.tagSweepStep(at: now) }
    case .timer: timerIsSet = false
    }
  }

  private var timerIsSet = false

  /// Like a loop's timer: what is due is done before anything else is looked at.
  private func armTimer() {
    let next = store.advanceLeases(at: now)
    noticeEnds()
    if next != .never, !timerIsSet {
      timerIsSet = true
      order += 1
      agenda.append((max(next, now + 1), order, .timer))
    }
  }

  // MARK: Clients

  private func name(_ key: Int) -> String { "key\(key)" }
  private func tags(_ key: Int) -> String { key % 4 == 0 ? "" : key % 4 == 1 ? "t0" : key % 4 == 2 ? "t1,t2" : "t0,t2" }
  private func has(_ key: Int, _ tag: Int) -> Bool { tags(key).contains(tagNames[tag]) }

  private func ask(_ key: Int) {
    let client = Client(number: clients.count, key: key)
    clients.append(client)
    let wait = random.below(4) == 0 && faults.writes > 0 ? 0 : 200 + random.below(2000)
    let length = 100 + random.below(1500)
    let early = random.below(5) == 0 ? 1.0 : 0
    var seen: (value: Int, isStale: Bool)?
    let request = LeaseRequest(leaseMilliseconds: Int64(length), waitMilliseconds: Int64(wait), earlyRefresh: faults.writes > 0 ? early : 0)
    let answer = withBytes(name(key)) { bytes in
      store.acquire(bytes, request, waiter: client, at: now) { entry, _ in seen = (Int(entry.value.text) ?? -1, entry.isStale(at: now)) }
    }
    if let seen { serve(key, seen.value, isStale: seen.isStale) }
    switch answer {
    case .hit(let lease), .stale(let lease):
      if let lease { take(lease, key, length) }
    case .miss(let lease): take(lease, key, length)
    case .waiting(let ticket):
      client.ticket = ticket
      client.deadline = now + Int64(wait)
      plan(1 + random.below(300), happens(faults.waiterLeaves) ? .leave(client) : .empty(client))
    case .busy: if happens(50) { plan(random.below(500), .client(key: key)) }
    case .absent: break
    }
  }

  private func serve(_ key: Int, _ value: Int, isStale: Bool) {
    served += 1
    if value < (isStale ? staleFloor : floor)[key] {
      fail("\(name(key)): \(value) was served\(isStale ? " stale" : ""), the cache was told of \(floor[key]), \(staleFloor[key])")
    }
  }

  /// A lease has been received: reads the origin, some day fills.
  private func take(_ token: LeaseToken, _ key: Int, _ length: Int) {
    let live = leases.values.filter { $0.key == key && !$0.hasEnded && now < $0.deadline }
    if live.contains(where: { !$0.isUncertain }) { fail("\(name(key)) has two leases") }
    for other in live { leases[other.token]!.hasEnded = true }
    if leases[token] != nil { fail("a token was given twice") }
    leases[token] = Lease(token: token, key: key, deadline: now + Int64(length), tagTimes: tagTimes)
    originCalls += 1
    if happens(faults.fillerDies) { return }
    let time = happens(faults.fillerIsSlow) ? length + random.below(1000) : 20 + random.below(80)
    plan(time, .fill(key: key, token))
  }

  private func fill(_ key: Int, _ token: LeaseToken) {
    guard let lease = leases[token] else { return fail("a fill without a lease") }
    // Read at the worst moment that is still right: between the lease and the fill nothing was told that this does not know, or else the
    // lease has ended.
    let value = valueAtIssue[token] ?? origin[key]
    if happens(faults.fillerGivesUp) {
      let isEnded = withBytes(name(key)) { store.giveUp($0, lease: token, at: now) }
      if isEnded != isLive(lease), !lease.isUncertain { fail("giving up: the lease was \(isEnded ? "live" : "over")") }
      leases[token]!.hasEnded = true
      return
    }
    let isTagged = !tags(key).isEmpty
    let isOvertaken = isTagged && (0..<3).contains { has(key, $0) && tagTimes[$0] != lease.tagTimes[$0] }
    do throws(CacheError) {
      if happens(faults.fillerFindsNothing) {
        _ = try store.absent(name(key), token, until: now + Int64(100 + random.below(500)), tags: tags(key), at: now)
      } else {
        let expiry = 200 + random.below(800)
        let stale = random.below(3) * 400
        let size = String(repeating: "0", count: random.below(30) == 0 ? CacheLimits.largeValueBytesMin : 0)
        try store.fill(
          name(key), size + "\(value)", token, expiry: now + Int64(expiry), staleUntil: now + Int64(expiry + stale), tags: tags(key),
          at: now)
      }
      if !isLive(lease) || isOvertaken { fail("\(name(key)): a fill of an ended lease succeeded") }
    } catch {
      if error != .leaseOver { fail("a fill failed: \(error)") }
      if isLive(lease), !isOvertaken, !lease.isUncertain { fail("\(name(key)): a fill of a live lease was refused") }
    }
    leases[token]!.hasEnded = true
  }

  private func isLive(_ lease: Lease) -> Bool { !lease.hasEnded && now < lease.deadline }

  private func empty(_ client: Client) {
    guard !client.mailbox.isEmpty else {
      // Not told yet: looks again, at the latest a little after its deadline.
      return plan(1 + random.below(200), happens(faults.waiterLeaves) ? .leave(client) : .empty(client))
    }
    switch client.mailbox.removeFirst() {
    case .value(let value): serve(client.key, Int(value.withValue { $0.text }) ?? -1, isStale: true, toldAt: client)
    case .lease(let token): taken.remove(token)
    case .absent: break
    case .timedOut: if happens(30) { plan(random.below(300), .client(key: client.key)) }
    }
  }

  /// What a waiter was told is judged when it was told, in `noticeEnds`; only counted here.
  private func serve(_ key: Int, _ value: Int, isStale: Bool, toldAt client: Client) { served += 1 }

  private func leave(_ client: Client) {
    client.isGone = true
    guard let ticket = client.ticket else { return }
    let wasParked = store.forget(ticket)
    if wasParked != (client.told == 0) { fail("forgetting client \(client.number): parked \(wasParked), told \(client.told) times") }
    // A lease that comes to someone who is gone is given up.
    for case .lease(let token) in client.mailbox {
      let isEnded = withBytes(name(client.key)) { store.giveUp($0, lease: token, at: now) }
      if let lease = leases[token], isEnded, !isLive(lease) { fail("a lease that was over was given up") }
      leases[token]?.hasEnded = true
    }
    client.mailbox = []
  }

  // MARK: What the store told

  private var taken: Set<LeaseToken> = []
  /// The origin as it was when a lease was received: the oldest that its fill may carry.
  private var valueAtIssue: [LeaseToken: Int] = [:]
  private var newsSeen: [Int: Int] = [:]

  /// Takes in what waiters were told in this step, in the order of the queue.
  private func noticeEnds() {
    for client in clients where client.told > newsSeen[client.number, default: 0] {
      newsSeen[client.number] = client.told
      if client.told > 1 { fail("client \(client.number) was told twice") }
      switch client.mailbox.last {
      case .value(let value):
        let number = Int(value.withValue { $0.text }) ?? -1
        if number < floor[client.key] { fail("\(name(client.key)): a waiter was told \(number), the cache of \(floor[client.key])") }
      case .lease(let token):
        // Its length is its own request's; the shortest that this world asks for is certain.
        if leases[token] == nil {
          taken.insert(token)
          take(token, client.key, leaseLength(of: token, client.key))
        }
      case .timedOut: if now < client.deadline, client.ticket != nil { fail("client \(client.number) was sent away too early") }
      case .absent, nil: break
      }
    }
    for (token, lease) in leases where valueAtIssue[token] == nil { valueAtIssue[token] = origin[lease.key] }
  }

  /// When the lease that a waiter got ends, as the store knows it.
  private func leaseLength(of token: LeaseToken, _ key: Int) -> Int {
    withBytes(name(key)) { bytes in
      Int(store.leaseDeadline(bytes).map { $0.milliseconds - now.milliseconds } ?? 0)
    }
  }

  // MARK: Writers

  private func write() {
    let key = random.below(keyCount)
    switch random.below(8) {
    case 0, 1:
      origin[key] += 1
      tell(key)
      withBytes(name(key)) { bytes in _ = try? store.delete(bytes, at: now) }
    case 2:
      origin[key] += 1
      tell(key)
      _ = try? store.set(name(key), "\(origin[key])", expiry: now + 700, staleUntil: now + 900, tags: tags(key), at: now)
    case 3, 4:
      let tag = random.below(3)
      tagTimes[tag] += 1
      for key in 0..<keyCount where has(key, tag) {
        origin[key] += 1
        tellByTag(key)
      }
      store.invalidate(tagNames[tag])
    case 5:
      let tag = random.below(3)
      tagTimes[tag] += 1
      for key in 0..<keyCount where has(key, tag) {
        origin[key] += 1
        tellByTag(key, isSoft: true)
      }
      store.invalidate(tagNames[tag], soft: true)
    case 6:
      origin[key] += 1
      let changed = try? store.change(name(key), at: now) { _ in "\(origin[key])" }
      // Without an entry nothing was changed, and nobody told the cache.
      if changed == .some(nil) { origin[key] -= 1 } else { tell(key) }
    default:
      for key in 0..<keyCount {
        origin[key] += 1
        tell(key)
      }
      store.removeAll(at: now)
    }
    noticeEnds()
  }

  /// The cache is told of a change of this key: its lease ends.
  private func tell(_ key: Int) {
    floor[key] = origin[key]
    staleFloor[key] = origin[key]
    for lease in leases.values where lease.key == key { leases[lease.token]!.hasEnded = true }
  }

  /// The same by a tag: a lease ends if there was an entry with it, and in any case its fill will be refused.
  private func tellByTag(_ key: Int, isSoft: Bool = false) {
    floor[key] = origin[key]
    if !isSoft { staleFloor[key] = origin[key] }
    for lease in leases.values where lease.key == key && isLive(lease) { leases[lease.token]!.isUncertain = true }
  }

  // MARK: What must hold

  private func check() {
    for client in clients where client.ticket != nil && !client.isGone && client.told == 0 && client.deadline <= now {
      fail("client \(client.number) was not told by its deadline")
    }
    for key in 0..<keyCount {
      let isWaitedFor = clients.contains { $0.key == key && $0.ticket != nil && !$0.isGone && $0.told == 0 }
      if isWaitedFor, withBytes(name(key), { store.leaseDeadline($0) }) == nil { fail("\(name(key)) is waited for, and nobody fills it") }
    }
  }
}

extension CacheStore {
  /// When the lease on a key ends; nil if none is out.
  func leaseDeadline(_ key: RawSpan) -> UnixTime? {
    let hash = hash(key, 0)
    return unsafe engine.pointee.withLock(engine.pointee.shardIndex(hash)) { shard in
      guard let slot = shard.interests.leases.find(key, 0, hash: hash), shard.interests.leases[slot].token != nil else { return nil }
      return shard.interests.leases[slot].deadline
    }
  }
}

@Suite("Leases in a world from a seed")
struct LeaseSimulationTests {
  @Test("Whatever dies, leaves, is late or changes: one lease at a time, nobody lost, nothing resurrected", arguments: 0..<8)
  func faults(batch: UInt64) {
    for seed in batch * 15..<(batch + 1) * 15 {
      let world = LeaseWorld(seed: seed, keys: 1 + Int(seed % 5))
      world.run(clients: 120)
      #expect(world.problems == [])
      if !world.problems.isEmpty { return }
      #expect(world.served > 0)
    }
  }

  @Test("Without faults each herd costs one call of the origin", arguments: 0..<4)
  func herds(batch: UInt64) {
    for seed in batch * 10..<(batch + 1) * 10 {
      let world = LeaseWorld(seed: seed, keys: 3, faults: .none)
      world.run(clients: 300, herd: true)
      #expect(world.problems == [])
      #expect(world.originCalls == 3, "seed \(seed)")
      #expect(world.store.statistics.leases.herdSaved == 297, "seed \(seed)")
    }
  }
}
