/// Values as the bytes that the store keeps: JSON, by the fast lane if the type has both of its protocols; `[UInt8]` as it is.

internal import MartletBytes
internal import MartletJSON

enum ValueCoding {
  static func encode<Value: Codable>(_ value: Value) throws -> [UInt8] {
    if let bytes = value as? [UInt8] { return bytes }
    guard isFast(Value.self), let fast = value as? any JSONEncodable else { return try MartletJSON.Encoder().encode(value) }
    do {
      return try fast.jsonBytes()
    } catch let error as JSONError {
      // One kind of error, whichever lane.
      throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(error)", underlyingError: error))
    }
  }

  static func decode<Value: Codable>(_ type: Value.Type, from bytes: RawSpan) throws -> Value {
    if type == [UInt8].self, let value = bytes.copied() as? Value { return value }
    guard isFast(type), let fast = type as? any JSONDecodable.Type else { return try MartletJSON.Decoder().decode(type, from: bytes) }
    do {
      if let value = try fast.init(json: bytes) as? Value { return value }
      preconditionFailure("a type's own reading gives a value of that type")
    } catch let error as JSONError {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(error)", underlyingError: error))
    }
  }

  /// Both ways or none, for the two forms of a type need not be the same.
  private static func isFast(_ type: any Codable.Type) -> Bool { type is any (JSONEncodable & JSONDecodable).Type }
}
