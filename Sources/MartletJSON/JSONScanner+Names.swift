/// What names are compared by: three numbers for a name, which of a literal are constants.
///
///     mixed     up to 7 bytes: count | bytes                 says all: no two names share it
///               from 8 on: count | hash of 56 bits           of the first eight bytes and the last eight; the count is clamped to 255
///     first     the first eight bytes, as far as there are so many
///     last      the last eight; of up to 7 bytes 0
///
/// A `switch` over the names of a large record is a long line of comparisons. All of them are of `mixed`, so that the compiler makes a search of them; where it is
/// found, `first` and `last` settle names of up to sixteen bytes, and only beyond are the bytes themselves compared.

import MartletBytes

@frozen @usableFromInline
struct JSONNameFingerprint {
  @usableFromInline let mixed: UInt64
  @usableFromInline let first: UInt64
  @usableFromInline let last: UInt64

  @inlinable @inline(__always)
  init(_ first: UInt64, _ last: UInt64, _ count: Int) {
    let below = count < 8 ? first : ((first ^ last &* 0x9E37_79B9_7F4A_7C15) &* 0xC2B2_AE3D_27D4_EB4F) &>> 8
    mixed = UInt64(truncatingIfNeeded: count < 255 ? count : 255) &<< 56 | below
    self.first = first
    self.last = last
  }

  /// Of the bytes of `text` from `start` to `end`, which lie inside.
  @inline(__always)
  init(_ text: RawSpan, from start: Int, to end: Int) {
    let count = end &- start
    // What stands behind the name may be read, and is masked out.
    let first = text.paddedWord(at: start)
    if count < 8 {
      self.init(first & (1 &<< UInt64(truncatingIfNeeded: count &* 8) &- 1), 0, count)
    } else {
      self.init(first, text.paddedWord(at: end &- 8), count)
    }
  }

  /// Written without a loop: with a literal, all of it is done when the program is compiled.
  @inlinable @inline(__always)
  init(_ literal: StaticString) {
    let count = literal.utf8CodeUnitCount
    self.init(Self.word(literal, 0), count < 8 ? 0 : Self.word(literal, count &- 8), count)
  }

  /// Whether a name and a literal are the same, as far as sixteen bytes tell: of longer ones (`needsBytes`) the bytes decide.
  @inlinable @inline(__always)
  static func == (name: Self, literal: Self) -> Bool {
    name.mixed == literal.mixed && (name.first ^ literal.first) | (name.last ^ literal.last) == 0
  }

  @inlinable @inline(__always)
  static func needsBytes(_ literal: StaticString) -> Bool { literal.utf8CodeUnitCount > 16 }

  @inlinable @inline(__always)
  static func word(_ literal: StaticString, _ start: Int) -> UInt64 {
    byte(literal, start) | byte(literal, start &+ 1) &<< 8 | byte(literal, start &+ 2) &<< 16 | byte(literal, start &+ 3) &<< 24
      | byte(literal, start &+ 4) &<< 32 | byte(literal, start &+ 5) &<< 40 | byte(literal, start &+ 6) &<< 48
      | byte(literal, start &+ 7) &<< 56
  }

  /// Without a branch: the compiler does not inline what seems to have many.
  @inlinable @inline(__always)
  static func byte(_ literal: StaticString, _ index: Int) -> UInt64 {
    let isInside = (index &- literal.utf8CodeUnitCount) &>> 63  // -1 or 0
    // Beyond the literal's bytes its first is read, which is there even of an empty one (NUL), and masked out.
    return unsafe UInt64(literal.utf8Start[index & isInside]) & UInt64(bitPattern: Int64(isInside))
  }
}
