import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("Numbers as Redis reads them")
struct RESPNumberTests {
  private func integer(_ text: String) -> Int64? { RESPNumber.integer(Array(text.utf8).rawSpan) }

  @Test("Integers are read in their shortest form alone")
  func integers() {
    #expect(["0", "-1", "9223372036854775807", "-9223372036854775808"].map(integer) == [0, -1, .max, .min])
    for text in ["", "-", "-0", "+1", "01", " 1", "1 ", "9223372036854775808", "1.0", "0x1", "99999999999999999999"] {
      #expect(integer(text) == nil, "\(text)")
    }
  }

  private func sum(_ left: String, _ right: String) -> String? {
    guard case .number(let first) = RESPDecimal.read(Array(left.utf8).rawSpan),
      case .number(let second) = RESPDecimal.read(Array(right.utf8).rawSpan), let sum = first.adding(second)
    else { return nil }
    var output = ByteBuffer()
    sum.write(to: &output)
    return output.text
  }

  @Test("Decimals are added exactly")
  func decimals() {
    #expect(sum("10.50", "0.1") == "10.6")
    #expect(sum("0.1", "0.2") == "0.3")
    #expect(sum("5.0e3", "2.0e2") == "5200")
    #expect(sum("-1.5", "+.5") == "-1")
    #expect(sum("1e-17", "0") == "0.00000000000000001")
    #expect(sum("3", "-3") == "0")
    for text in ["", ".", "-", "1x", "1e", " 1", "1 ", "nan", "inf", "1e40"] { #expect(sum(text, "0") == nil, "\(text)") }
    #expect(RESPDecimal.read(Array("-inf".utf8).rawSpan) == .tooLarge)
    #expect(RESPDecimal.read(Array("nan".utf8).rawSpan) == .malformed)
  }
}
