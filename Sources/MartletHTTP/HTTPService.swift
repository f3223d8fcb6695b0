/// What the HTTP sessions of one loop share: routes, limits, the Date, statistics, and memory that serves request after request.
/// One per loop; its `LoopLocal` parts are touched by that loop's thread only.

package import MartletBytes

package final class HTTPService: Sendable {
  package let routes: RouteTree
  package let limits: HTTPLimits
  /// Set when the server is stopping: replies then say `Connection: close`.
  package let isDraining = LoopLocal(false)
  package let statistics: LoopLocal<HTTPStatistics>

  /// Runs an operation on the loop's executor, and afterwards wakes the connection with its result as `.message`.
  package typealias StartAsync = @Sendable (ConnectionID, @escaping @Sendable () async -> any Sendable) -> Void
  /// Told of an error that a handler threw and that is no `HTTPError`, with the route's label: for the operator's log.
  package typealias Report = @Sendable (any Error, String) -> Void

  let startAsync: StartAsync
  let report: Report
  let scratch = LoopLocal(RequestScratch())
  let writer: LoopLocal<ResponseWriter>
  let batch = LoopLocal(ReplyBatch())

  package init(
    routes: RouteTree, limits: HTTPLimits = HTTPLimits(), clock: SteadyClock = SteadyClock(), report: @escaping Report = { _, _ in },
    startAsync: @escaping StartAsync
  ) {
    limits.check()
    self.routes = routes
    self.limits = limits
    self.report = report
    self.startAsync = startAsync
    statistics = LoopLocal(HTTPStatistics(routeCount: routes.routes.count + 1))
    writer = LoopLocal(ResponseWriter(date: DateField(clock: clock)))
  }

  /// The label of a route in metrics.
  package func label(ofRoute index: Int) -> String { index < routes.routes.count ? routes.routes[index].label : "unmatched" }

  /// Labels by route index, the one for unmatched requests last.
  package var labels: [String] { (0...routes.routes.count).map(label) }

  // MARK: A batch of requests

  /// Lends the connection's output to the writer for one call of a session.
  @inline(__always)
  func open(_ output: inout ByteBuffer, at now: MonotonicTime) {
    swap(&writer.value.output, &output)
    writer.value.date.refresh(at: now)
    batch.value.start = now
  }

  /// Gives the output back and counts the replies of the call; they leave together, so they took equally long.
  @inline(__always)
  func close(_ output: inout ByteBuffer) {
    swap(&writer.value.output, &output)
    if batch.value.count > 0 { batch.value.record(in: &statistics.value) }
  }

  /// Keeps in mind that a route has replied.
  @inline(__always)
  func note(route: Int, status: Int) {
    if batch.value.isFull { batch.value.record(in: &statistics.value) }
    batch.value.note(route: route, status: status)
  }
}

/// The replies of one call of `receive`, as runs of equal ones: at pipeline depth 16 one record instead of 16.
struct ReplyBatch: ~Copyable {
  private struct Run {
    var route: UInt16 = 0
    var status: UInt16 = 0
    var times: UInt32 = 0
  }

  var start = MonotonicTime(nanoseconds: 0)
  private(set) var count = 0
  private var runs: InlineArray<16, Run> = InlineArray(repeating: Run())

  var isFull: Bool { count == runs.count }

  @inline(__always)
  mutating func note(route: Int, status: Int) {
    let route = UInt16(truncatingIfNeeded: route)
    let status = UInt16(truncatingIfNeeded: status)
    if count > 0 && runs[count &- 1].route == route && runs[count &- 1].status == status {
      runs[count &- 1].times &+= 1
    } else {
      runs[count] = Run(route: route, status: status, times: 1)
      count &+= 1
    }
  }

  /// Counts the runs as having taken until now, and forgets them: the one clock reading of a batch.
  mutating func record(in statistics: inout HTTPStatistics) {
    let nanoseconds = MonotonicTime.now.nanoseconds(since: start)
    for index in 0..<count {
      let run = runs[index]
      statistics.record(route: Int(run.route), status: Int(run.status), times: Int(run.times), nanoseconds: nanoseconds)
    }
    count = 0
  }
}
