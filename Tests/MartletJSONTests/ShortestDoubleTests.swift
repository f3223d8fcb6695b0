import MartletBytes
import Testing

@testable import MartletJSON

/// Swift's own digits, in the notation we document: no `.0` at the end.
func plainTwin(_ value: Double) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

@Suite("Doubles as digits, and back")
struct ShortestDoubleTests {
  private func printed(_ value: Double) -> String {
    var buffer = ByteBuffer()
    buffer.append(finite: value)
    return buffer.text
  }

  @Test(
    "The notation is the documented one",
    arguments: [
      (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-1.0, "-1"), (0.1, "0.1"), (19.99, "19.99"), (0.0001, "0.0001"), (0.00001, "1e-05"),
      (0.000123, "0.000123"),
      (59.970000000000006, "59.970000000000006"), (1e15, "1000000000000000"), (9_007_199_254_740_991, "9007199254740991"),
      (9_007_199_254_740_992, "9007199254740992"),
      (9_007_199_254_740_994, "9.007199254740994e+15"), (1e16, "1e+16"), (1e22, "1e+22"), (1e23, "1e+23"), (1.5e300, "1.5e+300"),
      (1e-7, "1e-07"),
      (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.leastNonzeroMagnitude, "5e-324"),
      (.leastNormalMagnitude, "2.2250738585072014e-308"),
      (100, "100"), (1234567.125, "1234567.125"), (0.3, "0.3"), (2.5e-5, "2.5e-05"), (123456789012.25, "123456789012.25"),
    ])
  func notation(value: Double, text: String) { #expect(printed(value) == text) }

  @Test("Every power of two and ten, and their neighbours, print as Swift prints them")
  func edges() {
    for exponent in -1074...1023 {
      let power =
        exponent < -1022 ? Double(bitPattern: 1 << UInt64(exponent + 1074)) : Double(sign: .plus, exponent: exponent, significand: 1)
      for value in [power, power.nextUp, power.nextDown, -power] { #expect(printed(value) == plainTwin(value)) }
    }
    for exponent in -323...308 {
      let power = Double("1e\(exponent)")!
      for value in [power, power.nextUp, power.nextDown, 3 * power, 7 * power] where value.isFinite {
        #expect(printed(value) == plainTwin(value))
      }
    }
  }

  @Test("Random doubles of every magnitude, and prices times quantities, print as Swift prints them and read back the same")
  func random() {
    var random = SeededRandom(seed: runSeed)
    for round in 0..<60_000 {
      let value: Double
      switch round % 5 {
      case 0: value = Double(bitPattern: random.next())
      case 1: value = Double(Int.random(in: 0...10_000_000, using: &random)) / 100
      case 2: value = Double(Int.random(in: 0...100_000, using: &random)) / 100 * Double(Int.random(in: 1...999, using: &random))
      case 3:
        value =
          Double(random.next() >> UInt64.random(in: 0...63, using: &random)) / [1, 10, 1000, 1e4, 1e5, 1e9].randomElement(using: &random)!
      default: value = Double(bitPattern: random.next() >> 12)  // subnormal
      }
      guard value.isFinite else { continue }
      let text = printed(value)
      #expect(text == plainTwin(value), "seed \(runSeed)")
      let back = withBytes(text) { JSONNumber($0).double($0) }
      #expect(back?.bitPattern == value.bitPattern, "\(text), seed \(runSeed)")
      // And the slow way alone agrees with the fast way.
      #expect(ShortestDecimal(schubfach: value.magnitude).normalized == ShortestDecimal(value).normalized, "\(text), seed \(runSeed)")
    }
  }

  @Test("Numbers are read to the nearest double, however they are written")
  func reading() {
    var random = SeededRandom(seed: runSeed)
    func check(_ text: String) {
      let expected = Double(text).flatMap { $0.isFinite ? $0 : nil }
      let read = withBytes(text) { JSONNumber($0).double($0) }
      #expect(read?.bitPattern == expected?.bitPattern, "\(text), seed \(runSeed)")
    }
    for text in [
      "0", "-0", "-0.0", "1e308", "1e309", "-1e309", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "5e-324",
      "2e-324",
      "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-400", "1e400", "9007199254740993", "9007199254740993.0000000000000000001",
      "9007199254740991",
      "18446744073709551616", "9223372036854775808", "1e22", "1e23", "8.5e22", "123456789012345678901234567890",
      "0.000000000000000000000000000001",
      "2.2250738585072011e-308", "2.2250738585072012e-308", "0e999999999999999999999", "1e-999999999999999999999",
      "1e999999999999999999999",
      "0." + String(repeating: "0", count: 400) + "1e400", "1" + String(repeating: "0", count: 400) + "e-400",
      "1" + String(repeating: "0", count: 400),
      "179769313486231580793728971405301e276", "6.02214076E+23", "100000000000000016777215", "100000000000000016777216",
    ] { check(text) }
    for _ in 0..<40_000 {
      let digits = (0..<Int.random(in: 1...24, using: &random)).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
      let trimmed = String(digits.drop { $0 == "0" })
      let whole = trimmed.isEmpty ? "0" : trimmed
      switch Int.random(in: 0...2, using: &random) {
      case 0: check(whole)
      case 1: check("-\(whole).\(random.next() >> 20)")
      default: check("\(whole).\(random.next() >> 34)e\(Int.random(in: -340...320, using: &random))")
      }
    }
  }

  @Test("The powers of ten are the leading 128 bits, rounded as documented")
  func powers() {
    // 10^0 … 10^38 fit into 128 bits; the table is exact there up to 10^38 of 126.2 bits.
    var power: UInt128 = 1
    for exponent in 0...38 {
      let normal = power << UInt128(power.leadingZeroBitCount)
      let (high, low) = PowersOfTen.ceiling(exponent)
      #expect(high == UInt64(normal >> 64) && low == UInt64(truncatingIfNeeded: normal))
      if exponent < 38 { power *= 10 }
    }
    // Every entry follows from the one before, to within a unit or two: ×10, then shifted back to 128 bits.
    for exponent in PowersOfTen.exponentMin..<PowersOfTen.exponentMax {
      let (high, low) = PowersOfTen.ceiling(exponent)
      let (nextHigh, nextLow) = PowersOfTen.ceiling(exponent + 1)
      let value = UInt128(high) << 64 | UInt128(low)
      let product = value.multipliedFullWidth(by: 10)
      let shift = UInt128(128 - product.high.leadingZeroBitCount)  // bits that stand above 128
      let expected = UInt128(truncatingIfNeeded: product.high) << (128 - shift) | product.low >> shift
      let next = UInt128(nextHigh) << 64 | UInt128(nextLow)
      #expect(max(expected, next) - min(expected, next) <= 2)
      #expect(high >> 63 == 1)
    }
  }
}
