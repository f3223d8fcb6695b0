/// The fast lane in: a type that reads itself, member by member, in a few lines.
///
///     extension Point: JSONDecodable {
///       init(from json: inout JSONReader) throws {
///         var x: Double?
///         var tags: [String] = []
///         try json.beginObject()
///         while let name = try json.nextName() {
///           switch name {
///           case "x": x = try json.read()
///           case "tags": tags = try json.read()
///           default: try json.skip()
///           }
///         }
///         self.init(x: try json.require(x, "x"), tags: tags)
///       }
///     }
///
/// One pass: the text is checked while it is read, nothing is looked up. Of a name that stands twice, the last counts in such a loop.

public import MartletBytes

public protocol JSONDecodable {
  /// Reads exactly one value.
  init(from json: inout JSONReader) throws
}

extension JSONDecodable {
  /// The value of a whole JSON text. Throws `JSONError`, or what the type's own reading throws.
  @inlinable
  public init(json text: RawSpan) throws {
    var reader = JSONReader(text)
    self = try Self(from: &reader)
    try reader.end()
  }

  @inlinable
  public init(json text: [UInt8]) throws { try self.init(json: text.rawSpan) }
}

/// The name of a member, while the reader stands before its value: compared with literals without becoming a `String`.
///
/// A `switch` over it is a search for one number (`JSONNameFingerprint`), not a comparison with each name in turn.
@frozen
public struct JSONName: ~Escapable {
  /// As it is written between the quotation marks.
  @usableFromInline let bytes: RawSpan
  /// Of what it says.
  @usableFromInline let fingerprint: JSONNameFingerprint
  @usableFromInline let hasEscapes: Bool

  /// `fingerprint` is that of `bytes`.
  @_lifetime(copy bytes) @inline(__always)
  init(_ bytes: RawSpan, _ fingerprint: JSONNameFingerprint) {
    self.bytes = bytes
    self.fingerprint = fingerprint
    hasEscapes = false
  }

  @_lifetime(copy content) @inline(never)
  init(escaped content: RawSpan) {
    bytes = content
    hasEscapes = true
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(content, to: &unescaped)
    fingerprint = JSONNameFingerprint(unescaped.bytes, from: 0, to: unescaped.count)
  }

  @inlinable @inline(__always)
  public static func == (name: borrowing JSONName, literal: StaticString) -> Bool { literal ~= name }

  /// For `switch`.
  @inlinable @inline(__always)
  public static func ~= (literal: StaticString, name: borrowing JSONName) -> Bool {
    name.fingerprint == JSONNameFingerprint(literal) && (!JSONNameFingerprint.needsBytes(literal) || name.equals(literal))
  }

  @usableFromInline @inline(never)
  func equals(_ literal: StaticString) -> Bool {
    hasEscapes ? Array(text.utf8).rawSpan.equals(literal.rawSpan) : bytes.equals(literal)
  }

  /// What the name says.
  public var text: String {
    guard hasEscapes else { return JSONScanner.checkedText(bytes) }
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(bytes, to: &unescaped)
    return unescaped.text
  }
}

extension JSONReader {
  /// The name of the object's next member, whose value is to be read or skipped then; nil when the object is closed.
  @_lifetime(copy self)
  public mutating func nextName() throws(JSONError) -> JSONName? {
    guard let name = try nextKeyContent() else { return nil }
    let bytes = text[name.range]
    if name.hasEscapes { return JSONName(escaped: bytes) }
    return JSONName(bytes, JSONNameFingerprint(text, from: name.range.lowerBound, to: name.range.upperBound))
  }

  /// The next value, as a type of the fast lane.
  @inlinable @inline(__always)
  public mutating func read<Value: JSONDecodable>(_ type: Value.Type = Value.self) throws -> Value { try Value(from: &self) }

  /// Steps over the next value, checking it.
  @inlinable
  public mutating func skip() throws(JSONError) { _ = try skipValue() }

  /// The value of a member that must be there; `.missingMember` where it has not come. To be asked when the object has been closed: the
  /// error's offset is that of its last byte.
  @inlinable
  public func require<Value>(_ value: Value?, _ name: StaticString) throws(JSONError) -> Value {
    guard let value else { throw missing(name) }
    return value
  }

  @usableFromInline @inline(never)
  func missing(_ name: StaticString) -> JSONError { JSONError(offset: max(offset - 1, 0), problem: .missingMember("\(name)")) }

  /// An exact integer of any type: written without fraction and exponent (`.notAnInteger`), within its range (`.outOfRange`).
  public mutating func readInteger<Value: FixedWidthInteger>(_ type: Value.Type) throws(JSONError) -> Value {
    if let (plain, end) = JSONScanner.plainInteger(in: text, from: offset), let value = Value(exactly: plain) {
      offset = end
      return value
    }
    let range = try numberRange()
    let number = JSONNumber(text[range])
    if let value = number.int64 {
      if let value = Value(exactly: value) { return value }
    } else if number.isInteger, let value = Value(text[range].text) {
      return value
    }
    throw JSONError(offset: range.lowerBound, problem: number.isInteger ? .outOfRange : .notAnInteger)
  }

  /// A number as it is written: for types with more digits than a double has.
  public mutating func readNumberText() throws(JSONError) -> String { text[try numberRange()].text }

  /// The nearest `Float`, rounded once; `.outOfRange` beyond the finite ones.
  public mutating func readFloat() throws(JSONError) -> Float {
    let range = try numberRange()
    guard let value = Float(text[range].text), value.isFinite else {
      throw JSONError(offset: range.lowerBound, problem: .outOfRange)
    }
    return value
  }
}

// MARK: The standard library's types

extension Bool: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readBool() }
}

extension String: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readString() }
}

extension Double: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readDouble() }
}

extension Float: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readFloat() }
}

extension Int: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = Int(try json.readInteger()) }
}

extension Int8: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(Int8.self) }
}

extension Int16: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(Int16.self) }
}

extension Int32: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(Int32.self) }
}

extension Int64: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger() }
}

extension UInt: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(UInt.self) }
}

extension UInt8: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(UInt8.self) }
}

extension UInt16: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(UInt16.self) }
}

extension UInt32: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(UInt32.self) }
}

extension UInt64: JSONDecodable {
  @inlinable public init(from json: inout JSONReader) throws { self = try json.readInteger(UInt64.self) }
}

extension Optional: JSONDecodable where Wrapped: JSONDecodable {
  /// `null` is nil.
  @inlinable @inline(__always)
  public init(from json: inout JSONReader) throws {
    if json.nextIsNull {
      try json.readNull()
      self = nil
    } else {
      self = try Wrapped(from: &json)
    }
  }
}

extension Array: JSONDecodable where Element: JSONDecodable {
  @inlinable
  public init(from json: inout JSONReader) throws {
    self.init()
    try json.beginArray()
    while try json.nextElement() { append(try Element(from: &json)) }
  }
}

extension Dictionary: JSONDecodable where Key == String, Value: JSONDecodable {
  @inlinable
  public init(from json: inout JSONReader) throws {
    self.init()
    try json.beginObject()
    while let key = try json.nextKey() { self[key] = try Value(from: &json) }
  }
}
