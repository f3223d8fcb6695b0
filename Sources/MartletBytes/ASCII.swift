/// The few facts about ASCII that text protocols ask for byte by byte.

public enum ASCII {
  public static var tab: UInt8 { 0x09 }
  public static var lineFeed: UInt8 { 0x0A }
  public static var carriageReturn: UInt8 { 0x0D }
  public static var space: UInt8 { 0x20 }

  /// The byte with `A`–`Z` mapped to `a`–`z`.
  @inlinable
  public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  /// As above, for each of the word's eight bytes; bytes of 0x80 and above stay as they are.
  @inlinable
  package static func lowercased(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let low = word & (ones &* 0x7F)
    // The top bit of each byte: at least `A`, and not beyond `Z`, and ASCII.
    let isUpper = (low &+ ones &* (0x80 - 0x41)) & ~(low &+ ones &* (0x7F - 0x5A)) & ~word & (ones &* 0x80)
    return word | isUpper &>> 2
  }

  @inlinable
  public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// The value of a hexadecimal digit in either case; nil for another byte.
  @inlinable
  public static func hexValue(_ byte: UInt8) -> UInt8? {
    if byte &- 0x30 < 10 { return byte &- 0x30 }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : nil
  }

  /// The hexadecimal digit for 0–15, upper case.
  @inlinable
  public static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
