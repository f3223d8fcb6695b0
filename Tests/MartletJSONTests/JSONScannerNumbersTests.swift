import MartletBytes
import Testing

@testable import MartletJSON

@Suite("Numbers read the short way")
struct JSONScannerNumbersTests {
  /// What the two short ways say, and the long way beside them.
  private func check(_ text: String) {
    withBytes(text + ",") { bytes in
      let number = JSONNumber(bytes[0..<text.utf8.count])
      if let (value, end) = JSONScanner.plainInteger(in: bytes, from: 0) {
        #expect(value == number.int64 && end == text.utf8.count, "\(text)")
      }
      if let (value, end) = JSONScanner.plainDouble(in: bytes, from: 0) {
        #expect(value.bitPattern == Double(text)?.bitPattern && end == text.utf8.count, "\(text)")
      }
    }
  }

  @Test("What they read is what the long way reads, to the bit")
  func equal() {
    for text in [
      "0", "-0", "1", "-1", "9", "10", "999999999999999999", "1000000000000000000", "-999999999999999999", "9223372036854775807", "0.0",
      "-0.0", "0.1",
      "0.5", "123456789012345.5", "0.000000000000000001", "9007199254740993.0", "9007199254740992.0", "0.8732104561237809", "1e5", "1.5e5",
      "-12.25",
      "4503599627370497.5", "900719925474099.3", "99999999999999999.9", "0.1234567890123456",
    ] { check(text) }
    let seed = runSeed
    var random = SeededRandom(seed: seed)
    for _ in 0..<2000 {
      let whole = random.next() >> UInt64.random(in: 0...63, using: &random)
      let fraction = (0..<Int.random(in: 0...18, using: &random)).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
      check((Bool.random(using: &random) ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : "." + fraction))
    }
  }

  @Test("They take the usual, and leave to the long way what it alone can read or refuse")
  func scope() {
    for text in ["0", "7", "-250", "123456789012345678"] {
      withBytes(text) { #expect(JSONScanner.plainInteger(in: $0, from: 0) != nil, "\(text)") }
    }
    for text in ["0", "19.99", "-0.15", "0.8732104561237809"] {
      withBytes(text) { #expect(JSONScanner.plainDouble(in: $0, from: 0) != nil, "\(text)") }
    }
    for text in ["", "-", "01", "-01", "00", "-0", "1.0", "1e2", "1E2", "1.", "x", "1234567890123456789", " 1"] {
      withBytes(text) { #expect(JSONScanner.plainInteger(in: $0, from: 0) == nil, "\(text)") }
    }
    for text in ["", "-", "01.5", "00.5", "1.", "1.e5", "1e2", "1.5E2", ".5", "x", "9007199254740993.1", "1.2.3"] {
      withBytes(text) { #expect(JSONScanner.plainDouble(in: $0, from: 0) == nil, "\(text)") }
    }
  }

  @Test("Malformed numbers are refused by the reader as by the scanner, at the same byte")
  func malformed() {
    for text in ["01", "-", "-x", "1.", "1.x", "1e", "1e+", "00.5", "1.2.3", "0x1", "+1", "1e5.5", "--1"] {
      for readsInteger in [true, false] {
        let read = withBytes(text) { (bytes) -> JSONError? in
          var reader = JSONReader(bytes)
          do throws(JSONError) {
            if readsInteger { _ = try reader.readInteger() } else { _ = try reader.readDouble() }
            try reader.end()
            return nil
          } catch { return error }
        }
        let scanned = scanError(text)
        #expect(read == scanned || read?.problem == .wrongKind(expected: .number) || read?.problem == .notAnInteger, "\(text)")
        #expect(read != nil)
      }
    }
  }
}
