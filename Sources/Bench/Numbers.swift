/// Numbers for people: as many digits as mean something.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }

/// `90 %`, `0.1 %`.
func percent(_ part: Double) -> String { "\(short(part * 100)) %" }

/// The value as reports keep it: six decimals.
func millionths(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

/// At most three decimals, and none that are zeros.
func short(_ value: Double) -> String {
  guard abs(value) < 1e15 else { return "\(value)" }
  let rounded = (value * 1000).rounded() / 1000
  return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
}

/// Three digits that mean something: `123`, `12.3`, `1.23`, `0.123`; larger numbers whole.
func threeDigits(_ value: Double) -> String {
  var scale = 1.0
  while abs(value) * scale < 100 && scale < 1000 { scale *= 10 }
  return short((value * scale).rounded() / scale)
}

/// `850 ns`, `12.3 µs`, `1.23 ms`, `1.5 s`.
func duration(nanoseconds: UInt64) -> String {
  switch nanoseconds {
  case 0..<1000: "\(nanoseconds) ns"
  case 0..<1_000_000: "\(threeDigits(Double(nanoseconds) / 1e3)) µs"
  case 0..<1_000_000_000: "\(threeDigits(Double(nanoseconds) / 1e6)) ms"
  default: "\(threeDigits(Double(nanoseconds) / 1e9)) s"
  }
}
