/// When the requests of an open loop are due: at a fixed rate, whatever the server does.
///
/// Latency counts from here, not from when a request could be sent: a server that stands still for a second makes every request of that
/// second late, and percentiles that leave those out ("coordinated omission") would not show it. Times are computed, not added up, so
/// that nothing drifts.

import MartletBytes

struct LoadSchedule: Sendable {
  private let start: UInt64
  private let intervalNanoseconds: Double
  let count: Int
  /// The next request's number.
  private(set) var next = 0

  /// `count` requests from `start` on, `intervalNanoseconds` apart.
  init(start: UInt64, intervalNanoseconds: Double, count: Int) {
    self.start = start
    self.intervalNanoseconds = intervalNanoseconds
    self.count = count
  }

  /// The share of lane `index` of `lanes` in a load of `rate` requests a second for so long: every `lanes`-th request.
  init(start: UInt64, rate: Double, seconds: Double, countMax: Int, lane index: Int, of lanes: Int) {
    let interval = 1e9 / rate
    let total = min(countMax, Int((seconds * rate).rounded()))
    self.init(
      start: start &+ UInt64(interval * Double(index)), intervalNanoseconds: interval * Double(lanes),
      count: max(0, (total - index + lanes - 1) / lanes))
  }

  /// None.
  init() { self.init(start: 0, intervalNanoseconds: 1, count: 0) }

  var isOver: Bool { next >= count }

  func time(of index: Int) -> UInt64 { start &+ UInt64(Double(index) * intervalNanoseconds) }

  /// When the next one is due; `.max` if there is none.
  var nextTime: UInt64 { isOver ? .max : time(of: next) }

  /// The next request's time, if that has come; it counts as taken.
  mutating func take(at now: UInt64) -> UInt64? {
    let due = nextTime
    guard due <= now, due != .max else { return nil }
    next += 1
    return due
  }

  /// How many are due and not taken.
  func dueCount(at now: UInt64) -> Int {
    guard now >= nextTime else { return 0 }
    let reached = Int(Double(now &- start) / intervalNanoseconds) + 1
    return min(reached, count) - next
  }
}
