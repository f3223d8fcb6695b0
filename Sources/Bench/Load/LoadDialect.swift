/// The client's side of a protocol, as pure functions over bytes: requests are written, replies checked to the byte.
///
/// A dialect knows no socket, no clock and no order: what it is asked about is a `Flight`, a request under way. One serves all
/// connections of a thread. Why not a protocol and generic sessions: those ran unspecialised, at 3000 instructions a request; a branch that
/// always goes the same way costs nothing.
///
/// What a request costs: its text copied from a template with the key's digits put in, a value copied behind it; the reply read where it
/// lies and compared with the value's source. No allocation, once the templates are made.

import MartletBytes

/// A request under way.
struct Flight: BitwiseCopyable {
  /// When it was sent, or should have been, in nanoseconds of the monotonic clock.
  var time: UInt64
  /// The key's number; for `mget` what its keys are drawn from.
  var key: Int
  var operation: LoadOperation
}

/// What a look at a reply has shown.
struct Verdict {
  enum Outcome: UInt8 {
    /// More bytes are needed: `bytes` of them, counted from the reply's first.
    case incomplete
    /// The reply that was due, `bytes` long.
    case right
    /// A whole reply with a value that is not the key's.
    case wrongValue
    /// A whole reply of another kind: an error, another status.
    case wrongReply
    /// What the protocol does not know: nothing after it can be understood.
    case malformed
  }

  var outcome: Outcome
  var bytes: Int
  /// Keys that were not there.
  var misses: Int = 0
  /// The peer will close the connection after this reply.
  var closes = false

  static func incomplete(wanted bytes: Int) -> Verdict { Verdict(outcome: .incomplete, bytes: bytes) }
  static func right(_ bytes: Int, misses: Int = 0) -> Verdict { Verdict(outcome: .right, bytes: bytes, misses: misses) }
  static func wrongReply(_ bytes: Int) -> Verdict { Verdict(outcome: .wrongReply, bytes: bytes) }
  static var malformed: Verdict { Verdict(outcome: .malformed, bytes: 0) }

  /// A reply with a value, which was right or not.
  static func value(_ isRight: Bool, _ bytes: Int) -> Verdict { Verdict(outcome: isRight ? .right : .wrongValue, bytes: bytes) }
}

struct LoadDialect: ~Copyable {
  private let scheme: LoadTarget.Scheme
  private let content: LoadContent
  private var http: HTTPDialect
  private var resp: RESPDialect
  private var memcached: MemcachedDialect

  init(_ options: LoadOptions) {
    scheme = options.target.scheme
    content = LoadContent(keyBytes: options.keyBytes, valueBytes: options.valueBytes)
    http = HTTPDialect(options, content)
    resp = RESPDialect(options, content)
    memcached = MemcachedDialect(options, content)
  }

  /// What is sent first on each connection, and the reply that it must have; empty: nothing.
  var greeting: (request: [UInt8], reply: [UInt8]) {
    switch scheme {
    case .http: ([], [])
    case .resp: resp.greeting
    case .memcached: memcached.greeting
    }
  }

  /// The body that a path's replies have had; empty for what else there is.
  var pathReply: [UInt8] { http.reference.bytes.copied() }

  mutating func append(_ flight: Flight, to output: inout ByteBuffer) {
    switch scheme {
    case .http: http.append(flight, content, to: &output)
    case .resp: resp.append(flight, content, to: &output)
    case .memcached: memcached.append(flight, content, to: &output)
    }
  }

  /// Looks at the reply at the start of `input`.
  mutating func check(_ input: RawSpan, _ flight: Flight) -> Verdict {
    switch scheme {
    case .http: http.check(input, flight, content)
    case .resp: resp.check(input, flight, content)
    case .memcached: memcached.check(input, flight, content)
    }
  }
}

/// What is taken before a reply counts as malformed, in bytes: of a line or a head, and of a body.
enum ReplyLimits {
  static var lineBytesMax: Int { 64 << 10 }
  static var bodyBytesMax: Int { 64 << 20 }
}

/// A request as text whose key's number is 0: copied, then the digits put in.
struct RequestTemplate: ~Copyable {
  private let text: ByteBuffer
  private let keyEnd: Int

  init(_ start: String, _ end: String, _ content: borrowing LoadContent, keys: Int) {
    var text = ByteBuffer()
    text.append(start)
    content.appendKeyTemplate(to: &text, keys: keys)
    keyEnd = text.count
    text.append(end)
    self.text = text
  }

  func append(key: Int, to output: inout ByteBuffer) {
    let start = output.count
    output.append(text)
    output.replace(decimal: UInt64(truncatingIfNeeded: key), endingAt: start &+ keyEnd)
  }
}

/// A number in a line of a reply: digits from some place to CR LF.
enum LineNumber {
  case incomplete
  case malformed
  /// `end`: where the next line begins.
  case number(Int, end: Int)

  /// With an optional `-` in front; 18 digits at most.
  static func read(_ input: RawSpan, from start: Int) -> LineNumber {
    var index = start
    var value = 0
    let isNegative = index < input.byteCount && input[index] == UInt8(ascii: "-")
    if isNegative { index &+= 1 }
    let first = index
    while index < input.byteCount {
      let digit = input[index] &- 0x30
      guard digit < 10 else { break }
      value = value &* 10 &+ Int(digit)
      index &+= 1
      if index &- first > 18 { return .malformed }
    }
    if index == input.byteCount { return .incomplete }
    guard index > first, input[index] == ASCII.carriageReturn else { return .malformed }
    if index &+ 1 == input.byteCount { return .incomplete }
    return input[index &+ 1] == ASCII.lineFeed ? .number(isNegative ? -value : value, end: index &+ 2) : .malformed
  }
}

extension RawSpan {
  /// Where the line that begins at `start` ends, behind its LF; nil if it is not all there. Eight bytes a step.
  func lineEnd(from start: Int = 0) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = start
    while index < byteCount {
      let differing = paddedWord(at: index) ^ ones &* UInt64(ASCII.lineFeed)
      let found = (differing &- ones) & ~differing & (ones &* 0x80)  // the lowest bit set is the first LF's; padding is no LF
      if found != 0 { return index &+ found.trailingZeroBitCount / 8 &+ 1 }
      index &+= 8
    }
    return nil
  }

  /// Whether CR LF stand at `offset`; the caller knows that two bytes do.
  func isLineEnd(at offset: Int) -> Bool { self[offset] == ASCII.carriageReturn && self[offset &+ 1] == ASCII.lineFeed }

  /// Whether the span begins with the bytes of `text`.
  func starts(with text: StaticString) -> Bool {
    byteCount >= text.utf8CodeUnitCount && self[0..<text.utf8CodeUnitCount].equals(text)
  }
}
