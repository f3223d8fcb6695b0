/// HTTP/1.1 from the client's side: values under `/v1/cache/{key}`, or one path whose body is the same each time.

import MartletBytes

struct HTTPDialect: ~Copyable {
  private let get: RequestTemplate
  private let delete: RequestTemplate
  /// Up to the length of the body.
  private let put: RequestTemplate
  private let path: ByteBuffer
  private let statuses: ClosedRange<Int>
  /// Whether a path's body may be another each time, or have its members in another order.
  private let anyBody: Bool
  private let anyOrder: Bool
  /// The first body of the path: what all others must be.
  private(set) var reference = ByteBuffer()
  private var hasReference = false
  private var lastHeadText = ByteBuffer()
  private var lastHead = ReplyHead()
  /// A chunked body, put together.
  private var flattened = ByteBuffer()

  init(_ options: LoadOptions, _ content: borrowing LoadContent) {
    var fields = "Host: \(options.target.host)\r\n"
    if let token = options.token { fields += "Authorization: Bearer \(token)\r\n" }
    let end = " HTTP/1.1\r\n\(fields)"
    let ttl = options.ttlSeconds.map { "?ttl=\($0)" } ?? ""
    get = RequestTemplate("GET /v1/cache/", end + "\r\n", content, keys: options.keys)
    delete = RequestTemplate("DELETE /v1/cache/", end + "\r\n", content, keys: options.keys)
    put = RequestTemplate("PUT /v1/cache/", ttl + end + "Content-Length: ", content, keys: options.keys)
    (anyBody, anyOrder) = (options.anyBody, options.anyOrder)
    var text = ByteBuffer()
    if let body = options.body {
      text.append("POST \(options.path ?? "/") HTTP/1.1\r\n\(fields)Content-Type: application/json\r\n")
      text.append("Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    } else {
      text.append("GET \(options.path ?? "/") HTTP/1.1\r\n\(fields)\r\n")
    }
    path = text
    statuses = options.statuses
  }

  mutating func append(_ flight: Flight, _ content: borrowing LoadContent, to output: inout ByteBuffer) {
    switch flight.operation {
    case .path: output.append(path)
    case .get: get.append(key: flight.key, to: &output)
    case .delete: delete.append(key: flight.key, to: &output)
    case .set:
      let count = content.valueBytes(of: flight.key)
      put.append(key: flight.key, to: &output)
      output.append(decimal: count)
      output.append("\r\n\r\n")
      content.appendValue(of: flight.key, count: count, to: &output)
    case .mget: preconditionFailure("several keys in one request are not HTTP's")
    }
  }

  mutating func check(_ input: RawSpan, _ flight: Flight, _ content: borrowing LoadContent) -> Verdict {
    guard let head = readHead(input) else {
      return input.byteCount > ReplyLimits.lineBytesMax ? .malformed : .incomplete(wanted: input.byteCount &+ 1)
    }
    var verdict: Verdict
    switch head.framing {
    case .length(let count):
      let end = head.end &+ count
      guard end <= input.byteCount else { return .incomplete(wanted: end) }
      verdict = judge(flight, content, status: head.status, body: input[head.end..<end])
      verdict.bytes = end
    case .chunked:
      flattened.removeAll()
      switch Chunks.flatten(input, from: head.end, into: &flattened) {
      case .incomplete: return .incomplete(wanted: input.byteCount &+ 1)
      case .malformed: return .malformed
      case .number(_, let end):
        var body = ByteBuffer()  // out of `self` while that is used
        swap(&body, &flattened)
        verdict = judge(flight, content, status: head.status, body: body.bytes)
        swap(&body, &flattened)
        verdict.bytes = end
      }
    case .malformed: return .malformed
    }
    verdict.closes = head.closes
    return verdict
  }

  /// Heads differ in their date, once a second, and not always in more: one that is to the byte the last one means the same.
  private mutating func readHead(_ input: RawSpan) -> ReplyHead? {
    let known = lastHeadText.count
    if known > 0 && known <= input.byteCount && input[0..<known].equals(lastHeadText.bytes) { return lastHead }
    guard let head = ReplyHead(input) else { return nil }
    lastHeadText.removeAll()
    if case .malformed = head.framing { return head }
    lastHeadText.append(input[0..<head.end])
    lastHead = head
    return head
  }

  private mutating func judge(_ flight: Flight, _ content: borrowing LoadContent, status: Int, body: RawSpan) -> Verdict {
    switch (flight.operation, status) {
    case (.path, _) where statuses ~= status: .value(isReference(body), 0)
    case (.get, 200): .value(content.isValue(body, of: flight.key), 0)
    case (.get, 404), (.delete, 404): .right(0, misses: 1)
    case (.set, 200), (.set, 201), (.set, 204), (.delete, 200), (.delete, 204): .right(0)
    default: .wrongReply(0)
    }
  }

  private mutating func isReference(_ body: RawSpan) -> Bool {
    if anyBody { return true }
    if !hasReference {
      reference.append(body)
      hasReference = true
    }
    return reference.bytes.equals(body)
      || anyOrder && reference.count == body.byteCount && Self.byteCounts(reference.bytes) == Self.byteCounts(body)
  }

  /// How often each byte is there: the same whatever the order of members, and dear to hit by accident.
  private static func byteCounts(_ bytes: RawSpan) -> [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for index in 0..<bytes.byteCount { counts[Int(bytes[index])] &+= 1 }
    return counts
  }
}

/// What of a reply's head the check needs.
struct ReplyHead {
  enum Framing {
    case length(Int)
    case chunked
    case malformed
  }

  var status = 0
  /// Where the body begins.
  var end = 0
  var framing = Framing.malformed
  var closes = false

  init() {}

  /// nil if the head is not all there.
  init?(_ input: RawSpan) {
    guard var lineStart = input.lineEnd() else { return nil }
    guard let status = Self.status(input[0..<lineStart]) else { return }  // malformed, whatever follows
    self.status = status
    var length: Framing?
    while true {
      guard let lineEnd = input.lineEnd(from: lineStart) else { return nil }
      let first = input[lineStart]
      if first == ASCII.carriageReturn && lineEnd == lineStart &+ 2 { break }
      // Content-Length, Connection, Transfer-Encoding: few fields begin so.
      if first | 0x20 == UInt8(ascii: "c") || first | 0x20 == UInt8(ascii: "t") { readField(input[lineStart..<lineEnd], &length) }
      lineStart = lineEnd
    }
    end = lineStart &+ 2
    if status == 204 || status == 304 { length = .length(0) }
    framing = length ?? .malformed
  }

  /// `HTTP/1.1 200 OK`, also without the words.
  private static func status(_ line: RawSpan) -> Int? {
    guard line.byteCount >= 14, line.starts(with: "HTTP/1."), line[8] == ASCII.space else { return nil }
    let digits = Digits.parseUnsigned(line[9..<12])
    return digits.map { Int($0) }
  }

  private mutating func readField(_ line: RawSpan, _ framing: inout Framing?) {
    // A line may end in LF alone, and then has no framing that counts.
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon + 3 <= line.byteCount, line.isLineEnd(at: line.byteCount - 2) else {
      return
    }
    let name = line[0..<colon]
    let value = line[(colon + 1)..<(line.byteCount - 2)].trimmed
    if name.equalsIgnoringCase("content-length") {
      let count = Digits.parseUnsigned(value)
      framing = count.flatMap { $0 <= UInt64(ReplyLimits.bodyBytesMax) ? .length(Int($0)) : nil } ?? .malformed
    } else if name.equalsIgnoringCase("transfer-encoding") {
      framing = value.equalsIgnoringCase("chunked") ? .chunked : .malformed
    } else if name.equalsIgnoringCase("connection") {
      closes = value.equalsIgnoringCase("close")
    }
  }
}

/// A chunked body (RFC 9112 section 7.1): sizes in hexadecimal, extensions and trailers passed over.
enum Chunks {
  /// Puts the body together; the number is its length, `end` where the next reply begins.
  static func flatten(_ input: RawSpan, from start: Int, into body: inout ByteBuffer) -> LineNumber {
    var place = start
    while true {
      guard let lineEnd = input.lineEnd(from: place) else { return .incomplete }
      var size = 0
      var index = place
      while let digit = ASCII.hexValue(input[index]) {
        size = size << 4 | Int(digit)
        index += 1
        if body.count + size > ReplyLimits.bodyBytesMax { return .malformed }
      }
      guard index > place, input[index] == ASCII.carriageReturn || input[index] == UInt8(ascii: ";") else { return .malformed }
      place = lineEnd
      if size == 0 { break }
      guard place + size + 2 <= input.byteCount else { return .incomplete }
      guard input.isLineEnd(at: place + size) else { return .malformed }
      body.append(input[place..<(place + size)])
      place += size + 2
    }
    while true {  // trailers, and the empty line
      guard let lineEnd = input.lineEnd(from: place) else { return .incomplete }
      if lineEnd == place + 2 { return input.isLineEnd(at: place) ? .number(body.count, end: lineEnd) : .malformed }
      place = lineEnd
    }
  }
}
