import MartletBytes
import Testing

@testable import Bench

@Suite struct HDRHistogramTests {
  @Test("Every value falls into a bucket that ends at most 0.8 % above it and never below")
  func precision() {
    var random = SplitMix64(seed: 7)
    var values = (0..<64).map { UInt64(1) << UInt64($0) }
    values += values.map { $0 &- 1 } + (0..<20_000).map { _ in random.next() >> UInt64(random.below(64)) }
    for value in values {
      let end = HDRHistogram.highest(ofBucket: HDRHistogram.index(of: value))
      let counted = min(value, HDRHistogram.nanosecondsMax)
      #expect(end >= counted && end - counted <= counted / 128, "\(value)")
    }
  }

  @Test("Buckets follow one another without a gap, from 0 to the largest value")
  func buckets() {
    for index in 1..<HDRHistogram.bucketCount {
      #expect(HDRHistogram.index(of: HDRHistogram.highest(ofBucket: index - 1) + 1) == index)
    }
    #expect(HDRHistogram.highest(ofBucket: HDRHistogram.bucketCount - 1) == HDRHistogram.nanosecondsMax)
  }

  @Test("Percentiles are those of the sorted values, within a bucket; the maximum is exact")
  func percentiles() {
    var random = SplitMix64(seed: 11)
    var first = HDRHistogram()
    var second = HDRHistogram()
    var values: [UInt64] = []
    for index in 0..<50_000 {
      let value = random.next() >> UInt64(24 + random.below(30))
      values.append(value)
      if index % 2 == 0 { first.record(value) } else { second.record(value) }
    }
    values.sort()
    first.add(second)
    for percent in [0, 1, 50, 90, 99, 99.9, 99.99, 100] {
      let exact = values[max(0, Int((Double(values.count) * percent / 100).rounded(.up)) - 1)]
      let told = first.nanoseconds(atPercentile: percent)
      #expect(told >= exact && told - exact <= exact / 128, "\(percent) %: \(told) for \(exact)")
    }
    let (largest, count) = (first.max, first.count)
    #expect(largest == values.last)
    #expect(count == UInt64(values.count))
  }

  @Test("Without records everything is 0")
  func empty() {
    let histogram = HDRHistogram()
    let told = histogram.nanoseconds(atPercentile: 99)
    #expect(told == 0)
  }
}
