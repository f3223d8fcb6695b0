/// Codable's floor: the least that encoding by `Encodable` costs, whoever encodes. An encoder that does what the protocol forces on all, and writes nothing.
///
/// Forced, for each object: the encoder in an existential, a container made for keys of a type that is known at run time only, a box for it on the heap. For each
/// member: a call through the box's class to the container, a witness call that makes the key's name, a `String`, and another that lets go of it. For each
/// value of a type of its own: a generic call, and all of the above again. Not forced, so not done: looking at the value, remembering where it stands,
/// options, text. Common lists are told by their type and left aside, as `MartletJSON.Encoder` tells them to write them without a container.

/// An empty output: what encoders and containers share is a reference, and counting those is part of the price.
private final class NoOutput: Sendable {}

struct CodableFloor: Encoder, SingleValueEncodingContainer {
  static let name = "Codable's floor, no text"

  private let output = NoOutput()

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Not to be specialised for this encoder: a library's is compiled apart from the types that it encodes.
  @inline(never) @_optimize(none)
  func encodeWhole(_ value: some Encodable) throws { try value.encode(to: self) }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(FloorObject(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { FloorArray(encoder: self) }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() {}

  func encode<Value: Encodable>(_ value: Value) throws {
    if !Self.isPlain(Value.self) { try value.encode(to: self) }
  }

  /// Scalars, and lists that need no container.
  @inline(__always)
  private static func isPlain<Value>(_ type: Value.Type) -> Bool {
    type == String.self || type == Int.self || type == Double.self || type == Bool.self || type == Int64.self || type == [String].self
      || type == [Int].self
  }
}

private struct FloorObject<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: CodableFloor

  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) { _ = key.stringValue }

  // What records are made of, each by its own overload: a generic call less.
  func encode(_ value: Bool, forKey key: Key) { _ = key.stringValue }
  func encode(_ value: String, forKey key: Key) { _ = key.stringValue }
  func encode(_ value: Int, forKey key: Key) { _ = key.stringValue }
  func encode(_ value: Double, forKey key: Key) { _ = key.stringValue }

  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    _ = key.stringValue
    try encoder.encode(value)
  }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedEncodingContainer<NestedKey> {
    encoder.container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }
  func superEncoder() -> any Encoder { encoder }
  func superEncoder(forKey key: Key) -> any Encoder { encoder }
}

private struct FloorArray: UnkeyedEncodingContainer {
  let encoder: CodableFloor
  private(set) var count = 0

  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() { count += 1 }

  mutating func encode<Value: Encodable>(_ value: Value) throws {
    count += 1
    try encoder.encode(value)
  }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
    encoder.container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }
  func superEncoder() -> any Encoder { encoder }
}
