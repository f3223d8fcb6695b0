/// The one string escaper: MartletHTTP needs it for problem+json, MartletJSON for everything.
///
/// RFC 8259 section 7: quotation mark, reverse solidus and control bytes are escaped, the short forms where there is one; all
/// else is copied. The caller vouches for UTF-8 (`String` and checked input are). Clean runs are found eight bytes at a time
/// (the classic "has a byte less than / equal to" arithmetic on a 64-bit word) and copied whole.

extension ByteBuffer {
  /// Appends `text` as a JSON string, quotation marks included.
  @inlinable
  public mutating func append(jsonString text: String) {
    var text = text
    text.withUTF8 { source in
      let span = unsafe RawSpan(_unsafeElements: source)
      append(jsonString: span)
    }
  }

  /// Appends the UTF-8 bytes of `text` as a JSON string, quotation marks included.
  @inlinable
  public mutating func append(jsonString text: RawSpan) {
    reserve(text.byteCount &+ 2)
    append(UInt8(ascii: "\""))
    append(jsonEscaping: text)
    append(UInt8(ascii: "\""))
  }

  /// Appends the UTF-8 bytes of `text` with what JSON wants escaped, without quotation marks.
  @inlinable
  public mutating func append(jsonEscaping text: RawSpan) {
    let count = text.byteCount
    var clean = 0
    var index = 0
    while index < count {
      if index &+ 8 <= count, unsafe JSONEscaping.isClean(text.uncheckedWord(at: index)) {
        index &+= 8
        continue
      }
      let byte = unsafe text.uncheckedByte(at: index)
      if byte >= 0x20 && byte != 0x22 && byte != 0x5C {
        index &+= 1
        continue
      }
      append(text[clean..<index])
      append(jsonEscape: byte)
      index &+= 1
      clean = index
    }
    append(text[clean..<count])
  }

  /// Appends a literal as a JSON member's name, with the colon, and with a comma in front if wanted; it holds nothing to escape.
  @inlinable @inline(__always)
  public mutating func append(jsonKey key: StaticString, afterComma: Bool) {
    let count = key.utf8CodeUnitCount
    // Reserved: comma, two quotation marks, colon, and the key between them.
    unsafe withFreeBytes(atLeast: count &+ 4) { free in
      var place = free.baseAddress!
      if afterComma {
        unsafe place.storeBytes(of: UInt8(ascii: ","), as: UInt8.self)
        unsafe place += 1
      }
      unsafe place.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
      unsafe (place + 1).copyMemory(from: key.utf8Start, byteCount: count)
      unsafe place += count &+ 1
      unsafe place.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
      unsafe place.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 1, as: UInt8.self)
      return unsafe place + 2 - free.baseAddress!
    }
  }

  @usableFromInline
  mutating func append(jsonEscape byte: UInt8) {
    switch byte {
    case 0x22: append(#"\""#)
    case 0x5C: append(#"\\"#)
    case 0x08: append(#"\b"#)
    case 0x09: append(#"\t"#)
    case 0x0A: append(#"\n"#)
    case 0x0C: append(#"\f"#)
    case 0x0D: append(#"\r"#)
    default:
      append(#"\u00"#)
      append(byte >> 4 &+ 0x30)
      append(ASCII.lowercased(ASCII.hexDigit(byte & 15)))
    }
  }
}

@usableFromInline
enum JSONEscaping {
  /// Whether none of the word's eight bytes is below 0x20, `"` or `\`. May say no for a clean word that holds bytes of 0x80 and
  /// above beside others; the caller then looks byte by byte.
  @inlinable
  static func isClean(_ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let suspects = (word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
    return suspects & highs == 0
  }
}
