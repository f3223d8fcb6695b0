/// What sees almost every byte: the loops to the end of plain string content and to the end of whitespace, and the look at a usual name.
///
/// The plain algorithm, byte by byte: advance while the byte is at least 0x20, below 0x80, and neither `"` nor `\`; or while it is one of
/// the four whitespace bytes. On x86_64 sixteen bytes are compared at once (SSE2, which every such machine has); elsewhere eight
/// at once by arithmetic on a 64-bit word. Tests hold both against the plain loop. No read goes beyond the span: the last few bytes
/// go one by one.

import MartletBytes

#if arch(x86_64)
  import _Builtin_intrinsics.intel
#endif

extension JSONScanner {
  /// The first offset from `start` whose byte needs a look inside of a string: control, `"`, `\`, beyond ASCII; or the end.
  @inline(__always)
  static func plainRunEnd(in text: RawSpan, from start: Int) -> Int {
    #if arch(x86_64)
      return plainRunEndSSE2(in: text, from: start)
    #else
      return plainRunEndSWAR(in: text, from: start)
    #endif
  }

  /// The name of the member that comes next in an object, at `offset`, where it is as most are: up to fifteen plain bytes, and around them a comma (not if
  /// `isFirst`), quotation marks and a colon, nothing else. All in one look, without a loop. nil says nothing: the long way is taken then.
  @inline(__always)
  static func usualName(in text: RawSpan, from offset: Int, isFirst: Bool) -> Range<Int>? {
    #if arch(x86_64)
      let start = offset &+ (isFirst ? 1 : 2)
      // The name with its mark, sixteen bytes, and the colon: every read below lies before.
      guard start &+ 17 <= text.byteCount, unsafe text.uncheckedByte(at: start &- 1) == UInt8(ascii: "\"") else { return nil }
      guard unsafe isFirst || text.uncheckedByte(at: offset) == UInt8(ascii: ",") else { return nil }
      let mask = unsafe specialMask(text.uncheckedVector(at: start))
      guard mask != 0 else { return nil }
      let end = start &+ mask.trailingZeroBitCount
      guard unsafe text.uncheckedByte(at: end) == UInt8(ascii: "\""), unsafe text.uncheckedByte(at: end &+ 1) == UInt8(ascii: ":") else {
        return nil
      }
      return start..<end
    #else
      return nil
    #endif
  }

  /// The first offset from `start` that is not whitespace, or the end.
  @inline(__always)
  static func whitespaceEnd(in text: RawSpan, from start: Int) -> Int {
    // Compact texts have none, and most of the rest is one space: a long run is the exception.
    guard start < text.byteCount, unsafe text.uncheckedByte(at: start) <= 0x20 else { return start }
    return whitespaceRunEnd(in: text, from: start)
  }

  @inline(never)
  private static func whitespaceRunEnd(in text: RawSpan, from start: Int) -> Int {
    var offset = start
    #if arch(x86_64)
      while offset &+ 16 <= text.byteCount {
        let others = unsafe ~whitespaceMask(text.uncheckedVector(at: offset)) & 0xFFFF
        if others != 0 { return offset &+ others.trailingZeroBitCount }
        offset &+= 16
      }
    #endif
    while offset < text.byteCount, unsafe isWhitespace(text.uncheckedByte(at: offset)) { offset &+= 1 }
    return offset
  }

  /// RFC 8259 section 2: space, tab, line feed, carriage return.
  @inline(__always)
  static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// Eight bytes at a time; the portable version.
  static func plainRunEndSWAR(in text: RawSpan, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var offset = start
    while offset &+ 8 <= text.byteCount {
      let word = unsafe text.uncheckedWord(at: offset)
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5C)
      // A borrow can only raise a false alarm in a byte above a true one, so the lowest alarm is true.
      let alarms = (word | (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones)) & highs
      if alarms != 0 {
        let candidate = offset &+ alarms.trailingZeroBitCount / 8
        return candidate
      }
      offset &+= 8
    }
    return plainRunEndScalar(in: text, from: offset)
  }

  @inline(__always)
  static func plainRunEndScalar(in text: RawSpan, from start: Int) -> Int {
    var offset = start
    while offset < text.byteCount {
      let byte = unsafe text.uncheckedByte(at: offset)
      if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { return offset }
      offset &+= 1
    }
    return offset
  }

  #if arch(x86_64)
    @inline(__always)
    static func plainRunEndSSE2(in text: RawSpan, from start: Int) -> Int {
      var offset = start
      while offset &+ 16 <= text.byteCount {
        let mask = unsafe specialMask(text.uncheckedVector(at: offset))
        if mask != 0 { return offset &+ mask.trailingZeroBitCount }
        offset &+= 16
      }
      return plainRunEndScalar(in: text, from: offset)
    }

    /// A bit for each byte that needs a look inside of a string.
    @inline(__always)
    private static func specialMask(_ bytes: SIMD2<Int64>) -> Int32 {
      // Signed: bytes of 0x80 and above are below 0x20 too.
      let low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))
      let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22))
      let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5C))
      return _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)))
    }

    @inline(__always)
    private static func whitespaceMask(_ bytes: SIMD2<Int64>) -> Int32 {
      let blank = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0A)))
      let other = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x09)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0D)))
      return _mm_movemask_epi8(_mm_or_si128(blank, other))
    }
  #endif
}

#if arch(x86_64)
  extension RawSpan {
    /// Sixteen bytes from `offset`; the caller has checked `offset + 16 <= byteCount`.
    @unsafe @inline(__always)
    fileprivate func uncheckedVector(at offset: Int) -> SIMD2<Int64> {
      unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD2<Int64>.self)
    }
  }
#endif
