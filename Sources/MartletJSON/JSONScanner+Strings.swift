/// Strings: where they end, whether they are right (RFC 8259 section 7, RFC 3629), and what they say once unescaped.

import MartletBytes

extension JSONScanner {
  /// Checks the string whose opening quotation mark stands at `start`; returns the offset after the closing one. Sets `hasEscapes` if the
  /// bytes between the marks are not what the string says.
  static func skipString(in text: RawSpan, from start: Int, hasEscapes: inout Bool) throws(JSONError) -> Int {
    var offset = start &+ 1
    while true {
      offset = plainRunEnd(in: text, from: offset)
      guard offset < text.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
      let byte = unsafe text.uncheckedByte(at: offset)
      if byte == UInt8(ascii: "\"") { return offset &+ 1 }
      if byte >= 0x80 {
        offset = try skipMultibyte(in: text, from: offset)
      } else if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        offset = try skipEscape(in: text, from: offset)
      } else {
        throw JSONError(offset: offset, problem: .controlCharacter)
      }
    }
  }

  /// Steps over a run of characters beyond ASCII, the first of which begins at `start`.
  ///
  /// RFC 3629 section 4: two bytes from C2; three without overlong forms and surrogates; four up to U+10FFFF.
  @inline(__always)
  static func skipMultibyte(in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    var offset = start
    while offset &+ 4 <= text.byteCount {
      let word = unsafe UInt32(truncatingIfNeeded: text.uncheckedQuad(at: offset))
      if word & 0x80 == 0 { return offset }
      if word & 0x00C0_C0F0 == 0x0080_80E0 {
        let character = (word & 0x0F) << 12 | (word >> 2) & 0xFC0 | (word >> 16) & 0x3F
        guard character >= 0x800, character &- 0xD800 >= 0x800 else { throw JSONError(offset: offset, problem: .malformedUTF8) }
        offset &+= 3
      } else if word & 0xC0E0 == 0x80C0 {
        guard word & 0x1E != 0 else { throw JSONError(offset: offset, problem: .malformedUTF8) }
        offset &+= 2
      } else if word & 0xC0C0_C0F8 == 0x8080_80F0 {
        let high = (word & 0x07) << 18 | (word & 0x3F00) << 4  // the lower twelve bits do not matter for the range
        guard high >= 0x1_0000, high < 0x11_0000 else { throw JSONError(offset: offset, problem: .malformedUTF8) }
        offset &+= 4
      } else {
        throw JSONError(offset: offset, problem: .malformedUTF8)
      }
    }
    return try skipMultibyteNearEnd(in: text, from: offset)
  }

  /// At most one character, with fewer than four bytes left in the text.
  @inline(never)
  private static func skipMultibyteNearEnd(in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    let left = text.byteCount - start
    guard left > 0, text[start] >= 0x80 else { return start }
    let first = text[start]
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    let malformed = JSONError(offset: start, problem: .malformedUTF8)
    guard first >= 0xC2, first <= 0xF4 else { throw malformed }
    for index in 1..<min(length, left) where text[start + index] & 0xC0 != 0x80 { throw malformed }
    guard left >= length else {
      // Cut inside of a character: the text ends too early, unless what is there is wrong already.
      throw JSONError(offset: text.byteCount, problem: .unexpectedEnd)
    }
    if length == 3 {
      let second = text[start + 1]
      guard !(first == 0xE0 && second < 0xA0), !(first == 0xED && second >= 0xA0) else { throw malformed }
    }
    return start + length
  }

  /// Checks the escape whose `\` stands at `start`, a surrogate pair taken as one; returns where it ends.
  private static func skipEscape(in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    guard start &+ 1 < text.byteCount else { throw JSONError(offset: text.byteCount, problem: .unexpectedEnd) }
    switch text[start &+ 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start &+ 2
    case UInt8(ascii: "u"):
      let unit = try codeUnit(in: text, ofEscapeAt: start)
      if unit & 0xF800 != 0xD800 { return start &+ 6 }
      let second = start &+ 6
      guard unit < 0xDC00 else { throw JSONError(offset: start, problem: .loneSurrogate) }
      guard second < text.byteCount else { throw JSONError(offset: second, problem: .unexpectedEnd) }
      guard byte(UInt8(ascii: "\\"), in: text, at: second) else { throw JSONError(offset: start, problem: .loneSurrogate) }
      guard second &+ 1 < text.byteCount else { throw JSONError(offset: second &+ 1, problem: .unexpectedEnd) }
      guard byte(UInt8(ascii: "u"), in: text, at: second &+ 1) else { throw JSONError(offset: start, problem: .loneSurrogate) }
      guard try codeUnit(in: text, ofEscapeAt: second) & 0xFC00 == 0xDC00 else {
        throw JSONError(offset: start, problem: .loneSurrogate)
      }
      return start &+ 12
    default:
      throw JSONError(offset: start &+ 1, problem: .malformedEscape)
    }
  }

  /// The UTF-16 code unit of the `\uXXXX` at `start`.
  private static func codeUnit(in text: RawSpan, ofEscapeAt start: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for offset in start &+ 2..<start &+ 6 {
      guard offset < text.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
      guard let digit = ASCII.hexValue(text[offset]) else { throw JSONError(offset: offset, problem: .malformedEscape) }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// What a string without escapes says, `content` being the bytes between its quotation marks, checked before by `skipString`.
  @inline(__always)
  static func checkedText(_ content: RawSpan, isASCII: Bool = false) -> String { unsafe content.checkedText(isASCII: isASCII) }

  // MARK: Unescaping

  /// Appends what a string says, `content` being the bytes between its quotation marks, checked before by `skipString`.
  static func appendUnescaped(_ content: RawSpan, to output: inout ByteBuffer) {
    var start = 0
    while let escape = escapeStart(in: content, from: start) {
      output.append(content[start..<escape])
      start = appendEscape(at: escape, of: content, to: &output)
    }
    output.append(content[start..<content.byteCount])
  }

  private static func escapeStart(in content: RawSpan, from start: Int) -> Int? {
    var offset = plainRunEnd(in: content, from: start)
    while offset < content.byteCount, content[offset] != UInt8(ascii: "\\") {  // beyond ASCII
      offset = plainRunEnd(in: content, from: offset &+ 1)
    }
    return offset < content.byteCount ? offset : nil
  }

  /// Appends the character of the escape at `start`; returns where the escape ends.
  private static func appendEscape(at start: Int, of content: RawSpan, to output: inout ByteBuffer) -> Int {
    let letter = content[start + 1]
    switch letter {
    case UInt8(ascii: "b"): output.append(0x08)
    case UInt8(ascii: "f"): output.append(0x0C)
    case UInt8(ascii: "n"): output.append(0x0A)
    case UInt8(ascii: "r"): output.append(0x0D)
    case UInt8(ascii: "t"): output.append(0x09)
    case UInt8(ascii: "u"):
      // Checked before: four digits, and the second half after a first one.
      let unit = (try? codeUnit(in: content, ofEscapeAt: start)) ?? 0xFFFD
      guard unit & 0xFC00 == 0xD800 else {
        output.append(utf8Of: unit)
        return start + 6
      }
      let second = (try? codeUnit(in: content, ofEscapeAt: start + 6)) ?? 0xDC00
      output.append(utf8Of: 0x1_0000 + (unit & 0x3FF) << 10 + second & 0x3FF)
      return start + 12
    default: output.append(letter)
    }
    return start + 2
  }
}

extension ByteBuffer {
  /// Appends one character, no surrogate, as UTF-8.
  fileprivate mutating func append(utf8Of character: UInt32) {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | (character >> shift) & 0x3F) }
    switch character {
    case 0..<0x80:
      append(UInt8(truncatingIfNeeded: character))
    case 0x80..<0x800:
      append(UInt8(truncatingIfNeeded: 0xC0 | character >> 6))
      append(continuation(0))
    case 0x800..<0x1_0000:
      append(UInt8(truncatingIfNeeded: 0xE0 | character >> 12))
      append(continuation(6))
      append(continuation(0))
    default:
      append(UInt8(truncatingIfNeeded: 0xF0 | character >> 18))
      append(continuation(12))
      append(continuation(6))
      append(continuation(0))
    }
  }
}

extension RawSpan {
  /// Four bytes from `offset` in memory order as a little-endian number; the caller has checked `offset + 4 <= byteCount`.
  @unsafe @inline(__always)
  func uncheckedQuad(at offset: Int) -> UInt32 {
    unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
  }
}
