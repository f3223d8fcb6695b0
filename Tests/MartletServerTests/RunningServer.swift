/// A server for tests, on a free port.

import MartletBytes
import MartletHTTP
import MartletLoop
import MartletServer
import Testing

/// Runs a server with `router` on a free port for as long as `body` takes, on a thread of its own, then drains it.
func withServer(_ router: Router, threads: Int = 2, _ body: @escaping @Sendable (SocketAddress) throws -> Void) throws {
  var options = ServerOptions()
  options.threads = threads
  let server = try Server(options)
  let face = HTTPFace(router, limits: HTTPLimits(), on: server)
  let address = try #require(try server.listen(on: .tcp(host: "127.0.0.1", port: 0), face.sessionFactory))
  let failure = LoopLocal<(any Error)?>(nil)
  let client = LoopLocal<LoopThread?>(nil)
  let events = LoopLocal<[String]>([])
  try server.run { event in
    events.value = events.value + ["\(event)"]
    guard case .ready = event else { return }
    // A thread for the client, which is a loop that only runs the body.
    guard let loop = try? EventLoop(index: 99) else { return server.stop() }
    loop.post {
      do { try body(address) } catch { failure.value = error }
      loop.stop()
    }
    client.value = try? LoopThread(loop) { server.stop() }
  }
  client.value?.join()
  #expect(events.value == ["ready", "draining(signal: 0)", "stopped"])
  if let error = failure.value { throw error }
}
