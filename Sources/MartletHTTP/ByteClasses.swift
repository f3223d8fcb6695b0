/// Classes of bytes in a head, eight at a time: arithmetic on a 64-bit word (SWAR) that flags (0x80) the bytes where a scan must
/// stop. Portable, and a third of the cost of a byte-wise table on the fields that clients really send.
///
/// Each function is exact up to its first flag; flags behind it may be wrong (a subtraction borrows from the next byte), so only
/// the lowest one may be used: `trailingZeroBitCount / 8`. A zero byte is always flagged: `RawSpan.paddedWord` ends input with it.

internal import MartletBytes

enum ByteClasses {
  private static var ones: UInt64 { 0x0101_0101_0101_0101 }
  private static var highs: UInt64 { 0x8080_8080_8080_8080 }

  /// Flags bytes that are not plain in a target: outside 0x21–0x7E, `#`, and the marks `?` and `%`.
  @inline(__always)
  static func targetStops(_ word: UInt64) -> UInt64 {
    let below = (word &- ones &* 0x21) & ~word
    let above = (word &+ ones) | word
    let hash = word ^ ones &* 0x23
    let percent = word ^ ones &* 0x25
    let question = word ^ ones &* 0x3F
    let marks = (hash &- ones) & ~hash | (percent &- ones) & ~percent | (question &- ones) & ~question
    return (below | above | marks) & highs
  }

  /// Flags spaces and control bytes.
  @inline(__always)
  static func blanks(_ word: UInt64) -> UInt64 { (word &- ones &* 0x21) & ~word & highs }

  /// Flags bytes other than letters, digits and `-`; the other token characters are rare enough to be looked at one by one.
  @inline(__always)
  static func nameStops(_ word: UInt64) -> UInt64 {
    let seven = word & ~highs  // keeps the sums below from carrying into the next byte
    let folded = seven | ones &* 0x20
    let letter = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7B))
    let digit = (seven &+ ones &* (0x80 - 0x30)) & ~(seven &+ ones &* (0x80 - 0x3A))
    let dash = ~((seven ^ ones &* 0x2D) &+ ones &* 0x7F)
    return (~(letter | digit | dash) | word) & highs
  }

  /// Flags control bytes, HTAB among them; 0x80 and above (obs-text) pass.
  @inline(__always)
  static func valueStops(_ word: UInt64) -> UInt64 {
    let below = (word &- ones &* 0x20) & ~word
    let delete = word ^ ones &* 0x7F
    return (below | (delete &- ones) & ~delete) & highs
  }

  /// Flags bytes other than letters, digits, `-` and `.`: what most hosts consist of.
  @inline(__always)
  static func hostStops(_ word: UInt64) -> UInt64 {
    let dot = ~(((word & ~highs) ^ ones &* 0x2E) &+ ones &* 0x7F)
    return nameStops(word) & ~(dot & ~word)
  }

  /// Flags `/`.
  @inline(__always)
  static func slashes(_ word: UInt64) -> UInt64 {
    let slash = word ^ ones &* 0x2F
    return (slash &- ones) & ~slash & highs
  }

  /// Where the last `/` of `bytes` in `start ..< end` stands; -1 if there is none.
  @inline(__always)
  static func lastSlash(in bytes: RawSpan, from start: Int, to end: Int) -> Int {
    var position = end
    while position &- start >= 8 {
      let word = bytes.paddedWord(at: position &- 8) ^ ones &* 0x2F
      let slash = ~(((word & ~highs) &+ ~highs) | word | ~highs)  // exact for every byte, unlike the flags above
      if slash != 0 { return position &- 1 &- slash.leadingZeroBitCount &>> 3 }
      position &-= 8
    }
    while position > start {
      position &-= 1
      if bytes[position] == UInt8(ascii: "/") { return position }
    }
    return -1
  }

  /// A token character (RFC 9110 section 5.6.2).
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true  // !  #$%&'  *+-.  ^_`  |~
    default: false
    }
  }

  /// A character of a registered name (RFC 3986 section 3.2.2) or, in brackets, of an IP literal; `%` included.
  static func isHost(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x21, 0x24...0x2E, 0x3B, 0x3D, 0x5F, 0x7E: true  // !  $%&'()*+,-.  ;  =  _  ~
    default: false
    }
  }
}
