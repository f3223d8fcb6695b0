/// The leases of one shard: a deterministic state machine. No lock (the shard's is held), no clock (time is handed in), no callback
/// (`resolve` collects what is to be told), its own seeded random source.
///
/// A *placeholder* is a key with a live lease, waiters, or a known absence; it is no entry. Its life:
///
///     acquire ─▶ lease out ─┬─ fill ───────────────────────┐
///        ▲      (waiters    ├─ time over, given up,        ├─▶ lease ended, "unsettled" ─▶ resolve, before the lock is given back:
///        │       park)      └─ any change of the value ────┘      value there: all waiters get it
///        │                                                        known absent: all are told so
///        └───────────────────────────────────────────────────────  else: the first waiter gets the lease, the others wait on
///
/// Whatever ends a lease only marks the placeholder; what follows depends on the value at the end of the critical section, so that
/// several changes under one lock (MULTI) count as one.
///
/// Deadlines of leases, waiters and absences stand in one heap; those that are settled before their time stay in it until they come up or
/// are more than half of it.

internal import MartletBytes
internal import Synchronization

struct LeaseTable: ~Copyable {
  struct Placeholder {
    var key: [UInt8]
    var database: UInt8
    var hash: UInt64
    /// Changes with each lease and absence, so that old deadlines are recognised.
    var serial: UInt64 = 0
    /// nil: no lease is out.
    var token: LeaseToken?
    var issued = UnixTime.never
    /// Of the lease, or until when the absence holds.
    var deadline = UnixTime.never
    /// The invalidation counter when the lease was issued or the absence was found.
    var stamp: UInt64 = 0
    /// It is known that there is nothing, until `deadline`.
    var isAbsence = false
    /// Of an absence.
    var tags: [UInt8] = []
    var firstWaiter: Int32 = -1
    var lastWaiter: Int32 = -1
    var isUnsettled = false
    /// The next one with the same hash.
    var next: Int32 = -1

    /// As the bounds count them.
    var bytes: Int { key.count + tags.count + LeaseLimits.placeholderBytesEach }
  }

  enum Outcome { case filled, foundAbsent, givenUp, expired, overtaken }

  private var placeholders: [Placeholder?] = []
  private var freePlaceholders: [Int32] = []
  /// The first placeholder of a hash.
  private var index: [UInt64: Int32] = [:]
  private(set) var count = 0

  var waiters = WaiterSlab()
  var deadlines = DeadlineHeap()
  private(set) var unsettled: [Int32] = []
  /// When that was last added to.
  private(set) var unsettledAt = UnixTime(milliseconds: .min)
  /// Who timed out and is to be told.
  private var timedOut: [any LeaseWaiter] = []
  var costs = FillCosts()
  var counters = LeaseStatistics()
  /// The placeholder whose fill is being linked: that change is no overtaking.
  var filling: Int32 = -1

  private var serial: UInt64 = 0
  private var random: SplitMix64
  let office: LeaseOffice

  init(office: LeaseOffice, seed: UInt64) {
    self.office = office
    random = SplitMix64(seed: seed)
  }

  /// Whether `resolve` has something to do. Kept as one flag, since every unlocking asks.
  private(set) var hasNews = false

  subscript(slot: Int32) -> Placeholder {
    get { placeholders[Int(slot)]! }
    set { placeholders[Int(slot)] = newValue }
  }

  var statistics: LeaseStatistics {
    var statistics = counters
    statistics.waiting = UInt64(waiters.count)
    return statistics
  }

  // MARK: Placeholders

  func find(_ key: RawSpan, _ database: UInt8, hash: UInt64) -> Int32? {
    if count == 0 { return nil }
    var slot = index[hash] ?? -1
    while slot >= 0 {
      if self[slot].database == database, self[slot].key.rawSpan.equals(key) { return slot }
      slot = self[slot].next
    }
    return nil
  }

  /// A new placeholder without anything; nil if a bound is reached.
  mutating func insert(_ key: RawSpan, _ database: UInt8, hash: UInt64) -> Int32? {
    guard count < LeaseLimits.placeholdersPerShardMax, office.admit(bytes: key.byteCount + LeaseLimits.placeholderBytesEach) else {
      return nil
    }
    var placeholder = Placeholder(key: key.copied(), database: database, hash: hash)
    placeholder.next = index[hash] ?? -1
    let slot: Int32
    if let free = freePlaceholders.popLast() {
      slot = free
      placeholders[Int(slot)] = placeholder
    } else {
      slot = Int32(placeholders.count)
      placeholders.append(placeholder)
    }
    index[hash] = slot
    count += 1
    return slot
  }

  /// Forgets a placeholder without lease and waiters.
  mutating func remove(_ slot: Int32) {
    let gone = self[slot]
    precondition(gone.token == nil && gone.firstWaiter < 0, "a placeholder in use was removed")
    office.placeholderBytes.subtract(gone.bytes, ordering: .relaxed)
    if gone.isAbsence { counters.absences -= 1 }
    if index[gone.hash] == slot {
      index[gone.hash] = gone.next < 0 ? nil : gone.next
    } else {
      var before = index[gone.hash]!
      while self[before].next != slot { before = self[before].next }
      self[before].next = gone.next
    }
    placeholders[Int(slot)] = nil
    freePlaceholders.append(slot)
    count -= 1
    if count == 0 {  // what a herd needed is given back
      placeholders = []
      freePlaceholders = []
      index = [:]
      waiters.shrink()
      deadlines.removeAll()
    }
  }

  func forEach(_ body: (Int32) -> Void) {
    for slot in placeholders.indices where placeholders[slot] != nil { body(Int32(slot)) }
  }

  // MARK: Leases

  private mutating func nextSerial() -> UInt64 {
    serial += 1
    return serial
  }

  /// Gives a lease on a placeholder that has none.
  mutating func issue(_ slot: Int32, milliseconds: Int64, stamp: UInt64, at now: UnixTime) -> LeaseToken {
    precondition(self[slot].token == nil, "a key has one lease at a time")
    clearAbsence(slot)
    let token = LeaseToken(rawValue: random.next() | 1)
    let serial = nextSerial()
    let deadline = now.advanced(byMilliseconds: milliseconds)
    self[slot].token = token
    self[slot].serial = serial
    self[slot].issued = now
    self[slot].deadline = deadline
    self[slot].stamp = stamp
    counters.granted += 1
    counters.live += 1
    arm(DeadlineHeap.Item(time: deadline, serial: serial, slot: slot, isWaiter: false))
    return token
  }

  /// Ends the lease, if one is out. What follows is for `resolve`.
  mutating func end(_ slot: Int32, _ outcome: Outcome, at now: UnixTime) {
    unsettle(slot, at: now)
    guard self[slot].token != nil else { return }
    self[slot].token = nil
    counters.live -= 1
    switch outcome {
    case .filled:
      counters.filled += 1
      costs.note(self[slot].hash, milliseconds: now.milliseconds - self[slot].issued.milliseconds)
    case .foundAbsent: counters.foundAbsent += 1
    case .givenUp: counters.givenUp += 1
    case .expired: counters.expired += 1
    case .overtaken: counters.overtaken += 1
    }
  }

  /// Whether a lease is out whose time is not over.
  func isLeased(_ slot: Int32, at now: UnixTime) -> Bool { self[slot].token != nil && now < self[slot].deadline }

  private mutating func unsettle(_ slot: Int32, at now: UnixTime) {
    unsettledAt = max(unsettledAt, now)
    if self[slot].isUnsettled { return }
    self[slot].isUnsettled = true
    unsettled.append(slot)
    hasNews = true
  }

  /// All has been told.
  mutating func clearNews() {
    precondition(unsettled.isEmpty && timedOut.isEmpty, "somebody was not told")
    hasNews = false
  }

  mutating func takeUnsettled() -> [Int32] {
    let slots = unsettled
    unsettled = []
    for slot in slots { self[slot].isUnsettled = false }
    return slots
  }

  // MARK: Known absences

  /// Keeps in mind that there is nothing; false if that would pass a bound.
  mutating func setAbsence(_ slot: Int32, until: UnixTime, tags: RawSpan, stamp: UInt64) -> Bool {
    clearAbsence(slot)
    guard office.admit(bytes: tags.byteCount) else { return false }
    let serial = nextSerial()
    self[slot].isAbsence = true
    self[slot].serial = serial
    self[slot].deadline = until
    self[slot].tags = tags.copied()
    self[slot].stamp = stamp
    counters.absences += 1
    arm(DeadlineHeap.Item(time: until, serial: serial, slot: slot, isWaiter: false))
    return true
  }

  mutating func clearAbsence(_ slot: Int32) {
    guard self[slot].isAbsence else { return }
    office.placeholderBytes.subtract(self[slot].tags.count, ordering: .relaxed)
    self[slot].isAbsence = false
    self[slot].tags = []
    counters.absences -= 1
  }

  // MARK: Waiters

  /// Parks a waiter at the end of the queue; nil if a bound is reached.
  mutating func park(_ waiter: any LeaseWaiter, _ slot: Int32, _ request: LeaseRequest, at now: UnixTime) -> (slot: Int32, serial: UInt64)?
  {
    guard office.admitWaiter() else { return nil }
    let serial = nextSerial()
    let deadline = now.advanced(byMilliseconds: request.waitMilliseconds)
    let node = waiters.insert(
      WaiterSlab.Node(
        waiter: waiter, placeholder: slot, serial: serial, deadline: deadline, leaseMilliseconds: request.leaseMilliseconds,
        previous: self[slot].lastWaiter))
    if self[slot].lastWaiter < 0 { self[slot].firstWaiter = node } else { waiters[self[slot].lastWaiter].next = node }
    self[slot].lastWaiter = node
    arm(DeadlineHeap.Item(time: deadline, serial: serial, slot: node, isWaiter: true))
    return (node, serial)
  }

  /// Takes a waiter out of its queue.
  mutating func unpark(_ node: Int32) -> WaiterSlab.Node {
    let gone = waiters.remove(node)
    let slot = gone.placeholder
    if gone.previous < 0 { self[slot].firstWaiter = gone.next } else { waiters[gone.previous].next = gone.next }
    if gone.next < 0 { self[slot].lastWaiter = gone.previous } else { waiters[gone.next].previous = gone.previous }
    office.waiters.subtract(1, ordering: .relaxed)
    return gone
  }

  /// Forgets a waiter; false if it is not parked any more.
  mutating func forget(_ node: Int32, serial: UInt64) -> Bool {
    guard waiters.isParked(node, serial: serial) else { return false }
    let slot = unpark(node).placeholder
    counters.waitersForgotten += 1
    removeIfIdle(slot)
    return true
  }

  /// Forgets a placeholder that has neither lease nor waiters nor an absence, unless `resolve` is about to see it.
  mutating func removeIfIdle(_ slot: Int32) {
    let placeholder = self[slot]
    if placeholder.token == nil, placeholder.firstWaiter < 0, !placeholder.isAbsence, !placeholder.isUnsettled { remove(slot) }
  }

  // MARK: Time

  private mutating func arm(_ item: DeadlineHeap.Item) {
    if deadlines.count > 64, deadlines.count > 2 * (count + waiters.count) { tidyDeadlines() }
    let isNews = item.time.milliseconds < office.alarmTime.load(ordering: .relaxed)
    deadlines.insert(item, isNews: isNews)
    if isNews { hasNews = true }
  }

  /// Drops the deadlines of what was settled before its time.
  private mutating func tidyDeadlines() {
    var heap = DeadlineHeap()
    swap(&heap, &deadlines)
    heap.keep { isArmed($0) }
    swap(&heap, &deadlines)
  }

  private func isArmed(_ item: DeadlineHeap.Item) -> Bool {
    if item.isWaiter { return waiters.isParked(item.slot, serial: item.serial) }
    guard Int(item.slot) < placeholders.count, let placeholder = placeholders[Int(item.slot)] else { return false }
    return placeholder.serial == item.serial && (placeholder.token != nil || placeholder.isAbsence)
  }

  /// Ends what is over by `now`, at most `budget` deadlines. True if more are due.
  mutating func expire(at now: UnixTime, budget: Int = 1024) -> Bool {
    var budget = budget
    while let item = deadlines.first {
      guard isArmed(item) else {
        deadlines.removeFirst()
        continue
      }
      if now < item.time { return false }
      if budget == 0 { return true }
      budget -= 1
      deadlines.removeFirst()
      if item.isWaiter { expireWaiter(item.slot) } else { expirePlaceholder(item.slot, at: now) }
    }
    return false
  }

  private mutating func expireWaiter(_ node: Int32) {
    let gone = unpark(node)
    counters.waitersTimedOut += 1
    timedOut.append(gone.waiter)
    hasNews = true
    removeIfIdle(gone.placeholder)
  }

  mutating func takeTimedOut() -> [any LeaseWaiter] {
    let waiters = timedOut
    timedOut = []
    return waiters
  }

  private mutating func expirePlaceholder(_ slot: Int32, at now: UnixTime) {
    if self[slot].token != nil { return end(slot, .expired, at: now) }
    clearAbsence(slot)
    removeIfIdle(slot)
  }

  /// A random number in (0, 1].
  mutating func chance() -> Double { 1 - random.unit() }
}
