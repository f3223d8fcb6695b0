/// JSON Pointer (RFC 6901): the name of a place in a document, and finding that place in the bytes of a text, without a tree.

import MartletBytes

public struct JSONPointer: Sendable, Equatable {
  /// The reference tokens, unescaped, in UTF-8: bytes, since RFC 6901 compares names code point by code point, where `String` would
  /// compare them up to canonical equivalence.
  let tokens: [[UInt8]]

  /// Reads a pointer: empty (the whole document), or tokens with `/` before each, `~1` for `/` and `~0` for `~`.
  ///
  /// Offsets of errors are bytes of `text`: `.unexpectedCharacter` without a leading `/`, `.malformedEscape` for another `~`, `.malformedUTF8`.
  public init(_ text: RawSpan) throws(JSONError) {
    var tokens: [[UInt8]] = []
    var offset = 0
    if text.byteCount > 0, text[0] != UInt8(ascii: "/") { throw JSONError(offset: 0, problem: .unexpectedCharacter) }
    if let wrong = text.firstMalformedUTF8 { throw JSONError(offset: wrong, problem: .malformedUTF8) }
    while offset < text.byteCount {
      let end = text.firstIndex(of: UInt8(ascii: "/"), from: offset + 1) ?? text.byteCount
      tokens.append(try JSONPointer.token(in: text, offset + 1..<end))
      offset = end
    }
    self.tokens = tokens
  }

  public init(_ text: String) throws(JSONError) {
    var bytes = ByteBuffer()
    bytes.append(text)
    try self.init(bytes.bytes)
  }

  private static func token(in text: RawSpan, _ range: Range<Int>) throws(JSONError) -> [UInt8] {
    guard text[range].firstIndex(of: UInt8(ascii: "~")) != nil else { return text[range].copied() }
    var token: [UInt8] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      var byte = text[offset]
      if byte == UInt8(ascii: "~") {
        let code = offset + 1 < range.upperBound ? text[offset + 1] : 0
        guard code == UInt8(ascii: "0") || code == UInt8(ascii: "1") else { throw JSONError(offset: offset, problem: .malformedEscape) }
        byte = code == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/")
        offset += 1
      }
      token.append(byte)
      offset += 1
    }
    return token
  }

  /// The index that a token names in an array of `count` elements (RFC 6901 section 4: digits without a leading zero); nil for any other
  /// token, `-` among them, and beyond the last element.
  static func index(_ token: [UInt8], count: Int) -> Int? {
    guard token.count == 1 || token.first != UInt8(ascii: "0"), token.count <= 18, !token.isEmpty else { return nil }
    var index = 0
    for byte in token {
      guard ASCII.isDigit(byte) else { return nil }
      index = index * 10 + Int(byte - 0x30)
    }
    return index < count ? index : nil
  }

  /// Where the part that the pointer names stands in `json`: its exact bytes without whitespace around; nil if there is none.
  ///
  /// Throws if `json` is not a JSON text: all of it is scanned, once, whatever the pointer. Where a name stands twice in an object the
  /// last one counts, as in trees.
  public func locate(in json: RawSpan, depthMax: Int = JSONScanner.depthMaxDefault) throws(JSONError) -> Range<Int>? {
    var reader = JSONReader(json, depthMax: depthMax)
    var scratch = ByteBuffer()
    let found = try locate(tokens[...], &reader, &scratch)
    try reader.end()
    return found
  }

  /// Reads one value to its end, and follows the tokens within it. Recursion is bounded by the reader's depth.
  private func locate(
    _ tokens: ArraySlice<[UInt8]>, _ reader: inout JSONReader, _ scratch: inout ByteBuffer
  ) throws(JSONError) -> Range<Int>? {
    guard let token = tokens.first else { return try reader.skipValue() }
    var found: Range<Int>?
    switch try reader.peek() {
    case .object:
      try reader.beginObject()
      while let key = try reader.nextKeyContent() {
        if reader.matches(key, token, &scratch) {
          found = try locate(tokens.dropFirst(), &reader, &scratch)
        } else {
          _ = try reader.skipValue()
        }
      }
    case .array:
      let wanted = JSONPointer.index(token, count: .max)
      var index = 0
      try reader.beginArray()
      while try reader.nextElement() {
        if index == wanted {
          found = try locate(tokens.dropFirst(), &reader, &scratch)
        } else {
          _ = try reader.skipValue()
        }
        index += 1
      }
    default:
      _ = try reader.skipValue()
    }
    return found
  }
}

extension JSONPointer: CustomStringConvertible {
  /// The pointer as text, escaped again.
  public var description: String {
    var text: [UInt8] = []
    for token in tokens {
      text.append(UInt8(ascii: "/"))
      for byte in token {
        switch byte {
        case UInt8(ascii: "~"): text += [UInt8(ascii: "~"), UInt8(ascii: "0")]
        case UInt8(ascii: "/"): text += [UInt8(ascii: "~"), UInt8(ascii: "1")]
        default: text.append(byte)
        }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension JSONReader {
  /// Whether a name that has been read says `token`.
  func matches(_ key: StringContent, _ token: [UInt8], _ scratch: inout ByteBuffer) -> Bool {
    guard key.hasEscapes else { return text[key.range].equals(token.rawSpan) }
    scratch.removeAll()
    JSONScanner.appendUnescaped(text[key.range], to: &scratch)
    return scratch.bytes.equals(token.rawSpan)
  }
}

extension RawSpan {
  /// The offset of the first character that is not UTF-8; nil if all are.
  var firstMalformedUTF8: Int? {
    var offset = 0
    while offset < byteCount {
      if self[offset] < 0x80 {
        offset += 1
        continue
      }
      do {
        offset = try JSONScanner.skipMultibyte(in: self, from: offset)
      } catch {
        return offset
      }
    }
    return nil
  }
}
