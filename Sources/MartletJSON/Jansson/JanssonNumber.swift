/// Numbers in a tree that leaves them as they were.
///
/// A tree holds integers of 64 bits and doubles. A patch of one field must not change the others, so a number goes in only if it comes out
/// as the same number, and in the same spelling:
///
///     42, -7               integer      jansson's integer, exact
///     0.1, 19.99, 1e+20    real         jansson's real, if our writer prints exactly what stood there
///     1.0, 1e2, 0.50, -0   spelled      the number is kept exactly by a double, but spelled otherwise: its text is kept
///     2^63, 1e400, 0.10000000000000000001        refused: .inexactNumber
///
/// "Kept exactly" is `JSONNumber.exactDouble`: the double's shortest decimal is the number that was written. A spelled number is a
/// jansson string that begins with 0xFF, a byte that no UTF-8 has, so it meets no other string, and this file and the printer are all
/// that know of it. jansson's own dump does not: see `JanssonDocument.dump`.

import CJansson
import MartletBytes

extension JanssonNode {
  /// The node for a number as written, by the rule above; nil if a tree cannot keep it. `lexeme` has been checked by the scanner.
  static func number(_ lexeme: RawSpan) -> JanssonNode? {
    let number = JSONNumber(lexeme)
    if number.isInteger {
      guard let value = number.int64 else { return nil }
      return value == 0 && number.isNegative ? spelled(lexeme) : integer(value)
    }
    guard let value = number.exactDouble(lexeme) else { return nil }
    var printed = ByteBuffer()
    printed.append(finite: value)
    return printed.bytes.equals(lexeme) ? real(value) : spelled(lexeme)
  }

  static func spelled(_ text: String) -> JanssonNode { spelled(Array(text.utf8).rawSpan) }

  static func spelled(_ lexeme: RawSpan) -> JanssonNode {
    var marked = ByteBuffer(capacity: lexeme.byteCount + 1)
    marked.append(JanssonCell.spelledMark)
    marked.append(lexeme)
    return string(marked.bytes)
  }
}

extension JanssonCell {
  static var spelledMark: UInt8 { 0xFF }

  var isSpelledNumber: Bool { type == JSON_STRING && withBytes { $0.byteCount > 0 && $0[0] == Self.spelledMark } }

  /// Lends a spelled number's text.
  func withSpelling<Result>(_ body: (RawSpan) -> Result) -> Result {
    withBytes { marked in body(marked[1..<marked.byteCount]) }
  }

  /// The kind as JSON sees it, spelled numbers among the numbers.
  var kind: JSONKind {
    switch type {
    case JSON_OBJECT: .object
    case JSON_ARRAY: .array
    case JSON_STRING: isSpelledNumber ? .number : .string
    case JSON_INTEGER, JSON_REAL: .number
    case JSON_TRUE, JSON_FALSE: .boolean
    default: .null
    }
  }

  /// The value of a real, spelled or not; nil for the other kinds, integers among them.
  var double: Double? {
    if type == JSON_REAL { return real }
    guard isSpelledNumber else { return nil }
    return withSpelling { JSONNumber($0).double($0) }
  }

  /// Whether two numbers are numerically equal (RFC 6902 section 4.6): 1, 1.0 and 1e0 are.
  func equalsNumber(_ other: JanssonCell) -> Bool {
    switch (double, other.double) {
    case (nil, nil): integer == other.integer
    // Each double stands for the decimal that was written, so equal doubles are equal decimals.
    case (let left?, let right?): left == right
    case (let real?, nil): JanssonCell.equal(other.integer, real)
    case (nil, let real?): JanssonCell.equal(integer, real)
    }
  }

  /// An integer and the decimal that a real stands for.
  private static func equal(_ integer: Int64, _ real: Double) -> Bool {
    let decimal = ShortestDecimal(digits: integer.magnitude, exponent: 0).normalized
    return decimal == ShortestDecimal(real).normalized && (integer == 0 || (integer < 0) == (real < 0))
  }
}
