import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Response writer")
struct ResponseWriterTests {
  /// The reply of a handler to one request.
  private func reply(_ method: String = "GET", _ version: String = "1.1", _ handler: @escaping Handler) -> String {
    var router = Router()
    for known in [MartletHTTP.Method.get, .put] { router.on(known, "/", handler) }
    var talk = Conversation(RouteTree(router))
    return withoutDate(talk.exchange("\(method) / HTTP/\(version)\r\nHost: a\r\n\r\n"))
  }

  @Test("Content-Length is right for every number of digits, whatever the last body was")
  func lengths() {
    var router = Router()
    router.get("/{count}") { request, response in
      let count = Int(Digits.parseUnsigned(request.parameter(0)) ?? 0)
      response.body { output in for _ in 0..<count { output.append(0x78) } }
    }
    var talk = Conversation(RouteTree(router))
    for count in [0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 5, 12_345, 0] {
      let reply = withoutDate(talk.exchange("GET /\(count) HTTP/1.1\r\nHost: a\r\n\r\n"))
      let expected = "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n" + String(repeating: "x", count: count)
      if reply != expected { Issue.record("\(count)") }
      let head = withoutDate(talk.exchange("HEAD /\(count) HTTP/1.1\r\nHost: a\r\n\r\n"))
      #expect(head == "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
    }
  }

  @Test("Fields of all kinds are written; those set before the head come first")
  func fields() {
    let text = reply { _, response in
      response.field("Early", "1")
      response.head(.accepted)
      response.field("Text", "a")
      response.field("Span", Array("b\tc\u{E9}".utf8).rawSpan)
      response.field("Number", -12)
      response.field("Built") { $0.append(decimal: 7) }
      response.empty()
    }
    #expect(
      text == "HTTP/1.1 202 Accepted\r\nEarly: 1\r\nText: a\r\nSpan: b\tc\u{E9}\r\nNumber: -12\r\nBuilt: 7\r\nContent-Length: 0\r\n\r\n")
  }

  @Test("A value with a control byte makes the whole reply a 500: nothing is injected")
  func injection() {
    for bad in ["a\r\nX: y", "\n", "\r", "a\u{0}", "\u{7F}", "12345678\u{1}", "1234567\u{8}9"] {
      let byBuilding = reply { _, response in
        response.head(.ok)
        response.field("F") { $0.append(bad) }
        response.body("secret")
      }
      let bySpan = reply { _, response in
        response.field("F", Array(bad.utf8).rawSpan)
        response.body("secret")
      }
      for text in [byBuilding, bySpan] {
        #expect(statuses(text) == [500])
        #expect(!text.contains("secret") && !text.contains("X: y"))
      }
    }
  }

  @Test("Statuses without a body get none, whatever the handler writes")
  func bodyless() {
    for status in [HTTPStatus.noContent, .notModified] {
      for kind in 0..<4 {
        let text = reply { _, response in
          response.head(status)
          response.field("ETag", "\"1\"")
          switch kind {
          case 0: response.empty()
          case 1: response.body("text")
          case 2: response.body { $0.append("text") }
          default:
            response.beginChunks()
            response.chunk(Array("text".utf8).rawSpan)
            response.endChunks()
          }
        }
        #expect(text == "HTTP/1.1 \(status.rawValue) \(status.reasonPhrase)\r\nETag: \"1\"\r\n\r\n")
      }
    }
  }

  @Test("A handler may leave the end to the session, and may not answer nothing")
  func unfinished() {
    #expect(reply { _, response in response.head(.created) } == "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    #expect(reply { _, response in response.beginChunks() }.hasSuffix("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
    #expect(statuses(reply { _, _ in }) == [500])
    #expect(statuses(reply { _, response in response.field("X", "y") }) == [500])
  }

  @Test("A handler that throws in the middle leaves nothing behind but what middleware set")
  func rollback() {
    struct Broken: Error {}
    for kind in 0..<3 {
      let text = reply { _, response in
        response.field("Early", "1")
        response.head(.ok)
        response.field("Late", "2")
        switch kind {
        case 0: break
        case 1:
          try response.body { output in
            output.append("half")
            throw Broken()
          }
        default:
          response.beginChunks()
          response.chunk(Array("half".utf8).rawSpan)
        }
        throw Broken()
      }
      let body =
        #"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"The server failed to answer this request."}"#
      #expect(
        text
          == "HTTP/1.1 500 Internal Server Error\r\nEarly: 1\r\nContent-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
    }
  }

  @Test("An error is problem+json with what helps")
  func problem() {
    let text = reply { _, _ in
      throw HTTPError(
        .unprocessableContent, "No \"such\" thing.\n", offset: 3, pointer: "/a/b", limit: 9, fields: [HTTPField("Retry-After", "1")])
    }
    let body =
      #"{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"No \"such\" thing.\n","offset":3,"pointer":"/a/b","limit":9}"#
    #expect(
      text
        == "HTTP/1.1 422 Unprocessable Content\r\nRetry-After: 1\r\nContent-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    )
  }

  @Test("Every failure of framing has a reply that closes")
  func failures() {
    for failure in RequestFailure.allCases {
      let error = failure.error(HTTPLimits())
      #expect(error.closesConnection)
      #expect((400...505).contains(error.status.rawValue))
      #expect(error.detail.hasSuffix("."))
    }
  }

  @Test("Chunks are framed; empty ones do not end the body")
  func chunks() {
    let text = reply { _, response in
      response.head(.ok)
      response.beginChunks()
      response.chunk(Array(repeating: UInt8(ascii: "x"), count: 26).rawSpan)
      response.chunk([UInt8]().rawSpan)
      response.chunk(Array("y".utf8).rawSpan)
      response.endChunks()
    }
    #expect(text.hasSuffix("\r\n\r\n1a\r\n\(String(repeating: "x", count: 26))\r\n1\r\ny\r\n0\r\n\r\n"))
  }

  @Test("Each status has a line of its own, registered or not")
  func statusLines() {
    for code in 200...599 {
      let text = reply { _, response in
        response.head(HTTPStatus(rawValue: code))
        response.empty()
      }
      #expect(text.hasPrefix("HTTP/1.1 \(code) "))
    }
  }
}
