/// Percent-decoding (RFC 3986 section 2.1), once: `%2525` becomes `%25`. Any byte may come out, NUL and `/` too.

package import MartletBytes

package enum PercentCoding {
  /// Whether each `%` is followed by two hexadecimal digits.
  package static func isWellFormed(_ text: RawSpan) -> Bool { firstMalformed(text) == nil }

  /// Where the first `%` stands that is not followed by two hexadecimal digits.
  package static func firstMalformed(_ text: RawSpan) -> Int? {
    var position = 0
    while let percent = text.firstIndex(of: UInt8(ascii: "%"), from: position) {
      guard percent + 2 < text.byteCount, ASCII.hexValue(text[percent + 1]) != nil, ASCII.hexValue(text[percent + 2]) != nil
      else { return percent }
      position = percent + 3
    }
    return nil
  }

  /// Appends the decoded bytes of `text`, which is well-formed. In queries `+` stands for a space.
  package static func decode(_ text: RawSpan, plusIsSpace: Bool = false, into buffer: inout ByteBuffer) {
    var position = 0
    while position < text.byteCount {
      let byte = text[position]
      if byte == UInt8(ascii: "%") {
        guard position + 2 < text.byteCount, let high = ASCII.hexValue(text[position + 1]),
          let low = ASCII.hexValue(text[position + 2])
        else { preconditionFailure("percent-encoding that was not checked") }
        buffer.append(high << 4 | low)
        position += 3
      } else {
        buffer.append(plusIsSpace && byte == UInt8(ascii: "+") ? ASCII.space : byte)
        position += 1
      }
    }
  }
}
