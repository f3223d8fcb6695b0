/// The contestants: ways from values to texts and back.

public import MartletBytes
import MartletJSON

/// One way. Whatever it needs is made before, and nothing is kept between calls but the buffer.
public protocol JSONRoad: Sendable {
  /// A text in the form that this way reads.
  associatedtype Text: Sendable

  /// As it stands in reports.
  var name: String { get }
  /// Encodes a value, at the end of `output` if the way can write there; how many bytes the text has.
  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws -> Int
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: Text) throws -> Value
  /// Not measured.
  func text(of bytes: [UInt8]) -> Text
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8]
}

/// `Codable` on the Swift road.
struct SwiftRoad: JSONRoad {
  let name = "Swift road, Codable"
  private let encoder = MartletJSON.Encoder()
  private let decoder = MartletJSON.Decoder()

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws -> Int {
    let start = output.count
    try encoder.encode(value, into: &output)
    return output.count - start
  }

  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try decoder.decode(type, from: text) }
  func text(of bytes: [UInt8]) -> [UInt8] { bytes }
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8] { try encoder.encode(value) }
}

/// The fast lane: types that write and read themselves.
struct FastLane: JSONRoad {
  let name = "Swift road, fast lane"

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws -> Int {
    let start = output.count
    try value.encode(into: &output)
    return output.count - start
  }

  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try Value(json: text) }
  func text(of bytes: [UInt8]) -> [UInt8] { bytes }
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8] { try value.jsonBytes() }
}

/// `Codable` through trees that jansson itself parses and prints.
struct JanssonRoad: JSONRoad {
  let name = "jansson road, Codable"
  private let encoder = JanssonEncoder()
  private let decoder = JanssonDecoder()

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws -> Int {
    let start = output.count
    try encoder.encode(value, into: &output)
    return output.count - start
  }

  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value { try decoder.decode(type, from: text) }
  func text(of bytes: [UInt8]) -> [UInt8] { bytes }
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8] { try encoder.encode(value) }
}
