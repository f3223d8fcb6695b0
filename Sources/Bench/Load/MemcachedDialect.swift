/// memcached's text protocol from the client's side.

import MartletBytes

struct MemcachedDialect: ~Copyable {
  let greeting: (request: [UInt8], reply: [UInt8])
  private let get: RequestTemplate
  private let delete: RequestTemplate
  /// Up to the length of the value.
  private let set: RequestTemplate
  /// A key behind a space, as `mget` has them.
  private let oneKey: RequestTemplate
  /// A reply's line up to its length: `VALUE key 0 `.
  private let valueHead: RequestTemplate
  private let batch: Int
  private let picker: KeyPicker
  /// The head that is expected now.
  private var scratch = ByteBuffer(capacity: 512)

  init(_ options: LoadOptions, _ content: borrowing LoadContent) {
    batch = options.batch
    picker = KeyPicker(options.distribution, keys: options.keys)
    get = RequestTemplate("get ", "\r\n", content, keys: options.keys)
    delete = RequestTemplate("delete ", "\r\n", content, keys: options.keys)
    set = RequestTemplate("set ", " 0 \(options.ttlSeconds ?? options.expireAt ?? 0) ", content, keys: options.keys)
    oneKey = RequestTemplate(" ", "", content, keys: options.keys)
    valueHead = RequestTemplate("VALUE ", " 0 ", content, keys: options.keys)
    let word = options.token.map { "set auth 0 0 \($0.utf8.count + 5)\r\nload \($0)\r\n" } ?? ""
    greeting = (Array(word.utf8), Array("STORED\r\n".utf8))
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
      output.append("\r\n")
    case .mget:
      output.append("get")
      var keys = BatchKeys(flight.key, picker)
      for _ in 0..<batch { oneKey.append(key: keys.next(), to: &output) }
      output.append("\r\n")
    case .path: preconditionFailure("a path is HTTP's")
    }
  }

  mutating func check(_ input: RawSpan, _ flight: Flight, _ content: borrowing LoadContent) -> Verdict {
    switch flight.operation {
    case .get: return checkOne(input, key: flight.key, content)
    case .mget: return checkSeveral(input, flight, content)
    case .set: return input.starts(with: "STORED\r\n") ? .right(8) : checkOther(input)
    case .delete:
      if input.starts(with: "DELETED\r\n") { return .right(9) }
      return input.starts(with: "NOT_FOUND\r\n") ? .right(11, misses: 1) : checkOther(input)
    case .path: preconditionFailure("a path is HTTP's")
    }
  }

  private mutating func checkOne(_ input: RawSpan, key: Int, _ content: borrowing LoadContent) -> Verdict {
    let value = checkValue(input, from: 0, key: key, content)
    switch value.outcome {
    case .right, .wrongValue:
      guard value.bytes &+ 5 <= input.byteCount else { return .incomplete(wanted: value.bytes &+ 5) }
      guard input[value.bytes..<(value.bytes &+ 5)].equals("END\r\n") else { return .malformed }
      return Verdict(outcome: value.outcome, bytes: value.bytes &+ 5)
    case .wrongReply: return input.starts(with: "END\r\n") ? .right(5, misses: 1) : checkOther(input)
    case .incomplete, .malformed: return value
    }
  }

  /// Values come in the order of their keys; those that are missing are left out.
  private mutating func checkSeveral(_ input: RawSpan, _ flight: Flight, _ content: borrowing LoadContent) -> Verdict {
    var keys = BatchKeys(flight.key, picker)
    var whole = Verdict.right(0)
    var found = 0
    for _ in 0..<batch {
      let value = checkValue(input, from: whole.bytes, key: keys.next(), content)
      switch value.outcome {
      case .incomplete, .malformed: return value
      case .wrongReply: continue  // another key's, or the end
      case .wrongValue: whole.outcome = .wrongValue
      case .right: break
      }
      found &+= 1
      whole.bytes = value.bytes
    }
    let rest = input[whole.bytes..<input.byteCount]
    if rest.starts(with: "END\r\n") {
      whole.misses = batch &- found
      whole.bytes &+= 5
      return whole
    }
    if whole.bytes == 0 && !input.starts(with: "VALUE ") { return checkOther(input) }
    return rest.byteCount < 5 ? .incomplete(wanted: whole.bytes &+ 5) : .malformed
  }

  /// The block of one value at `start`. `wrongReply`: it is not the key's.
  private mutating func checkValue(_ input: RawSpan, from start: Int, key: Int, _ content: borrowing LoadContent) -> Verdict {
    scratch.removeAll()
    valueHead.append(key: key, to: &scratch)
    let headEnd = start &+ scratch.count
    if headEnd > input.byteCount {
      let begun = input[start..<input.byteCount]
      // Not whole: it may become the head, the end of the reply, or an error.
      return begun.equals(scratch.bytes[0..<begun.byteCount]) ? .incomplete(wanted: max(input.byteCount &+ 1, start &+ 5)) : .wrongReply(0)
    }
    guard input[start..<headEnd].equals(scratch.bytes) else { return .wrongReply(0) }
    switch LineNumber.read(input, from: headEnd) {
    case .incomplete: return .incomplete(wanted: input.byteCount &+ 1)
    case .malformed: return .malformed
    case .number(let count, let valueStart):
      guard 0...LoadOptions.valueBytesMax ~= count else { return .malformed }
      let end = valueStart &+ count
      guard end &+ 2 <= input.byteCount else { return .incomplete(wanted: end &+ 2) }
      guard input.isLineEnd(at: end) else { return .malformed }
      return .value(content.isValue(input[valueStart..<end], of: key), end &+ 2)
    }
  }

  /// A line that is not what was due: `ERROR`, `SERVER_ERROR …`, `NOT_STORED`.
  private func checkOther(_ input: RawSpan) -> Verdict {
    guard let end = input.lineEnd() else {
      return input.byteCount > ReplyLimits.lineBytesMax ? .malformed : .incomplete(wanted: input.byteCount &+ 1)
    }
    let known = ["ERROR", "CLIENT_ERROR", "SERVER_ERROR", "NOT_STORED", "EXISTS", "NOT_FOUND", "STORED", "DELETED", "END"]
    let word = input[0..<end].text.prefix { $0 != " " && $0 != "\r" && $0 != "\r\n" && $0 != "\n" }
    return known.contains(String(word)) ? .wrongReply(end) : .malformed
  }
}
