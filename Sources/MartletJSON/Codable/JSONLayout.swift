/// A compact text laid out for people or for comparison: indented, members sorted, of names that stand twice only the last.
///
/// A pass of its own behind the encoder, so that those who ask for none of it do not pay. The text is our own encoder's, so it is right.

import MartletBytes

struct JSONLayout {
  let sorted: Bool
  let pretty: Bool

  /// Lays out the text that begins at `start` and ends with the buffer.
  func apply(to buffer: inout ByteBuffer, from start: Int) {
    let laidOut = layout(of: buffer.bytes[start..<buffer.count])
    buffer.truncate(to: start)
    buffer.append(laidOut)
  }

  private func layout(of text: RawSpan) -> ByteBuffer {
    let tape = JSONTape(text, options: MartletJSON.Decoder())
    defer { tape.close() }
    precondition(tape.failure == nil, "what the encoder has written is JSON")
    var output = ByteBuffer(capacity: text.byteCount)
    write(JSONTape.root, of: tape, level: 0, to: &output)
    return output
  }

  private func write(_ index: Int, of tape: JSONTape, level: Int, to output: inout ByteBuffer) {
    let token = tape.token(index)
    switch token.kind {
    case .object:
      output.append("{")
      var members: [(name: String, token: JSONToken, value: Int)] = []
      tape.forEachMember(of: index) { name, value in members.append((sorted ? tape.string(name) : "", name, value)) }
      if sorted { members.sort { $0.name < $1.name } }
      for place in members.indices {
        beginItem(isFirst: place == 0, level: level + 1, to: &output)
        quote(members[place].token, of: tape, to: &output)
        if pretty { output.append(" : ") } else { output.append(":") }
        write(members[place].value, of: tape, level: level + 1, to: &output)
      }
      end("}", isEmpty: members.isEmpty, level: level, to: &output)
    case .array:
      output.append("[")
      var element = index + 1
      for place in 0..<Int(token.length) {
        beginItem(isFirst: place == 0, level: level + 1, to: &output)
        write(element, of: tape, level: level + 1, to: &output)
        element = tape.next(element)
      }
      end("]", isEmpty: token.length == 0, level: level, to: &output)
    case .name, .string: quote(token, of: tape, to: &output)
    case .number: tape.withBytes(token) { output.append($0) }
    case .isTrue: output.append("true")
    case .isFalse: output.append("false")
    case .null: output.append("null")
    }
  }

  private func quote(_ token: JSONToken, of tape: JSONTape, to output: inout ByteBuffer) {
    output.append("\"")
    tape.withBytes(token) { output.append($0) }
    output.append("\"")
  }

  private func beginItem(isFirst: Bool, level: Int, to output: inout ByteBuffer) {
    if !isFirst { output.append(",") }
    if pretty { newLine(level, to: &output) }
  }

  /// Foundation leaves an empty line between the brackets of what is empty.
  private func end(_ bracket: StaticString, isEmpty: Bool, level: Int, to output: inout ByteBuffer) {
    if pretty {
      if isEmpty { output.append("\n") }
      newLine(level, to: &output)
    }
    output.append(bracket)
  }

  private func newLine(_ level: Int, to output: inout ByteBuffer) {
    output.append("\n")
    for _ in 0..<level { output.append("  ") }
  }
}
