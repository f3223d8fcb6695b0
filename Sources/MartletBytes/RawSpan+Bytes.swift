/// Reading borrowed bytes. `RawSpan` checks bounds; the `unchecked` reads below trust a caller inside this package that has
/// compared the offset with `byteCount` already, as scanners do once per step.

extension RawSpan {
  /// The byte at `offset`; stops the process outside of the span.
  @inlinable
  public subscript(offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// The byte at `offset`, which the caller has checked.
  @unsafe @inlinable
  package func uncheckedByte(at offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// Eight bytes from `offset` in memory order as a little-endian number; the caller has checked `offset + 8 <= byteCount`.
  @unsafe @inlinable
  package func uncheckedWord(at offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// Eight bytes from `offset` in memory order as a little-endian number, zeros standing for what lies beyond the end: scanners
  /// step by it without a special case for the last bytes. `offset` is 0 or more; at or beyond the end the result is 0.
  @inlinable
  package func paddedWord(at offset: Int) -> UInt64 {
    precondition(offset >= 0, "offset before a span")
    if offset <= byteCount &- 8 { return unsafe uncheckedWord(at: offset) }
    return lastWord(at: offset)
  }

  @inlinable @inline(never)
  func lastWord(at offset: Int) -> UInt64 {
    let missing = offset &- (byteCount &- 8)
    if missing >= 8 { return 0 }
    if byteCount >= 8 { return unsafe uncheckedWord(at: byteCount &- 8) &>> UInt64(missing &* 8) }
    var word: UInt64 = 0
    var index = byteCount
    while index > offset {
      index &-= 1
      word = unsafe word &<< 8 | UInt64(uncheckedByte(at: index))
    }
    return word
  }

  /// The bytes of `range`, borrowed from the same owner.
  @inlinable
  public subscript(range: Range<Int>) -> RawSpan {
    @_lifetime(copy self)
    get { extracting(range) }
  }

  /// The span without spaces and tabs at its ends: what HTTP calls optional whitespace (RFC 9110 section 5.6.3).
  public var trimmed: RawSpan {
    @_lifetime(copy self)
    get {
      var start = 0
      var end = byteCount
      while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start += 1 }
      while end > start, self[end - 1] == ASCII.space || self[end - 1] == ASCII.tab { end -= 1 }
      return self[start..<end]
    }
  }

  /// Where `byte` first occurs at or after `start`; nil if it does not.
  @inlinable
  public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    var index = start
    while index < byteCount {
      if unsafe uncheckedByte(at: index) == byte { return index }
      index &+= 1
    }
    return nil
  }

  /// Whether both spans hold the same bytes.
  @inlinable @inline(__always)
  public func equals(_ other: RawSpan) -> Bool {
    let count = byteCount
    guard count == other.byteCount else { return false }
    if count >= 8 {
      var index = 0
      while index < count &- 8 {
        if unsafe uncheckedWord(at: index) != other.uncheckedWord(at: index) { return false }
        index &+= 8
      }
      return unsafe uncheckedWord(at: count &- 8) == other.uncheckedWord(at: count &- 8)  // overlaps the last step
    }
    var index = 0
    while index < count {
      if unsafe uncheckedByte(at: index) != other.uncheckedByte(at: index) { return false }
      index &+= 1
    }
    return true
  }

  /// Whether the span holds exactly the bytes of `text`. Inlined, so that a literal's length is known and the words are compared
  /// without a loop.
  @inlinable @inline(__always)
  public func equals(_ text: StaticString) -> Bool {
    // A literal's bytes are there for as long as the process.
    unsafe equals(RawSpan(_unsafeStart: UnsafeRawPointer(text.utf8Start), byteCount: text.utf8CodeUnitCount))
  }

  /// Whether the span holds the bytes of `text`, ASCII letters compared without case; `text` is in lower case. Eight bytes a step.
  @inlinable
  public func equalsIgnoringCase(_ lowercased: StaticString) -> Bool {
    let count = byteCount
    guard count == lowercased.utf8CodeUnitCount else { return false }
    let text = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(lowercased.utf8Start), byteCount: count)
    if count >= 8 {
      var index = 0
      while index < count &- 8 {
        if unsafe ASCII.lowercased(uncheckedWord(at: index)) != text.uncheckedWord(at: index) { return false }
        index &+= 8
      }
      return unsafe ASCII.lowercased(uncheckedWord(at: count &- 8)) == text.uncheckedWord(at: count &- 8)
    }
    var index = 0
    while index < count {
      if unsafe ASCII.lowercased(uncheckedByte(at: index)) != text.uncheckedByte(at: index) { return false }
      index &+= 1
    }
    return true
  }

  /// Whether both spans hold the same bytes, in a time that depends on their lengths only: for secrets.
  public func equalsInConstantTime(_ other: RawSpan) -> Bool {
    // Of another length: as long a look, at bytes that are there.
    let rival = byteCount == other.byteCount ? other : self
    var difference: UInt8 = byteCount == other.byteCount ? 0 : 1
    for index in 0..<byteCount { difference |= self[index] ^ rival[index] }
    return difference == 0
  }

  /// The bytes as text, for people (invalid UTF-8 is repaired).
  public var text: String { unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }

  /// The bytes as text, which the caller has checked to be UTF-8: not looked at again, if they are known to be ASCII (otherwise that is found out).
  @unsafe @inlinable
  package func checkedText(isASCII: Bool = false) -> String {
    unsafe withUnsafeBytes { unsafe String(copying: UTF8Span(unchecked: Span(_unsafeBytes: $0), isKnownASCII: isASCII)) }
  }

  /// A copy, for where bytes must outlive their owner.
  public func copied() -> [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}

extension [UInt8] {
  /// The array's bytes, borrowed. (`span.bytes` counts as unsafe because other element types may hold padding.)
  @inlinable
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe span.bytes }
  }
}
