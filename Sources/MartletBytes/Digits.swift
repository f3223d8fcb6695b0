/// Integers to digits and back. Writing goes two digits at a time through a table, straight into the output buffer; reading is
/// strict: no sign where none is allowed, no empty text, no overflow.

extension ByteBuffer {
  /// Appends `value` in decimal.
  @inlinable
  public mutating func append(decimal value: UInt64) {
    if value >= 1_000_000_000_000_000 { return appendLong(decimal: value) }
    let count = Digits.count(value)
    reserve(count)
    unsafe Digits.write(value, endingAt: storage + _count + count)
    _count &+= count
  }

  /// As above, for 16 digits and more: the last 16, which is all that versions of entries have, are spelled eight at a time.
  @usableFromInline
  mutating func appendLong(decimal value: UInt64) {
    let high = value / 100_000_000
    let front = high / 100_000_000
    if front > 0 { append(decimal: front) }
    reserve(16)
    unsafe (storage + _count).storeBytes(of: Digits.spelled(high &- front &* 100_000_000).littleEndian, as: UInt64.self)
    unsafe (storage + _count + 8).storeBytes(of: Digits.spelled(value &- high &* 100_000_000).littleEndian, as: UInt64.self)
    _count &+= 16
  }

  /// Appends `value` in decimal, with `-` in front where negative.
  @inlinable
  public mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  @inlinable
  public mutating func append(decimal value: Int) { append(decimal: Int64(value)) }

  /// Appends a line of one byte and a number: `type`, `value` in decimal, CR, LF.
  @inlinable @inline(__always)
  public mutating func append(line type: UInt8, decimal value: Int) {
    guard 0..<100 ~= value else {
      append(type)
      append(decimal: value)
      return append("\r\n")
    }
    let word = unsafe UInt64(
      UInt16(littleEndian: UnsafeRawPointer(Digits.pairs.utf8Start).loadUnaligned(fromByteOffset: value * 2, as: UInt16.self)))
    reserve(8)
    let isShort = value < 10
    let line = (isShort ? word &>> 8 : word) | 0x0A0D &<< (isShort ? 8 : 16)
    unsafe (storage + _count).storeBytes(of: (line &<< 8 | UInt64(type)).littleEndian, as: UInt64.self)
    _count &+= isShort ? 4 : 5
  }

  /// Appends a line of one byte and the number of `bytes`, then those and CR, LF: with one look for room.
  @inlinable
  public mutating func append(line type: UInt8, counting bytes: RawSpan) {
    let count = bytes.byteCount
    reserve(count &+ Digits.lineBytesMax &+ 2)
    append(line: type, decimal: count)
    // Reserved above, together with the line.
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe (storage + _count).copyMemory(from: start, byteCount: count) }
    }
    unsafe (storage + (_count &+ count)).storeBytes(of: UInt16(0x0A0D).littleEndian, as: UInt16.self)
    _count &+= count &+ 2
  }

  /// Writes `value` over the bytes `end - digits ..< end`, which exist already.
  @inlinable
  public mutating func replace(decimal value: UInt64, endingAt end: Int) {
    replace(decimal: value, endingAt: end, digits: Digits.count(value))
  }

  /// As above, for who has counted them: `digits` is what `Digits.count` says of `value`.
  @inlinable @inline(__always)
  package mutating func replace(decimal value: UInt64, endingAt end: Int, digits: Int) {
    precondition(end <= _count && end >= digits, "digits outside of a byte buffer")
    unsafe Digits.write(value, endingAt: storage + end)
  }

  /// Appends `value` in lower-case hexadecimal, without leading zeros.
  public mutating func append(hexadecimal value: UInt64) {
    var shift = value == 0 ? 0 : (63 - value.leadingZeroBitCount) / 4 * 4
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
  }
}

public enum Digits {
  /// The longest line of a byte and a number, CR and LF included; short ones are written as a word of eight bytes.
  @usableFromInline static var lineBytesMax: Int { 23 }

  /// How many decimal digits `value` has, 1 to 20.
  @inlinable
  public static func count(_ value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    if value < 1_000 { return 3 }
    if value < 10_000 { return 4 }
    return value < 100_000_000 ? 4 + count(value / 10_000) : 8 + count(value / 100_000_000)
  }

  /// Writes the digits of `value` into the bytes before `end`, which the caller has reserved.
  @unsafe @inlinable
  package static func write(_ value: UInt64, endingAt end: UnsafeMutableRawPointer) {
    var rest = value
    var place = unsafe end
    while rest >= 100 {
      let pair = Int(truncatingIfNeeded: rest % 100)
      rest /= 100
      unsafe place -= 2
      unsafe place.copyMemory(from: UnsafeRawPointer(pairs.utf8Start + pair * 2), byteCount: 2)
    }
    if rest >= 10 {
      unsafe place -= 2
      unsafe place.copyMemory(from: UnsafeRawPointer(pairs.utf8Start + Int(rest) * 2), byteCount: 2)
    } else {
      unsafe place -= 1
      unsafe place.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    }
  }

  /// The eight digits of a number below 10^8, the first in the lowest byte: halves, then quarters, then digits, all lanes at once.
  @inline(__always)
  static func spelled(_ value: UInt64) -> UInt64 {
    let high = value / 10_000
    let halves = high | (value &- high &* 10_000) &<< 32
    let hundreds = (halves &* 10_486) &>> 20 & 0x7F_0000_007F  // of each half; exact below 10,000
    let pairs = hundreds | (halves &- hundreds &* 100) &<< 16
    let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F  // of each pair; exact below 100
    return (tens | (pairs &- tens &* 10) &<< 8) | 0x3030_3030_3030_3030
  }

  @usableFromInline static var pairs: StaticString {
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """
  }

  /// The number that `span` spells in decimal digits alone; nil if empty, anything else, or beyond 64 bits.
  @inlinable
  public static func parseUnsigned(_ span: RawSpan) -> UInt64? {
    guard span.byteCount > 0 else { return nil }
    var value: UInt64 = 0
    for index in 0..<span.byteCount {
      let digit = span[index] &- 0x30
      guard digit < 10 else { return nil }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
      if tooLarge || carried { return nil }
      value = sum
    }
    return value
  }

  /// As `parseUnsigned`, with an optional `-` in front; nil beyond Int64.
  public static func parseSigned(_ span: RawSpan) -> Int64? {
    guard span.byteCount > 0 else { return nil }
    guard span[0] == UInt8(ascii: "-") else { return parseUnsigned(span).flatMap { Int64(exactly: $0) } }
    guard let magnitude = parseUnsigned(span[1..<span.byteCount]) else { return nil }
    if magnitude == Int64.min.magnitude { return Int64.min }
    return Int64(exactly: magnitude).map { -$0 }
  }
}
