/// A decimal number in the notation that JavaScript, Swift and JSON share: plain digits where they are few, else `1.25e+20`.
///
/// It knows nothing of doubles: which digits stand for one is MartletJSON's matter.

extension ByteBuffer {
  /// Appends `digits × 10^exponent` without superfluous zeros. `plainly`: without an exponent, which the caller says of magnitudes
  /// up to 2^53 only; those below 0.0001 get one all the same.
  package mutating func append(digits: UInt64, exponent: Int, isNegative: Bool, plainly: Bool) {
    precondition(exponent.magnitude < 1000, "an exponent that no double has")
    unsafe withFreeBytes(atLeast: DecimalNotation.bytesMax) { free in
      // Writes no more than was asked for: 26 bytes plainly, 27 with an exponent of three digits.
      unsafe DecimalNotation.write(digits, exponent, isNegative: isNegative, plainly: plainly, to: free.baseAddress!)
    }
  }
}

extension ByteBuffer {
  /// Appends a whole number and up to four decimals (`tenThousandths` below 10,000), without superfluous zeros.
  package mutating func append(whole: UInt64, tenThousandths: UInt64, isNegative: Bool) {
    unsafe withFreeBytes(atLeast: DecimalNotation.bytesMax) { free in
      // Writes no more than was asked for: sign, 20 digits, point, four digits.
      unsafe DecimalNotation.write(whole, tenThousandths, isNegative: isNegative, to: free.baseAddress!)
    }
  }
}

enum DecimalNotation {
  /// The longest: sign, 20 digits, point, `e-1000`; or sign, `0.000`, 20 digits.
  static var bytesMax: Int { 32 }

  /// Writes at most `bytesMax` bytes from `start` on, which the caller has reserved; returns how many.
  @unsafe
  static func write(_ digits: UInt64, _ exponent: Int, isNegative: Bool, plainly: Bool, to start: UnsafeMutableRawPointer) -> Int {
    var digits = digits
    var exponent = exponent
    var place = unsafe start
    if isNegative {
      unsafe place.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
      unsafe place += 1
    }

    // Whole and one or two decimals, the way most values go: no zeros to strip one by one.
    if exponent < 0 {
      while exponent < 0 {
        let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
        if remainder != 0 { break }
        digits = quotient
        exponent &+= 1
      }
    }
    if exponent >= 0, plainly {
      while exponent > 0 {
        digits &*= 10
        exponent &-= 1
      }
      let count = Digits.count(digits)
      unsafe Digits.write(digits, endingAt: place + count)
      return unsafe place + count - start
    }
    while digits % 10 == 0 {
      digits /= 10
      exponent &+= 1
    }

    let count = Digits.count(digits)
    let pointAt = count &+ exponent  // digits before the point: 0.digits × 10^pointAt
    if plainly, pointAt > -4 {
      return unsafe fixed(digits, count, pointAt: pointAt, to: place) - start
    }
    return unsafe scientific(digits, count, exponent: pointAt &- 1, to: place) - start
  }

  /// Two pairs of digits behind the point, each stored at once. As above.
  @unsafe @inline(__always)
  static func write(_ whole: UInt64, _ tenThousandths: UInt64, isNegative: Bool, to start: UnsafeMutableRawPointer) -> Int {
    var place = unsafe start
    if isNegative {
      unsafe place.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
      unsafe place += 1
    }
    unsafe place += Digits.count(whole)
    unsafe Digits.write(whole, endingAt: place)
    let count = unsafe place - start
    if tenThousandths == 0 { return count }
    unsafe place.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
    let first = tenThousandths / 100
    let second = tenThousandths - first * 100
    unsafe place.storeBytes(of: pair(first), toByteOffset: 1, as: UInt16.self)
    if second == 0 { return count &+ (first % 10 == 0 ? 2 : 3) }
    unsafe place.storeBytes(of: pair(second), toByteOffset: 3, as: UInt16.self)
    return count &+ (second % 10 == 0 ? 4 : 5)
  }

  /// A number below 100 as two digits, the way they stand in memory.
  @inline(__always)
  private static func pair(_ value: UInt64) -> UInt16 {
    let tens = value / 10
    return UInt16(truncatingIfNeeded: 0x3030 + tens + (value - tens * 10) << 8).littleEndian
  }

  /// `12.5`, `0.00125`: some digits stand behind the point. Returns the end.
  @unsafe @inline(__always)
  private static func fixed(_ digits: UInt64, _ count: Int, pointAt: Int, to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    if pointAt > 0 {
      // One place to the right, then the whole part back over the gap: the point lands between.
      unsafe Digits.write(digits, endingAt: start + count + 1)
      for index in 0..<pointAt {
        unsafe start.storeBytes(of: start.load(fromByteOffset: index + 1, as: UInt8.self), toByteOffset: index, as: UInt8.self)
      }
      unsafe start.storeBytes(of: UInt8(ascii: "."), toByteOffset: pointAt, as: UInt8.self)
      return unsafe start + count + 1
    }
    unsafe start.storeBytes(of: UInt8(ascii: "0"), as: UInt8.self)
    unsafe start.storeBytes(of: UInt8(ascii: "."), toByteOffset: 1, as: UInt8.self)
    for index in 0..<(-pointAt) { unsafe start.storeBytes(of: UInt8(ascii: "0"), toByteOffset: 2 + index, as: UInt8.self) }
    let end = unsafe start + 2 - pointAt + count
    unsafe Digits.write(digits, endingAt: end)
    return unsafe end
  }

  /// `1e-05`, `1.25e+20`: at least two digits of exponent. Returns the end.
  @unsafe
  private static func scientific(_ digits: UInt64, _ count: Int, exponent: Int, to start: UnsafeMutableRawPointer)
    -> UnsafeMutableRawPointer
  {
    var end = unsafe count == 1 ? start + 1 : fixed(digits, count, pointAt: 1, to: start)
    if count == 1 { unsafe Digits.write(digits, endingAt: end) }
    unsafe end.storeBytes(of: UInt8(ascii: "e"), as: UInt8.self)
    unsafe end.storeBytes(of: exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"), toByteOffset: 1, as: UInt8.self)
    unsafe end += 2
    let magnitude = UInt64(exponent.magnitude)
    if magnitude < 10 {
      unsafe end.storeBytes(of: UInt8(ascii: "0"), as: UInt8.self)
      unsafe end += 1
    }
    unsafe end += Digits.count(magnitude)
    unsafe Digits.write(magnitude, endingAt: end)
    return unsafe end
  }
}
