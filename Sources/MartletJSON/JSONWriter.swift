/// JSON as bytes, written value by value into one buffer: no tree, no text in between, no allocation once the buffer has grown.
///
///     var writer = JSONWriter(buffer)
///     writer.beginObject()
///     writer.member("message", "Hello, World!")
///     writer.endObject()
///     buffer = writer.finish()
///
/// The writer sets commas and colons; the caller keeps the order (a key before each value in an object, `end` for each `begin`). Getting
/// that wrong is a bug in the program: debug builds stop there, release builds do not look. What comes in as `String` or as checked
/// UTF-8 goes out as valid JSON.
///
/// Cost: one capacity check per token and the bytes. State is a flag and a bit per level; everything inlines into the caller.

public import MartletBytes

@frozen
public struct JSONWriter: ~Copyable {
  @usableFromInline var output: ByteBuffer
  /// A value stands before in the same container: a comma comes next.
  @usableFromInline var needsComma = false
  /// A key waits for its value.
  @usableFromInline var hasKey = false
  @usableFromInline var depth = 0
  /// For the checks in debug builds: one bit per level, the innermost lowest, 1 for an object. Beyond 64 levels nothing is checked.
  @usableFromInline var objects: UInt64 = 0
  @usableFromInline var depthReached = 0

  /// Appends to what `output` holds already.
  @inlinable
  public init(_ output: consuming ByteBuffer = ByteBuffer()) {
    self.output = output
  }

  /// Gives the buffer back. Every object and array is closed.
  @inlinable
  public consuming func finish() -> ByteBuffer {
    assert(depth == 0 && !hasKey, "a JSON object or array is still open")
    return output
  }

  /// Writes to the end of a buffer that stays with its owner; if `body` throws, the buffer is as before.
  @inlinable @inline(__always)
  public static func append<Failure: Error>(
    to output: inout ByteBuffer, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    let count = output.count
    var writer = JSONWriter(output)
    do {
      try body(&writer)
    } catch {
      output = writer.abandon()
      output.truncate(to: count)
      throw error
    }
    output = writer.finish()
  }

  @usableFromInline
  consuming func abandon() -> ByteBuffer { output }

  /// The length of the output so far, in bytes.
  @inlinable public var byteCount: Int { output.count }

  // MARK: Containers

  @inlinable @inline(__always)
  public mutating func beginObject() {
    beginValue()
    output.append(UInt8(ascii: "{"))
    enter(object: 1)
  }

  @inlinable @inline(__always)
  public mutating func endObject() {
    leave(object: 1)
    output.append(UInt8(ascii: "}"))
  }

  @inlinable @inline(__always)
  public mutating func beginArray() {
    beginValue()
    output.append(UInt8(ascii: "["))
    enter(object: 0)
  }

  @inlinable @inline(__always)
  public mutating func endArray() {
    leave(object: 0)
    output.append(UInt8(ascii: "]"))
  }

  // MARK: Keys

  /// A literal key; it holds nothing that JSON would escape (checked in debug builds).
  @inlinable @inline(__always)
  public mutating func key(_ key: StaticString) {
    assert(JSONWriter.isClean(key), "a literal JSON key needs no escaping")
    beginKey()
    output.append(jsonKey: key, afterComma: needsComma)
    needsComma = false
  }

  @inlinable @inline(__always)
  public mutating func key(_ key: consuming String) {
    beginKey()
    output.append(jsonKey: key, afterComma: needsComma)
    needsComma = false
  }

  /// A key in UTF-8, which the caller vouches for.
  @inlinable
  public mutating func key(utf8 key: RawSpan) {
    beginKey()
    output.append(jsonKey: key, afterComma: needsComma)
    needsComma = false
  }

  // MARK: Values

  @inlinable
  public mutating func string(_ value: String) {
    beginValue()
    output.append(jsonString: value)
  }

  /// A literal.
  @inlinable
  public mutating func string(_ value: StaticString) {
    beginValue()
    output.append(jsonString: value.rawSpan)
  }

  /// A string in UTF-8, which the caller vouches for.
  @inlinable
  public mutating func string(utf8 value: RawSpan) {
    beginValue()
    output.append(jsonString: value)
  }

  @inlinable
  public mutating func integer(_ value: Int) {
    beginValue()
    output.append(decimal: Int64(value))
  }

  @inlinable
  public mutating func integer(_ value: Int64) {
    beginValue()
    output.append(decimal: value)
  }

  @inlinable
  public mutating func integer(_ value: UInt64) {
    beginValue()
    output.append(decimal: value)
  }

  /// The shortest digits that read back as the same double: `0.1`, `1` for 1.0, `-0`, `1e-05`, `1e+16`, as Foundation prints them.
  ///
  /// Throws `.notFinite` for NaN and infinities, for which JSON has no text; nothing is written then.
  @inlinable
  public mutating func double(_ value: Double) throws(JSONError) {
    guard value.isFinite else { throw JSONError(offset: output.count, problem: .notFinite) }
    beginValue()
    output.append(finite: value)
  }

  /// As `double`, for a value that the caller knows to be finite.
  @inlinable
  package mutating func finite(_ value: Double) {
    beginValue()
    output.append(finite: value)
  }

  @inlinable
  public mutating func bool(_ value: Bool) {
    beginValue()
    if value { output.append("true") } else { output.append("false") }
  }

  @inlinable
  public mutating func null() {
    beginValue()
    output.append("null")
  }

  /// One JSON value as it stands, which the caller has checked.
  @inlinable
  public mutating func raw(_ value: RawSpan) {
    beginValue()
    output.append(value)
  }

  // MARK: Members: a literal key and its value

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: StaticString) {
    self.key(key)
    string(value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, utf8 value: RawSpan) {
    self.key(key)
    string(utf8: value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: Int) {
    self.key(key)
    integer(value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: Int64) {
    self.key(key)
    integer(value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: UInt64) {
    self.key(key)
    integer(value)
  }

  /// Throws as `double` does; the key is written already then, so the output is of no use.
  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: Double) throws(JSONError) {
    self.key(key)
    try double(value)
  }

  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }

  // MARK: Order

  @inlinable @inline(__always)
  mutating func beginValue() {
    assert(hasKey == isInObject || depthReached > 64, "in a JSON object each value has a key before it, elsewhere none has")
    assert(depth > 0 || !needsComma, "a JSON text is one value")
    if needsComma { output.append(UInt8(ascii: ",")) }
    needsComma = true
    hasKey = false
  }

  @inlinable @inline(__always)
  mutating func beginKey() {
    assert(!hasKey && (isInObject || depthReached > 64), "a JSON key stands in an object, and each has one value")
    hasKey = true
  }

  @inlinable @inline(__always)
  mutating func enter(object: UInt64) {
    needsComma = false
    depth &+= 1
    assert(noteLevel(object: object))
  }

  @inlinable @inline(__always)
  mutating func leave(object: UInt64) {
    assert(!hasKey, "a JSON key has no value")
    assert(depth > 0 && (objects & 1 == object || depthReached > 64), "the end of a JSON object or array that is not open")
    depth &-= 1
    needsComma = true
    assert(forgetLevel())
  }

  @inlinable var isInObject: Bool { depth > 0 && objects & 1 == 1 }

  /// Called by assertions only, and true: levels are followed in debug builds alone.
  @usableFromInline
  mutating func noteLevel(object: UInt64) -> Bool {
    objects = objects << 1 | object
    depthReached = max(depthReached, depth)
    return true
  }

  @usableFromInline
  mutating func forgetLevel() -> Bool {
    objects >>= 1
    return true
  }

  @usableFromInline
  static func isClean(_ key: StaticString) -> Bool {
    let bytes = key.rawSpan
    for index in 0..<bytes.byteCount where bytes[index] < 0x20 || bytes[index] == 0x22 || bytes[index] == 0x5C { return false }
    return true
  }
}
