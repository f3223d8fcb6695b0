/// Numbers and truth values as most texts have them, checked and read in one pass: the short way of `JSONReader`.
///
/// nil means the long way, not an error: many digits, an exponent, -0, the last bytes of a text, or something wrong. What is read here is what the long way would
/// read (tests hold the two against each other).

import MartletBytes

extension JSONScanner {
  /// An integer of up to 18 digits at `start`, and where it ends.
  @inline(__always)
  static func plainInteger(in text: RawSpan, from start: Int) -> (value: Int64, end: Int)? {
    let isNegative = byte(UInt8(ascii: "-"), in: text, at: start)
    let first = isNegative ? start &+ 1 : start
    var offset = first
    let value = digits(in: text, from: &offset, onto: 0)
    let count = offset &- first
    guard count > 0, count <= 18, !endsOtherwise(in: text, at: offset) else { return nil }
    // No zero in front of other digits, and no -0.
    if count > 1 || isNegative, byte(UInt8(ascii: "0"), in: text, at: first) { return nil }
    return (isNegative ? 0 &- Int64(truncatingIfNeeded: value) : Int64(truncatingIfNeeded: value), offset)
  }

  /// A number of up to 18 digits without exponent at `start`, and where it ends. Its digits, up to 2^53, and the power of ten are doubles both,
  /// so one division rounds once (Clinger).
  @inline(__always)
  static func plainDouble(in text: RawSpan, from start: Int) -> (value: Double, end: Int)? {
    let isNegative = byte(UInt8(ascii: "-"), in: text, at: start)
    let first = isNegative ? start &+ 1 : start
    var offset = first
    var value = digits(in: text, from: &offset, onto: 0)
    let wholeCount = offset &- first
    guard wholeCount > 0, wholeCount == 1 || !byte(UInt8(ascii: "0"), in: text, at: first) else { return nil }
    var count = wholeCount
    var divisor = 1.0
    if byte(UInt8(ascii: "."), in: text, at: offset) {
      let point = offset &+ 1
      offset = point
      value = digits(in: text, from: &offset, onto: value)
      let fractionCount = offset &- point
      count &+= fractionCount
      guard fractionCount > 0, count <= 18 else { return nil }
      divisor = JSONNumber.exactPowers[fractionCount]
    }
    guard count <= 18, value <= 1 &<< 53, !endsOtherwise(in: text, at: offset) else { return nil }
    let magnitude = Double(Int64(truncatingIfNeeded: value)) / divisor
    return (isNegative ? -magnitude : magnitude, offset)
  }

  /// `true` or `false` at `start`, and where it ends.
  @inline(__always)
  static func boolean(in text: RawSpan, from start: Int) -> (value: Bool, end: Int)? {
    guard start &+ 5 <= text.byteCount else { return nil }
    let word = unsafe text.uncheckedQuad(at: start)
    if word == 0x6575_7274 { return (true, start &+ 4) }  // true
    guard word == 0x736C_6166, byte(UInt8(ascii: "e"), in: text, at: start &+ 4) else { return nil }  // fals, e
    return (false, start &+ 5)
  }

  /// Digits from `offset` on, which moves behind them. More than 19 overflow: the caller counts.
  @inline(__always)
  private static func digits(in text: RawSpan, from offset: inout Int, onto start: UInt64) -> UInt64 {
    var value = start
    while offset < text.byteCount {
      let digit = unsafe text.uncheckedByte(at: offset) &- 0x30
      guard digit < 10 else { break }
      value = value &* 10 &+ UInt64(digit)
      offset &+= 1
    }
    return value
  }

  /// Whether the number goes on with what the short way does not read.
  @inline(__always)
  private static func endsOtherwise(in text: RawSpan, at offset: Int) -> Bool {
    guard offset < text.byteCount else { return false }
    let byte = unsafe text.uncheckedByte(at: offset)
    return byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
  }
}
