/// The one string escaper: MartletHTTP needs it for problem+json, MartletJSON for everything.
///
/// RFC 8259 section 7: quotation mark, reverse solidus and control bytes are escaped, the short forms where there is one; all
/// else is copied. The caller vouches for UTF-8 (`String` and checked input are).
///
/// The plain algorithm: look at each byte, copy it or escape it. Almost no byte needs escaping, so a whole vector is copied first and looked
/// at then; where something in it needs care, what was copied behind that place is written over. Sixteen bytes at a time on
/// x86_64 (SSE2, which every such machine has), eight by arithmetic on a word elsewhere and for short texts. A list of 50 items took two
/// thirds of the instructions that it takes with runs found first and copied then.

#if arch(x86_64)
  import _Builtin_intrinsics.intel
#endif

extension ByteBuffer {
  /// Appends `text` as a JSON string, quotation marks included.
  @inlinable
  public mutating func append(jsonString text: String) {
    // Lent for the length of a call. `utf8Span` would be shorter, but optimised by Swift 6.3.1 it points to nowhere for the small
    // strings that are kept in two registers: a release test holds that.
    let lent: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { source in
      let span = unsafe RawSpan(_unsafeElements: source)
      append(jsonString: span)
    }
    // Only strings bridged from Objective-C have no storage to lend.
    if lent == nil { append(jsonString: Array(text.utf8).rawSpan) }
  }

  /// Appends the UTF-8 bytes of `text` as a JSON string, quotation marks included.
  public mutating func append(jsonString text: RawSpan) {
    let count = text.byteCount
    reserve(count &+ 2)
    unsafe storage.storeBytes(of: UInt8(ascii: "\""), toByteOffset: _count, as: UInt8.self)
    _count &+= 1
    let end = unsafe writeCleanRun(of: text, from: 0)
    if end == count {  // nothing to escape: the room reserved is enough
      unsafe storage.storeBytes(of: UInt8(ascii: "\""), toByteOffset: _count, as: UInt8.self)
      _count &+= 1
    } else {
      append(jsonEscaping: text, from: end)
      append(UInt8(ascii: "\""))
    }
  }

  /// Appends `key` as a JSON member's name, with the colon, and with a comma in front if wanted.
  ///
  /// Consumed: a key is mostly made for the call (`CodingKey.stringValue`), and lending its bytes would retain a copy of it.
  @inlinable @inline(__always)
  public mutating func append(jsonKey key: consuming String, afterComma: Bool) {
    key.withUTF8 { source in
      let span = unsafe RawSpan(_unsafeElements: source)
      append(jsonKey: span, afterComma: afterComma)
    }
  }

  /// As above, of a key in UTF-8.
  public mutating func append(jsonKey key: RawSpan, afterComma: Bool) {
    let count = key.byteCount
    reserve(count &+ 4)  // comma, two quotation marks, colon
    if afterComma {
      unsafe storage.storeBytes(of: UInt8(ascii: ","), toByteOffset: _count, as: UInt8.self)
      _count &+= 1
    }
    unsafe storage.storeBytes(of: UInt8(ascii: "\""), toByteOffset: _count, as: UInt8.self)
    _count &+= 1
    let end = unsafe writeCleanRun(of: key, from: 0)
    if end < count { append(jsonEscaping: key, from: end) }
    append("\":" as StaticString)
  }

  /// Appends the UTF-8 bytes of `text` with what JSON wants escaped, without quotation marks.
  public mutating func append(jsonEscaping text: RawSpan) { append(jsonEscaping: text, from: 0) }

  private mutating func append(jsonEscaping text: RawSpan, from start: Int) {
    reserve(text.byteCount &- start)
    var index = unsafe writeCleanRun(of: text, from: start)
    while index < text.byteCount {
      unsafe append(jsonEscape: text.uncheckedByte(at: index))
      index &+= 1
      reserve(text.byteCount &- index)
      index = unsafe writeCleanRun(of: text, from: index)
    }
  }

  /// Writes the bytes from `start` up to the first that must be escaped; returns where that is, or the end. The caller has reserved
  /// room for all of the rest, so that what is copied before it is looked at has a place.
  ///
  /// A rest that is no multiple of a step ends with a step that overlaps the one before: it copies the same bytes again.
  @unsafe @inline(__always)
  private mutating func writeCleanRun(of text: RawSpan, from start: Int) -> Int {
    let count = text.byteCount
    let left = count &- start
    // Where byte 0 of the text would stand; each store below lies between the places of `start` and `count`.
    let target = unsafe storage + _count - start
    var end = count
    if left >= 16 {
      end = unsafe JSONEscaping.copyLong(text, from: start, to: target)
    } else if left >= 8 {
      let first = unsafe text.uncheckedWord(at: start)
      let last = unsafe text.uncheckedWord(at: count &- 8)
      unsafe (target + start).storeBytes(of: first.littleEndian, as: UInt64.self)
      unsafe (target + count - 8).storeBytes(of: last.littleEndian, as: UInt64.self)
      let place = JSONEscaping.firstAlarm(first, last)
      if place < 16 { end = place < 8 ? start &+ place : count &- 16 &+ place }
    } else if left >= 4 {
      let first = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt32.self)
      let last = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
      unsafe (target + start).storeBytes(of: first, as: UInt32.self)
      unsafe (target + count - 4).storeBytes(of: last, as: UInt32.self)
      let alarms = JSONEscaping.alarms(UInt64(UInt32(littleEndian: first)) | UInt64(UInt32(littleEndian: last)) << 32)
      if alarms != 0 {
        let index = alarms.trailingZeroBitCount / 8
        end = index < 4 ? start &+ index : count &- 8 &+ index
      }
    } else {
      end = start
      while end < count {
        let byte = unsafe text.uncheckedByte(at: end)
        if byte < 0x20 || byte == 0x22 || byte == 0x5C { break }
        unsafe (target + end).storeBytes(of: byte, as: UInt8.self)
        end &+= 1
      }
    }
    _count &+= end &- start
    return end
  }

  /// Appends a literal as a JSON member's name, with the colon, and with a comma in front if wanted; it holds nothing to escape.
  @inlinable @inline(__always)
  public mutating func append(jsonKey key: StaticString, afterComma: Bool) {
    let count = key.utf8CodeUnitCount
    // Reserved: comma, two quotation marks, colon, and the key between them.
    unsafe withFreeBytes(atLeast: count &+ 4) { free in
      var place = free.baseAddress!
      if afterComma {
        unsafe place.storeBytes(of: UInt8(ascii: ","), as: UInt8.self)
        unsafe place += 1
      }
      unsafe place.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
      unsafe (place + 1).copyMemory(from: key.utf8Start, byteCount: count)
      unsafe place += count &+ 1
      unsafe place.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
      unsafe place.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 1, as: UInt8.self)
      return unsafe place + 2 - free.baseAddress!
    }
  }

  private mutating func append(jsonEscape byte: UInt8) {
    switch byte {
    case 0x22: append(#"\""#)
    case 0x5C: append(#"\\"#)
    case 0x08: append(#"\b"#)
    case 0x09: append(#"\t"#)
    case 0x0A: append(#"\n"#)
    case 0x0C: append(#"\f"#)
    case 0x0D: append(#"\r"#)
    default:
      append(#"\u00"#)
      append(byte >> 4 &+ 0x30)
      append(ASCII.lowercased(ASCII.hexDigit(byte & 15)))
    }
  }
}

private enum JSONEscaping {
  /// Copies the bytes of `text` from `start`, at least sixteen of them, to the same offsets from `target`, up to the first that must be
  /// escaped (behind it the copy is garbage, within the text's length); returns where that is, or the end.
  @unsafe @inline(__always)
  static func copyLong(_ text: RawSpan, from start: Int, to target: UnsafeMutableRawPointer) -> Int {
    var index = start
    #if arch(x86_64)
      let step = 16
    #else
      let step = 8
    #endif
    while true {
      #if arch(x86_64)
        let bytes = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD2<Int64>.self)
        unsafe (target + index).storeBytes(of: bytes, as: SIMD2<Int64>.self)
        let alarms = alarms(bytes)
        if alarms != 0 { return index &+ alarms.trailingZeroBitCount }
      #else
        let word = unsafe text.uncheckedWord(at: index)
        unsafe (target + index).storeBytes(of: word.littleEndian, as: UInt64.self)
        let alarms = alarms(word)
        if alarms != 0 { return index &+ alarms.trailingZeroBitCount / 8 }
      #endif
      index &+= step
      if index >= text.byteCount { return text.byteCount }
      index = min(index, text.byteCount &- step)
    }
  }

  /// Which of sixteen bytes is the first that must be escaped, 16 if none must.
  @inline(__always)
  static func firstAlarm(_ first: UInt64, _ second: UInt64) -> Int {
    #if arch(x86_64)
      let alarms = alarms(SIMD2(Int64(bitPattern: first), Int64(bitPattern: second)))
      return alarms == 0 ? 16 : alarms.trailingZeroBitCount
    #else
      let inFirst = alarms(first)
      return inFirst != 0 ? inFirst.trailingZeroBitCount / 8 : 8 &+ alarms(second).trailingZeroBitCount / 8
    #endif
  }

  /// The high bit of each byte below 0x20, `"` or `\`. Bits above the lowest one may be false alarms (a borrow), the lowest is true.
  @inline(__always)
  static func alarms(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    return ((word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & highs
  }

  #if arch(x86_64)
    /// A bit for each byte below 0x20, `"` or `\`.
    @inline(__always)
    static func alarms(_ bytes: SIMD2<Int64>) -> Int32 {
      // Unsigned: a byte that 0x1F does not limit is at most 0x1F.
      let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes)
      let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22))
      let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5C))
      return _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)))
    }
  #endif
}
