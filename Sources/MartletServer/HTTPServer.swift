/// Routes served over HTTP: what a Swift program starts.
///
/// ```swift
/// var router = Router()
/// router.get("/hello/{name}") { request, response in response.body("hello, \(request.parameter(0).text)\n") }
/// try HTTPServer(router: router).run()
/// ```

public import MartletHTTP
internal import MartletLoop

public struct HTTPServer: Sendable {
  /// How it listens and runs.
  public struct Options: Sendable {
    public var address: ListenAddress
    public var limits = HTTPLimits()
    public var server = ServerOptions()

    public init(address: ListenAddress = .tcp(host: "127.0.0.1", port: 8080)) {
      self.address = address
    }
  }

  let router: Router
  let options: Options

  public init(router: Router, options: Options = Options()) {
    self.router = router
    self.options = options
  }

  /// Serves until SIGTERM or SIGINT has been received and open requests are answered. On the main thread.
  ///
  /// `ready` is called once the listener accepts, with its address (the port that was chosen, if 0 was asked for). Throws if the
  /// address cannot be listened on.
  public func run(ready: @escaping (String) -> Void = { _ in }) throws {
    let server = try Server(options.server)
    let face = HTTPFace(router, limits: options.limits, on: server)
    let address = try server.listen(on: options.address, face.sessionFactory)
    try server.run { event in
      if case .ready = event { ready(address.map { "\($0)" } ?? "off") }
    }
  }
}
