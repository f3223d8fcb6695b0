import MartletBytes
import Testing

@testable import MartletCacheProtocols

@Suite("Strings as Redis dumps them")
struct RDBStringTests {
  /// What is read of a payload whose footer is right.
  private func read(_ body: [UInt8], bytesMax: Int = 1 << 20) -> Result<[UInt8], RDBString.Failure> {
    var payload = ByteBuffer()
    payload.append(body)
    RDBString.appendFooter(from: 0, to: &payload)
    return Result { () throws(RDBString.Failure) in try RDBString.read(payload.bytes, bytesMax: bytesMax).copied() }
  }

  private func text(_ body: [UInt8]) -> String? { try? String(decoding: read(body).get(), as: UTF8.self) }

  @Test("The checksum is the one of Redis's own test")
  func checksum() {
    #expect(CRC64.of(Array("123456789".utf8).rawSpan) == 0xE9C6_D914_C4B8_D9CA)
    #expect(CRC64.of(RawSpan()) == 0)
  }

  @Test("What is written is read, whatever its length")
  func roundTrip() throws {
    for count in [0, 1, 63, 64, 255, 16383, 16384, 70_000] {
      let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      var body = ByteBuffer()
      RDBString.appendHead(ofCount: count, to: &body)
      #expect(body.count == RDBString.headBytes(ofCount: count))
      body.append(value)
      #expect(try read(body.copied()).get() == value)
    }
  }

  @Test("Integers of 8, 16 and 32 bits are written short, and others not")
  func integers() {
    for (text, count) in [("0", 3), ("-128", 3), ("128", 4), ("-32768", 4), ("32768", 6), ("-2147483648", 6)] {
      var body = ByteBuffer()
      let bytes = Array(text.utf8)
      #expect(RDBString.appendInteger(bytes.rawSpan, to: &body))
      #expect(body.count == count)
      #expect(self.text(body.copied()) == text)
    }
    for text in ["2147483648", "01", "1 ", "", "-0", "x"] {
      var body = ByteBuffer()
      let bytes = Array(text.utf8)
      let isWritten = RDBString.appendInteger(bytes.rawSpan, to: &body)
      #expect(!isWritten && body.isEmpty)
    }
  }

  @Test("Compressed strings are unpacked, references into themselves among them")
  func compressed() {
    #expect(text([0, 0xC3, 4, 3, 2, 0x61, 0x62, 0x63]) == "abc")
    // "ab", then 6 bytes from 2 back; "a", then 20 bytes from 1 back.
    #expect(text([0, 0xC3, 5, 8, 1, 0x61, 0x62, 0x80, 1]) == "abababab")
    #expect(text([0, 0xC3, 5, 21, 0, 0x61, 0xE0, 11, 0]) == String(repeating: "a", count: 21))
  }

  @Test(
    "Malformed strings are refused",
    arguments: [
      [], [0], [1, 1, 0x61], [0, 2, 0x61], [0, 1, 0x61, 0x62], [0, 0xC0], [0, 0xC4, 1], [0, 0x82, 1],
      [0, 0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1],
      [0, 0xC3, 2, 3, 2, 0x61], [0, 0xC3, 2, 2, 0, 0x61], [0, 0xC3, 2, 9, 0x20, 0], [0, 0xC3, 1, 9, 0xE0], [0, 0xC3, 1, 9, 0x20],
      [0, 0xC3, 0xC0, 1], [0, 0xC3, 4, 2, 2, 0x61, 0x62, 0x63], [0, 0xC3, 5, 5, 1, 0x61, 0x62, 0x80, 1],
    ] as [[UInt8]])
  func malformed(body: [UInt8]) {
    #expect(read(body) == .failure(.notAString))
  }

  @Test("A value beyond the bound is refused before memory is taken for it")
  func tooLarge() {
    #expect(read([0, 3, 1, 2, 3], bytesMax: 2) == .failure(.tooLarge))
    #expect(read([0, 0xC3, 1, 0x80, 0x7F, 0xFF, 0xFF, 0xFF, 0], bytesMax: 1000) == .failure(.tooLarge))
  }

  @Test("Any changed byte, a cut and a later version are found out")
  func damaged() {
    var payload = ByteBuffer()
    payload.append([0, 5, 0x68, 0x65, 0x6C, 0x6C, 0x6F])
    RDBString.appendFooter(from: 0, to: &payload)
    let whole = payload.copied()
    for index in whole.indices {
      var changed = whole
      changed[index] ^= 0x10
      #expect(throws: RDBString.Failure.damaged) { try RDBString.read(changed.rawSpan, bytesMax: 100).copied() }
      #expect(throws: RDBString.Failure.damaged) { try RDBString.read(Array(whole[..<index]).rawSpan, bytesMax: 100).copied() }
    }
    var later = Array(whole.dropLast(10)) + [11, 0]
    let checksum = CRC64.of(later.rawSpan)
    for shift in stride(from: 0, to: 64, by: 8) { later.append(UInt8(truncatingIfNeeded: checksum >> UInt64(shift))) }
    #expect(throws: RDBString.Failure.damaged) { try RDBString.read(later.rawSpan, bytesMax: 100).copied() }
  }
}
