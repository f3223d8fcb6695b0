import MartletAPI
import MartletBytes
import MartletHTTP
import MartletJSON
import Testing

@Suite("JSON replies")
struct ResponseWriterJSONTests {
  /// The reply of a route to a GET.
  static func reply(_ handler: @escaping Handler) -> String {
    var router = Router()
    router.get("/", handler)
    let service = HTTPService(routes: RouteTree(router)) { _, _ in }
    var session = HTTPSession(id: ConnectionID(loop: 0, slot: 0, generation: 1), service: service)
    var output = ByteBuffer()
    let request: [UInt8] = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    _ = session.receive(request.rawSpan, into: &output, at: .now)
    return output.text
  }

  @Test("A body is written with its type and length")
  func body() {
    let reply = Self.reply { _, response in
      response.head(.ok)
      try response.json { json in
        json.beginObject()
        json.member("a", 1)
        json.endObject()
      }
    }
    #expect(reply.contains("\r\nContent-Type: application/json\r\n"))
    #expect(reply.contains("\r\nContent-Length: 7\r\n"))
    #expect(reply.hasSuffix("\r\n\r\n{\"a\":1}"))
  }

  @Test("A value that JSON cannot write makes the whole reply an error, and nothing of the body leaks")
  func failure() {
    let reply = Self.reply { _, response in
      response.head(.ok)
      try response.json { json in
        json.beginObject()
        try json.member("a", Double.nan)
        json.endObject()
      }
    }
    #expect(reply.hasPrefix("HTTP/1.1 500 "))
    #expect(!reply.contains("\"a\""))
  }
}
