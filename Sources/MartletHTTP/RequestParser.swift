/// HTTP/1.1 request heads (RFC 9112 sections 2 to 6): bytes in, offsets out. One idea, one file; meaning of the framing fields
/// stands in `RequestParser+Framing.swift`, chunked bodies in `ChunkedDecoder.swift`.
///
/// The plain algorithm: method, space, target, space, version, CR LF; then lines of name, colon, value, CR LF until an empty one.
/// Each part is a scan for the first byte that cannot belong to it, eight bytes a step (`ByteClasses`); whether that byte is the
/// right one decides. Strict wherever two readers could disagree about where a request ends.
///
/// Not here: resuming. An unfinished head is parsed again from its beginning, and `HTTPSession` sees to it that this happens per
/// finished line and per doubling rather than per byte.

internal import MartletBytes

package enum RequestParser {
  /// Parses a head at the beginning of `input`. False: not all of it is there, and what is there may become valid.
  ///
  /// Cost: about 1.6 instructions a byte on what browsers send; no allocation.
  package static func parse(
    _ input: RawSpan, limits: borrowing HTTPLimits, into head: inout RequestHead
  ) throws(RequestFailure) -> Bool {
    let window = input.byteCount > limits.headBytesMax ? input[0..<limits.headBytesMax] : input
    head.reset()
    guard let start = try parseRequestLine(window, limits: limits, into: &head),
      let count = try parseSection(window[start..<window.byteCount], limits: limits, into: &head.section)
    else {
      if window.byteCount == limits.headBytesMax { throw .headTooLarge }
      return false
    }
    head.sectionStart = start
    head.byteCount = start &+ count
    try checkFraming(&head)
    return true
  }

  /// The field section in front of `bytes`, empty line included, unless it is the same as the last one; its length, nil if unfinished.
  @inline(__always)
  private static func parseSection(
    _ bytes: RawSpan, limits: borrowing HTTPLimits, into section: inout FieldSection
  ) throws(RequestFailure) -> Int? {
    if let count = section.match(bytes) { return count }
    section.reset()
    guard let count = try parseFields(bytes, limits: limits, into: &section) else { return nil }
    section.keep(bytes[0..<count])
    return count
  }

  // MARK: Request line

  /// The offset behind the line; nil if unfinished.
  @inline(__always)
  static func parseRequestLine(
    _ input: RawSpan, limits: borrowing HTTPLimits, into head: inout RequestHead
  ) throws(RequestFailure) -> Int? {
    let targetStart: Int
    if input.paddedWord(at: 0) & 0xFFFF_FFFF == 0x2054_4547 {  // "GET "
      head.method = .get
      targetStart = 4
    } else {
      guard let end = try parseMethod(input, into: &head) else { return nil }
      targetStart = end
    }
    head.methodBytes = ByteRange(0, targetStart &- 1)

    var position = targetStart
    while true {
      let stops = ByteClasses.targetStops(input.paddedWord(at: position))
      if stops != 0 {
        position &+= stops.trailingZeroBitCount &>> 3
        break
      }
      position &+= 8
    }
    // A path alone, and the usual version: the rest of the line is two words.
    let isShort = position &- targetStart <= limits.targetBytesMax
    if input.paddedWord(at: position) == 0x2E31_2F50_5454_4820,  // " HTTP/1."
      input.paddedWord(at: position &+ 8) & 0xFF_FFFF == 0x0A0D31,  // "1", CR, LF
      isShort, input[targetStart] == UInt8(ascii: "/")
    {
      head.path = ByteRange(targetStart, position)
      head.minorVersion = 1
      return position &+ 11
    }
    return try parseTarget(input, from: targetStart, at: position, limits: limits, into: &head)
  }

  /// The rest of a line whose target begins at `targetStart` and has nothing unusual before `position`.
  private static func parseTarget(
    _ input: RawSpan, from targetStart: Int, at stop: Int, limits: borrowing HTTPLimits, into head: inout RequestHead
  ) throws(RequestFailure) -> Int? {
    var position = stop
    var question = -1
    scan: while true {
      let stops = ByteClasses.targetStops(input.paddedWord(at: position))
      if stops == 0 {
        position &+= 8
        continue
      }
      position &+= stops.trailingZeroBitCount &>> 3
      if position >= input.byteCount {
        if position &- targetStart > limits.targetBytesMax { throw .targetTooLong }
        return nil
      }
      switch input[position] {
      case UInt8(ascii: " "): break scan
      case UInt8(ascii: "?"): if question < 0 { question = position }
      case UInt8(ascii: "%"): if question < 0 { head.pathHasPercent = true }
      default: throw position &- targetStart > limits.targetBytesMax ? .targetTooLong : .target
      }
      position &+= 1
    }
    if position &- targetStart > limits.targetBytesMax { throw .targetTooLong }
    let pathEnd = question < 0 ? position : question
    head.path = ByteRange(targetStart, pathEnd)
    if question >= 0 { head.query = ByteRange(question &+ 1, position) }
    if input[targetStart] != UInt8(ascii: "/") {
      try parseOtherForm(input, from: targetStart, to: pathEnd, into: &head)
    }

    position &+= 1
    let version = input.paddedWord(at: position)
    if version == 0x312E_312F_5054_5448 {  // "HTTP/1.1"
      head.minorVersion = 1
    } else if version == 0x302E_312F_5054_5448 {
      head.minorVersion = 0
    } else {
      return try refuseVersion(input, at: position)
    }
    return try lineEnd(input, at: position &+ 8)
  }

  /// Sets the method; the offset behind its space.
  static func parseMethod(_ input: RawSpan, into head: inout RequestHead) throws(RequestFailure) -> Int? {
    var end = 0
    while end < input.byteCount && ByteClasses.isToken(input[end]) { end += 1 }
    if end > methodBytesMax { throw .methodUnknown }
    if end == input.byteCount { return nil }
    guard end > 0 && input[end] == UInt8(ascii: " ") else { throw .method }
    let name = input[0..<end]
    if let method = Method.allCases.first(where: { $0 != .other && name.equals($0.name) }) {
      head.method = method
    } else {
      if name.equals("CONNECT") { throw .tunnel }
      head.method = .other
      // Told at the end of the head, so that ambiguous framing is still refused as such.
      head.methodIsUnknown = !Method.others.contains { name.equals($0) }
    }
    return end + 1
  }

  /// The longest token that is waited for as a method: longer than any registered one.
  private static var methodBytesMax: Int { 24 }

  /// The absolute form (RFC 9112 section 3.2.2) and the asterisk form; anything else is refused.
  static func parseOtherForm(
    _ input: RawSpan, from start: Int, to end: Int, into head: inout RequestHead
  ) throws(RequestFailure) {
    if end == start { throw .targetForm }
    if input[start] == UInt8(ascii: "*") {
      guard end == start + 1, head.query.isEmpty else { throw .targetForm }
      return
    }
    let schemeEnd = start + min(end - start, 5)
    let slashes: Int
    if end - start >= 7 && input[start..<start + 7].equalsIgnoringCase("http://") {
      slashes = start + 5
    } else if end - start >= 8 && input[start..<start + 8].equalsIgnoringCase("https://") {
      slashes = schemeEnd + 1
    } else {
      throw .targetForm
    }
    let authority = slashes + 2
    let authorityEnd = min(input[0..<end].firstIndex(of: UInt8(ascii: "/"), from: authority) ?? end, end)
    // Userinfo is refused with the rest that is no host: RFC 9110 section 4.2.4.
    guard isValidHost(input, ByteRange(authority, authorityEnd)) else { throw .hostInvalid }
    head.targetHost = ByteRange(authority, authorityEnd)
    // Without a path the URI means `/`, for which the second slash of `://` serves.
    head.path = authorityEnd == end ? ByteRange(slashes + 1, slashes + 2) : ByteRange(authorityEnd, end)
  }

  /// Whether an unsupported version is well-formed, malformed or unfinished.
  static func refuseVersion(_ input: RawSpan, at start: Int) throws(RequestFailure) -> Int? {
    let pattern: [UInt8] = Array("HTTP/0.0".utf8)
    for index in 0..<8 {
      guard start + index < input.byteCount else { return nil }
      let byte = input[start + index]
      let matches = pattern[index] == UInt8(ascii: "0") ? ASCII.isDigit(byte) : byte == pattern[index]
      if !matches { throw .version }
    }
    throw .versionUnsupported
  }

  /// CR LF at `position`; the offset behind it.
  @inline(__always)
  static func lineEnd(_ input: RawSpan, at position: Int) throws(RequestFailure) -> Int? {
    if position &+ 1 < input.byteCount {
      guard input[position] == ASCII.carriageReturn && input[position &+ 1] == ASCII.lineFeed else { throw .lineEnd }
      return position &+ 2
    }
    if position < input.byteCount && input[position] != ASCII.carriageReturn { throw .lineEnd }
    return nil
  }

  // MARK: Fields

  /// Parses field lines up to and including the empty line; the offset behind it, nil if unfinished.
  static func parseFields(
    _ input: RawSpan, limits: borrowing HTTPLimits, into section: inout FieldSection
  ) throws(RequestFailure) -> Int? {
    var position = 0
    while true {
      if position >= input.byteCount { return nil }
      if input[position] == ASCII.carriageReturn { return try lineEnd(input, at: position) }
      var field = FieldTable.Entry()
      guard let next = try parseFieldLine(input, from: position, into: &field) else { return nil }
      if section.fields.count >= limits.fieldCountMax { throw .fieldsTooMany }
      section.fields.append(field)
      try note(field, of: input, in: &section)
      position = next
    }
  }

  /// One field line, in a head or in a trailer section; the offset behind it, nil if unfinished.
  @inline(__always)
  static func parseFieldLine(
    _ input: RawSpan, from start: Int, into field: inout FieldTable.Entry
  ) throws(RequestFailure) -> Int? {
    var position = start
    while true {
      let stops = ByteClasses.nameStops(input.paddedWord(at: position))
      if stops == 0 {
        position &+= 8
        continue
      }
      position &+= stops.trailingZeroBitCount &>> 3
      if position >= input.byteCount { return nil }
      let byte = input[position]
      if byte == UInt8(ascii: ":") { break }
      guard ByteClasses.isToken(byte) else { throw refusal(ofNameByte: byte, first: position == start) }
      position &+= 1
    }
    if position == start { throw .fieldName }
    field.name = ByteRange(start, position)

    position &+= 1
    while position < input.byteCount && isBlank(input[position]) { position &+= 1 }
    let valueStart = position
    while true {
      let stops = ByteClasses.valueStops(input.paddedWord(at: position))
      if stops == 0 {
        position &+= 8
        continue
      }
      position &+= stops.trailingZeroBitCount &>> 3
      if position >= input.byteCount { return nil }
      let byte = input[position]
      if byte == ASCII.carriageReturn { break }
      guard byte == ASCII.tab else { throw byte == ASCII.lineFeed ? .lineEnd : .fieldValue }
      position &+= 1
    }
    var valueEnd = position
    while valueEnd > valueStart && isBlank(input[valueEnd &- 1]) { valueEnd &-= 1 }
    field.value = ByteRange(valueStart, valueEnd)
    return try lineEnd(input, at: position)
  }

  private static func refusal(ofNameByte byte: UInt8, first: Bool) -> RequestFailure {
    if isBlank(byte) { return first ? .fieldFolded : .fieldNameSpace }
    return byte == ASCII.lineFeed ? .lineEnd : .fieldName
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
}
