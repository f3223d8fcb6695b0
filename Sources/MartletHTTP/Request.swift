/// A request as a handler sees it: borrowed bytes, valid while the handler runs. What must live longer is copied, all at once by
/// `OwnedRequest`, or piece by piece with `RawSpan.copied()`; the compiler holds you to it (`~Escapable`).

public import MartletBytes

public struct Request: ~Copyable, ~Escapable {
  /// The head, from the request line's first byte.
  let head: RawSpan
  /// The field section, which `entries` are ranges of.
  let section: RawSpan
  /// What the parameters are ranges of: the path, or its decoded copy.
  let parameterBytes: RawSpan
  let entries: Span<FieldTable.Entry>
  let parameters: Span<ByteRange>
  let methodRange: ByteRange
  let pathRange: ByteRange
  let queryRange: ByteRange
  let targetHostRange: ByteRange
  let hostRange: ByteRange

  /// The whole body, transfer coding removed; empty if there is none.
  public let body: RawSpan
  /// The loop's clock when these bytes were read.
  public let now: MonotonicTime
  /// Which connection asked: for what answers later, through its loop.
  package let connection: ConnectionID
  /// HEAD is routed to the GET route; the writer counts the body and does not send it.
  public let method: Method
  /// 1 for HTTP/1.1, 0 for HTTP/1.0.
  public let minorVersion: UInt8
  /// What the resource at this path allows: for the fallback, which answers 404, 405 and OPTIONS.
  package let allowed: MethodSet

  @_lifetime(copy bytes, copy body, borrow scratch)
  @inline(__always)
  init(_ scratch: borrowing RequestScratch, of bytes: RawSpan, body: RawSpan, at now: MonotonicTime, from connection: ConnectionID) {
    self.head = bytes
    self.section = bytes[scratch.head.sectionStart..<scratch.head.byteCount]
    self.parameterBytes = scratch.match.isDecoded ? scratch.decoded.bytes : bytes
    self.entries = scratch.head.section.fields.span
    self.parameters = scratch.match.parameters
    self.methodRange = scratch.head.methodBytes
    self.pathRange = scratch.head.path
    self.queryRange = scratch.head.query
    self.targetHostRange = scratch.head.targetHost
    self.hostRange = scratch.head.section.host
    self.body = body
    self.now = now
    self.connection = connection
    self.method = scratch.head.method
    self.minorVersion = scratch.head.minorVersion
    self.allowed = scratch.match.allowed
  }

  public var isHead: Bool { method == .head }

  /// The method as sent: for `Method.other`.
  public var methodName: RawSpan {
    @_lifetime(copy self)
    get { head[methodRange.range] }
  }

  /// The path as sent, percent-encoded.
  public var path: RawSpan {
    @_lifetime(copy self)
    get { head[pathRange.range] }
  }

  /// The query as sent, without the `?`; empty if there is none.
  public var query: RawSpan {
    @_lifetime(copy self)
    get { head[queryRange.range] }
  }

  /// `host[:port]`, checked, from an absolute target or else the Host field; empty only if HTTP/1.0 sent neither.
  public var host: RawSpan {
    @_lifetime(copy self)
    get { targetHostRange.isEmpty ? section[hostRange.range] : head[targetHostRange.range] }
  }

  // MARK: Fields

  /// The first value of a field, blanks trimmed; nil if it was not sent. `name` is in lower case.
  @_lifetime(copy self)
  public func field(_ name: StaticString) -> RawSpan? {
    let count = name.utf8CodeUnitCount
    for index in entries.indices {
      let entry = entries[index]
      if Int(entry.name.end &- entry.name.start) == count && section[entry.name.range].equalsIgnoringCase(name) {
        return section[entry.value.range]
      }
    }
    return nil
  }

  /// Calls `body` with each value of a field, in order, as sent. `name` is in lower case.
  public func forEachField(named name: StaticString, _ body: (RawSpan) throws -> Void) rethrows {
    for index in entries.indices where section[entries[index].name.range].equalsIgnoringCase(name) {
      try body(section[entries[index].value.range])
    }
  }

  /// Calls `body` with each element of a list-valued field (RFC 9110 section 5.6.1), over all its lines, blanks trimmed, empty
  /// elements left out. Commas inside quoted strings do not separate. `name` is in lower case.
  public func forEachElement(ofField name: StaticString, _ body: (RawSpan) throws -> Void) rethrows {
    try forEachField(named: name) { value in try FieldList.forEachElement(of: value, body) }
  }

  /// Calls `body` with the name and value of each field, as sent.
  public func forEachField(_ body: (RawSpan, RawSpan) throws -> Void) rethrows {
    for index in entries.indices { try body(section[entries[index].name.range], section[entries[index].value.range]) }
  }

  // MARK: Parameters

  /// How many parameters the route's pattern has.
  public var parameterCount: Int { parameters.count }

  /// The path parameter at `index`, in the order of the pattern, percent-decoded: any bytes, NUL and `/` among them. One in
  /// braces has at least one byte; a catch-all may be empty.
  @_lifetime(copy self)
  public func parameter(_ index: Int) -> RawSpan {
    parameterBytes[parameters[index].range]
  }

  /// Calls `body` with each name and value of the query, percent-decoded once and `+` read as a space. An item without `=` has an
  /// empty value; empty items are skipped. Malformed percent-encoding: `HTTPError` 400.
  public func forEachQueryItem(_ body: (_ name: RawSpan, _ value: RawSpan) throws -> Void) throws {
    try QueryItems.forEach(of: query, body)
  }
}

/// Elements of list-valued fields.
enum FieldList {
  static func forEachElement(of list: RawSpan, _ body: (RawSpan) throws -> Void) rethrows {
    var start = 0
    var position = 0
    var isQuoted = false
    while position <= list.byteCount {
      if position < list.byteCount {
        let byte = list[position]
        if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
        if isQuoted && byte == UInt8(ascii: "\\") { position += 1 }
        if isQuoted || byte != UInt8(ascii: ",") {
          position += 1
          continue
        }
      }
      let element = list[start..<min(position, list.byteCount)].trimmed
      if element.byteCount > 0 { try body(element) }
      position += 1
      start = position
    }
  }
}

/// `name=value&…`, as forms and people write it.
enum QueryItems {
  static func forEach(of query: RawSpan, _ body: (RawSpan, RawSpan) throws -> Void) throws {
    var start = 0
    while start < query.byteCount {
      let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.byteCount
      if end > start { try item(query[start..<end], body) }
      start = end + 1
    }
  }

  private static func item(_ item: RawSpan, _ body: (RawSpan, RawSpan) throws -> Void) throws {
    let equals = item.firstIndex(of: UInt8(ascii: "="))
    let name = item[0..<(equals ?? item.byteCount)]
    let value = item[min((equals ?? item.byteCount) + 1, item.byteCount)..<item.byteCount]
    if item.firstIndex(of: UInt8(ascii: "%")) == nil && item.firstIndex(of: UInt8(ascii: "+")) == nil {
      return try body(name, value)
    }
    guard PercentCoding.isWellFormed(name), PercentCoding.isWellFormed(value) else {
      throw HTTPError(.badRequest, "The query holds a % that is not followed by two hexadecimal digits.")
    }
    var decoded = ByteBuffer(capacity: item.byteCount)
    PercentCoding.decode(name, plusIsSpace: true, into: &decoded)
    let nameCount = decoded.count
    PercentCoding.decode(value, plusIsSpace: true, into: &decoded)
    try body(decoded.bytes[0..<nameCount], decoded.bytes[nameCount..<decoded.count])
  }
}
