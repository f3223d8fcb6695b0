/// Durations counted with the same relative precision from nanoseconds to an hour: what percentiles are read from.
///
///     bits of a value above its 8 highest are dropped:  0…255 exact | 256…511 in steps of 2 | 512…1023 in steps of 4 | …
///
/// The layout is that of Gil Tene's HdrHistogram, with 128 steps per power of two: a percentile is at most 1/128 (0.8 %) too high, and
/// never too low. A record is one leading-zero count, one shift, one addition; 37 KB, made once. (The package of that name grows its
/// counts in an array and brings swift-numerics along.)

import MartletBytes

struct HDRHistogram: ~Copyable {
  /// Larger values are counted as this one: 73 minutes.
  static var nanosecondsMax: UInt64 { (1 << 42) - 1 }
  /// log2 of the steps per power of two.
  static var stepBits: Int { 7 }
  static var bucketCount: Int { index(of: nanosecondsMax) + 1 }

  private var counts = FixedArray<UInt64>(repeating: 0, count: HDRHistogram.bucketCount)
  private(set) var count: UInt64 = 0
  /// The largest value, exactly; 0 without any.
  private(set) var max: UInt64 = 0

  mutating func record(_ nanoseconds: UInt64) {
    let index = Self.index(of: nanoseconds)
    counts[index] = counts[index] &+ 1
    count &+= 1
    if nanoseconds > max { max = nanoseconds }
  }

  mutating func add(_ other: borrowing HDRHistogram) {
    for index in 0..<counts.count { counts[index] = counts[index] &+ other.counts[index] }
    count &+= other.count
    max = Swift.max(max, other.max)
  }

  /// The smallest value that at least `percent` of the records do not exceed, rounded up to its bucket's end; 0 without records.
  func nanoseconds(atPercentile percent: Double) -> UInt64 {
    let rank = Swift.max(1, UInt64((Double(count) * percent / 100).rounded(.up)))
    var seen: UInt64 = 0
    for index in 0..<counts.count {
      seen &+= counts[index]
      if seen >= rank { return Swift.min(Self.highest(ofBucket: index), max) }
    }
    return max
  }

  static func index(of nanoseconds: UInt64) -> Int {
    let value = Swift.min(nanoseconds, nanosecondsMax)
    let shift = Swift.max(0, 63 &- stepBits &- value.leadingZeroBitCount)
    return shift &<< stepBits &+ Int(truncatingIfNeeded: value &>> UInt64(shift))
  }

  /// The largest value that falls into a bucket.
  static func highest(ofBucket index: Int) -> UInt64 {
    let shift = Swift.max(0, index &>> stepBits &- 1)
    return (UInt64(index &- shift &<< stepBits) &+ 1) &<< UInt64(shift) &- 1
  }
}
