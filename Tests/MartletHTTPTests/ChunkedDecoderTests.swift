import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Chunked decoder")
struct ChunkedDecoderTests {
  enum Outcome: Equatable {
    case done(String, left: Int)
    case unfinished
    case failed(RequestFailure)
  }

  /// Decodes what arrives in pieces; unconsumed bytes are presented again, as a connection does.
  private func decode(_ pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()) -> Outcome {
    var decoder = ChunkedDecoder()
    var body = ByteBuffer()
    var waiting: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
      waiting += piece
      var consumed = 0
      do throws(RequestFailure) {
        let input = waiting
        let isDone = try decoder.decode(input.rawSpan, limits: limits, keeps: true, into: &body, consumed: &consumed)
        waiting.removeFirst(consumed)
        if isDone { return .done(body.text, left: waiting.count + pieces[(index + 1)...].reduce(0) { $0 + $1.count }) }
      } catch {
        return .failed(error)
      }
    }
    return .unfinished
  }

  private func decode(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Outcome { decode([Array(text.utf8)], limits: limits) }

  static let good = [
    "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n",
    "5;ext\r\nhello\r\n0;a=b;c=\"d;\\\"e\\\\\";f\r\n\r\n", "5 ; a = b\r\nhello\r\n0\r\n\r\n",
    "1\r\n\r\r\n1\r\n\n\r\n0\r\nTrailer: x\r\nOther:y\r\n\r\n",
    "0000000000000000000005\r\nhello\r\n0\r\n\r\n",
  ]

  @Test("Good bodies decode, whole and cut at each byte and dripped", arguments: good)
  func goodBodies(_ text: String) {
    let bytes = Array((text + "GET").utf8)
    let expected = decode([bytes])
    guard case .done(_, left: 3) = expected else {
      Issue.record("\(expected)")
      return
    }
    for cut in 1..<bytes.count { #expect(decode([Array(bytes[0..<cut]), Array(bytes[cut...])]) == expected) }
    #expect(decode(bytes.map { [$0] }) == expected)
    for count in 0..<bytes.count - 3 { #expect(decode([Array(bytes[0..<count])]) == .unfinished) }
  }

  static let bad: [(String, RequestFailure)] = [
    ("\r\n", .chunkSize), ("x\r\n", .chunkSize), ("-1\r\n", .chunkSize), ("+1\r\n", .chunkSize), ("0x1\r\n", .chunkSize),
    (" 1\r\na\r\n", .chunkSize), ("1 \r\na\r\n", .chunkSize), ("1\ra\r\n", .chunkSize), ("1\n", .chunkSize), ("1 2\r\n", .chunkExtension),
    ("1;\r\na\r\n", .chunkExtension), ("1;;a\r\n", .chunkExtension), ("1;a=\r\n", .chunkExtension), ("1;a=\"b\r\n", .chunkExtension),
    ("1;a=\"b\"c\r\n", .chunkExtension), ("1;a=\"\u{1}\"\r\n", .chunkExtension), ("1;a b\r\n", .chunkExtension), ("1;a \r\n", .chunkSize),
    ("1\r\nabc", .chunkEnd), ("1\r\na\n", .chunkEnd), ("1\r\na\rX", .chunkEnd), ("ffffffffffffffffff\r\n", .bodyTooLarge),
    ("7fffffffffffffff\r\n", .bodyTooLarge), ("0\r\nTrailer\r\n", .fieldName), ("0\r\n folded: x\r\n", .fieldFolded),
    ("0\r\nA: b\n", .lineEnd), ("0\r\nA: \u{0}\r\n", .fieldValue), ("0\r\nA : b\r\n", .fieldNameSpace),
  ]

  @Test("Malformed sizes, extensions, ends and trailers are refused, dripped too", arguments: bad)
  func badBodies(_ text: String, _ expected: RequestFailure) {
    #expect(decode(text) == .failed(expected))
    #expect(decode(Array(text.utf8).map { [$0] }) == .failed(expected))
  }

  @Test("Limits are exact")
  func limits() {
    var limits = HTTPLimits()
    limits.bodyBytesMax = 10
    #expect(decode("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limits: limits) == .done("helloworld", left: 0))
    #expect(decode("5\r\nhello\r\n6\r\n", limits: limits) == .failed(.bodyTooLarge))

    limits = HTTPLimits()
    func line(_ count: Int) -> String { "1;" + String(repeating: "a", count: count - 4) + "\r\n" }
    #expect(decode(line(limits.chunkLineBytesMax) + "x\r\n0\r\n\r\n") == .done("x", left: 0))
    #expect(decode(line(limits.chunkLineBytesMax + 1) + "x\r\n0\r\n\r\n") == .failed(.chunkLineTooLong))
    #expect(decode("1;" + String(repeating: "a", count: limits.chunkLineBytesMax)) == .failed(.chunkLineTooLong))

    limits.chunkExtensionBytesMax = 20
    #expect(decode(String(repeating: "1;a\r\nx\r\n", count: 10) + "0\r\n\r\n", limits: limits) == .done("xxxxxxxxxx", left: 0))
    #expect(decode(String(repeating: "1;a\r\nx\r\n", count: 11), limits: limits) == .failed(.chunkExtension))

    limits = HTTPLimits()
    #expect(decode("0\r\n" + String(repeating: "A: b\r\n", count: 100) + "\r\n") == .done("", left: 0))
    #expect(decode("0\r\n" + String(repeating: "A: b\r\n", count: 101)) == .failed(.trailersTooLarge))
    #expect(decode("0\r\nA: " + String(repeating: "b", count: limits.headBytesMax)) == .failed(.trailersTooLarge))
  }

  @Test("A line that drips in is searched once, not from its beginning for each byte")
  func linear() {
    // 1000 extensions of 1000 bytes each, a byte at a time, would be half a billion steps if searched again and again.
    var limits = HTTPLimits()
    limits.chunkLineBytesMax = 1 << 20
    limits.chunkExtensionBytesMax = 1 << 20
    let line = Array(("1;" + String(repeating: "a", count: 200_000) + "\r\nx\r\n0\r\n\r\n").utf8)
    var decoder = ChunkedDecoder()
    var body = ByteBuffer()
    var end = 0
    var start = 0
    var isDone = false
    while !isDone {
      end += 1
      var consumed = 0
      do throws(RequestFailure) {
        isDone = try decoder.decode(line.rawSpan[start..<end], limits: limits, keeps: true, into: &body, consumed: &consumed)
      } catch {
        Issue.record("\(error)")
        return
      }
      start += consumed
    }
    #expect(body.text == "x")
  }
}
