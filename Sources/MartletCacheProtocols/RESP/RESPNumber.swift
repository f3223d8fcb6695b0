/// Numbers as Redis reads and writes them in arguments and values.

package import MartletBytes

package enum RESPNumber {
  /// An Int64 in its shortest decimal text: no plus, no leading zeros, no `-0`, nothing around. Nil otherwise.
  package static func integer(_ text: RawSpan) -> Int64? {
    guard text.byteCount > 0, text.byteCount <= 20, let number = Digits.parseSigned(text) else { return nil }
    let isNegative = text[0] == UInt8(ascii: "-")
    let digitCount = text.byteCount - (isNegative ? 1 : 0)
    return digitCount == Digits.count(number.magnitude) && !(isNegative && number == 0) ? number : nil
  }
}

/// A number with up to 17 decimals, exactly: what INCRBYFLOAT counts in. Redis uses the long double of its machine and prints 17
/// decimals without the zeros at their end, which is the same wherever that is exact.
package struct RESPDecimal: Sendable, Equatable {
  /// The number times 10^17.
  private var scaled: Int128

  /// 0.
  package init() { scaled = 0 }

  private init(scaled: Int128) { self.scaled = scaled }

  private static let decimals = 17
  private static let unit: Int128 = 100_000_000_000_000_000

  package enum Reading: Sendable, Equatable {
    case number(RESPDecimal)
    /// No number at all.
    case malformed
    /// An infinity, or beyond what is counted in.
    case tooLarge
  }

  /// `12`, `-1.5`, `+.5`, `5.0e3`, `inf`; decimals beyond the 17th are dropped.
  package static func read(_ text: RawSpan) -> Reading {
    var index = 0
    let isNegative = text.byteCount > 0 && text[0] == UInt8(ascii: "-")
    if isNegative || text.byteCount > 0 && text[0] == UInt8(ascii: "+") { index = 1 }
    let magnitude = text[index..<text.byteCount]
    if magnitude.equalsIgnoringCase("inf") || magnitude.equalsIgnoringCase("infinity") { return .tooLarge }
    var digits: Int128 = 0
    var exponent = 0
    var hasDigits = false
    var hasPoint = false
    while index < text.byteCount {
      let byte = text[index]
      if ASCII.isDigit(byte) {
        hasDigits = true
        if digits < Int128.max / 100 {
          digits = digits * 10 + Int128(byte - 0x30)
          if hasPoint { exponent -= 1 }
        } else if !hasPoint {
          exponent += 1
        }
      } else if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        break
      }
      index += 1
    }
    guard hasDigits else { return .malformed }
    if index < text.byteCount {
      guard text[index] | 0x20 == UInt8(ascii: "e"), let power = self.power(text[(index + 1)..<text.byteCount]) else { return .malformed }
      exponent += power
    }
    return scale(isNegative ? -digits : digits, exponent + decimals)
  }

  private static func power(_ text: RawSpan) -> Int? {
    let hasPlus = text.byteCount > 0 && text[0] == UInt8(ascii: "+")
    guard let number = Digits.parseSigned(text[(hasPlus ? 1 : 0)..<text.byteCount]) else { return nil }
    return Int(min(max(number, -9999), 9999))
  }

  private static func scale(_ digits: Int128, _ exponent: Int) -> Reading {
    var scaled = digits
    if scaled == 0 { return .number(RESPDecimal(scaled: 0)) }
    if exponent >= 0 {
      for _ in 0..<exponent {
        let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
        if overflow { return .tooLarge }
        scaled = product
      }
    } else {
      for _ in 0..<(-exponent) where scaled != 0 { scaled /= 10 }
    }
    return .number(RESPDecimal(scaled: scaled))
  }

  /// Nil if that is too large.
  package func adding(_ other: RESPDecimal) -> RESPDecimal? {
    let (sum, overflow) = scaled.addingReportingOverflow(other.scaled)
    return overflow ? nil : RESPDecimal(scaled: sum)
  }

  package func write(to output: inout ByteBuffer) {
    let magnitude = scaled.magnitude
    if scaled < 0 { output.append(UInt8(ascii: "-")) }
    let unit = Self.unit.magnitude
    output.append(String(magnitude / unit))
    var rest = UInt64(magnitude % unit)
    if rest == 0 { return }
    var digits = Self.decimals
    while rest % 10 == 0 {
      rest /= 10
      digits -= 1
    }
    output.append(UInt8(ascii: "."))
    for _ in 0..<(digits - Digits.count(rest)) { output.append(UInt8(ascii: "0")) }
    output.append(decimal: rest)
  }
}
