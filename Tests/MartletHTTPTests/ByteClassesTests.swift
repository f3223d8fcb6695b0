import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Byte classes")
struct ByteClassesTests {
  /// The first flagged place, 8 if none.
  private func first(_ flags: UInt64) -> Int { flags == 0 ? 8 : flags.trailingZeroBitCount / 8 }

  /// Each word scan beside its plain twin.
  static let twins: [(String, @Sendable (UInt64) -> UInt64, @Sendable (UInt8) -> Bool)] = [
    ("target", ByteClasses.targetStops, { !(0x21...0x7E).contains($0) || "#%?".utf8.contains($0) }),
    ("name", ByteClasses.nameStops, { !(ByteClasses.isToken($0) && !"!#$%&'*+.^_`|~".utf8.contains($0)) }),
    ("value", ByteClasses.valueStops, { $0 < 0x20 || $0 == 0x7F }),
    ("host", ByteClasses.hostStops, { !(ByteClasses.isToken($0) && !"!#$%&'*+^_`|~".utf8.contains($0)) }),
    ("slash", ByteClasses.slashes, { $0 == 0x2F }),
    ("blank", ByteClasses.blanks, { $0 < 0x21 }),
  ]

  @Test("A scan by words stops where its plain twin stops: all pairs of bytes, at all places", arguments: twins.indices)
  func pairs(_ index: Int) {
    let (name, scan, stops) = Self.twins[index]
    for left in UInt8.min...UInt8.max {
      for right in UInt8.min...UInt8.max {
        for place in [0, 3, 6] {
          var bytes = Array(repeating: UInt8(ascii: "a"), count: 8)
          bytes[place] = left
          bytes[place + 1] = right
          let expected = bytes.firstIndex(where: stops) ?? 8
          if first(scan(bytes.rawSpan.paddedWord(at: 0))) != expected {
            Issue.record("\(name): \(left), \(right) at \(place)")
            return
          }
        }
      }
    }
  }

  @Test("Random words, too", arguments: twins.indices)
  func random(_ index: Int) {
    let (name, scan, stops) = Self.twins[index]
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let word = random.next() & random.next() | random.next() & 0x2020_2020_2020_2020
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
      let expected = bytes.firstIndex(where: stops) ?? 8
      if first(scan(word)) != expected {
        Issue.record("\(name): \(bytes)")
        return
      }
    }
  }

  @Test("The token characters are those of RFC 9110 section 5.6.2")
  func tokens() {
    let tokens = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in UInt8.min...UInt8.max { #expect(ByteClasses.isToken(byte) == tokens.contains(byte)) }
  }
}
