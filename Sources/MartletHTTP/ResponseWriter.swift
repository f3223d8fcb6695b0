/// Writes one reply after another straight into the connection's output: status line and Date, fields, body. It owns the output
/// while handlers run (moved in and out by the session), so that nothing is copied and no reply can be mixed into another.
///
/// A handler says `head`, any `field`s, then one of `body`, `empty` or the chunks. The length is written when the body is
/// there: as many digits are left free as the last body needed, and the body moves by a byte or two where that was wrong.
/// Until the handler has returned nothing is sent, so a throwing handler leaves no half reply behind.

public import MartletBytes

public struct ResponseWriter: ~Copyable, Sendable {
  @usableFromInline enum State: UInt8, Sendable { case fresh, fields, chunks, finished }
  enum Persistence: UInt8 { case implicit, keepAlive, close }

  @usableFromInline var output = ByteBuffer()
  /// Field lines set before `head`, by middleware for the most part. They stay with the reply when it becomes an error.
  var held = ByteBuffer()
  var date: DateField
  /// Where in `output` this reply begins.
  var start = 0
  @usableFromInline var state = State.fresh
  var persistence = Persistence.implicit
  /// Of the head that was written, 0 before.
  var status = 0
  var isHead = false
  var minorVersion: UInt8 = 1
  /// A field was refused: the reply becomes a 500.
  var isFaulty = false
  /// Digits left free for Content-Length: those of the last body.
  var lengthDigits = 4
  /// Where those digits end in `output`.
  var lengthEnd = 0
  /// Set when an `async` handler is to answer.
  var later: LaterReply? {
    didSet { isLater = later != nil }
  }
  /// Whether `later` is set: a byte to look at, for each reply.
  private(set) var isLater = false

  init(date: consuming DateField) { self.date = date }

  /// Prepares for the next reply.
  @inline(__always)
  mutating func begin(isHead: Bool, minorVersion: UInt8, persistence: Persistence) {
    start = output.count
    state = .fresh
    status = 0
    self.isHead = isHead
    self.minorVersion = minorVersion
    self.persistence = persistence
    isFaulty = false
    if !held.isEmpty { held.removeAll() }
  }

  /// The interim reply that asks for the body (RFC 9110 section 15.2.1).
  mutating func sendContinue() { output.append("HTTP/1.1 100 Continue\r\n\r\n") }

  // MARK: Head

  /// Writes the status line, Date, and the fields that were set before. Once per reply; 200 to 599.
  public mutating func head(_ status: HTTPStatus) {
    precondition(state == .fresh, "a reply has one head")
    precondition(status.rawValue >= 200, "an interim status is no reply")
    self.status = status.rawValue
    if status.rawValue == 200 {
      date.appendOK(to: &output)
    } else {
      output.append("HTTP/1.1 ")
      output.append(decimal: status.rawValue)
      output.append(" ")
      output.append(status.reasonPhrase)
      output.append("\r\n")
      date.appendLine(to: &output)
    }
    if !held.isEmpty { output.append(held) }
    state = .fields
  }

  /// A field whose value is known to the compiler. Before `head` it is kept and written with it. Not for Content-Length,
  /// Transfer-Encoding, Connection and Date, which belong to the session.
  @inlinable @inline(__always)
  public mutating func field(_ name: StaticString, _ value: StaticString) {
    precondition(state.rawValue <= State.fields.rawValue, "a field comes before the body")
    if state == .fields {
      output.append(name, ": ", value, "\r\n")
    } else {
      hold(name, value)
    }
  }

  @usableFromInline
  mutating func hold(_ name: StaticString, _ value: StaticString) {
    Self.append(name, { $0.append(value) }, to: &held)
  }

  /// A field with a value from elsewhere. A control byte (CR, LF, NUL, …) in it turns the whole reply into a 500: never injectable.
  public mutating func field(_ name: StaticString, _ value: RawSpan) {
    guard ResponseWriter.isValidValue(value) else {
      isFaulty = true
      return
    }
    withFieldLine(name) { $0.append(value) }
  }

  @_disfavoredOverload
  public mutating func field(_ name: StaticString, _ value: String) { field(name, Array(value.utf8).rawSpan) }

  public mutating func field(_ name: StaticString, _ value: Int) {
    withFieldLine(name) { $0.append(decimal: value) }
  }

  /// A field whose value is built in place. `build` only appends; what it appended is checked as above.
  public mutating func field(_ name: StaticString, _ build: (inout ByteBuffer) throws -> Void) rethrows {
    var isValid = true
    try withFieldLine(name) { buffer in
      let start = buffer.count
      try build(&buffer)
      isValid = ResponseWriter.isValidValue(buffer.bytes[start..<buffer.count])
    }
    if !isValid { isFaulty = true }
  }

  /// As above after `head`, for values that are made of digits and literals: not checked.
  @inlinable @inline(__always)
  package mutating func trustedField(_ name: StaticString, _ build: (inout ByteBuffer) -> Void) {
    precondition(state == .fields, "a field comes between the head and the body")
    output.append(name)
    output.append(": ")
    build(&output)
    output.append("\r\n")
  }

  @inline(__always)
  private mutating func withFieldLine(_ name: StaticString, _ value: (inout ByteBuffer) throws -> Void) rethrows {
    precondition(state.rawValue <= State.fields.rawValue, "a field comes before the body")
    if state == .fields {
      try Self.append(name, value, to: &output)
    } else {
      try Self.append(name, value, to: &held)
    }
  }

  @inline(__always)
  private static func append(
    _ name: StaticString, _ value: (inout ByteBuffer) throws -> Void, to buffer: inout ByteBuffer
  ) rethrows {
    buffer.append(name)
    buffer.append(": ")
    try value(&buffer)
    buffer.append("\r\n")
  }

  /// Whether bytes may stand in a field value: no control byte but HTAB.
  static func isValidValue(_ value: RawSpan) -> Bool {
    var position = 0
    while true {
      let stops = ByteClasses.valueStops(value.paddedWord(at: position))
      position &+= stops == 0 ? 8 : stops.trailingZeroBitCount &>> 3
      if position >= value.byteCount { return true }
      if stops == 0 { continue }
      if value[position] != ASCII.tab { return false }
      position &+= 1
    }
  }

  // MARK: Body

  /// The whole body.
  public mutating func body(_ bytes: RawSpan) {
    guard openBody() else { return }
    output.append("Content-Length: ")
    output.append(decimal: bytes.byteCount)
    endFields()
    if !isHead { output.append(bytes) }
  }

  /// The whole body, as UTF-8.
  public mutating func body(_ text: String) { body { $0.append(text) } }

  /// The whole body, appended in place by `build`, which only appends. If it throws, the reply is dropped and becomes that error.
  @inlinable @inline(__always)
  public mutating func body(_ build: (inout ByteBuffer) throws -> Void) rethrows {
    guard let start = openLength() else { return }
    try build(&output)
    closeLength(from: start)
  }

  /// No body: `Content-Length: 0`, or no length where the status means none.
  public mutating func empty() {
    guard openBody() else { return }
    output.append("Content-Length: 0")
    endFields()
  }

  /// Begins a body whose end is not known yet; HTTP/1.0 gets it until the connection closes.
  public mutating func beginChunks() {
    if state == .fresh { head(.ok) }
    if minorVersion == 0 { persistence = .close }
    guard openBody() else { return }
    if minorVersion > 0 { output.append("Transfer-Encoding: chunked\r\n") }
    endPersistence()
    output.append("\r\n")
    state = .chunks
  }

  /// The next part of a body begun by `beginChunks`.
  public mutating func chunk(_ bytes: RawSpan) {
    if state == .finished && (isHead || HTTPStatus(rawValue: status).isBodyless) { return }
    precondition(state == .chunks, "a chunk comes between beginChunks and endChunks")
    if isHead || bytes.byteCount == 0 { return }
    if minorVersion == 0 { return output.append(bytes) }
    output.append(hexadecimal: UInt64(bytes.byteCount))
    output.append("\r\n")
    output.append(bytes)
    output.append("\r\n")
  }

  /// Ends a body begun by `beginChunks`.
  public mutating func endChunks() {
    if state == .finished { return }
    precondition(state == .chunks, "endChunks comes after beginChunks")
    if !isHead && minorVersion > 0 { output.append("0\r\n\r\n") }
    state = .finished
  }

  // MARK: Below

  /// Ends the fields where no body may follow, and says whether one may.
  @inline(__always)
  private mutating func openBody() -> Bool {
    if state == .fresh { head(.ok) }
    precondition(state == .fields, "a reply has one body")
    state = .finished
    if status != 204 && status != 304 { return true }
    endPersistence()
    output.append("\r\n")
    return false
  }

  /// Ends the line begun and the fields.
  private mutating func endFields() {
    if persistence == .implicit { return output.append("\r\n\r\n") }
    output.append("\r\n")
    endPersistence()
    output.append("\r\n")
  }

  private mutating func endPersistence() {
    switch persistence {
    case .implicit: break
    case .keepAlive: output.append("Connection: keep-alive\r\n")
    case .close: output.append("Connection: close\r\n")
    }
  }

  /// Writes the fields up to a length with free digits; where the body begins. nil: no body may follow.
  @usableFromInline
  mutating func openLength() -> Int? {
    guard openBody() else { return nil }
    if persistence == .implicit && lengthDigits <= 4 {
      switch lengthDigits {  // whole lines, since a copy of constant size is a few moves
      case 1: output.append("Content-Length: 0\r\n\r\n")
      case 2: output.append("Content-Length: 00\r\n\r\n")
      case 3: output.append("Content-Length: 000\r\n\r\n")
      default: output.append("Content-Length: 0000\r\n\r\n")
      }
      lengthEnd = output.count &- 4
    } else {
      output.append("Content-Length: ")
      for _ in 0..<lengthDigits { output.append(UInt8(ascii: "0")) }
      lengthEnd = output.count
      endFields()
    }
    return output.count
  }

  /// Fills the length in, and moves the body if the number of digits was guessed wrongly.
  @usableFromInline
  mutating func closeLength(from bodyStart: Int) {
    let count = output.count - bodyStart
    if isHead { output.truncate(to: bodyStart) }
    let digits = Digits.count(UInt64(count))
    if digits != lengthDigits {
      output.shiftTail(from: lengthEnd, by: digits - lengthDigits)
      lengthEnd += digits - lengthDigits
      lengthDigits = digits
    }
    output.replace(decimal: UInt64(count), endingAt: lengthEnd, digits: digits)
  }

}
