import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("HTTP session")
struct HTTPSessionTests {
  private let get = "GET /json HTTP/1.1\r\nHost: a\r\n\r\n"
  private let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"message\":\"Hello, World!\"}"

  @Test("A request is answered with status, date, fields, length and body")
  func simple() {
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange(get)
    #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
    #expect(withoutDate(reply) == json)
    #expect(talk.unconsumed.isEmpty)
    #expect(talk.closeReason == nil)
  }

  @Test("Pipelined requests are answered in order, in one call")
  func pipelined() {
    var talk = Conversation(Routes.sample)
    let requests = (0..<100).map { "GET /items/\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
    let expected = (0..<100).map { "HTTP/1.1 200 OK\r\nContent-Length: \("\($0)".count)\r\n\r\n\($0)" }.joined()
    #expect(withoutDate(talk.exchange(requests)) == expected)
    #expect(talk.calls == 1)
  }

  /// Conversations whose replies must not depend on how the bytes arrive.
  static let conversations: [(String, statuses: [Int], close: CloseReason?)] = [
    ("GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET /items/%41%2fb HTTP/1.1\r\nHost: b\r\n\r\n", [200, 200], nil),
    ("\r\nPUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n", [201, 200], nil),
    (
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n6\r\n world\r\n0\r\nT: u\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
      [200, 200], nil
    ),
    (
      "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyPOST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
      [404, 404, 200], nil
    ),
    (
      "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyHEAD /json HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS /json HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      [405, 200, 204, 204], nil
    ),
    ("GET /json HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /json HTTP/1.0\r\n\r\n", [200, 200], .finished),
    ("GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [200], .finished),
    (
      "GET /throws HTTP/1.1\r\nHost: a\r\n\r\nGET /chunks HTTP/1.1\r\nHost: a\r\n\r\nGET /files/a/b%2Fc HTTP/1.1\r\nHost: a\r\n\r\n",
      [409, 200, 200], nil
    ),
    ("GET /items/%zz HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n", [400, 200], nil),
    ("GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\n", [200, 400], .protocolError),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", [400], .protocolError),
    ("POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", [404, 400], .protocolError),
    ("PUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", [413], .protocolError),
    ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", [501], .protocolError),
    ("PUT /items/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", [501], .protocolError),
    ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", [505], .protocolError),
    ("GET /json HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n", [417], .protocolError),
  ]

  @Test("Replies do not depend on where the bytes are cut", arguments: conversations.indices)
  func cuts(_ index: Int) {
    let (text, expected, close) = Self.conversations[index]
    var whole = Conversation(Routes.sample)
    let replies = withoutDate(whole.exchange(text))
    #expect(statuses(replies) == expected)
    #expect(whole.closeReason == close)

    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      var talk = Conversation(Routes.sample)
      talk.send(Array(bytes[0..<cut]))
      talk.send(Array(bytes[cut...]))
      #expect(withoutDate(talk.takeOutput()) == replies, "cut at \(cut)")
      #expect(talk.closeReason == close)
    }
    var dripped = Conversation(Routes.sample)
    for byte in bytes { dripped.send([byte]) }
    #expect(withoutDate(dripped.takeOutput()) == replies)
    #expect(dripped.closeReason == close)
  }

  @Test("Each refused head is answered with its status, once, and the connection closed", arguments: RequestParserTests.refused)
  func refusedHeads(_ text: String, _ failure: RequestFailure) {
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange(text + "GET /json HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(statuses(reply) == [failure.error(HTTPLimits()).status.rawValue])
    #expect(reply.contains("\r\nConnection: close\r\n"))
    #expect(reply.contains("\r\nContent-Type: application/problem+json\r\n"))
    #expect(talk.closeReason == .protocolError)
  }

  @Test("Smuggled requests are never answered")
  func smuggling() {
    let smuggled = "GET /items/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    let carriers = [
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\u{B}chunked\r\nContent-Length: 0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
      "GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    for carrier in carriers {
      var talk = Conversation(Routes.sample)
      #expect(!talk.exchange(carrier + smuggled).contains("smuggled"), "\(carrier)")
      #expect(talk.closeReason != nil, "\(carrier)")
    }
    // What looks like a request inside a body is the body.
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)")
    #expect(withoutDate(reply) == "HTTP/1.1 200 OK\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)")
  }

  // MARK: Heads

  @Test("Empty lines before a request are overlooked, up to the limit")
  func leadingLineBreaks() {
    var talk = Conversation(Routes.sample)
    #expect(statuses(talk.exchange(String(repeating: "\r\n", count: 4) + get)) == [200])
    #expect(statuses(talk.exchange(String(repeating: "\r\n", count: 4) + get)) == [200])
    #expect(statuses(talk.exchange(String(repeating: "\r\n", count: 5))) == [400])
    var other = Conversation(Routes.sample)
    #expect(statuses(other.exchange("\r")) == [])
    #expect(statuses(other.exchange("X")) == [400])
  }

  @Test("Limits of the head are answered with 414 and 431 and close")
  func headLimits() {
    for (text, status) in [
      ("GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
      ("GET /" + String(repeating: "a", count: 20000), 414),
      ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 16384), 431),
      ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n", 431),
    ] {
      for isDripped in [false, true] {
        var talk = Conversation(Routes.sample)
        if isDripped { for byte in text.utf8 { talk.send([byte]) } } else { talk.send(text) }
        let reply = talk.takeOutput()
        #expect(statuses(reply) == [status])
        #expect(reply.contains("\"limit\":"))
        #expect(talk.closeReason == .protocolError)
      }
    }
  }

  @Test("A head that drips in a byte at a time is parsed per line, not per byte")
  func drippedHead() {
    var unfinished = UnfinishedHead()
    let head = Array(
      ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 90) + "Y: " + String(repeating: "z", count: 15000)).utf8)
    var parses = 0
    for count in 1...head.count where !unfinished.isUnderWay || unfinished.isWorthParsing(head.rawSpan[0..<count], headBytesMax: 16384) {
      parses += 1
      unfinished.note(count, at: MonotonicTime(nanoseconds: 1))
    }
    #expect(parses < 120)
  }

  // MARK: Bodies

  @Test("A body with a length is waited for as a whole and handed on")
  func bodyNeeded() {
    var talk = Conversation(Routes.sample)
    let head = "PUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
    talk.send(head)
    guard case .read(let atLeast) = talk.progress.next else {
      _ = Issue.record("\(talk.progress)")
      return
    }
    #expect(atLeast == head.utf8.count + 1000)
    talk.send(String(repeating: "x", count: 999))
    #expect(talk.calls == 1)
    #expect(talk.output.count == 0)
    talk.send("x" + get)
    #expect(statuses(talk.takeOutput()) == [201, 200])
  }

  @Test("The body limit is exact, for both framings, and refuses before reading")
  func bodyLimit() {
    var limits = HTTPLimits()
    limits.bodyBytesMax = 10
    func status(_ framing: String) -> [Int] {
      var talk = Conversation(Routes.sample, limits: limits)
      return statuses(talk.exchange("PUT /items/k HTTP/1.1\r\nHost: a\r\n\(framing)"))
    }
    #expect(status("Content-Length: 10\r\n\r\n0123456789") == [201])
    #expect(status("Content-Length: 11\r\n\r\n") == [413])
    #expect(status("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n") == [201])
    #expect(status("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n") == [413])
    #expect(status("Content-Length: 11\r\nExpect: 100-continue\r\n\r\n") == [413])
    var talk = Conversation(Routes.sample, limits: limits)
    #expect(statuses(talk.exchange("PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")) == [413])
    #expect(talk.closeReason == .protocolError)
  }

  @Test("100 Continue is sent when a wanted body has not come yet, and only then")
  func expectContinue() {
    let expect = "HTTP/1.1 100 Continue\r\n\r\n"
    for (framing, body) in [("Content-Length: 2", "ok"), ("Transfer-Encoding: chunked", "2\r\nok\r\n0\r\n\r\n")] {
      let head = "PUT /items/k HTTP/1.1\r\nHost: a\r\n\(framing)\r\nExpect: 100-Continue\r\n\r\n"
      var talk = Conversation(Routes.sample)
      #expect(talk.exchange(head) == expect)
      #expect(statuses(talk.exchange(body)) == [201])
      #expect(statuses(talk.exchange(head + body)) == [201])
      #expect(talk.closeReason == nil)
      // HTTP/1.0 knows no expectation.
      var old = Conversation(Routes.sample)
      #expect(old.exchange("PUT /items/k HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n") == "")
      #expect(statuses(old.exchange("ok")) == [201])
    }
  }

  @Test("A client that waits for 100 Continue and is refused gets the refusal and a closed connection")
  func expectRefused() {
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange("PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(statuses(reply) == [404])
    #expect(reply.contains("Connection: close\r\n"))
    #expect(talk.closeReason == .finished)
  }

  // MARK: Replies

  @Test("HEAD gets the head of GET, length included, and no body")
  func head() {
    var talk = Conversation(Routes.sample)
    let reply = talk.exchange("HEAD /json HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(withoutDate(reply) == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n")
    #expect(talk.exchange("HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n").hasSuffix("Transfer-Encoding: chunked\r\n\r\n"))
    #expect(talk.exchange("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n").hasSuffix("\r\n\r\n"))
    #expect(talk.exchange("HEAD /throws HTTP/1.1\r\nHost: a\r\n\r\n").hasSuffix("\r\n\r\n"))
  }

  @Test("Other methods of a resource are told by 405 and by OPTIONS")
  func allow() {
    var talk = Conversation(Routes.sample)
    #expect(talk.exchange("DELETE /items/a HTTP/1.1\r\nHost: a\r\n\r\n").contains("\r\nAllow: GET, HEAD, PUT, OPTIONS\r\n"))
    #expect(talk.exchange("OPTIONS /items/a HTTP/1.1\r\nHost: a\r\n\r\n").contains("\r\nAllow: GET, HEAD, PUT, OPTIONS\r\n"))
    #expect(talk.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").contains("\r\nAllow: GET, HEAD, POST, PUT, OPTIONS\r\n"))
    #expect(statuses(talk.exchange("OPTIONS /nothing HTTP/1.1\r\nHost: a\r\n\r\n")) == [404])
    #expect(statuses(talk.exchange("PURGE /items/a HTTP/1.1\r\nHost: a\r\n\r\n")) == [405])
    #expect(statuses(talk.exchange("M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n")) == [404])
    #expect(talk.closeReason == nil)
  }

  @Test("HTTP/1.0 is kept alive when it asks, and told so; its chunked replies end with the connection")
  func oldVersion() {
    var talk = Conversation(Routes.sample)
    #expect(talk.exchange("GET /json HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").contains("\r\nConnection: keep-alive\r\n"))
    #expect(talk.closeReason == nil)
    let reply = talk.exchange("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(withoutDate(reply) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world")
    #expect(talk.closeReason == .finished)
  }

  @Test("Replies to a long pipeline are flushed in parts of bounded size")
  func flushMark() {
    var talk = Conversation(Routes.sample)
    talk.send(Array(String(repeating: get, count: 2000).utf8))
    #expect(statuses(talk.takeOutput()).count == 2000)
    #expect(talk.calls > 3)

    var session = HTTPSession(id: ConnectionID(loop: 0, slot: 0, generation: 0), service: talk.service)
    var output = ByteBuffer()
    let input = Array(String(repeating: get, count: 2000).utf8)
    let progress = session.receive(input.rawSpan, into: &output, at: talk.now)
    guard case .full = progress.next else {
      _ = Issue.record("\(progress)")
      return
    }
    #expect(output.count >= 64 << 10 && output.count < 65 << 10)
  }

  // MARK: Ends

  @Test("A draining server finishes with Connection: close, and closes who is idle")
  func draining() {
    var busy = Conversation(Routes.sample)
    busy.send("GET /json HT")
    var idle = Conversation(busy.service, busy.pending)
    busy.service.isDraining.value = true
    idle.wake(.drain)
    #expect(idle.closeReason == .drained)
    busy.wake(.drain)
    #expect(busy.closeReason == nil)
    #expect(busy.exchange("TP/1.1\r\nHost: a\r\n\r\n").contains("\r\nConnection: close\r\n"))
    #expect(busy.closeReason == .drained)
  }

  @Test("At the end of input complete requests are answered, unfinished ones dropped")
  func endOfInput() {
    for rest in [
      "", "GET /js", "PUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
    ] {
      var talk = Conversation(Routes.sample)
      talk.send(get + rest)
      talk.wake(.endOfInput)
      #expect(statuses(talk.takeOutput()) == [200])
      #expect(talk.closeReason == .peerClosed)
    }
  }

  @Test("The connection's memory of a session is small")
  func size() {
    #expect(MemoryLayout<HTTPSession>.size <= 640)
  }
}
