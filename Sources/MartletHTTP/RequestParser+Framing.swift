/// What the fields of a head say about its framing and its host (RFC 9110 sections 7.2 and 10.1.1, RFC 9112 sections 3.2, 6 and
/// 9.3). Request smuggling lives on two readers who judge these differently, so nothing here is lenient.

internal import MartletBytes

extension RequestParser {
  /// Keeps in mind what a field means, if it is one of the five that matter here. Told apart by length first.
  @inline(__always)
  static func note(_ field: FieldTable.Entry, of input: RawSpan, in head: inout RequestHead) throws(RequestFailure) {
    switch field.name.end &- field.name.start {
    case 4:
      let word = input.paddedWord(at: Int(field.name.start)) & 0xFFFF_FFFF
      if word | 0x2020_2020 == 0x7473_6F68 { noteHost(field.value, of: input, in: &head) }  // "host"
    case 6, 10, 14, 17: try noteRare(field, of: input, in: &head)
    default: break
    }
  }

  static func noteHost(_ value: ByteRange, of input: RawSpan, in head: inout RequestHead) {
    head.seen.hostFields += 1
    if !isValidHost(input[value.range]) { head.seen.hostInvalid = true }
    if !head.seen.absoluteHost { head.host = value }
  }

  static func noteRare(_ field: FieldTable.Entry, of input: RawSpan, in head: inout RequestHead) throws(RequestFailure) {
    let name = input[field.name.range]
    let value = input[field.value.range]
    if name.equalsIgnoringCase("connection") {
      forEachElement(of: value) { option in
        if option.equalsIgnoringCase("close") { head.seen.close = true }
        if option.equalsIgnoringCase("keep-alive") { head.seen.keepAlive = true }
      }
    } else if name.equalsIgnoringCase("content-length") {
      if head.contentLength != nil { throw .contentLengthTwice }
      head.contentLength = try parseLength(value)
    } else if name.equalsIgnoringCase("transfer-encoding") {
      try noteCodings(value, in: &head)
    } else if name.equalsIgnoringCase("expect") {
      if value.equalsIgnoringCase("100-continue") { head.expectsContinue = true } else { head.seen.otherExpectation = true }
    }
  }

  /// The verdicts that need the whole head.
  @inline(__always)
  static func checkFraming(_ input: RawSpan, of head: inout RequestHead) throws(RequestFailure) {
    if head.seen.hostFields != 1 {
      if head.seen.hostFields > 1 { throw .hostTwice }
      if head.minorVersion == 1 { throw .hostMissing }
    }
    if head.seen.hostInvalid { throw .hostInvalid }
    if head.seen.transferEncoding { try checkCodings(of: &head) }
    if head.seen.methodUnknown { throw .methodUnknown }
    if head.minorVersion == 0 {
      head.keepsAlive = head.seen.keepAlive && !head.seen.close
      head.expectsContinue = false  // RFC 9110 section 10.1.1: ignored in HTTP/1.0
    } else {
      head.keepsAlive = !head.seen.close
      if head.seen.otherExpectation { throw .expectation }
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
  static func noteCodings(_ value: RawSpan, in head: inout RequestHead) throws(RequestFailure) {
    head.seen.transferEncoding = true
    var malformed = value.byteCount == 0
    var misplaced = false
    forEachElement(of: value) { coding in
      if coding.byteCount == 0 || !ByteClasses.isToken(coding[0]) { malformed = true }
      if head.seen.codingChunked { misplaced = true }
      if coding.equalsIgnoringCase("chunked") { head.seen.codingChunked = true } else { head.seen.codingUnknown = true }
    }
    if malformed { throw .transferCoding }
    if misplaced { throw .transferCodingOrder }
  }

  static func checkCodings(of head: inout RequestHead) throws(RequestFailure) {
    if head.contentLength != nil { throw .bothLengths }
    if head.minorVersion == 0 { throw .transferCodingVersion }
    if head.seen.codingUnknown { throw .transferCodingUnknown }
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
  static func isValidHost(_ host: RawSpan) -> Bool {
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
    guard host[position] == UInt8(ascii: ":") else { return false }
    for index in position + 1..<host.byteCount where !ASCII.isDigit(host[index]) { return false }
    return true
  }
}
