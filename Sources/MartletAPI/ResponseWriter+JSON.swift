/// JSON replies: where MartletHTTP and MartletJSON, which do not know each other, meet. Bytes go straight into the connection's output.

public import MartletHTTP
public import MartletJSON

extension ResponseWriter {
  /// The body as JSON, with its Content-Type. After `head` and other fields; if `build` throws, the reply becomes that error.
  @inlinable @inline(__always)
  public mutating func json(_ build: (inout JSONWriter) throws -> Void) throws {
    field("Content-Type", "application/json" as StaticString)
    try body { output in try JSONWriter.append(to: &output, build) }
  }

  /// A value of the fast lane as the body. As above.
  @inlinable @inline(__always)
  public mutating func json(_ value: some JSONEncodable) throws {
    field("Content-Type", "application/json" as StaticString)
    try body { output in try value.encode(into: &output) }
  }

  /// Any `Encodable` value as the body, by the fast lane if its type has it and no encoder is given. As above.
  @_disfavoredOverload
  public mutating func json(_ value: some Encodable, by encoder: MartletJSON.Encoder? = nil) throws {
    if encoder == nil, let value = value as? any JSONEncodable { return try json(value) }
    field("Content-Type", "application/json" as StaticString)
    try body { output in try (encoder ?? MartletJSON.Encoder()).encode(value, into: &output) }
  }
}

extension OwnedResponse {
  /// A reply of an `async` handler with a value as its JSON body.
  public init(json value: some JSONEncodable, status: HTTPStatus = .ok) throws {
    self.init(try value.jsonBytes(), contentType: "application/json", status: status)
  }

  @_disfavoredOverload
  public init(json value: some Encodable, by encoder: MartletJSON.Encoder? = nil, status: HTTPStatus = .ok) throws {
    if encoder == nil, let value = value as? any JSONEncodable {
      try self.init(json: value, status: status)
    } else {
      self.init(try (encoder ?? MartletJSON.Encoder()).encode(value), contentType: "application/json", status: status)
    }
  }
}
