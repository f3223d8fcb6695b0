/// Reads one JSON text value by value, as its caller asks: for request bodies and configuration, without a tree.
///
///     var reader = JSONReader(text)
///     try reader.beginObject()
///     while let key = try reader.nextKey() {
///       switch key {
///       case "ttl": ttl = try reader.readDouble()
///       default: _ = try reader.skipValue()
///       }
///     }
///     try reader.end()
///
/// The same language as `JSONScanner`, checked as far as it is read: after `end()` has returned, all of it was right. Each value that
/// `nextKey` or `nextElement` announces is read or skipped, once. Duplicate names arrive as often as they stand there. After an error
/// the reader is of no more use. Borrows the text; reads within its bounds only.

public import MartletBytes

public struct JSONReader: ~Copyable, ~Escapable {
  @usableFromInline let text: RawSpan
  let depthMax: Int
  /// The next byte to look at. Where a value is due, its first: whitespace before it has been stepped over by whoever announced it.
  public internal(set) var offset: Int
  /// Objects and arrays that are open.
  private var depth = 0
  /// An object or array has just begun: no comma comes before what is next.
  private var isFirst = false

  /// `depthMax`: how many levels of objects and arrays are accepted, at most 1024.
  @_lifetime(copy text)
  public init(_ text: RawSpan, depthMax: Int = JSONScanner.depthMaxDefault) {
    precondition(depthMax >= 0 && depthMax <= 1024, "a JSON depth bound lies between 0 and 1024")
    self.text = text
    self.depthMax = depthMax
    offset = JSONScanner.whitespaceEnd(in: text, from: 0)
  }

  /// The kind of the value that comes next; nothing is consumed.
  public func peek() throws(JSONError) -> JSONKind {
    guard offset < text.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
    switch text[offset] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    default: throw JSONError(offset: offset, problem: .unexpectedCharacter)
    }
  }

  /// Whether the next value begins as null does. For optionals.
  @inlinable @inline(__always)
  var nextIsNull: Bool { offset < text.byteCount && text[offset] == UInt8(ascii: "n") }

  // MARK: Containers

  public mutating func beginObject() throws(JSONError) {
    try begin(.object, UInt8(ascii: "{"))
  }

  /// The name of the object's next member, whose value is to be read or skipped then; nil when the object is closed.
  public mutating func nextKey() throws(JSONError) -> String? {
    guard let key = try nextKeyContent() else { return nil }
    return string(key)
  }

  public mutating func beginArray() throws(JSONError) {
    try begin(.array, UInt8(ascii: "["))
  }

  /// Whether the array has another element, which is to be read or skipped then; false when the array is closed.
  public mutating func nextElement() throws(JSONError) -> Bool {
    try next(closing: UInt8(ascii: "]"))
  }

  // MARK: Values

  public mutating func readString() throws(JSONError) -> String {
    string(try stringContent())
  }

  /// Appends what the string says, in UTF-8.
  public mutating func readString(into output: inout ByteBuffer) throws(JSONError) {
    let content = try stringContent()
    if content.hasEscapes {
      JSONScanner.appendUnescaped(text[content.range], to: &output)
    } else {
      output.append(text[content.range])
    }
  }

  /// An exact integer: written without fraction and exponent (`.notAnInteger`), within Int64 (`.outOfRange`).
  public mutating func readInteger() throws(JSONError) -> Int64 {
    if let (value, end) = JSONScanner.plainInteger(in: text, from: offset) {
      offset = end
      return value
    }
    return try readAnyInteger()
  }

  private mutating func readAnyInteger() throws(JSONError) -> Int64 {
    let range = try numberRange()
    let number = JSONNumber(text[range])
    if let value = number.int64 { return value }
    throw JSONError(offset: range.lowerBound, problem: number.isInteger ? .outOfRange : .notAnInteger)
  }

  /// The nearest double; `.outOfRange` beyond the finite ones. What is too small for a double is 0.
  public mutating func readDouble() throws(JSONError) -> Double {
    if let (value, end) = JSONScanner.plainDouble(in: text, from: offset) {
      offset = end
      return value
    }
    return try readAnyDouble()
  }

  private mutating func readAnyDouble() throws(JSONError) -> Double {
    let range = try numberRange()
    let lexeme = text[range]
    guard let value = JSONNumber(lexeme).double(lexeme) else { throw JSONError(offset: range.lowerBound, problem: .outOfRange) }
    return value
  }

  public mutating func readBool() throws(JSONError) -> Bool {
    if let (value, end) = JSONScanner.boolean(in: text, from: offset) {
      offset = end
      return value
    }
    try expect(.boolean)
    let isTrue = text[offset] == UInt8(ascii: "t")
    offset = try JSONScanner.skipLiteral(isTrue ? "true" : "false", in: text, from: offset)
    return isTrue
  }

  public mutating func readNull() throws(JSONError) {
    try expect(.null)
    offset = try JSONScanner.skipLiteral("null", in: text, from: offset)
  }

  /// Steps over the next value, whatever it is, checking all of it; its exact bytes in the text, without whitespace around.
  public mutating func skipValue() throws(JSONError) -> Range<Int> {
    let start = offset
    offset = try JSONScanner.skipValue(in: text, from: start, depthMax: depthMax - depth)
    return start..<offset
  }

  /// Checks that nothing but whitespace is left.
  public mutating func end() throws(JSONError) {
    precondition(depth == 0, "a JSON text ends after its objects and arrays")
    offset = JSONScanner.whitespaceEnd(in: text, from: offset)
    guard offset == text.byteCount else { throw JSONError(offset: offset, problem: .trailingContent) }
  }

  // MARK: Below

  /// The bytes between a string's quotation marks.
  struct StringContent {
    var range: Range<Int>
    var hasEscapes = false
    /// Known to be.
    var isASCII = false
  }

  /// As `nextKey`, without making a `String`.
  @inline(__always)
  mutating func nextKeyContent() throws(JSONError) -> StringContent? {
    precondition(depth > 0, "no JSON object or array is open")
    guard let range = JSONScanner.usualName(in: text, from: offset, isFirst: isFirst) else { return try nextUnusualKeyContent() }
    isFirst = false
    offset = JSONScanner.whitespaceEnd(in: text, from: range.upperBound &+ 2)
    return StringContent(range: range, isASCII: true)
  }

  /// With whitespace around it, long, with escapes, beyond ASCII; the end of the object; or wrong.
  @inline(never)
  private mutating func nextUnusualKeyContent() throws(JSONError) -> StringContent? {
    guard try next(closing: UInt8(ascii: "}")) else { return nil }
    guard JSONScanner.byte(UInt8(ascii: "\""), in: text, at: offset) else { throw JSONScanner.unexpected(in: text, at: offset) }
    let key = try checkedContent()
    offset = JSONScanner.whitespaceEnd(in: text, from: offset)
    guard JSONScanner.byte(UInt8(ascii: ":"), in: text, at: offset) else { throw JSONScanner.unexpected(in: text, at: offset) }
    offset = JSONScanner.whitespaceEnd(in: text, from: offset &+ 1)
    return key
  }

  @inline(__always)
  mutating func stringContent() throws(JSONError) -> StringContent {
    if !JSONScanner.byte(UInt8(ascii: "\""), in: text, at: offset) { try expect(.string) }
    return try checkedContent()
  }

  /// Of the string whose quotation mark stands at `offset`.
  @inline(__always)
  private mutating func checkedContent() throws(JSONError) -> StringContent {
    let start = offset &+ 1
    let end = JSONScanner.plainRunEnd(in: text, from: start)
    guard JSONScanner.byte(UInt8(ascii: "\""), in: text, at: end) else { return try unusualContent() }
    offset = end &+ 1
    return StringContent(range: start..<end, isASCII: true)
  }

  /// With escapes, beyond ASCII, or wrong.
  @inline(never)
  private mutating func unusualContent() throws(JSONError) -> StringContent {
    let start = offset &+ 1
    var hasEscapes = false
    offset = try JSONScanner.skipString(in: text, from: offset, hasEscapes: &hasEscapes)
    return StringContent(range: start..<offset &- 1, hasEscapes: hasEscapes)
  }

  @inline(__always)
  func string(_ content: StringContent) -> String {
    content.hasEscapes ? unescaped(content) : JSONScanner.checkedText(text[content.range], isASCII: content.isASCII)
  }

  @inline(never)
  private func unescaped(_ content: StringContent) -> String {
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(text[content.range], to: &unescaped)
    return unescaped.text
  }

  mutating func numberRange() throws(JSONError) -> Range<Int> {
    try expect(.number)
    let start = offset
    offset = try JSONScanner.skipNumber(in: text, from: start)
    return start..<offset
  }

  @inline(__always)
  private mutating func begin(_ kind: JSONKind, _ opening: UInt8) throws(JSONError) {
    if !JSONScanner.byte(opening, in: text, at: offset) { try expect(kind) }
    guard depth < depthMax else { throw JSONError(offset: offset, problem: .tooDeep) }
    depth &+= 1
    offset &+= 1
    isFirst = true
  }

  /// Steps to the next item of the innermost container: false, and out of it, at its closing byte.
  @inline(__always)
  private mutating func next(closing: UInt8) throws(JSONError) -> Bool {
    precondition(depth > 0, "no JSON object or array is open")
    offset = JSONScanner.whitespaceEnd(in: text, from: offset)
    if JSONScanner.byte(closing, in: text, at: offset) {
      offset &+= 1
      depth &-= 1
      isFirst = false
      return false
    }
    if !isFirst {
      guard JSONScanner.byte(UInt8(ascii: ","), in: text, at: offset) else { throw JSONScanner.unexpected(in: text, at: offset) }
      offset = JSONScanner.whitespaceEnd(in: text, from: offset &+ 1)
    }
    isFirst = false
    return true
  }

  private func expect(_ kind: JSONKind) throws(JSONError) {
    guard try peek() == kind else { throw JSONError(offset: offset, problem: .wrongKind(expected: kind)) }
  }
}
