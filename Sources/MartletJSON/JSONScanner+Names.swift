/// What names are compared by first: one number for a name, which of a literal is a constant.
///
///     up to 7 bytes     count | bytes                     says all: no two names share it
///     from 8 on         count | hash of 56 bits           of the first eight bytes and the last eight; the count is clamped to 255

import MartletBytes

@usableFromInline
enum JSONNameFingerprint {
  @inlinable @inline(__always)
  static func saysAll(_ literal: StaticString) -> Bool { literal.utf8CodeUnitCount < 8 }

  @inlinable @inline(__always)
  static func make(_ first: UInt64, _ last: UInt64, _ count: Int) -> UInt64 {
    let below = count < 8 ? first : (first ^ last &* 0x9E37_79B9_7F4A_7C15) &* 0xC2B2_AE3D_27D4_EB4F &>> 8
    return UInt64(truncatingIfNeeded: count < 255 ? count : 255) &<< 56 | below
  }

  /// Of the bytes of `text` from `start` to `end`, which lie inside.
  @inline(__always)
  static func of(_ text: RawSpan, from start: Int, to end: Int) -> UInt64 {
    let count = end &- start
    // What stands behind the name may be read, and is masked out.
    let first = text.paddedWord(at: start)
    if count < 8 { return make(first & (1 &<< UInt64(truncatingIfNeeded: count &* 8) &- 1), 0, count) }
    return make(first, text.paddedWord(at: end &- 8), count)
  }

  /// Written without a loop: with a literal, all of it is done when the program is compiled.
  @inlinable @inline(__always)
  static func of(_ literal: StaticString) -> UInt64 {
    let count = literal.utf8CodeUnitCount
    return make(word(literal, 0), count < 8 ? 0 : word(literal, count &- 8), count)
  }

  @inlinable @inline(__always)
  static func word(_ literal: StaticString, _ start: Int) -> UInt64 {
    byte(literal, start) | byte(literal, start &+ 1) &<< 8 | byte(literal, start &+ 2) &<< 16 | byte(literal, start &+ 3) &<< 24
      | byte(literal, start &+ 4) &<< 32 | byte(literal, start &+ 5) &<< 40 | byte(literal, start &+ 6) &<< 48
      | byte(literal, start &+ 7) &<< 56
  }

  @inlinable @inline(__always)
  static func byte(_ literal: StaticString, _ index: Int) -> UInt64 {
    // Read only where the literal has a byte.
    guard index < literal.utf8CodeUnitCount else { return 0 }
    return unsafe UInt64(literal.utf8Start[index])
  }
}
