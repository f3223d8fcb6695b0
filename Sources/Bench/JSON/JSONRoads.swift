/// The contestants: ways from values to texts and back.

public import MartletBytes
import MartletJSON

/// One way. Whatever it needs is made before, and nothing is kept between calls but the buffer.
public protocol JSONRoad: Sendable {
  /// A text in the form that this way reads.
  associatedtype Text: Sendable

  /// As it stands in reports.
  var name: String { get }
  /// Encodes a value: to the end of `output`, if the way can write there.
  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: Text) throws -> Value
  /// Not measured.
  func text(of bytes: [UInt8]) -> Text
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8]
}

extension JSONRoad where Text == [UInt8] {
  public func text(of bytes: [UInt8]) -> [UInt8] { bytes }

  public func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8] {
    var output = ByteBuffer()
    try encode(value, into: &output)
    return output.copied()
  }
}

/// `Codable` on the Swift road.
struct SwiftRoad: JSONRoad {
  let name = "Swift road, Codable"
  private let encoder = MartletJSON.Encoder()
  private let decoder = MartletJSON.Decoder()

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws { try encoder.encode(value, into: &output) }
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try decoder.decode(type, from: text) }
}

/// The fast lane: types that write and read themselves.
struct FastLane: JSONRoad {
  let name = "Swift road, fast lane"

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws { try value.encode(into: &output) }
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try Value(json: text) }
}

/// `Codable` through trees that jansson itself parses and prints.
struct JanssonRoad: JSONRoad {
  let name = "jansson road, Codable"
  private let encoder = JanssonEncoder()
  private let decoder = JanssonDecoder()

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws { try encoder.encode(value, into: &output) }
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try decoder.decode(type, from: text) }
}
