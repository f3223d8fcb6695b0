import MartletBytes
import MartletHTTP
import MartletLoop
import MartletServer
import Testing

/// A client's session that asks once and keeps what it is told.
private struct AskingSession: ByteSession, ~Copyable {
  let request: String
  let reply: LoopLocal<[UInt8]>
  let done: @Sendable () -> Void

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected:
      output.append(request)
      return Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
    default:
      done()
      return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    }
  }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    reply.value += input.copied()
    return Progress(consumed: input.byteCount, next: .read(atLeast: 1), deadline: .never)
  }
}

/// Sends `request` to `address` and gives everything that comes back until the server closes.
func ask(_ address: SocketAddress, _ request: String) throws -> String {
  let loop = try EventLoop(index: 0)
  let reply = LoopLocal<[UInt8]>([])
  let factory = SessionFactory.make(name: "test") { _, _ in AskingSession(request: request, reply: reply, done: { loop.stop() }) }
  loop.connect(to: address, factory: factory) { _ in loop.stop() }
  loop.run()
  return String(decoding: reply.value, as: UTF8.self)
}

/// Runs a server with `router` on a free port for as long as `body` takes, on a thread of its own, then drains it.
func withServer(_ router: Router, threads: Int = 2, _ body: @escaping @Sendable (SocketAddress) throws -> Void) throws {
  var options = ServerOptions()
  options.threads = threads
  let server = try Server(options)
  let face = HTTPFace(router, limits: HTTPLimits(), on: server)
  let address = try #require(try server.listen(on: .tcp(host: "127.0.0.1", port: 0), face.sessionFactory))
  let failure = LoopLocal<(any Error)?>(nil)
  let client = LoopLocal<LoopThread?>(nil)
  var events: [String] = []
  try server.run { event in
    events.append("\(event)")
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
  #expect(events == ["ready", "draining(signal: 0)", "stopped"])
  if let error = failure.value { throw error }
}

@Suite("Server")
struct ServerTests {
  @Test("A server answers on its address, and drains to its end when it is stopped")
  func answers() throws {
    var router = Router()
    router.get("/hello/{name}") { request, response in response.body("hello, \(request.parameter(0).text)") }
    try withServer(router) { address in
      let reply = try ask(address, "GET /hello/you HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(reply.hasSuffix("\r\n\r\nhello, you"))
    }
  }

  @Test("An async handler runs on its loop's thread and its reply keeps its place in a pipeline")
  func asyncInOrder() throws {
    var router = Router()
    router.get("/now") { _, response in response.body("now") }
    router.get("/later") { _ in
      await Task.yield()
      return OwnedResponse("later")
    }
    try withServer(router) { address in
      let get = { (path: String) in "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }
      let reply = try ask(address, get("/later") + get("/now") + get("/later") + "GET /now HTTP/1.0\r\n\r\n")
      let bodies = reply.split(separator: "\r\n\r\n").dropFirst().map { $0.split(separator: "HTTP/1.1").first.map(String.init) ?? "" }
      #expect(bodies == ["later", "now", "later", "now"])
    }
  }

  @Test("What all loops counted adds up")
  func statistics() throws {
    var options = ServerOptions()
    options.threads = 3
    let server = try Server(options)
    var router = Router()
    router.get("/") { _, response in response.body("") }
    let face = HTTPFace(router, limits: HTTPLimits(), on: server)
    for (index, service) in face.services.enumerated() {
      service.statistics.value.record(route: 0, status: 200, times: index + 1, nanoseconds: 10)
    }
    let threads = try server.loops.map { try LoopThread($0) }
    let sum = LoopLocal<UInt64>(0)
    let collector = try EventLoop(index: 9)
    collector.post {
      Task.immediate(executorPreference: collector.executor) {
        sum.value = await face.statistics(of: server.loops).latency(route: 0).count
        collector.stop()
        for loop in server.loops { loop.stop() }
      }
    }
    collector.run()
    for thread in threads { thread.join() }
    #expect(sum.value == 6)
  }
}
