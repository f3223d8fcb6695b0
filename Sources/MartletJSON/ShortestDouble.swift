/// Doubles to their shortest digits: the fewest that read back as the same double, and of those the nearest.
///
/// The plain algorithm: of all decimals inside the interval that rounds to the value, take the one with the fewest digits. Two ways here:
///
/// 1. Values with few decimals, which is what people store (19.99, 4.5; `FewDecimals`): if `value × 10^k` is an integer below 10^15 and divides
///    back to the value, its digits are the answer. Both operations are rounded correctly and 15 digits never share a double, so
///    no shorter or other form can exist.
/// 2. The rest (59.970000000000006): Raffaello Giulietti's Schubfach, in the form of Alexander Bolz's Drachennest: three 64 × 128
///    bit products with a table of powers of ten, no loop, no big numbers, no allocation.
///
/// Swift's own `description` finds the same digits but makes a `String` of them; the tests compare the two.

/// `digits × 10^exponent`, the magnitude of a double; `digits` may end in zeros.
struct ShortestDecimal: Equatable {
  var digits: UInt64
  var exponent: Int

  /// The shortest decimal of a finite value's magnitude.
  init(_ value: Double) {
    if let few = FewDecimals(value.magnitude) {
      self.init(digits: few.whole * 10_000 + few.tenThousandths, exponent: -4)
    } else {
      self.init(schubfach: value.magnitude)
    }
  }

  init(digits: UInt64, exponent: Int) {
    self.digits = digits
    self.exponent = exponent
  }

  /// Way 2.
  @inline(never)
  init(schubfach magnitude: Double) {
    let fraction = magnitude.significandBitPattern
    let biased = Int(magnitude.exponentBitPattern)
    if fraction == 0, biased == 0 {
      self.init(digits: 0, exponent: 0)
      return
    }
    // value = c × 2^q
    let c = biased == 0 ? fraction : fraction | 1 << 52
    let q = (biased == 0 ? 1 : biased) &- 1075
    // The boundaries to the neighbours, in quarters: below a power of two the lower neighbour is nearer.
    let lowerIsCloser = fraction == 0 && biased > 1
    let lowerQuarters = 4 &* c &- 2 &+ (lowerIsCloser ? 1 : 0)
    let quarters = 4 &* c
    let upperQuarters = 4 &* c &+ 2

    // k = floor(log10(2^q)), or of 3/4 of that; h brings the products into 64 bits.
    let k = (q &* 1_262_611 &- (lowerIsCloser ? 524_031 : 0)) &>> 22
    let h = UInt64(truncatingIfNeeded: q &+ (-k &* 1_741_647) &>> 19 &+ 1)
    let power = PowersOfTen.ceiling(-k)
    let below = Self.roundedToOdd(power, lowerQuarters &<< h)
    let here = Self.roundedToOdd(power, quarters &<< h)
    let above = Self.roundedToOdd(power, upperQuarters &<< h)

    // The boundaries themselves belong to the interval when c is even (ties go to even).
    let odd = c & 1
    let lower = below &+ odd
    let upper = above &- odd

    let s = here / 4
    if s >= 10 {
      // One digit fewer, if exactly one of the two candidates lies inside.
      let tenth = s / 10
      let downInside = lower <= 40 &* tenth
      let upInside = 40 &* tenth &+ 40 <= upper
      if downInside != upInside {
        self.init(digits: tenth &+ (upInside ? 1 : 0), exponent: k &+ 1)
        return
      }
    }
    let downInside = lower <= 4 &* s
    let upInside = 4 &* s &+ 4 <= upper
    let up: Bool
    if downInside != upInside {
      up = upInside
    } else {
      let middle = 4 &* s &+ 2
      up = here > middle || here == middle && s & 1 == 1
    }
    self.init(digits: s &+ (up ? 1 : 0), exponent: k)
  }

  /// The upper 64 of 192 bits of the product, its last bit set if anything was cut off.
  @inline(__always)
  private static func roundedToOdd(_ power: (high: UInt64, low: UInt64), _ factor: UInt64) -> UInt64 {
    let lowProduct = power.low.multipliedFullWidth(by: factor)
    let highProduct = power.high.multipliedFullWidth(by: factor)
    let (middle, carried) = highProduct.low.addingReportingOverflow(lowProduct.high)
    return highProduct.high &+ (carried ? 1 : 0) | (middle > 1 ? 1 : 0)
  }

  /// The same value without zeros at the end of its digits: the form in which two decimals are equal when their fields are.
  var normalized: ShortestDecimal {
    var result = self
    if digits == 0 { return ShortestDecimal(digits: 0, exponent: 0) }
    while result.digits % 10 == 0 {
      result.digits /= 10
      result.exponent += 1
    }
    return result
  }
}

/// Way 1: a value of up to four decimals and 15 digits, in a form that is printed without stripping zeros.
struct FewDecimals {
  var whole: UInt64
  /// Four digits behind the point, as a number.
  var tenThousandths: UInt64

  /// nil for other values.
  @inline(__always)
  init?(_ magnitude: Double) {
    guard magnitude < 1e11 else { return nil }
    // Two decimals first: prices. An integer below 10^15 that divides back to the value has its shortest digits.
    let hundredfold = magnitude * 100
    let hundredths = UInt64(hundredfold)
    if Double(hundredths) == hundredfold, hundredfold / 100 == magnitude {
      whole = hundredths / 100
      tenThousandths = (hundredths - whole * 100) * 100
      return
    }
    let scaled = magnitude * 10_000
    let fine = UInt64(scaled)
    guard Double(fine) == scaled, scaled / 10_000 == magnitude else { return nil }
    whole = fine / 10_000
    tenThousandths = fine - whole * 10_000
  }
}
