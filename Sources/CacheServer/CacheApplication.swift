/// The routes of the cache server, composed: who may ask stands around what is asked. Read it as the table of contents of the API.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletServer

struct CacheApplication {
  let store: CacheStore
  let clock: SteadyClock
  let observatory: Observatory
  let readiness: Readiness
  let wake: Waker

  func router(_ options: ServeOptions) -> Router {
    var router = Router()
    HealthRoutes(readiness: readiness).add(to: &router)
    restrict(&router, options)  // from here on, 404 and 405 included
    JSONRoutes.add(to: &router)
    EntryRoutes(store: store, clock: clock, wake: wake).add(to: &router)
    TagRoutes(store: store).add(to: &router)
    KeyspaceRoutes(store: store, clock: clock).add(to: &router)
    ObservabilityRoutes(observatory: observatory).add(to: &router)
    return router
  }

  /// A token if there is one; else no browsers, unless that too is waived.
  private func restrict(_ router: inout Router, _ options: ServeOptions) {
    if let token = options.token {
      router.admit(Access.token(token))
    } else if !options.insecure {
      router.admit(Access.noBrowsers(listeningOn: options.http))
    }
  }
}
