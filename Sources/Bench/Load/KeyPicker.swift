/// Which keys are asked for: numbers from 0 on, drawn from a distribution.
///
/// Popular keys are scattered over the numbers by a fixed permutation: numbers that lie together were stored together, and a server that
/// keeps them so would look better than it is.

import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum KeyDistribution: Sendable, Equatable {
  /// All alike.
  case uniform
  /// The k-th most popular key is asked for in proportion to 1/k^theta.
  case zipf(theta: Double)
  /// One after the other, and again from the first.
  case scan
  /// A part of the keys gets a share of the requests, within each part all alike; both between 0 and 1.
  case hot(part: Double, share: Double)
}

extension KeyDistribution: CustomStringConvertible {
  var description: String {
    switch self {
    case .uniform: "uniform"
    case .zipf(let theta): "Zipf \(theta)"
    case .scan: "scan"
    case .hot(let part, let share): "\(percent(share)) of requests to \(percent(part)) of keys"
    }
  }
}

struct KeyPicker: Sendable {
  let keys: Int
  private let distribution: KeyDistribution
  private let zipf: ZipfSampler
  /// The first `hotKeys` ranks, and how often one of them is meant.
  private let hotKeys: Int
  private let hotShare: Double
  private let scatterFactor: UInt64
  /// The next key of a scan.
  private var position: Int

  /// `start`: where a scan begins.
  init(_ distribution: KeyDistribution, keys: Int, start: Int = 0) {
    precondition(keys > 0, "there is a key")
    self.distribution = distribution
    self.keys = keys
    position = start % keys
    if case .zipf(let theta) = distribution {
      zipf = ZipfSampler(count: keys, theta: theta)
    } else {
      zipf = ZipfSampler(count: 1, theta: 1)
    }
    if case .hot(let part, let share) = distribution {
      hotKeys = min(keys, max(1, Int((Double(keys) * part).rounded())))
      hotShare = hotKeys == keys ? 1 : share
    } else {
      hotKeys = 0
      hotShare = 0
    }
    scatterFactor = UInt64(Self.scatterFactor(keys))
  }

  /// Whether a key does not follow from the one before.
  var isRandom: Bool { distribution != .scan }

  mutating func next(_ random: inout SplitMix64) -> Int {
    switch distribution {
    case .uniform: return random.below(keys)
    case .zipf: return scattered(zipf.next(&random))
    case .hot:
      return scattered(random.unit() < hotShare ? random.below(hotKeys) : hotKeys + random.below(keys - hotKeys))
    case .scan:
      let key = position
      position = key + 1 == keys ? 0 : key + 1
      return key
    }
  }

  /// Goes on from another key, where one follows from the other.
  mutating func move(to key: Int) { position = key % keys }

  /// The key of a rank: a permutation of 0 ..< keys.
  func scattered(_ rank: Int) -> Int { Int(truncatingIfNeeded: UInt64(rank) &* scatterFactor % UInt64(keys)) }

  /// A number that has no factor in common with `keys`, near their golden section, so that neighbours land far apart.
  private static func scatterFactor(_ keys: Int) -> Int {
    var factor = max(1, Int(Double(keys) * 0.618_033_988_75))
    while greatestCommonDivisor(factor, keys) != 1 { factor += 1 }
    return factor
  }

  private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
    right == 0 ? left : greatestCommonDivisor(right, left % right)
  }
}

/// Ranks from 0 to `count - 1`, rank k in proportion to (k + 1)^-theta, without a table and for any theta above 0: rejection-inversion
/// (W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM TOMACS 6(3), 1996).
///
/// The integral of x^-theta is inverted at a random height, which gives a point x; the nearest whole number is taken if x lies in the part
/// of its column that is as large as its probability. At theta 0.99, 1.1 tries on the average.
struct ZipfSampler: Sendable {
  private let count: Double
  private let theta: Double
  private let areaToFirst: Double
  private let areaToLast: Double
  /// Points so near to their whole number are taken without a further look.
  private let alwaysNear: Double

  init(count: Int, theta: Double) {
    self.count = Double(count)
    self.theta = theta
    areaToFirst = Self.area(1.5, theta) - 1
    areaToLast = Self.area(Double(count) + 0.5, theta)
    alwaysNear = 2 - Self.point(Self.area(2.5, theta) - Self.height(2, theta), theta)
  }

  func next(_ random: inout SplitMix64) -> Int {
    while true {
      let area = areaToLast + random.unit() * (areaToFirst - areaToLast)
      let x = Self.point(area, theta)
      let nearest = min(max(x.rounded(), 1), count)
      if nearest - x <= alwaysNear || area >= Self.area(nearest + 0.5, theta) - Self.height(nearest, theta) { return Int(nearest) - 1 }
    }
  }

  private static func height(_ x: Double, _ theta: Double) -> Double { exp(-theta * log(x)) }

  /// The integral of `height` from 1 to x, as a form that does not lose digits near theta 1.
  private static func area(_ x: Double, _ theta: Double) -> Double {
    let logarithm = log(x)
    let exponent = (1 - theta) * logarithm
    return abs(exponent) < 1e-8 ? logarithm * (1 + exponent / 2) : expm1(exponent) / (1 - theta)
  }

  /// Where the area is so large.
  private static func point(_ area: Double, _ theta: Double) -> Double {
    let scaled = max(area * (1 - theta), -1)
    return abs(scaled) < 1e-8 ? exp(area * (1 - scaled / 2)) : exp(log1p(scaled) / (1 - theta))
  }
}
