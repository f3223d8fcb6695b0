/// What the leases of all shards share: how many may wait, what their keys may take, and the alarm for the next deadline.

internal import MartletBytes
internal import Synchronization

final class LeaseOffice: Sendable {
  let waiters = Atomic<Int>(0)
  let placeholderBytes = Atomic<Int>(0)
  private let waitersMax: Int
  private let placeholderBytesMax: Int
  /// The deadline that the alarm was told last, in Unix milliseconds; no later one is worth telling.
  let alarmTime = Atomic<Int64>(.max)
  private let alarm = ShardLock()
  private let ring = LoopLocal<(@Sendable (UnixTime) -> Void)?>(nil)

  /// For a store of `limitBytes`: a small one has small bounds.
  init(limitBytes: Int) {
    waitersMax = min(LeaseLimits.waitersMax, max(1024, limitBytes >> 10))
    placeholderBytesMax = min(LeaseLimits.placeholderBytesMax, limitBytes >> 5)
  }

  /// Who is told when a deadline comes before all that were told. Under the lock only while it is set and read.
  func setAlarm(_ ring: (@Sendable (UnixTime) -> Void)?) { alarm.withLock { self.ring.value = ring } }

  /// Tells the alarm if `deadline` is news.
  func tell(_ deadline: UnixTime) {
    guard lower(to: deadline) else { return }
    let ring = alarm.withLock { self.ring.value }
    ring?(deadline)
  }

  /// Whether `deadline` was earlier than what was told last.
  func lower(to deadline: UnixTime) -> Bool {
    let before = alarmTime.min(deadline.milliseconds, ordering: .relaxed).oldValue
    return deadline.milliseconds < before
  }

  /// Takes a waiter's place; false if there is none.
  func admitWaiter() -> Bool {
    if waiters.add(1, ordering: .relaxed).newValue <= waitersMax { return true }
    waiters.subtract(1, ordering: .relaxed)
    return false
  }

  func admit(bytes: Int) -> Bool {
    if placeholderBytes.add(bytes, ordering: .relaxed).newValue <= placeholderBytesMax { return true }
    placeholderBytes.subtract(bytes, ordering: .relaxed)
    return false
  }
}

/// What is to be told once the locks are given back.
struct LeaseDeliveries {
  private var items: [(waiter: any LeaseWaiter, news: LeaseNews)] = []
  var earliestDeadline = UnixTime.never
  private let office: LeaseOffice

  init(_ office: LeaseOffice) { self.office = office }

  mutating func append(_ waiter: any LeaseWaiter, _ news: LeaseNews) { items.append((waiter, news)) }

  func deliver() {
    if earliestDeadline != .never { office.tell(earliestDeadline) }
    for item in items { item.waiter.settle(item.news) }
  }
}
