/// Checks that bytes are one JSON text (RFC 8259) without building anything from them, and finds where values end.
///
/// Grammar only, and all of it: strict UTF-8, no byte order mark, no trailing comma, no comment. Duplicate names are accepted, as the
/// RFC leaves them to the receiver; numbers of any size are, for the same reason. Half a surrogate pair is refused (no UTF-8 can hold it,
/// and every reader behind us would have to refuse it). One pass, no recursion: a bit per level tells an object from an array.
///
/// What the bytes of a text mostly are, strings and whitespace, is skipped sixteen at a time: `JSONScanner+Runs.swift`.

import MartletBytes

public enum JSONScanner {
  /// How many levels of objects and arrays are accepted unless the caller says less.
  public static var depthMaxDefault: Int { 512 }

  /// Checks that `text` is exactly one JSON value with optional whitespace around it.
  ///
  /// `depthMax`: 0 (scalars only) to 1024.
  public static func validate(_ text: RawSpan, depthMax: Int = depthMaxDefault) throws(JSONError) {
    let end = try skipValue(in: text, from: whitespaceEnd(in: text, from: 0), depthMax: depthMax)
    let rest = whitespaceEnd(in: text, from: end)
    guard rest == text.byteCount else { throw JSONError(offset: rest, problem: .trailingContent) }
  }

  /// Checks the value that begins at `start` (no whitespace before it) and returns where it ends.
  static func skipValue(in text: RawSpan, from start: Int, depthMax: Int) throws(JSONError) -> Int {
    var nobody = NoTokens()
    return try skipValue(in: text, from: start, depthMax: depthMax, telling: &nobody)
  }

  /// As above; tells `sink` of each name, value and end on the way.
  @inline(__always)
  static func skipValue<Sink: JSONTokenSink & ~Copyable>(
    in text: RawSpan, from start: Int, depthMax: Int, telling sink: inout Sink
  ) throws(JSONError) -> Int {
    var levels = Levels(max: depthMax)
    var offset = start

    while true {
      // One value begins at `offset`; a container that is not empty is entered and the loop taken again for its first value.
      guard offset < text.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
      switch unsafe text.uncheckedByte(at: offset) {
      case UInt8(ascii: "\""):
        let content = offset &+ 1
        var hasEscapes = false
        offset = try skipString(in: text, from: offset, hasEscapes: &hasEscapes)
        sink.string(content, offset &- 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "{"):
        guard levels.enter(object: true) else { throw JSONError(offset: offset, problem: .tooDeep) }
        sink.begin(.object, offset)
        offset = whitespaceEnd(in: text, from: offset &+ 1)
        if !byte(UInt8(ascii: "}"), in: text, at: offset) {
          offset = try skipName(in: text, from: offset, telling: &sink)
          continue
        }
        levels.leave()
        sink.end()
        offset &+= 1
      case UInt8(ascii: "["):
        guard levels.enter(object: false) else { throw JSONError(offset: offset, problem: .tooDeep) }
        sink.begin(.array, offset)
        offset = whitespaceEnd(in: text, from: offset &+ 1)
        if !byte(UInt8(ascii: "]"), in: text, at: offset) { continue }
        levels.leave()
        sink.end()
        offset &+= 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let start = offset
        offset = try skipNumber(in: text, from: offset)
        sink.number(start, offset)
      case UInt8(ascii: "t"):
        let start = offset
        offset = try skipLiteral("true", in: text, from: offset)
        sink.literal(.isTrue, start)
      case UInt8(ascii: "f"):
        let start = offset
        offset = try skipLiteral("false", in: text, from: offset)
        sink.literal(.isFalse, start)
      case UInt8(ascii: "n"):
        let start = offset
        offset = try skipLiteral("null", in: text, from: offset)
        sink.literal(.null, start)
      default:
        throw JSONError(offset: offset, problem: .unexpectedCharacter)
      }

      // One value has ended at `offset`: close what ends with it, then step over the comma to the next one.
      while true {
        if levels.depth == 0 { return offset }
        offset = whitespaceEnd(in: text, from: offset)
        guard offset < text.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
        let byte = unsafe text.uncheckedByte(at: offset)
        if byte == UInt8(ascii: ",") {
          offset = whitespaceEnd(in: text, from: offset &+ 1)
          if levels.inObject { offset = try skipName(in: text, from: offset, telling: &sink) }
          break
        }
        guard byte == (levels.inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw JSONError(offset: offset, problem: .unexpectedCharacter)
        }
        levels.leave()
        sink.end()
        offset &+= 1
      }
    }
  }

  /// Steps over `"name" :` to where the member's value begins.
  @inline(__always)
  private static func skipName<Sink: JSONTokenSink & ~Copyable>(
    in text: RawSpan, from start: Int, telling sink: inout Sink
  ) throws(JSONError) -> Int {
    guard byte(UInt8(ascii: "\""), in: text, at: start) else { throw unexpected(in: text, at: start) }
    var hasEscapes = false
    let end = try skipString(in: text, from: start, hasEscapes: &hasEscapes)
    sink.name(start &+ 1, end &- 1, hasEscapes: hasEscapes)
    let colon = whitespaceEnd(in: text, from: end)
    guard byte(UInt8(ascii: ":"), in: text, at: colon) else { throw unexpected(in: text, at: colon) }
    return whitespaceEnd(in: text, from: colon &+ 1)
  }

  /// Steps over the literal whose first byte has been seen at `start`.
  static func skipLiteral(_ literal: StaticString, in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    for index in 1..<literal.utf8CodeUnitCount where !byte(unsafe literal.utf8Start[index], in: text, at: start &+ index) {
      throw unexpected(in: text, at: start &+ index)
    }
    return start &+ literal.utf8CodeUnitCount
  }

  /// Steps over the number that begins at `start` with a digit or `-`.
  @inline(__always)
  static func skipNumber(in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    var offset = start
    if byte(UInt8(ascii: "-"), in: text, at: offset) { offset &+= 1 }
    if byte(UInt8(ascii: "0"), in: text, at: offset) {
      offset &+= 1
      if offset < text.byteCount, unsafe ASCII.isDigit(text.uncheckedByte(at: offset)) {
        throw JSONError(offset: offset, problem: .malformedNumber)
      }
    } else {
      offset = try skipDigits(in: text, from: offset)
    }
    guard offset < text.byteCount else { return offset }
    if byte(UInt8(ascii: "."), in: text, at: offset) { offset = try skipDigits(in: text, from: offset &+ 1) }
    guard offset < text.byteCount, unsafe text.uncheckedByte(at: offset) | 0x20 == UInt8(ascii: "e") else { return offset }
    offset &+= 1
    if byte(UInt8(ascii: "+"), in: text, at: offset) || byte(UInt8(ascii: "-"), in: text, at: offset) { offset &+= 1 }
    return try skipDigits(in: text, from: offset)
  }

  @inline(__always)
  private static func skipDigits(in text: RawSpan, from start: Int) throws(JSONError) -> Int {
    var offset = start
    while offset < text.byteCount, unsafe ASCII.isDigit(text.uncheckedByte(at: offset)) { offset &+= 1 }
    guard offset > start else {
      throw JSONError(offset: offset, problem: offset < text.byteCount ? .malformedNumber : .unexpectedEnd)
    }
    return offset
  }

  /// Whether `byte` stands at `offset`; false at the end.
  @inline(__always)
  static func byte(_ byte: UInt8, in text: RawSpan, at offset: Int) -> Bool {
    unsafe offset < text.byteCount && text.uncheckedByte(at: offset) == byte
  }

  /// The error for a byte that cannot stand at `offset`, or for the end of the text there.
  static func unexpected(in text: RawSpan, at offset: Int) -> JSONError {
    JSONError(offset: offset, problem: offset < text.byteCount ? .unexpectedCharacter : .unexpectedEnd)
  }
}

/// The open objects and arrays: a bit for each, so that depth costs neither recursion nor allocation.
private struct Levels {
  private(set) var depth = 0
  private(set) var inObject = false
  private let max: Int
  private var outer = InlineArray<16, UInt64>(repeating: 0)

  init(max: Int) {
    precondition(max >= 0 && max <= 1024, "a JSON depth bound lies between 0 and 1024")
    self.max = max
  }

  /// False if that would be one level too many.
  @inline(__always)
  mutating func enter(object: Bool) -> Bool {
    guard depth < max else { return false }
    let bit = UInt64(1) &<< UInt64(truncatingIfNeeded: depth & 63)
    if inObject { outer[depth &>> 6] |= bit } else { outer[depth &>> 6] &= ~bit }
    depth &+= 1
    inObject = object
    return true
  }

  @inline(__always)
  mutating func leave() {
    depth &-= 1
    inObject = outer[depth &>> 6] &>> UInt64(truncatingIfNeeded: depth & 63) & 1 == 1
  }
}
