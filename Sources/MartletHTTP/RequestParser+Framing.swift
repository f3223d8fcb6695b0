/// What the fields of a head say about its framing and its host (RFC 9110 sections 7.2 and 10.1.1, RFC 9112 sections 3.2, 6 and
/// 9.3). Request smuggling lives on two readers who judge these differently, so nothing here is lenient.

internal import MartletBytes

extension RequestParser {
  /// Keeps in mind what a field means, if it is one of those that matter here. Told apart by length first.
  @inline(__always)
  static func note(_ field: FieldTable.Entry, of input: RawSpan, in section: inout FieldSection) throws(RequestFailure) {
    if input.paddedWord(at: Int(field.name.start)) & 0xFF_FFFF | 0x20_2020 == 0x2D_6669 { section.hasConditions = true }  // "if-"
    switch field.name.end &- field.name.start {
    case 4:
      let word = input.paddedWord(at: Int(field.name.start)) & 0xFFFF_FFFF
      if word | 0x2020_2020 == 0x7473_6F68 { noteHost(field.value, of: input, in: &section) }  // "host"
    case 6, 10, 14, 17: try noteRare(field, of: input, in: &section)
    default: break
    }
  }

  @inline(__always)
  static func noteHost(_ value: ByteRange, of input: RawSpan, in section: inout FieldSection) {
    section.traits.insert(section.traits.contains(.host) ? .hostTwice : .host)
    if !isValidHost(input, value) { section.traits.insert(.hostInvalid) }
    section.host = value
  }

  static func noteRare(_ field: FieldTable.Entry, of input: RawSpan, in section: inout FieldSection) throws(RequestFailure) {
    let name = input[field.name.range]
    let value = input[field.value.range]
    if name.equalsIgnoringCase("connection") {
      forEachElement(of: value) { option in
        if option.equalsIgnoringCase("close") { section.traits.insert(.close) }
        if option.equalsIgnoringCase("keep-alive") { section.traits.insert(.keepAlive) }
      }
    } else if name.equalsIgnoringCase("content-length") {
      if section.contentLength != nil { throw .contentLengthTwice }
      section.contentLength = try parseLength(value)
    } else if name.equalsIgnoringCase("transfer-encoding") {
      try noteCodings(value, in: &section)
    } else if name.equalsIgnoringCase("expect") {
      section.traits.insert(value.equalsIgnoringCase("100-continue") ? .expectsContinue : .expectsOther)
    }
  }

  /// The verdicts that need the whole head.
  @inline(__always)
  static func checkFraming(_ head: inout RequestHead) throws(RequestFailure) {
    head.keepsAlive = true
    if head.section.traits == .host && head.minorVersion == 1 && !head.methodIsUnknown { return }
    try checkUnusualFraming(&head)
  }

  private static func checkUnusualFraming(_ head: inout RequestHead) throws(RequestFailure) {
    let traits = head.section.traits
    if traits.contains(.hostTwice) { throw .hostTwice }
    if traits.contains(.hostInvalid) { throw .hostInvalid }
    if !traits.contains(.host) && head.minorVersion == 1 { throw .hostMissing }
    if traits.contains(.transferEncoding) { try checkCodings(of: &head) }
    if head.methodIsUnknown { throw .methodUnknown }
    if head.minorVersion == 0 {  // which knows no expectations: RFC 9110 section 10.1.1
      head.keepsAlive = traits.contains(.keepAlive) && !traits.contains(.close)
    } else {
      if traits.contains(.expectsOther) { throw .expectation }
      head.keepsAlive = !traits.contains(.close)
      head.expectsContinue = traits.contains(.expectsContinue)
    }
  }

  // MARK: Lengths and codings

  /// Digits alone. A number beyond Int is a body too large rather than a malformed one.
  static func parseLength(_ value: RawSpan) throws(RequestFailure) -> Int {
    if value.byteCount == 0 { throw .contentLength }
    var length = 0
    for index in 0..<value.byteCount {
      guard ASCII.isDigit(value[index]) else { throw .contentLength }
      let (product, tooLarge) = length.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(Int(value[index] & 15))
      length = tooLarge || carried || length == .max ? .max : sum
    }
    return length
  }

  /// Several fields make one list.
  static func noteCodings(_ value: RawSpan, in section: inout FieldSection) throws(RequestFailure) {
    section.traits.insert(.transferEncoding)
    var malformed = value.byteCount == 0
    var misplaced = false
    forEachElement(of: value) { coding in
      if coding.byteCount == 0 || !ByteClasses.isToken(coding[0]) { malformed = true }
      if section.traits.contains(.chunked) { misplaced = true }
      section.traits.insert(coding.equalsIgnoringCase("chunked") ? .chunked : .unknownCoding)
    }
    if malformed { throw .transferCoding }
    if misplaced { throw .transferCodingOrder }
  }

  static func checkCodings(of head: inout RequestHead) throws(RequestFailure) {
    if head.contentLength != nil { throw .bothLengths }
    if head.minorVersion == 0 { throw .transferCodingVersion }
    if head.section.traits.contains(.unknownCoding) { throw .transferCodingUnknown }
    head.isChunked = true
  }

  /// Calls `body` with each element of a comma-separated list, blanks trimmed; empty elements included.
  static func forEachElement(of list: RawSpan, _ body: (RawSpan) -> Void) {
    var start = 0
    while start <= list.byteCount {
      let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.byteCount
      var first = start
      var last = end
      while first < last && isBlank(list[first]) { first += 1 }
      while last > first && isBlank(list[last - 1]) { last -= 1 }
      body(list[first..<last])
      start = end + 1
    }
  }

  // MARK: Host

  /// `uri-host [":" port]` with a host that is not empty (RFC 9110 section 4.2.1), IP literals in brackets.
  @inline(__always)
  static func isValidHost(_ input: RawSpan, _ host: ByteRange) -> Bool {
    let end = Int(host.end)
    var position = Int(host.start)
    while position < end {
      let stops = ByteClasses.hostStops(input.paddedWord(at: position))
      position &+= stops == 0 ? 8 : stops.trailingZeroBitCount &>> 3
      if stops != 0 { break }
    }
    if position >= end { return host.start < host.end }
    if position > Int(host.start) && input[position] == UInt8(ascii: ":") { return isPort(input, from: position &+ 1, to: end) }
    return isValidUnusualHost(input[host.range])
  }

  @inline(__always)
  private static func isPort(_ input: RawSpan, from start: Int, to end: Int) -> Bool {
    var position = start
    while position < end && ASCII.isDigit(input[position]) { position &+= 1 }
    return position == end
  }

  /// The same, byte by byte, for hosts with other characters.
  static func isValidUnusualHost(_ host: RawSpan) -> Bool {
    var position = 0
    if host.byteCount > 0 && host[0] == UInt8(ascii: "[") {
      guard let end = host.firstIndex(of: UInt8(ascii: "]")), end > 1 else { return false }
      for index in 1..<end where !(ByteClasses.isHost(host[index]) || host[index] == UInt8(ascii: ":")) { return false }
      position = end + 1
    } else {
      while position < host.byteCount && ByteClasses.isHost(host[position]) { position += 1 }
      if position == 0 { return false }
    }
    if position == host.byteCount { return true }
    return host[position] == UInt8(ascii: ":") && isPort(host, from: position + 1, to: host.byteCount)
  }
}
