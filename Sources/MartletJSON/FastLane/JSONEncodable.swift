/// The fast lane out: a type that writes itself, token by token, in a few lines.
///
///     extension Point: JSONEncodable {
///       func encode(to json: inout JSONWriter) throws {
///         json.beginObject()
///         try json.member("x", x)
///         try json.member("tags", tags)
///         try json.member("note", ifPresent: note)
///         json.endObject()
///       }
///     }
///
/// Several times as fast as `Encodable` (no containers, no keys as values, everything inlined), and without its options. Where a type has both,
/// the helpers of this package take this one.

public import MartletBytes

public protocol JSONEncodable {
  /// Writes exactly one value.
  func encode(to json: inout JSONWriter) throws
}

extension JSONEncodable {
  /// The value as a JSON text.
  @inlinable
  public func jsonBytes() throws -> [UInt8] {
    var output = ByteBuffer()
    try encode(into: &output)
    return output.copied()
  }

  /// Appends the value as a JSON text; if that throws, the buffer is as before.
  @inlinable
  public func encode(into output: inout ByteBuffer) throws {
    try JSONWriter.append(to: &output) { json throws in try encode(to: &json) }
  }
}

extension JSONWriter {
  /// A literal key and any value of the fast lane.
  @_disfavoredOverload @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, _ value: some JSONEncodable) throws {
    self.key(key)
    try value.encode(to: &self)
  }

  /// As above if there is a value; otherwise nothing, not even the key.
  @inlinable @inline(__always)
  public mutating func member(_ key: StaticString, ifPresent value: (some JSONEncodable)?) throws {
    guard let value else { return }
    self.key(key)
    try value.encode(to: &self)
  }
}

// MARK: The standard library's types

extension Bool: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.bool(self) }
}

extension String: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.string(self) }
}

extension Double: JSONEncodable {
  /// Throws for NaN and infinities.
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) throws { try json.double(self) }
}

extension Float: JSONEncodable {
  /// The shortest digits that read back as the same `Float`. Throws for NaN and infinities.
  @inlinable public func encode(to json: inout JSONWriter) throws {
    guard isFinite else { throw JSONError(offset: json.byteCount, problem: .notFinite) }
    let text = description
    json.raw(Array((text.hasSuffix(".0") ? text.dropLast(2) : text[...]).utf8).rawSpan)
  }
}

extension Int: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(self) }
}

extension Int8: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int16: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int32: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int64: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(self) }
}

extension UInt: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(UInt64(self)) }
}

extension UInt8: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(UInt64(self)) }
}

extension UInt16: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(UInt64(self)) }
}

extension UInt32: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(UInt64(self)) }
}

extension UInt64: JSONEncodable {
  @inlinable @inline(__always) public func encode(to json: inout JSONWriter) { json.integer(self) }
}

extension Optional: JSONEncodable where Wrapped: JSONEncodable {
  /// nil is `null`.
  @inlinable
  public func encode(to json: inout JSONWriter) throws {
    if let value = self { try value.encode(to: &json) } else { json.null() }
  }
}

extension Array: JSONEncodable where Element: JSONEncodable {
  @inlinable
  public func encode(to json: inout JSONWriter) throws {
    json.beginArray()
    for element in self { try element.encode(to: &json) }
    json.endArray()
  }
}

extension Dictionary: JSONEncodable where Key == String, Value: JSONEncodable {
  /// In no particular order.
  @inlinable
  public func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    for (key, value) in self {
      json.key(key)
      try value.encode(to: &json)
    }
    json.endObject()
  }
}
