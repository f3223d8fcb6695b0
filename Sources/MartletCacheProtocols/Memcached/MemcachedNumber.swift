/// Numbers as memcached reads them in lines: as C's `strtoul` and `strtol`, to the end of the word.

internal import MartletBytes

package enum MemcachedNumber {
  /// 64 bits, a plus in front allowed.
  package static func unsigned(_ text: RawSpan) -> UInt64? {
    let hasPlus = text.byteCount > 1 && text[0] == UInt8(ascii: "+")
    return Digits.parseUnsigned(hasPlus ? text[1..<text.byteCount] : text)
  }

  /// Seconds, with a sign; in 64 bits, where memcached has 32.
  package static func time(_ text: RawSpan) -> Int64? {
    let hasPlus = text.byteCount > 1 && text[0] == UInt8(ascii: "+")
    return Digits.parseSigned(hasPlus ? text[1..<text.byteCount] : text)
  }

  /// Bytes of a data block: below 2^31 - 2.
  package static func length(_ text: RawSpan) -> Int? {
    guard let length = unsigned(text), length <= UInt64(Int32.max) - 2 else { return nil }
    return Int(length)
  }

  /// A value that `incr` and `decr` count with: up to 20 digits, blanks around them.
  package static func value(_ text: RawSpan) -> UInt64? {
    text.byteCount > 20 ? nil : unsigned(text.trimmed)
  }
}
