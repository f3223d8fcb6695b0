/// `/metrics` for Prometheus and `/v1/stats` for people: one snapshot, two forms.

internal import MartletBytes
internal import MartletHTTP
internal import MartletJSON

struct ObservabilityRoutes: Sendable {
  let observatory: Observatory

  func add(to router: inout Router) {
    router.get("/metrics") { request in
      try request.refuseQuery()
      let snapshot = await observatory.snapshot()
      return OwnedResponse(snapshot.prometheusText().copied(), contentType: PrometheusText.contentType)
    }
    router.get("/v1/stats") { request in
      try request.refuseQuery()
      let snapshot = await observatory.snapshot()
      var json = JSONWriter()
      try snapshot.write(to: &json)
      return OwnedResponse(json.finish().copied(), contentType: "application/json")
    }
  }
}
