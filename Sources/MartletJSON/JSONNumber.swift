/// A number as it is written, taken apart: sign, digits, exponent. From it come exact integers, nearest doubles, and the answer to
/// whether a double keeps what is written.

import MartletBytes

struct JSONNumber {
  var isNegative = false
  /// Neither fraction nor exponent.
  var isInteger = true
  /// The first digits that are not leading zeros, up to 19 of them.
  var digits: UInt64 = 0
  /// The power of ten that `digits` counts in.
  var exponent = 0
  /// Digits other than 0 were left out behind the nineteenth.
  var isTruncated = false

  /// `lexeme` is a number by RFC 8259's grammar, checked before.
  @inline(__always)
  init(_ lexeme: RawSpan) {
    var offset = 0
    var kept = 0
    if lexeme[0] == UInt8(ascii: "-") {
      isNegative = true
      offset = 1
    }
    var behindPoint = false
    while offset < lexeme.byteCount {
      let byte = lexeme[offset]
      let digit = byte &- 0x30
      if digit < 10 {
        if kept < 19 {
          digits = digits &* 10 &+ UInt64(digit)
          if digits != 0 { kept &+= 1 }
          if behindPoint { exponent &-= 1 }
        } else {
          if digit != 0 { isTruncated = true }
          if !behindPoint { exponent &+= 1 }
        }
      } else if byte == UInt8(ascii: ".") {
        behindPoint = true
        isInteger = false
      } else {
        isInteger = false
        exponent &+= JSONNumber.exponent(lexeme, from: offset &+ 1)
        break
      }
      offset &+= 1
    }
  }

  /// What stands after `e`; at most 2^40, which is infinity or 0 however many digits are in front, for no text has so many: so both add up without overflow.
  private static func exponent(_ lexeme: RawSpan, from start: Int) -> Int {
    var offset = start
    let isNegative = lexeme[offset] == UInt8(ascii: "-")
    if isNegative || lexeme[offset] == UInt8(ascii: "+") { offset += 1 }
    var value = 0
    while offset < lexeme.byteCount {
      value = min(value * 10 + Int(lexeme[offset] - 0x30), exponentMax)
      offset += 1
    }
    return isNegative ? -value : value
  }

  private static var exponentMax: Int { 1 << 40 }

  // MARK: Integers

  /// The value if it is written as an integer and fits; nil otherwise.
  @inline(__always)
  var int64: Int64? {
    guard isInteger, exponent == 0 else { return nil }
    if isNegative { return digits <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- digits) : nil }
    return Int64(exactly: digits)
  }

  // MARK: Doubles

  /// The nearest double (ties to even); nil beyond the finite ones. What is too small becomes 0.
  func double(_ lexeme: RawSpan) -> Double? {
    if let value = exactly ?? (isTruncated ? nil : eiselLemire) { return value }
    // Rare: more than 19 digits, subnormal, out of range, or so near to the middle that 128 bits do not tell.
    guard let value = Double(lexeme.text), value.isFinite else { return nil }
    return value
  }

  /// Way 1: both the digits and the power of ten are doubles, so one operation rounds once (Clinger).
  @inline(__always)
  private var exactly: Double? {
    guard !isTruncated, digits <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
    let power = JSONNumber.exactPowers[exponent < 0 ? -exponent : exponent]
    let magnitude = exponent < 0 ? Double(digits) / power : Double(digits) * power
    return isNegative ? -magnitude : magnitude
  }

  static let exactPowers: InlineArray<23, Double> = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// Way 2: Eisel and Lemire's 64 × 128 bit product, as in Go's strconv; nil where it cannot decide.
  private var eiselLemire: Double? {
    if digits == 0 { return isNegative ? -0.0 : 0 }
    guard exponent >= PowersOfTen.exponentMin, exponent <= 308 else { return nil }
    let shift = digits.leadingZeroBitCount
    let mantissa = digits << UInt64(shift)
    let power = PowersOfTen.floor(exponent)
    var binaryExponent = (217_706 &* exponent) &>> 16 &+ 64 &+ 1023 &- shift

    var (high, low) = mantissa.multipliedFullWidth(by: power.high)
    if high & 0x1FF == 0x1FF, low.addingReportingOverflow(mantissa).overflow {
      let fine = mantissa.multipliedFullWidth(by: power.low)
      let (sum, carried) = low.addingReportingOverflow(fine.high)
      if carried { high &+= 1 }
      low = sum
      if high & 0x1FF == 0x1FF, low &+ 1 == 0, fine.low.addingReportingOverflow(mantissa).overflow { return nil }
    }
    let top = high >> 63
    var significand = high >> (top + 9)
    binaryExponent &-= Int(1 ^ top)
    if low == 0, high & 0x1FF == 0, significand & 3 == 1 { return nil }
    significand = (significand + significand & 1) >> 1
    if significand >> 53 > 0 {
      significand >>= 1
      binaryExponent &+= 1
    }
    guard binaryExponent >= 1, binaryExponent < 0x7FF else { return nil }
    let bits = UInt64(binaryExponent) << 52 | significand & (1 << 52 - 1)
    return Double(bitPattern: isNegative ? bits | 1 << 63 : bits)
  }

  /// The double that keeps every written digit: printed shortest, it is the same decimal number. nil if none does.
  ///
  /// So 0.1, 1.0, 1e2 and 1e23 are kept; 0.10000000000000000001, 9007199254740993.0 and 1e400 are not, nor is 1e-400 (it would be 0).
  func exactDouble(_ lexeme: RawSpan) -> Double? {
    guard !isTruncated, let value = double(lexeme) else { return nil }
    let written = ShortestDecimal(digits: digits, exponent: exponent).normalized
    return ShortestDecimal(value).normalized == written ? value : nil
  }
}
