import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("HTTP deadlines")
struct HTTPSessionDeadlinesTests {
  private func seconds(_ talk: borrowing Conversation) -> Double { Double(talk.progress.deadline.nanoseconds(since: talk.now)) / 1e9 }

  @Test("An idle connection is closed silently after 60 seconds")
  func idle() {
    var talk = Conversation(Routes.sample)
    #expect(seconds(talk) == 60)
    talk.advance(seconds: 30)
    talk.send("GET /json HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(seconds(talk) == 60)
    _ = talk.takeOutput()
    talk.meetDeadline()
    #expect(talk.takeOutput() == "")
    #expect(talk.closeReason == .idleTimeout)
  }

  @Test("A head has 10 seconds from its first byte, however it drips: 408")
  func head() {
    var talk = Conversation(Routes.sample)
    talk.send("GET")
    #expect(seconds(talk) == 10)
    for _ in 0..<9 {
      talk.advance(seconds: 1)
      talk.send(" ")
    }
    #expect(talk.takeOutput().contains("HTTP/1.1 400") || seconds(talk) == 1)
    var slow = Conversation(Routes.sample)
    slow.send("G")
    slow.advance(seconds: 9)
    slow.send("E")
    #expect(seconds(slow) == 1)
    slow.meetDeadline()
    let reply = slow.takeOutput()
    #expect(statuses(reply) == [408])
    #expect(reply.contains("Connection: close\r\n"))
    #expect(slow.closeReason == .headTimeout)
  }

  @Test("A deadline that comes early changes nothing")
  func early() {
    var talk = Conversation(Routes.sample)
    let deadline = talk.progress.deadline
    talk.advance(seconds: 59)
    talk.wake(.deadline(buffered: 0))
    #expect(talk.closeReason == nil)
    #expect(talk.progress.deadline == deadline)
  }

  /// Sends a body at `rate` bytes a second, in pieces of `interval` seconds; how long it was let live.
  private func survives(_ head: String, piece: (Int) -> String, interval: Double, for duration: Double) -> (Double, CloseReason?) {
    var talk = Conversation(Routes.sample)
    talk.send(head)
    let start = talk.now
    var next = start.advanced(bySeconds: interval)
    var index = 0
    while talk.closeReason == nil && talk.now.nanoseconds(since: start) < UInt64(duration * 1e9) {
      if talk.progress.deadline < next {
        talk.meetDeadline()
      } else {
        talk.now = next
        talk.send(piece(index))
        index += 1
        next = next.advanced(bySeconds: interval)
      }
    }
    return (Double(talk.now.nanoseconds(since: start)) / 1e9, talk.closeReason)
  }

  @Test("A body slower than 240 bytes a second after 5 seconds is refused; one at that rate is not")
  func bodyRate() {
    let head = "PUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    let chunked = "PUT /items/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let unwanted = "PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    func text(_ count: Int) -> String { String(repeating: "x", count: count) }
    for head in [head, unwanted] {
      #expect(survives(head, piece: { _ in text(240) }, interval: 1, for: 100) == (100, nil))
      let slow = survives(head, piece: { _ in text(200) }, interval: 1, for: 100)
      #expect(slow.1 == .bodyTimeout && slow.0 >= 5 && slow.0 <= 8)
      let silent = survives(head, piece: { _ in "" }, interval: 1, for: 100)
      #expect(silent.1 == .bodyTimeout && abs(silent.0 - 5) < 0.1)
      // Fast, then silent: the average would carry it for an hour, the idle limit does not.
      let stalled = survives(head, piece: { $0 == 0 ? text(900_000) : "" }, interval: 1, for: 10_000)
      #expect(stalled.1 == .bodyTimeout && stalled.0 <= 130)
    }
    #expect(survives(chunked, piece: { _ in "f0\r\n\(text(240))\r\n" }, interval: 1, for: 100) == (100, nil))
    let slow = survives(chunked, piece: { _ in "64\r\n\(text(100))\r\n" }, interval: 1, for: 100)
    #expect(slow.1 == .bodyTimeout && slow.0 >= 5 && slow.0 <= 8)
  }

  @Test("A slow body is answered with 408")
  func bodyReply() {
    var talk = Conversation(Routes.sample)
    talk.send("PUT /items/k HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    #expect(abs(seconds(talk) - 5) < 0.1)
    talk.meetDeadline()
    #expect(statuses(talk.takeOutput()) == [408])
  }

  @Test("Who is owed a reply has no deadline")
  func owed() {
    var talk = Conversation(Routes.sample)
    talk.send("GET /later?x HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(talk.isBlocked == true)
    #expect(talk.progress.deadline == .never)
  }
}
