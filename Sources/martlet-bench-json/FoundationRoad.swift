/// Foundation's own coders, as the yardstick.

import Bench
import FoundationEssentials
import MartletBytes

/// One encoder and one decoder for all calls, since making them costs, too. `encode` returns a `Data` each time: there is no other way.
struct FoundationRoad: JSONRoad, @unchecked Sendable {
  let name = "Foundation"
  private let encoder = JSONEncoder()
  private let decoder = JSONDecoder()

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws { _ = try encoder.encode(value) }
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: Data) throws -> Value { try decoder.decode(type, from: text) }
  func text(of bytes: [UInt8]) -> Data { Data(bytes) }
  func bytes<Value: JSONBenchValue>(of value: Value) throws -> [UInt8] { [UInt8](try encoder.encode(value)) }
}
