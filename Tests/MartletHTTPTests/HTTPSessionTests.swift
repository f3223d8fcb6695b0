import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("HTTP session")
struct HTTPSessionTests {
  @Test("A request is answered with status, date, fields, length and body")
  func simple() {
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange("GET /json HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
    #expect(
      withoutDate(reply)
        == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"message\":\"Hello, World!\"}")
    #expect(talk.unconsumed.isEmpty)
    #expect(talk.closeReason == nil)
  }
}
