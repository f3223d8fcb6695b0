/// Durations counted in buckets whose bounds double: for Prometheus and for percentiles that need no more than that.
///
/// A record is one leading-zero count and one addition. Bounds run from 1 µs (2^10 ns, in fact 1.024 µs) to about 17 s (2^34 ns)
/// and an overflow bucket. Plain integers: one per loop, added up by the reader.

package struct LatencyHistogram: Sendable {
  /// Buckets, the overflow bucket included.
  package static var bucketCount: Int { 26 }
  /// log2 of the first bucket's bound in nanoseconds.
  @usableFromInline static var firstBoundLog2: Int { 10 }

  package private(set) var counts: [UInt64]
  package private(set) var nanosecondsTotal: UInt64 = 0

  package init() { counts = Array(repeating: 0, count: Self.bucketCount) }

  /// From `bucketCount` counts.
  package init(counts: [UInt64], nanosecondsTotal: UInt64) {
    precondition(counts.count == Self.bucketCount, "a count for each bucket")
    self.counts = counts
    self.nanosecondsTotal = nanosecondsTotal
  }

  package var count: UInt64 { counts.reduce(0, &+) }

  /// The upper bound of bucket `index` in seconds, inclusive; nil for the overflow bucket.
  package static func boundSeconds(_ index: Int) -> Double? {
    index < bucketCount - 1 ? Double(UInt64(1) << UInt64(index + firstBoundLog2)) / 1e9 : nil
  }

  /// The bucket for a duration.
  package static func bucket(nanoseconds: UInt64) -> Int {
    let bits = 64 - (nanoseconds == 0 ? 0 : nanoseconds - 1).leadingZeroBitCount  // smallest b with nanoseconds <= 2^b
    return min(max(bits - firstBoundLog2, 0), bucketCount - 1)
  }

  package mutating func record(nanoseconds: UInt64) {
    counts[Self.bucket(nanoseconds: nanoseconds)] &+= 1
    nanosecondsTotal &+= nanoseconds
  }

  /// The bound of the bucket that holds the given quantile (0 to 1), in seconds; 0 without records. In the overflow bucket: the
  /// largest bound.
  package func upperBoundSeconds(quantile: Double) -> Double {
    let total = count
    guard total > 0 else { return 0 }
    let rank = max(1, UInt64((Double(total) * quantile).rounded(.up)))
    var seen: UInt64 = 0
    for (index, count) in counts.enumerated() {
      seen += count
      if seen >= rank { return Self.boundSeconds(min(index, Self.bucketCount - 2)) ?? 0 }
    }
    return 0
  }

  /// Records `times` events of the same duration.
  package mutating func record(nanoseconds: UInt64, times: Int) {
    counts[Self.bucket(nanoseconds: nanoseconds)] &+= UInt64(times)
    nanosecondsTotal &+= nanoseconds &* UInt64(times)
  }

  /// What was recorded since it was as `earlier`.
  package mutating func subtract(_ earlier: LatencyHistogram) {
    for index in counts.indices { counts[index] &-= min(earlier.counts[index], counts[index]) }
    nanosecondsTotal &-= min(earlier.nanosecondsTotal, nanosecondsTotal)
  }

  package mutating func add(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
    nanosecondsTotal &+= other.nanosecondsTotal
  }
}
