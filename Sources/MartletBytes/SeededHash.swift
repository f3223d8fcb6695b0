/// A fast seeded hash of short byte strings, for tables whose keys may come from an adversary.
///
/// Of the wyhash class: 16 bytes a step, each folded by a 64 × 64 → 128 bit multiplication. Not cryptographic; with a random
/// seed per process, collisions cannot be prepared from outside, and tables bound their probes besides. 4 ns for 16 bytes where
/// `Hasher` (SipHash) takes 30 to 55.

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

  @inlinable
  package func hash(_ key: RawSpan) -> UInt64 {
    let count = key.byteCount
    var state = seed ^ 0xA076_1D64_78BD_642F
    var low: UInt64
    var high: UInt64
    if count <= 16 {
      if count >= 8 {
        low = unsafe key.uncheckedWord(at: 0)
        high = unsafe key.uncheckedWord(at: count &- 8)
      } else {
        low = 0
        high = UInt64(truncatingIfNeeded: count)
        var index = 0
        while index < count {
          low = unsafe low &<< 8 | UInt64(key.uncheckedByte(at: index))
          index &+= 1
        }
      }
    } else {
      var index = 0
      while index &+ 16 < count {
        state = unsafe Self.fold(key.uncheckedWord(at: index) ^ secret, key.uncheckedWord(at: index &+ 8) ^ state)
        index &+= 16
      }
      low = unsafe key.uncheckedWord(at: count &- 16)
      high = unsafe key.uncheckedWord(at: count &- 8)
    }
    let mixed = Self.fold(low ^ secret, high ^ state)
    return Self.fold(mixed ^ 0x8EBC_6AF0_9C88_C6E3, UInt64(truncatingIfNeeded: count) ^ 0x5899_65CC_7537_4CC3 ^ seed)
  }

  @inlinable
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
