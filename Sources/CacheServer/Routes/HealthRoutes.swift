/// `/healthz` and `/readyz`: for load balancers and container health checks; open to everyone.

internal import MartletAPI
internal import MartletHTTP
internal import MartletJSON
internal import MartletServer

struct HealthRoutes: Sendable {
  let readiness: Readiness

  func add(to router: inout Router) {
    router.get("/healthz") { request, response in
      try request.refuseQuery()
      response.head(.ok)
      try response.json { $0.status("ok") }
    }
    router.get("/readyz") { request, response in
      try request.refuseQuery()
      let state = readiness.state
      response.head(state == .ready ? .ok : .serviceUnavailable)
      try response.json { $0.status(state == .ready ? "ok" : state.rawValue) }
    }
  }
}

extension JSONWriter {
  fileprivate mutating func status(_ text: String) {
    beginObject()
    member("status", text)
    endObject()
  }
}
