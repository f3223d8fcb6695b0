import MartletBytes
import Synchronization
import Testing

@testable import MartletHTTP

@Suite("Async replies")
struct HTTPSessionLaterTests {
  private struct Broken: Error {}

  private static let routes: RouteTree = {
    var router = Router()
    router.use { next in
      { request, response in
        response.field("X-Outer", "1")
        try next(request, &response)
      }
    }
    router.get("/now") { _, response in response.body("now") }
    router.get("/later") { request in OwnedResponse(request.query, contentType: "text/plain") }
    router.post("/echo/{name}") { request in
      OwnedResponse(request.parameter(0) + request.body + (request.field("x-field") ?? []), contentType: "text/plain", status: .created)
    }
    router.get("/conflict") { _ -> OwnedResponse in throw HTTPError(.conflict, "taken") }
    router.get("/broken") { _ -> OwnedResponse in throw Broken() }
    router.get("/injected") { _ in OwnedResponse(.ok, fields: [HTTPField("X", "a\r\nSet-Cookie: b")]) }
    router.get("/stream") { _ in
      OwnedResponse(
        stream: AsyncStream { continuation in
          for text in ["one", "two", "three"] { continuation.yield(Array(text.utf8)) }
          continuation.finish()
        }, contentType: "text/plain")
    }
    router.get("/torn") { _ in
      let calls = Mutex(0)
      return OwnedResponse(
        .ok,
        body: .stream {
          if calls.withLock({
            $0 += 1
            return $0
          }) > 1 {
            throw Broken()
          }
          return Array("part".utf8)
        })
    }
    router.get("/maybe") { request, response in
      if request.query.equals("wait") { return response.reply(to: request) { _ in OwnedResponse("waited") } }
      response.body("at once")
    }
    return RouteTree(router)
  }()

  private func get(_ target: String, _ fields: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

  @Test("An async reply blocks what was pipelined behind it, so replies stay in order")
  func order() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/now") + get("/later?1") + get("/now") + get("/later?2") + get("/now"))
    #expect(talk.isBlocked == true)
    #expect(statuses(talk.takeOutput()) == [200])
    await talk.settle()
    let bodies = talk.takeOutput().split(separator: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
    #expect(bodies == ["1", "now", "2", "now"])
    #expect(talk.unconsumed.isEmpty)
  }

  @Test("Fields that middleware set before the handler are kept for the reply")
  func middleware() async {
    var talk = Conversation(Self.routes)
    talk.send("POST /echo/a%2Fb HTTP/1.1\r\nHost: a\r\nX-Field: c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n--\r\n0\r\n\r\n")
    await talk.settle()
    #expect(
      withoutDate(talk.takeOutput()) == "HTTP/1.1 201 Created\r\nX-Outer: 1\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\na/b--c")
  }

  @Test("A handler that throws is answered: an HTTPError as it says, anything else by a 500 that tells nothing")
  func failures() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/conflict") + get("/broken") + get("/injected"))
    await talk.settle()
    let replies = talk.takeOutput()
    #expect(statuses(replies) == [409, 500, 500])
    #expect(!replies.contains("Broken") && !replies.contains("Set-Cookie"))
    #expect(talk.closeReason == nil)
  }

  @Test("HEAD of an async route has no body; Connection: close is honoured")
  func headAndClose() async {
    var talk = Conversation(Self.routes)
    talk.send("HEAD /later?abc HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await talk.settle()
    #expect(withoutDate(talk.takeOutput()).hasSuffix("Content-Length: 3\r\nConnection: close\r\n\r\n"))
    #expect(talk.closeReason == .finished)
  }

  @Test("A streamed body is pulled chunk by chunk, each after the flush of the one before")
  func stream() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/stream") + get("/now"))
    #expect(talk.pending.count == 1)
    await talk.settle()
    let text = talk.takeOutput()
    #expect(text.contains("Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\nHTTP/1.1 200 OK"))
    #expect(statuses(text) == [200, 200])

    var head = Conversation(Self.routes)
    head.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    await head.settle()
    #expect(head.takeOutput().hasSuffix("Transfer-Encoding: chunked\r\n\r\n"))

    var old = Conversation(Self.routes)
    old.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    await old.settle()
    #expect(old.takeOutput().hasSuffix("Connection: close\r\n\r\nonetwothree"))
    #expect(old.closeReason == .finished)
  }

  @Test("A stream that fails is cut, not ended")
  func tornStream() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/torn"))
    await talk.settle()
    #expect(talk.takeOutput().hasSuffix("4\r\npart\r\n"))
    #expect(talk.closeReason == .aborted)
  }

  @Test("A synchronous handler may decide to answer later")
  func maybe() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/maybe") + get("/maybe?wait"))
    #expect(talk.takeOutput().hasSuffix("at once"))
    await talk.settle()
    #expect(talk.takeOutput().hasSuffix("waited"))
  }

  @Test("Stale and foreign messages change nothing")
  func stale() async throws {
    var talk = Conversation(Self.routes)
    talk.send(get("/later?1"))
    let work = try #require(talk.pending.next())
    let reply = await work()
    talk.wake(.message(reply))
    #expect(statuses(talk.takeOutput()) == [200])
    let deadline = talk.progress.deadline
    talk.wake(.message(reply))
    talk.wake(.message("something else"))
    #expect(talk.takeOutput() == "")
    #expect(talk.progress.deadline == deadline)
    // The next request is not answered by the reply to the last one.
    talk.send(get("/later?2"))
    talk.wake(.message(reply))
    #expect(talk.isBlocked == true)
    await talk.settle()
    #expect(talk.takeOutput().hasSuffix("2"))
  }

  @Test("A peer that has stopped sending still gets all its replies")
  func halfClosed() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/later?1") + get("/later?2") + get("/now"))
    talk.wake(.endOfInput)
    #expect(talk.isBlocked == true)
    await talk.settle()
    #expect(statuses(talk.takeOutput()) == [200, 200, 200])
    #expect(talk.closeReason == .peerClosed)
  }

  @Test("A reply that comes while the server drains says Connection: close")
  func draining() async {
    var talk = Conversation(Self.routes)
    talk.send(get("/later?1"))
    talk.service.isDraining.value = true
    talk.wake(.drain)
    #expect(talk.isBlocked == true)
    await talk.settle()
    #expect(talk.takeOutput().contains("Connection: close\r\n"))
    #expect(talk.closeReason == .drained)
  }
}
