/// What a loop counts about requests: per route, replies by status and how long they took. Plain integers of one loop; whoever
/// wants the sum asks each loop on its own thread.

package import MartletBytes

package struct HTTPStatistics: Sendable {
  /// Distinct statuses counted apart; what comes beyond goes to code 0.
  private static var slotsMax: Int { 64 }

  /// Slot per status code, minus 100; 0 until a status is first seen.
  private var slots: [UInt8] = Array(repeating: 0, count: 500)
  /// The status code of each slot. Slot 0 collects what does not fit.
  private var codes: [Int] = [0]
  /// By route and slot.
  private var counts: [UInt64]
  private var latencies: [LatencyHistogram]

  /// `routeCount` includes the place for unmatched requests.
  package init(routeCount: Int) {
    counts = Array(repeating: 0, count: routeCount * Self.slotsMax)
    latencies = Array(repeating: LatencyHistogram(), count: routeCount)
  }

  /// Counts `times` replies of a route that took this long each.
  package mutating func record(route: Int, status: Int, times: Int, nanoseconds: UInt64) {
    var slot = Int(slots[status &- 100])
    if slot == 0 { slot = addSlot(for: status) }
    counts[route &* Self.slotsMax &+ slot] &+= UInt64(truncatingIfNeeded: times)
    latencies[route].record(nanoseconds: nanoseconds, times: times)
  }

  private mutating func addSlot(for status: Int) -> Int {
    if codes.count == Self.slotsMax { return 0 }
    slots[status - 100] = UInt8(codes.count)
    codes.append(status)
    return codes.count - 1
  }

  /// The replies of a route by status, those that occurred, in ascending order.
  package func replies(route: Int) -> [(status: Int, count: UInt64)] {
    codes.indices.map { (codes[$0], counts[route * Self.slotsMax + $0]) }.filter { $0.1 > 0 }.sorted { $0.0 < $1.0 }
  }

  package func latency(route: Int) -> LatencyHistogram { latencies[route] }

  /// Adds what another loop with the same routes has counted.
  package mutating func add(_ other: HTTPStatistics) {
    for route in latencies.indices {
      latencies[route].add(other.latencies[route])
      for (status, count) in other.replies(route: route) {
        var slot = status == 0 ? 0 : Int(slots[status - 100])
        if slot == 0 && status > 0 { slot = addSlot(for: status) }
        counts[route * Self.slotsMax + slot] += count
      }
    }
  }
}
