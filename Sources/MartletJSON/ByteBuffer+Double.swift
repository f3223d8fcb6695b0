/// A double as JSON: its shortest digits, in the notation that Swift and Foundation choose.
///
/// As Swift's `description` without `.0` at the end, which is what Foundation's JSONEncoder prints: `1`, `0.1`, `-0`, `1e-05`, `1e+16`.
/// Exponents begin above 2^53 (no integer is printed with digits that the double does not have) and below 0.0001.

public import MartletBytes

extension ByteBuffer {
  /// Appends a finite value. Reading it back gives the same bits.
  @usableFromInline
  package mutating func append(finite value: Double) {
    if let few = FewDecimals(value.magnitude) {
      append(whole: few.whole, tenThousandths: few.tenThousandths, isNegative: value.sign == .minus)
      return
    }
    let decimal = ShortestDecimal(schubfach: value.magnitude)
    append(
      digits: decimal.digits, exponent: decimal.exponent, isNegative: value.sign == .minus, plainly: value.magnitude <= 0x1p53)
  }
}
