/// The Redis protocol, version 2, from the client's side.

import MartletBytes

/// Its functions are mutating although they change nothing: what is only borrowed from its owner is copied to the stack first, all of it.
struct RESPDialect: ~Copyable {
  let greeting: (request: [UInt8], reply: [UInt8])
  private let get: RequestTemplate
  private let delete: RequestTemplate
  /// Up to the length of the value.
  private let set: RequestTemplate
  /// Behind the value.
  private let setEnd: ByteBuffer
  private let mgetHead: ByteBuffer
  private let mgetKey: RequestTemplate
  private let batch: Int
  private let picker: KeyPicker

  init(_ options: LoadOptions, _ content: borrowing LoadContent) {
    batch = options.batch
    picker = KeyPicker(options.distribution, keys: options.keys)
    let expiry = options.ttlSeconds.map { ("EX", "\($0)") } ?? options.expireAt.map { ("EXAT", "\($0)") }
    let key = "$\(options.keyBytes)\r\n"
    get = RequestTemplate("*2\r\n$3\r\nGET\r\n\(key)", "\r\n", content, keys: options.keys)
    delete = RequestTemplate("*2\r\n$3\r\nDEL\r\n\(key)", "\r\n", content, keys: options.keys)
    set = RequestTemplate("*\(expiry == nil ? 3 : 5)\r\n$3\r\nSET\r\n\(key)", "\r\n$", content, keys: options.keys)
    mgetKey = RequestTemplate(key, "\r\n", content, keys: options.keys)
    var head = ByteBuffer()
    head.append("*\(batch + 1)\r\n$4\r\nMGET\r\n")
    mgetHead = head
    var end = ByteBuffer()
    end.append("\r\n")
    if let (word, time) = expiry { end.append("$\(word.utf8.count)\r\n\(word)\r\n$\(time.utf8.count)\r\n\(time)\r\n") }
    setEnd = end
    let word = options.token.map { "*2\r\n$4\r\nAUTH\r\n$\($0.utf8.count)\r\n\($0)\r\n" } ?? ""
    greeting = (Array(word.utf8), Array("+OK\r\n".utf8))
  }

  mutating func append(_ flight: Flight, _ content: borrowing LoadContent, to output: inout ByteBuffer) {
    switch flight.operation {
    case .get: get.append(key: flight.key, to: &output)
    case .delete: delete.append(key: flight.key, to: &output)
    case .set:
      let count = content.valueBytes(of: flight.key)
      set.append(key: flight.key, to: &output)
      output.append(decimal: count)
      output.append("\r\n")
      content.appendValue(of: flight.key, count: count, to: &output)
      output.append(setEnd)
    case .mget:
      output.append(mgetHead)
      var keys = BatchKeys(flight.key, picker)
      for _ in 0..<batch { mgetKey.append(key: keys.next(), to: &output) }
    case .path: preconditionFailure("a path is HTTP's")
    }
  }

  mutating func check(_ input: RawSpan, _ flight: Flight, _ content: borrowing LoadContent) -> Verdict {
    switch flight.operation {
    case .get:
      let verdict = checkBulk(input, from: 0, key: flight.key, content)
      return verdict.outcome == .wrongReply ? checkOther(input) : verdict
    case .set: return input.starts(with: "+OK\r\n") ? .right(5) : checkOther(input)
    case .delete:
      guard input.byteCount >= 4 else { return .incomplete(wanted: 4) }
      guard input.starts(with: ":0\r\n") || input.starts(with: ":1\r\n") else { return checkOther(input) }
      return .right(4, misses: input[1] == UInt8(ascii: "0") ? 1 : 0)
    case .mget: return checkArray(input, flight, content)
    case .path: preconditionFailure("a path is HTTP's")
    }
  }

  /// A bulk string at `start` that should be the key's value, or nil. `wrongReply`: it is neither.
  private mutating func checkBulk(_ input: RawSpan, from start: Int, key: Int, _ content: borrowing LoadContent) -> Verdict {
    guard start < input.byteCount else { return .incomplete(wanted: start &+ 1) }
    guard input[start] == UInt8(ascii: "$") else { return .wrongReply(0) }
    switch LineNumber.read(input, from: start &+ 1) {
    case .incomplete: return .incomplete(wanted: input.byteCount &+ 1)
    case .malformed: return .malformed
    case .number(let count, let valueStart):
      if count == -1 { return .right(valueStart, misses: 1) }
      guard 0...LoadOptions.valueBytesMax ~= count else { return .malformed }
      let end = valueStart &+ count
      guard end &+ 2 <= input.byteCount else { return .incomplete(wanted: end &+ 2) }
      guard input.isLineEnd(at: end) else { return .malformed }
      return .value(content.isValue(input[valueStart..<end], of: key), end &+ 2)
    }
  }

  private mutating func checkArray(_ input: RawSpan, _ flight: Flight, _ content: borrowing LoadContent) -> Verdict {
    guard let first = input.byteCount > 0 ? input[0] : nil else { return .incomplete(wanted: 1) }
    guard first == UInt8(ascii: "*") else { return checkOther(input) }
    switch LineNumber.read(input, from: 1) {
    case .incomplete: return .incomplete(wanted: input.byteCount &+ 1)
    case .malformed: return .malformed
    case .number(let count, var end):
      guard count == batch else { return .malformed }
      var keys = BatchKeys(flight.key, picker)
      var whole = Verdict.right(0)
      for _ in 0..<count {
        let element = checkBulk(input, from: end, key: keys.next(), content)
        switch element.outcome {
        case .incomplete, .malformed: return element
        case .wrongReply: return .malformed
        case .wrongValue: whole.outcome = .wrongValue
        case .right: whole.misses &+= element.misses
        }
        end = element.bytes
      }
      whole.bytes = end
      return whole
    }
  }

  /// A reply that is not what was due: an error, mostly. Its end is known if its kind is.
  private mutating func checkOther(_ input: RawSpan) -> Verdict {
    guard let first = input.byteCount > 0 ? input[0] : nil else { return .incomplete(wanted: 1) }
    switch first {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"):
      guard let end = input.lineEnd() else {
        return input.byteCount > ReplyLimits.lineBytesMax ? .malformed : .incomplete(wanted: input.byteCount &+ 1)
      }
      // What may still become the reply that was due has no end yet, so it is not decided here.
      return end >= 2 && input[end &- 2] == ASCII.carriageReturn ? .wrongReply(end) : .malformed
    case UInt8(ascii: "$"):
      switch LineNumber.read(input, from: 1) {
      case .incomplete: return .incomplete(wanted: input.byteCount &+ 1)
      case .malformed: return .malformed
      case .number(let count, let start):
        if count == -1 { return .wrongReply(start) }
        guard 0...LoadOptions.valueBytesMax ~= count else { return .malformed }
        let end = start &+ count &+ 2
        return end <= input.byteCount ? .wrongReply(end) : .incomplete(wanted: end)
      }
    default: return .malformed
    }
  }
}

/// The keys of one `mget`, drawn anew from its number whenever they are needed: for the request, and for each look at its reply.
struct BatchKeys {
  private var random: SplitMix64
  private var picker: KeyPicker

  init(_ number: Int, _ picker: KeyPicker) {
    random = SplitMix64(seed: UInt64(bitPattern: Int64(number)))
    self.picker = picker
    self.picker.move(to: number)
  }

  mutating func next() -> Int { picker.next(&random) }
}
