/// Base64 (RFC 4648 section 4): how a batch carries bytes that are no JSON.
///
/// Strict when reading: the standard alphabet, padding where it belongs, no line breaks, no stray bits.

internal import MartletBytes

enum Base64 {
  private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each byte as a digit; 255 for others.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  /// Appends the encoded bytes.
  static func encode(_ bytes: RawSpan, into output: inout ByteBuffer) {
    let padding = UInt8(ascii: "=")
    output.reserve((bytes.byteCount + 2) / 3 * 4)
    var index = 0
    while index < bytes.byteCount {
      let rest = bytes.byteCount - index
      let first = bytes[index]
      let second = rest > 1 ? bytes[index + 1] : 0
      let third = rest > 2 ? bytes[index + 2] : 0
      output.append(alphabet[Int(first >> 2)])
      output.append(alphabet[Int(first & 3) << 4 | Int(second >> 4)])
      output.append(rest > 1 ? alphabet[Int(second & 15) << 2 | Int(third >> 6)] : padding)
      output.append(rest > 2 ? alphabet[Int(third & 63)] : padding)
      index += 3
    }
  }

  /// The decoded bytes; nil if `text` is not base64.
  static func decode(_ text: RawSpan) -> ByteBuffer? {
    guard text.byteCount % 4 == 0 else { return nil }
    var output = ByteBuffer(capacity: text.byteCount / 4 * 3)
    var index = 0
    while index < text.byteCount {
      let isLast = index + 4 == text.byteCount
      let padding = isLast ? (text[index + 3] == UInt8(ascii: "=") ? (text[index + 2] == UInt8(ascii: "=") ? 2 : 1) : 0) : 0
      var bits: UInt32 = 0
      for offset in 0..<4 {
        let value: UInt8 = offset < 4 - padding ? values[Int(text[index + offset])] : 0
        guard value < 64 else { return nil }
        bits = bits << 6 | UInt32(value)
      }
      let unused: UInt32 = padding == 2 ? 0xFFFF : padding == 1 ? 0xFF : 0
      guard bits & unused == 0 else { return nil }
      output.append(UInt8(truncatingIfNeeded: bits >> 16))
      if padding < 2 { output.append(UInt8(truncatingIfNeeded: bits >> 8)) }
      if padding < 1 { output.append(UInt8(truncatingIfNeeded: bits)) }
      index += 4
    }
    return output
  }
}
