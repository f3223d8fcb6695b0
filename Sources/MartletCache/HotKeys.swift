/// Which keys of a shard are read most, from a sample of about one read in 128: a Space-Saving sketch of a few candidates.
///
/// A read that is not in the sample costs one decrement. The distance from sample to sample is random, so that no rhythm of requests
/// hides from it. Counts are halved now and then: hot means hot of late.

internal import MartletBytes

/// A key that is read often.
package struct HotKey: Sendable {
  package let key: [UInt8]
  package let database: UInt8
  /// Of late, an estimate.
  package let reads: UInt64
}

struct HotKeys: ~Copyable {
  static var candidatesMax: Int { 16 }
  /// Longer keys are not reported.
  static var keyBytesMax: Int { 1024 }
  static var distanceMean: UInt32 { 128 }
  /// Samples from halving to halving.
  static var samplesPerHalving: Int { 2048 }

  private struct Candidate {
    var hash: UInt64
    var database: UInt8
    var samples: UInt32
    var key: [UInt8]
  }

  private var distance: UInt32
  private var samples = 0
  private var candidates: [Candidate] = []
  private var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed ^ 0x5A5A)
    distance = Self.distanceMean
  }

  /// Notes a read, found or not. Whether it is in the sample.
  @inline(__always)
  mutating func note(_ key: RawSpan, _ database: UInt8, hash: UInt64) -> Bool {
    distance &-= 1
    if distance > 0 { return false }
    sample(key, database, hash: hash)
    return true
  }

  @inline(never)
  private mutating func sample(_ key: RawSpan, _ database: UInt8, hash: UInt64) {
    distance = 1 + UInt32(truncatingIfNeeded: random.next() % UInt64(2 * Self.distanceMean - 1))
    if key.byteCount > Self.keyBytesMax { return }
    samples += 1
    if samples == Self.samplesPerHalving { halve() }
    if let known = candidates.firstIndex(where: { $0.hash == hash }) {
      candidates[known].samples += 1
    } else if candidates.count < Self.candidatesMax {
      candidates.append(Candidate(hash: hash, database: database, samples: 1, key: key.copied()))
    } else if let least = candidates.indices.min(by: { candidates[$0].samples < candidates[$1].samples }) {
      // Space-Saving: the newcomer takes over the count of the one it replaces, so that a hot key is never missed for long.
      candidates[least] = Candidate(hash: hash, database: database, samples: candidates[least].samples + 1, key: key.copied())
    }
  }

  private mutating func halve() {
    samples = 0
    for index in candidates.indices { candidates[index].samples /= 2 }
    candidates.removeAll { $0.samples == 0 }
  }

  /// Those that stand out: sampled more often than a key would be that is one among many.
  func list() -> [HotKey] {
    candidates.filter { $0.samples >= 4 }
      .map { HotKey(key: $0.key, database: $0.database, reads: UInt64($0.samples) * UInt64(Self.distanceMean)) }
  }
}

extension CacheStore {
  /// The keys that are read most, of late and over all shards; the most read first.
  package func hotKeys(limit: Int = 10) -> [HotKey] {
    var keys: [HotKey] = []
    for index in unsafe 0..<engine.pointee.shardCount { keys += unsafe engine.pointee.withLock(index) { $0.hotKeys.list() } }
    keys.sort { $0.reads > $1.reads }
    return Array(keys.prefix(limit))
  }
}
