import MartletBytes
import Testing

@testable import Bench

@Suite struct KeyPickerTests {
  /// How often each key comes in `draws` draws.
  private func counts(_ distribution: KeyDistribution, keys: Int, draws: Int, seed: UInt64 = 3) -> [Int] {
    var picker = KeyPicker(distribution, keys: keys)
    var random = SplitMix64(seed: seed)
    var counts = [Int](repeating: 0, count: keys)
    for _ in 0..<draws { counts[picker.next(&random)] += 1 }
    return counts
  }

  /// Whether a count is within six standard deviations of what its probability says.
  private func isLikely(_ count: Int, _ probability: Double, of draws: Int) -> Bool {
    let expected = probability * Double(draws)
    return abs(Double(count) - expected) <= 6 * (expected * (1 - probability)).squareRoot() + 1
  }

  @Test("Uniform keys are all alike")
  func uniform() {
    for count in counts(.uniform, keys: 100, draws: 100_000) { #expect(isLikely(count, 0.01, of: 100_000)) }
  }

  @Test("A Zipf rank k is drawn in proportion to k to the minus theta", arguments: [0.2, 0.5, 0.99, 1, 1.3, 3])
  func zipf(theta: Double) {
    let (keys, draws) = (1000, 200_000)
    let picker = KeyPicker(.zipf(theta: theta), keys: keys)
    let counts = counts(.zipf(theta: theta), keys: keys, draws: draws)
    let weights = (1...keys).map { power(Double($0), -theta) }
    let total = weights.reduce(0, +)
    for rank in 0..<keys {
      #expect(isLikely(counts[picker.scattered(rank)], weights[rank] / total, of: draws), "rank \(rank + 1) at theta \(theta)")
    }
  }

  @Test("Zipf works with one key, with two, and with a thousand million")
  func extremes() {
    #expect(counts(.zipf(theta: 0.99), keys: 1, draws: 100) == [100])
    let two = counts(.zipf(theta: 1), keys: 2, draws: 30_000)
    #expect(isLikely(two.max()!, 2.0 / 3, of: 30_000))
    var picker = KeyPicker(.zipf(theta: 0.8), keys: 1_000_000_000)
    var random = SplitMix64(seed: 1)
    for _ in 0..<10_000 { #expect(0..<1_000_000_000 ~= picker.next(&random)) }
  }

  @Test("A hot set gets its share, and both parts are uniform within")
  func hot() {
    let (keys, draws) = (200, 200_000)
    let distribution = KeyDistribution.hot(part: 0.1, share: 0.9)
    let picker = KeyPicker(distribution, keys: keys)
    let counts = counts(distribution, keys: keys, draws: draws)
    for rank in 0..<keys {
      #expect(isLikely(counts[picker.scattered(rank)], rank < 20 ? 0.9 / 20 : 0.1 / 180, of: draws))
    }
  }

  @Test("A scan asks for one key after the other, from where it is told to, and again from the first")
  func scan() {
    var picker = KeyPicker(.scan, keys: 5, start: 3)
    var random = SplitMix64(seed: 1)
    let drawn = (0..<7).map { _ in picker.next(&random) }
    #expect(drawn == [3, 4, 0, 1, 2, 3, 4])
  }

  @Test("Ranks are scattered over all keys, each once", arguments: [1, 2, 3, 10, 97, 1000, 4096, 30030])
  func scattered(keys: Int) {
    let picker = KeyPicker(.zipf(theta: 1), keys: keys)
    #expect(Set((0..<keys).map(picker.scattered)) == Set(0..<keys))
  }

  @Test("The same seed draws the same keys")
  func seeded() {
    #expect(counts(.zipf(theta: 0.99), keys: 50, draws: 1000, seed: 9) == counts(.zipf(theta: 0.99), keys: 50, draws: 1000, seed: 9))
    #expect(counts(.zipf(theta: 0.99), keys: 50, draws: 1000, seed: 9) != counts(.zipf(theta: 0.99), keys: 50, draws: 1000, seed: 10))
  }
}

/// `base` to a small power, by squaring roots: exact enough to judge counts, and no library's.
private func power(_ base: Double, _ exponent: Double) -> Double {
  var result = 1.0
  var factor = base
  var whole = exponent.magnitude.rounded(.down)
  while whole > 0 {
    result *= base
    whole -= 1
  }
  var rest = exponent.magnitude - exponent.magnitude.rounded(.down)
  for _ in 0..<50 {
    factor = factor.squareRoot()
    rest *= 2
    if rest >= 1 {
      result *= factor
      rest -= 1
    }
  }
  return exponent < 0 ? 1 / result : result
}
