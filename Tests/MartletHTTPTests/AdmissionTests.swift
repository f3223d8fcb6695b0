import MartletBytes
import Synchronization
import Testing

@testable import MartletHTTP

@Suite("Admission")
struct AdmissionTests {
  /// Counts how often it was asked.
  final class Doorkeeper: Sendable {
    private let asked = Mutex(0)
    var timesAsked: Int { asked.withLock { $0 } }

    /// Lets in who shows `key: open`, asks for `example` and does not POST with a body.
    var admission: Admission {
      { request in
        self.asked.withLock { $0 += 1 }
        guard let key = request.field("key"), key.equals("open") else { throw HTTPError(.unauthorized, "show the key") }
        if !request.host.equals("example") { throw HTTPError(.forbidden, "not for this host") }
        if request.method == .post, request.hasBody, request.isRouted { throw HTTPError(.unsupportedMediaType, "no bodies") }
      }
    }
  }

  static func conversation(_ doorkeeper: Doorkeeper) -> Conversation {
    var router = Router()
    router.get("/healthz") { _, response in response.body("well") }
    router.admit(doorkeeper.admission)
    router.get("/in") { _, response in response.body("in") }
    router.post("/in") { request, response in response.body(request.body) }
    return Conversation(RouteTree(router))
  }

  static let open = "Host: example\r\nKey: open\r\n"
  static let closed = "Host: example\r\nKey: shut\r\n"

  @Test("Whoever has no key is refused, on routes registered before as little as ever, and on paths that do not exist")
  func refusal() {
    var talk = Self.conversation(Doorkeeper())
    #expect(statuses(talk.exchange("GET /in HTTP/1.1\r\n\(Self.closed)\r\n")) == [401])
    #expect(statuses(talk.exchange("GET /healthz HTTP/1.1\r\n\(Self.closed)\r\n")) == [200])
    #expect(statuses(talk.exchange("GET /nowhere HTTP/1.1\r\n\(Self.closed)\r\n")) == [401])
    #expect(statuses(talk.exchange("GET /nowhere HTTP/1.1\r\n\(Self.open)\r\n")) == [404])
    #expect(statuses(talk.exchange("GET /in HTTP/1.1\r\n\(Self.open)\r\n")) == [200])
  }

  @Test("The same fields and method are judged once; other fields or another method anew")
  func memory() {
    let doorkeeper = Doorkeeper()
    var talk = Self.conversation(doorkeeper)
    let get = "GET /in HTTP/1.1\r\n\(Self.open)\r\n"
    #expect(statuses(talk.exchange(get + get + get)) == [200, 200, 200])
    #expect(doorkeeper.timesAsked == 1)
    #expect(statuses(talk.exchange("POST /in HTTP/1.1\r\n\(Self.open)\r\n" + get)) == [200, 200])
    #expect(doorkeeper.timesAsked == 3)
    #expect(statuses(talk.exchange("GET /in HTTP/1.1\r\n\(Self.closed)\r\n" + get)) == [401, 200])
    #expect(doorkeeper.timesAsked == 5)
  }

  @Test("A refusal is never remembered as a permission, nor a permission for another host in the target")
  func confusion() {
    var talk = Self.conversation(Doorkeeper())
    let refused = "GET /in HTTP/1.1\r\n\(Self.closed)\r\n"
    #expect(statuses(talk.exchange(refused + refused)) == [401, 401])
    let absolute = "GET http://elsewhere/in HTTP/1.1\r\n\(Self.open)\r\n"
    #expect(statuses(talk.exchange("GET /in HTTP/1.1\r\n\(Self.open)\r\n" + absolute + absolute)) == [200, 403, 403])
    let right = "GET http://example/in HTTP/1.1\r\nHost: elsewhere\r\nKey: open\r\n\r\n"
    let wrong = "GET /in HTTP/1.1\r\nHost: elsewhere\r\nKey: open\r\n\r\n"
    #expect(statuses(talk.exchange(right + wrong)) == [200, 403])
  }

  @Test("Who is refused is not asked for the body, and what comes of it is dropped")
  func bodies() {
    var talk = Self.conversation(Doorkeeper())
    let head = "POST /in HTTP/1.1\r\n\(Self.closed)Content-Length: 5\r\n"
    let reply = talk.exchange(head + "Expect: 100-continue\r\n\r\n")
    #expect(statuses(reply) == [401])
    #expect(reply.contains("Connection: close"))

    var other = Self.conversation(Doorkeeper())
    #expect(statuses(other.exchange(head + "\r\n")) == [401])
    #expect(statuses(other.exchange("12345GET /in HTTP/1.1\r\n\(Self.open)\r\n")) == [200])
    #expect(statuses(other.exchange("POST /in HTTP/1.1\r\n\(Self.open)Transfer-Encoding: chunked\r\n\r\n")) == [415])
    #expect(statuses(other.exchange("2\r\nab\r\n0\r\n\r\nGET /in HTTP/1.1\r\n\(Self.open)\r\n")) == [200])
  }

  @Test("A mild verdict where there is no route opens no door where there is one")
  func mildness() {
    var talk = Self.conversation(Doorkeeper())
    let fields = "\(Self.open)Content-Length: 1\r\n\r\nx"
    #expect(statuses(talk.exchange("POST /nowhere HTTP/1.1\r\n\(fields)POST /in HTTP/1.1\r\n\(fields)")) == [404, 415])
  }

  @Test("Admissions of nested groups are asked from the outside in")
  func nesting() {
    var router = Router()
    router.admit { request in if request.field("a") == nil { throw HTTPError(.unauthorized, "a is missing") } }
    router.group("/inner") { inner in
      inner.admit { request in if request.field("b") == nil { throw HTTPError(.forbidden, "b is missing") } }
      inner.get("/in") { _, response in response.body("in") }
    }
    router.get("/in") { _, response in response.body("in") }
    var talk = Conversation(RouteTree(router))
    let host = "Host: x\r\n"
    #expect(statuses(talk.exchange("GET /inner/in HTTP/1.1\r\n\(host)\r\n")) == [401])
    #expect(statuses(talk.exchange("GET /inner/in HTTP/1.1\r\n\(host)a: 1\r\n\r\n")) == [403])
    #expect(statuses(talk.exchange("GET /in HTTP/1.1\r\n\(host)a: 1\r\n\r\n")) == [200])
    #expect(statuses(talk.exchange("GET /inner/in HTTP/1.1\r\n\(host)a: 1\r\nb: 1\r\n\r\n")) == [200])
    #expect(statuses(talk.exchange("GET /inner/in HTTP/1.1\r\n\(host)a: 1\r\n\r\n")) == [403])
  }

  @Test("Nothing is announced for a pipeline that was not let in")
  func lookAhead() {
    let announced = LoopLocal(0)
    let look = LookAhead(prefix: "/v1/cache/") { _, _ in announced.value += 1 }
    var router = Router()
    router.admit(Doorkeeper().admission)
    router.get("/v1/cache/{key}") { request, response in response.body(request.parameter(0)) }
    let service = HTTPService(routes: RouteTree(router), lookAhead: look) { _, _ in }
    var talk = Conversation(service, PendingWork())
    let refused = "GET /v1/cache/a HTTP/1.1\r\n\(Self.closed)\r\n"
    #expect(statuses(talk.exchange(refused) + talk.exchange(refused + refused)) == [401, 401, 401])
    #expect(announced.value == 0)
    let admitted = "GET /v1/cache/a HTTP/1.1\r\n\(Self.open)\r\n"
    #expect(statuses(talk.exchange(admitted) + talk.exchange(admitted + admitted)) == [200, 200, 200])
    #expect(announced.value == 1)
  }
}
