import MartletBytes
import Testing

@Suite("JSON string escaping")
struct JSONEscapingTests {
  /// The plain twin: RFC 8259 section 7, one scalar at a time.
  static func naive(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22: result += #"\""#
      case 0x5C: result += #"\\"#
      case 0x08: result += #"\b"#
      case 0x09: result += #"\t"#
      case 0x0A: result += #"\n"#
      case 0x0C: result += #"\f"#
      case 0x0D: result += #"\r"#
      case 0..<0x20:
        let digits = String(scalar.value, radix: 16)
        result += #"\u"# + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  static func fast(_ text: String) -> String {
    var buffer = ByteBuffer()
    buffer.append(jsonString: text)
    return buffer.text
  }

  @Test("Every byte below 128 at every place of a word is escaped as the plain twin does")
  func everyByte() {
    for byte in UInt8(0)..<128 {
      for length in 0..<20 {
        for place in 0...length {
          let text = String(repeating: "a", count: place) + String(UnicodeScalar(byte)) + String(repeating: "é", count: length - place)
          #expect(Self.fast(text) == Self.naive(text))
        }
      }
    }
  }

  @Test("Random text is escaped as the plain twin does")
  func random() {
    let seed = UInt64.random(in: 1 ... .max)
    var state = seed
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<next() % 60 {
        text.unicodeScalars.append(UnicodeScalar(UInt32(next() % (next() % 3 == 0 ? 0x80 : 0xD7FF)))!)
      }
      #expect(Self.fast(text) == Self.naive(text), "seed \(seed)")
    }
  }
}
