import MartletBytes
import MartletHTTP
import MartletLoop
import MartletServer
import Testing

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
      var statistics = service.statistics.value
      statistics.record(route: 0, status: 200, times: index + 1, nanoseconds: 10)
      service.statistics.value = statistics
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
