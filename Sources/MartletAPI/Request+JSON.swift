/// JSON requests: a body as a typed value, or the 400 that says where it went wrong.
///
/// What is asked is the body alone: routes that browsers may reach and that change something ask for its Content-Type too.

import MartletBytes
public import MartletHTTP
public import MartletJSON

extension Request {
  /// The body as a value of the fast lane. What is wrong with it: `HTTPError` 400 with `offset` and `pointer`.
  public func json<Value: JSONDecodable>(_ type: Value.Type = Value.self) throws -> Value {
    try RequestBody.decode(body) { body in try Value(json: body) }
  }

  /// The body as any `Decodable` value, by the fast lane if its type has it and no decoder is given. As above.
  @_disfavoredOverload
  public func json<Value: Decodable>(_ type: Value.Type = Value.self, by decoder: MartletJSON.Decoder? = nil) throws -> Value {
    try RequestBody.decode(body) { body in try RequestBody.value(type, of: body, by: decoder) }
  }
}

extension OwnedRequest {
  /// As `Request.json`.
  public func json<Value: JSONDecodable>(_ type: Value.Type = Value.self) throws -> Value {
    try RequestBody.decode(body.rawSpan) { body in try Value(json: body) }
  }

  /// As `Request.json`.
  @_disfavoredOverload
  public func json<Value: Decodable>(_ type: Value.Type = Value.self, by decoder: MartletJSON.Decoder? = nil) throws -> Value {
    try RequestBody.decode(body.rawSpan) { body in try RequestBody.value(type, of: body, by: decoder) }
  }
}

enum RequestBody {
  static func value<Value: Decodable>(_ type: Value.Type, of body: RawSpan, by decoder: MartletJSON.Decoder?) throws -> Value {
    if decoder == nil, let fast = type as? any JSONDecodable.Type, let value = try fast.init(json: body) as? Value { return value }
    return try (decoder ?? MartletJSON.Decoder()).decode(type, from: body)
  }

  /// Runs `read` over the body; what it finds wrong with JSON or its shape is the client's error, anything else its own.
  static func decode<Value>(_ body: RawSpan, _ read: (RawSpan) throws -> Value) throws -> Value {
    do {
      return try read(body)
    } catch let error as JSONError {
      var pointer = JSONPointer.text(ofByteAt: error.offset, in: body)
      if case .missingMember(let name) = error.problem { pointer += JSONPointer.text(of: [Member(name)]) }
      throw refusal("\(error)", error, pointer: pointer)
    } catch let error as DecodingError {
      throw refusal(of: error)
    }
  }

  private static func refusal(of error: DecodingError) -> HTTPError {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      refusal(context.debugDescription, context.underlyingError, pointer: JSONPointer.text(of: context.codingPath))
    case .keyNotFound(let key, let context):
      refusal(context.debugDescription, context.underlyingError, pointer: JSONPointer.text(of: context.codingPath + [key]))
    @unknown default:
      refusal("The body does not have the shape that is asked for.", nil, pointer: "")
    }
  }

  private static func refusal(_ detail: String, _ cause: (any Error)?, pointer: String) -> HTTPError {
    HTTPError(.badRequest, detail, offset: (cause as? JSONError)?.offset, pointer: pointer.isEmpty ? nil : pointer)
  }

  private struct Member: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }
}
