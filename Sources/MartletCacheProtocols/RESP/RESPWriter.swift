/// Replies in RESP2 and RESP3, appended to the output. What the two spell differently is decided here, by `version`.
///
/// Aggregates are announced with their count, then written element by element; who announces keeps his word.

public import MartletBytes

@usableFromInline
package struct RESPWriter: ~Copyable {
  @usableFromInline
  package enum Version: UInt8, Sendable {
    case two = 2
    case three = 3
  }

  @usableFromInline package var output: ByteBuffer
  /// What the client of the reply under way understands.
  @usableFromInline package var version: Version

  package init(output: consuming ByteBuffer = ByteBuffer(), version: Version = .two) {
    self.output = output
    self.version = version
  }

  // MARK: Simple

  @inlinable
  package mutating func ok() { output.append("+OK\r\n") }

  package mutating func simple(_ text: StaticString) {
    output.append(UInt8(ascii: "+"))
    output.append(text)
    output.append("\r\n")
  }

  package mutating func simple(text: String) {
    output.append(UInt8(ascii: "+"))
    output.append(text)
    output.append("\r\n")
  }

  /// An error with its code: `ERR …`. Line ends in it become blanks, as it is a line itself.
  package mutating func error(_ text: [UInt8]) {
    output.append(UInt8(ascii: "-"))
    for byte in text { output.append(byte == ASCII.carriageReturn || byte == ASCII.lineFeed ? ASCII.space : byte) }
    output.append("\r\n")
  }

  @inlinable
  package mutating func integer(_ value: Int64) {
    output.append(UInt8(ascii: ":"))
    output.append(decimal: value)
    output.append("\r\n")
  }

  @inlinable
  package mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// 1 or 0.
  @inlinable
  package mutating func flag(_ value: Bool) { if value { output.append(":1\r\n") } else { output.append(":0\r\n") } }

  // MARK: Strings

  @inlinable
  package mutating func bulk(_ bytes: RawSpan) { output.append(line: UInt8(ascii: "$"), counting: bytes) }

  package mutating func bulk(text: String) { bulk(Array(text.utf8).rawSpan) }

  package mutating func bulk(_ text: StaticString) {
    bulkHead(text.utf8CodeUnitCount)
    output.append(text)
    output.append("\r\n")
  }

  /// The head of a bulk string whose bytes the caller appends, and `\r\n`.
  @inlinable
  package mutating func bulkHead(_ count: Int) {
    output.append(line: UInt8(ascii: "$"), decimal: count)
  }

  /// Text for people: `txt` in RESP3, a bulk string in RESP2.
  package mutating func verbatim(_ text: String) {
    guard version == .three else { return bulk(text: text) }
    output.append(UInt8(ascii: "="))
    output.append(decimal: text.utf8.count + 4)
    output.append("\r\ntxt:")
    output.append(text)
    output.append("\r\n")
  }

  @inlinable
  package mutating func null() { if version == .three { output.append("_\r\n") } else { output.append("$-1\r\n") } }

  /// In RESP2 there are two: this is the one where an array would have been.
  package mutating func nullArray() { if version == .three { output.append("_\r\n") } else { output.append("*-1\r\n") } }

  package mutating func boolean(_ value: Bool) {
    guard version == .three else { return flag(value) }
    if value { output.append("#t\r\n") } else { output.append("#f\r\n") }
  }

  // MARK: Aggregates

  @inlinable
  package mutating func array(_ count: Int) { head(UInt8(ascii: "*"), count) }

  /// `count` pairs of key and value; a flat array in RESP2.
  package mutating func map(_ count: Int) {
    if version == .three { head(UInt8(ascii: "%"), count) } else { head(UInt8(ascii: "*"), count * 2) }
  }

  package mutating func set(_ count: Int) { head(version == .three ? UInt8(ascii: "~") : UInt8(ascii: "*"), count) }

  /// Something that was not asked for at this moment; an array in RESP2.
  package mutating func push(_ count: Int) { head(version == .three ? UInt8(ascii: ">") : UInt8(ascii: "*"), count) }

  @inlinable
  mutating func head(_ type: UInt8, _ count: Int) {
    output.append(line: type, decimal: count)
  }
}
