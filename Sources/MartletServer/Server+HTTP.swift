/// HTTP on a server: one service per loop, and async handlers on the loop's own executor.

internal import MartletBytes
package import MartletHTTP
package import MartletLoop

/// The HTTP side of a server: its routes and, per loop, what those have counted.
package final class HTTPFace: Sendable {
  package let routes: RouteTree
  /// By the loop's index.
  package let services: [HTTPService]

  /// `report` is told of errors that handlers threw and that are no `HTTPError`, with the route's label, on the loop's thread.
  /// `lookAhead` is made once per loop.
  package init(
    _ router: Router, limits: HTTPLimits, on server: Server, lookAhead: () -> LookAhead? = { nil },
    report: @escaping HTTPService.Report = { _, _ in }
  ) {
    let routes = RouteTree(router)
    self.routes = routes
    services = server.loops.map { loop in
      HTTPService(routes: routes, limits: limits, lookAhead: lookAhead(), report: report) { id, work in
        // Immediate: a handler that need not wait answers without a hop. It runs, and resumes, on this loop's thread.
        Task.immediate(executorPreference: loop.executor) { loop.wake(id, await work()) }
      }
    }
    server.atDrain { [services] loop in services[Int(loop.index)].isDraining.value = true }
  }

  package var sessionFactory: SessionFactory {
    let services = services
    return SessionFactory.make(name: "http", refusal: Self.refusal) { id, _ in
      HTTPSession(id: id, service: services[Int(id.loop)])
    }
  }

  /// What a connection beyond the limit is told.
  private static let refusal: [UInt8] = {
    let body = #"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"too many connections are open"}"#
    let head = """
      HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n\
      Retry-After: 1\r\nConnection: close\r\n\r\n
      """
    return Array((head + body).utf8)
  }()

  /// What all loops have counted, each asked on its own thread.
  package func statistics(of loops: [EventLoop]) async -> HTTPStatistics {
    var sum = HTTPStatistics(routeCount: routes.routes.count + 1)
    for (loop, service) in zip(loops, services) { sum.add(await loop.call { service.statistics.value }) }
    return sum
  }
}
