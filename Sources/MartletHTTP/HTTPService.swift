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
  /// Taken hold of once per call of a session, and handed down from there.
  let loop: LoopLocal<HTTPLoop>

  package init(
    routes: RouteTree, limits: HTTPLimits = HTTPLimits(), clock: SteadyClock = SteadyClock(),
    lookAhead: consuming LookAhead? = nil,
    report: @escaping Report = { _, _ in }, startAsync: @escaping StartAsync
  ) {
    limits.check()
    self.routes = routes
    self.limits = limits
    self.report = report
    self.startAsync = startAsync
    statistics = LoopLocal(HTTPStatistics(routeCount: routes.routes.count + 1))
    loop = LoopLocal(HTTPLoop(routes: routes, limits: limits, clock: clock, lookAhead: lookAhead))
  }

  /// The label of a route in metrics.
  package func label(ofRoute index: Int) -> String { index < routes.routes.count ? routes.routes[index].label : "unmatched" }

  /// Labels by route index, the one for unmatched requests last.
  package var labels: [String] { (0...routes.routes.count).map(label) }

  /// The reply for what a handler threw. Unknown errors go to the operator, not to the client.
  func reply(for error: any Error, route: Int) -> HTTPError {
    if let known = error as? HTTPError { return known }
    report(error, label(ofRoute: route))
    return HTTPError(.internalServerError, "The server failed to answer this request.")
  }
}

/// The hot state of a loop: one struct, passed `inout` through the life of a request, so that nothing on the path pays for
/// reference counts or exclusivity checks.
struct HTTPLoop: ~Copyable {
  let routes: RouteTree
  let limits: HTTPLimits
  let lookAhead: LookAhead?
  var upcoming = UpcomingPaths()
  /// Where the request under way is taken apart; at one place, for requests to borrow.
  var scratch = UniqueBox(RequestScratch())
  var writer: ResponseWriter
  var batch = ReplyBatch()
  /// Whether the server is stopping; read once per call of a session.
  var isDraining = false

  init(routes: RouteTree, limits: HTTPLimits, clock: SteadyClock, lookAhead: consuming LookAhead?) {
    self.routes = routes
    self.lookAhead = lookAhead
    self.limits = limits
    writer = ResponseWriter(date: DateField(clock: clock))
  }

  /// Finds the route for the head in `scratch`, which was read from `bytes`; false if there is none.
  @inline(__always)
  mutating func route(_ bytes: RawSpan) -> Bool { routes.match(&scratch.value, of: bytes) }

  /// Whether the route that was found asks nobody, or has let in a request with this method and these fields before.
  @inline(__always)
  var isAdmitted: Bool {
    let admission = routes.endpoints[scratch.value.match.route].admission
    if admission == 0 { return true }
    return scratch.value.head.section.isAdmitted(by: admission, scratch.value.head.method) && scratch.value.head.targetHost.isEmpty
  }

  /// Asks whether the request in `scratch` may come in; why not.
  mutating func refusal(of service: HTTPService, head: RawSpan) -> HTTPError? {
    let route = scratch.value.match.route
    let admission = routes.endpoints[route].admission
    do {
      try routes.admissions[Int(admission) - 1].check(Request(scratch, of: head))
    } catch {
      return service.reply(for: error, route: route)
    }
    // A host in the target is no part of the section, which is what the verdict is kept with; and where there is no route it may have
    // been a milder one.
    if scratch.value.head.targetHost.isEmpty && route != routes.unmatched {
      scratch.value.head.section.admit(by: admission, scratch.value.head.method)
    }
    return nil
  }

  /// Prepares the writer for the reply to the request in `scratch`.
  @inline(__always)
  mutating func beginReply() {
    let minorVersion = scratch.value.head.minorVersion
    let implicit: ResponseWriter.Persistence = minorVersion == 0 ? .keepAlive : .implicit
    let persistence = scratch.value.head.keepsAlive && !isDraining ? implicit : .close
    let isHead = scratch.value.head.method == .head
    writer.begin(isHead: isHead, minorVersion: minorVersion, persistence: persistence)
  }

  /// Announces what a pipeline will read.
  @inline(__always)
  mutating func look(_ input: RawSpan) {
    switch lookAhead {
    case .none: return
    case .some(let lookAhead):
      // Only for those who were let in: who is refused reaches nothing.
      let admission = routes.endpoints[routes.unmatched].admission
      guard admission == 0 || scratch.value.head.section.isAdmitted(by: admission, .get) else { return }
      lookAhead.scout(input, after: scratch, &upcoming)
    }
  }

  /// Lends the connection's output to the writer for one call of a session.
  @inline(__always)
  mutating func open(_ output: inout ByteBuffer, of service: HTTPService, at now: MonotonicTime, for connection: ConnectionID) {
    swap(&writer.output, &output)
    writer.date.refresh(at: now)
    batch.start = now
    scratch.value.now = now
    scratch.value.connection = connection
    isDraining = service.isDraining.value
  }

  /// Gives the output back and counts the replies of the call; they leave together, so they took equally long.
  @inline(__always)
  mutating func close(_ output: inout ByteBuffer, of service: HTTPService) {
    swap(&writer.output, &output)
    if batch.count > 0 { batch.record(in: &service.statistics.value) }
  }

  /// Keeps in mind that the request in `scratch` was answered.
  @inline(__always)
  mutating func noteReply(of service: HTTPService) {
    if batch.isFull { batch.record(in: &service.statistics.value) }
    batch.note(route: scratch.value.match.route, status: writer.status)
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
