/// Replies that wait for something elsewhere without a task: written when due, dropped with the peer, refused at the end.

import MartletBytes
import Synchronization
import Testing

@testable import MartletHTTP

@Suite("Parked replies")
struct ParkedReplyTests {
  /// A reply that counts what happens to it.
  final class Parked: ParkedReply {
    let error: HTTPError?
    let writes = Atomic(0)
    let leaves = Atomic(0)

    init(error: HTTPError? = nil) { self.error = error }

    func write(to response: inout ResponseWriter, at now: MonotonicTime) throws {
      writes.add(1, ordering: .relaxed)
      if let error { throw error }
      response.head(.ok)
      response.body("it came")
    }

    func leave() { leaves.add(1, ordering: .relaxed) }

    var counts: [Int] { [writes.load(ordering: .relaxed), leaves.load(ordering: .relaxed)] }
  }

  private static func routes(_ parked: Parked) -> RouteTree {
    var router = Router()
    router.use { next in
      { request, response in
        response.field("X-Outer", "1")
        try next(request, &response)
      }
    }
    router.get("/parked") { _, response in
      response.body("dropped")
      response.park(parked)
    }
    router.get("/now") { _, response in response.body("now") }
    return RouteTree(router)
  }

  private func get(_ target: String, _ fields: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

  @Test("It blocks what was pipelined behind it, is written once when due, with the fields of middleware")
  func due() {
    let parked = Parked()
    var talk = Conversation(Self.routes(parked))
    talk.send(get("/parked") + get("/now"))
    #expect(talk.isBlocked == true)
    #expect(talk.progress.watchesPeer == true)
    #expect(talk.takeOutput() == "")
    talk.wake(.message(ParkedReplyDue(parked)))
    let replies = withoutDate(talk.takeOutput())
    #expect(replies.hasPrefix("HTTP/1.1 200 OK\r\nX-Outer: 1\r\nContent-Length: 7\r\n\r\nit cameHTTP/1.1 200 OK"))
    #expect(talk.progress.watchesPeer == false)
    talk.wake(.message(ParkedReplyDue(parked)))
    #expect(talk.takeOutput() == "")
    #expect(parked.counts == [1, 1])
  }

  @Test("One that throws is answered as a handler that throws")
  func throwing() {
    let parked = Parked(error: HTTPError(.notFound, "no", fields: [HTTPField("Retry-After", "1")]))
    var talk = Conversation(Self.routes(parked))
    talk.send(get("/parked"))
    talk.wake(.message(ParkedReplyDue(parked)))
    let reply = talk.takeOutput()
    #expect(statuses(reply) == [404])
    #expect(reply.contains("Retry-After: 1\r\n"))
    #expect(parked.counts == [1, 1])
  }

  @Test("A message for another reply, and one that comes after the end, change nothing")
  func stale() {
    let parked = Parked()
    let other = Parked()
    var talk = Conversation(Self.routes(parked))
    talk.wake(.message(ParkedReplyDue(parked)))
    talk.send(get("/parked"))
    talk.wake(.message(ParkedReplyDue(other)))
    #expect(talk.isBlocked == true)
    #expect(talk.takeOutput() == "")
    #expect(other.counts == [0, 0])
  }

  @Test("It is left when the peer shuts its side, and when the session goes for another reason")
  func peerLeaves() {
    let parked = Parked()
    var talk = Conversation(Self.routes(parked))
    talk.send(get("/parked"))
    talk.wake(.endOfInput)
    #expect(talk.closeReason == .peerClosed)
    _ = consume talk
    #expect(parked.counts == [0, 1])
    do {
      var another = Conversation(Self.routes(parked))
      another.send(get("/parked"))
    }
    #expect(parked.counts == [0, 2])
  }

  @Test("One that is parked while the server stops already is refused at once")
  func parkedDuringDrain() {
    let parked = Parked()
    var talk = Conversation(Self.routes(parked))
    talk.service.isDraining.value = true
    talk.send(get("/parked"))
    #expect(statuses(talk.takeOutput()) == [503])
    #expect(talk.closeReason == .drained)
    #expect(parked.counts == [0, 1])
  }

  @Test("At the end of the server it is answered 503, and the connection closes")
  func drain() {
    let parked = Parked()
    var talk = Conversation(Self.routes(parked))
    talk.send(get("/parked"))
    talk.service.isDraining.value = true
    talk.wake(.drain)
    let reply = talk.takeOutput()
    #expect(statuses(reply) == [503])
    #expect(reply.contains("Connection: close\r\n"))
    #expect(talk.closeReason == .drained)
    #expect(parked.counts == [0, 1])
  }
}
