/// A fast seeded hash of short byte strings, for tables whose keys may come from an adversary.
///
/// Of the wyhash class: 16 bytes a step, each folded by a 64 × 64 → 128 bit multiplication. Not cryptographic; with a random
/// seed per process, collisions cannot be prepared from outside, and tables bound their probes besides. 4 ns for 16 bytes where
/// `Hasher` (SipHash) takes 30 to 55.

@usableFromInline
package struct SeededHash: Sendable {
  @usableFromInline let seed: UInt64
  /// What key bytes are combined with before a multiplication. Secret: with a constant here, keys that hold that constant would make
  /// a factor 0 and all collide, whatever the seed.
  @usableFromInline let secret: UInt64

  /// A hash with this seed: for tests.
  @inlinable
  package init(seed: UInt64) {
    self.seed = seed
    secret = Self.fold(seed ^ 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3)
  }

  /// A hash with a seed from the system's random source.
  package init() { self.init(seed: UInt64.random(in: .min ... .max)) }

  @inlinable @inline(__always)
  package func hash(_ key: RawSpan) -> UInt64 {
    let count = key.byteCount
    // The usual lengths, without a call.
    if _fastPath(count &- 8 <= 8 && count >= 8) {
      return unsafe finish(key.uncheckedWord(at: 0), key.uncheckedWord(at: count &- 8), start, count)
    }
    return count < 8 ? hashShort(key) : hashLong(key)
  }

  @usableFromInline @inline(never)
  func hashShort(_ key: RawSpan) -> UInt64 {
    var low: UInt64 = 0
    for index in 0..<key.byteCount { low = unsafe low &<< 8 | UInt64(key.uncheckedByte(at: index)) }
    return finish(low, UInt64(truncatingIfNeeded: key.byteCount), start, key.byteCount)
  }

  @usableFromInline @inline(never)
  func hashLong(_ key: RawSpan) -> UInt64 {
    let count = key.byteCount
    var state = start
    var index = 0
    while index &+ 16 < count {
      state = unsafe Self.fold(key.uncheckedWord(at: index) ^ secret, key.uncheckedWord(at: index &+ 8) ^ state)
      index &+= 16
    }
    return unsafe finish(key.uncheckedWord(at: count &- 16), key.uncheckedWord(at: count &- 8), state, count)
  }

  @inlinable @inline(__always)
  var start: UInt64 { seed ^ 0xA076_1D64_78BD_642F }

  /// The last sixteen bytes of a key, or all of a shorter one, after what `state` has of those before.
  @inlinable @inline(__always)
  func finish(_ low: UInt64, _ high: UInt64, _ state: UInt64, _ count: Int) -> UInt64 {
    let mixed = Self.fold(low ^ secret, high ^ state)
    return Self.fold(mixed ^ 0x8EBC_6AF0_9C88_C6E3, UInt64(truncatingIfNeeded: count) ^ 0x5899_65CC_7537_4CC3 ^ seed)
  }

  @inlinable @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
