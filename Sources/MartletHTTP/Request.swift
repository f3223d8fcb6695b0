/// A request as a handler sees it: borrowed bytes, valid while the handler runs. What must live longer is copied, all at once by
/// `OwnedRequest`, or piece by piece with `RawSpan.copied()`; the compiler holds you to it (`~Escapable`).

public import MartletBytes

public struct Request: ~Escapable {
  /// The head, from the request line's first byte, and the whole body behind it.
  private let bytes: RawSpan
  /// What the parameters are ranges of: the head, or the path's decoded copy.
  private let parameterBytes: RawSpan
  /// What the parser and the routes have found out: one element, of the loop's. So a request is a few words, not a copy of that.
  private let scratch: Span<RequestScratch>

  /// A request whose head, parsed and routed into `scratch`, and body are `bytes`. It stays at six words: one that is larger is
  /// destroyed through a table, after each request, though there is nothing to destroy.
  @_lifetime(copy bytes, borrow scratch)
  @inline(__always)
  init(_ scratch: borrowing UniqueBox<RequestScratch>, of bytes: RawSpan) {
    self.bytes = bytes
    self.parameterBytes = scratch.value.match.isDecoded ? scratch.value.decoded.bytes : bytes
    self.scratch = scratch.span
  }

  /// The loop's clock when the last of these bytes were read.
  public var now: MonotonicTime { scratch[0].now }

  /// Which connection asked: for what answers later, through its loop.
  package var connection: ConnectionID { scratch[0].connection }

  /// The whole body, transfer coding removed; empty if there is none.
  public var body: RawSpan {
    @_lifetime(copy self)
    get { bytes[scratch[0].head.byteCount..<bytes.byteCount] }
  }

  /// The field section, which the fields are ranges of.
  var section: RawSpan {
    @_lifetime(copy self)
    get { bytes[scratch[0].head.sectionStart..<scratch[0].head.byteCount] }
  }

  /// How many field lines there are.
  var fieldCount: Int { scratch[0].head.section.fields.count }

  /// Where a field line stands in `section`; `index` is below `fieldCount`.
  func entry(_ index: Int) -> FieldTable.Entry { scratch[0].head.section.fields[index] }

  /// HEAD is routed to the GET route; the writer counts the body and does not send it.
  public var method: Method { scratch[0].head.method }

  /// 1 for HTTP/1.1, 0 for HTTP/1.0.
  public var minorVersion: UInt8 { scratch[0].head.minorVersion }

  /// What the resource at this path allows: for the fallback, which answers 404, 405 and OPTIONS.
  package var allowed: MethodSet { scratch[0].match.allowed }

  /// Whether there is a route with this path and method.
  public var isRouted: Bool { scratch[0].match.isFound }

  /// Whether the request has a body, here already or still to come.
  public var hasBody: Bool { scratch[0].head.hasBody }

  public var isHead: Bool { method == .head }

  /// The method as sent: for `Method.other`.
  public var methodName: RawSpan {
    @_lifetime(copy self)
    get { bytes[scratch[0].head.methodBytes.range] }
  }

  /// The path as sent, percent-encoded.
  public var path: RawSpan {
    @_lifetime(copy self)
    get { bytes[scratch[0].head.path.range] }
  }

  /// The query as sent, without the `?`; empty if there is none.
  public var query: RawSpan {
    @_lifetime(copy self)
    get { bytes[scratch[0].head.query.range] }
  }

  /// Whether there is a query that is not empty.
  public var hasQuery: Bool { !scratch[0].head.query.isEmpty }

  /// `host[:port]`, checked, from an absolute target or else the Host field; empty only if HTTP/1.0 sent neither.
  public var host: RawSpan {
    @_lifetime(copy self)
    get {
      let target = scratch[0].head.targetHost
      return target.isEmpty ? section[scratch[0].head.section.host.range] : bytes[target.range]
    }
  }

  /// Whether a precondition was sent (RFC 9110 section 13.1: `If-Match` and its like). Without one, looking for each is spared.
  public var hasConditions: Bool { scratch[0].head.section.hasConditions }

  // MARK: Fields

  /// The first value of a field, blanks trimmed; nil if it was not sent. `name` is in lower case.
  @_lifetime(copy self)
  public func field(_ name: StaticString) -> RawSpan? {
    let count = name.utf8CodeUnitCount
    let section = section
    for index in 0..<fieldCount {
      let entry = entry(index)
      if Int(entry.name.end &- entry.name.start) == count && section[entry.name.range].equalsIgnoringCase(name) {
        return section[entry.value.range]
      }
    }
    return nil
  }

  /// Calls `body` with each value of a field, in order, as sent. `name` is in lower case.
  public func forEachField(named name: StaticString, _ body: (RawSpan) throws -> Void) rethrows {
    for index in 0..<fieldCount where section[entry(index).name.range].equalsIgnoringCase(name) {
      try body(section[entry(index).value.range])
    }
  }

  /// Calls `body` with each element of a list-valued field (RFC 9110 section 5.6.1), over all its lines, blanks trimmed, empty
  /// elements left out. Commas inside quoted strings do not separate. `name` is in lower case.
  public func forEachElement(ofField name: StaticString, _ body: (RawSpan) throws -> Void) rethrows {
    try forEachField(named: name) { value in try FieldList.forEachElement(of: value, body) }
  }

  /// Calls `body` with the name and value of each field, as sent.
  public func forEachField(_ body: (RawSpan, RawSpan) throws -> Void) rethrows {
    for index in 0..<fieldCount { try body(section[entry(index).name.range], section[entry(index).value.range]) }
  }

  // MARK: Parameters

  /// How many parameters the route's pattern has.
  public var parameterCount: Int { scratch[0].match.parameterCount }

  /// The path parameter at `index`, in the order of the pattern, percent-decoded: any bytes, NUL and `/` among them. One in
  /// braces has at least one byte; a catch-all may be empty.
  @_lifetime(copy self)
  public func parameter(_ index: Int) -> RawSpan {
    parameterBytes[scratch[0].match.parameter(index).range]
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
