/// What `Decodable` types are handed: a decoder and three kinds of container, each a reference to the tape and a place in it.
///
/// Reading is the tape's; here stand the overloads that the protocols ask for. `decodeIfPresent` has its own, which look a name up once where
/// the protocol's would three times.

import MartletBytes

/// One value. The single value container is the decoder itself.
struct ValueDecoder: Decoder, SingleValueDecodingContainer {
  let tape: JSONTape
  let index: Int
  /// A dictionary whose keys are data: no strategy changes them.
  var keepsKeys = false

  var codingPath: [any CodingKey] { tape.path(to: index) }
  var userInfo: [CodingUserInfoKey: Any] { tape.options.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try ObjectDecoder<Key>(tape, index, keepsKeys: keepsKeys))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try ArrayDecoder(tape, index) }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { tape.isNull(index) }
  func decode(_ type: Bool.Type) throws -> Bool { try tape.bool(index) }
  func decode(_ type: String.Type) throws -> String { try tape.string(index) }
  func decode(_ type: Double.Type) throws -> Double { try tape.double(index) }
  func decode(_ type: Float.Type) throws -> Float { try tape.float(index) }
  func decode(_ type: Int.Type) throws -> Int { try tape.integer(type, index) }
  func decode(_ type: Int8.Type) throws -> Int8 { try tape.integer(type, index) }
  func decode(_ type: Int16.Type) throws -> Int16 { try tape.integer(type, index) }
  func decode(_ type: Int32.Type) throws -> Int32 { try tape.integer(type, index) }
  func decode(_ type: Int64.Type) throws -> Int64 { try tape.integer(type, index) }
  func decode(_ type: Int128.Type) throws -> Int128 { try tape.integer(type, index) }
  func decode(_ type: UInt.Type) throws -> UInt { try tape.integer(type, index) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try tape.integer(type, index) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try tape.integer(type, index) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try tape.integer(type, index) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try tape.integer(type, index) }
  func decode(_ type: UInt128.Type) throws -> UInt128 { try tape.integer(type, index) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try tape.value(type, at: index) }
}

struct ObjectDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let tape: JSONTape
  let object: Int
  let keepsKeys: Bool

  init(_ tape: JSONTape, _ object: Int, keepsKeys: Bool = false) throws {
    guard tape.kind(object) == .object else { throw tape.mismatch([String: Any].self, .object, at: object) }
    self.tape = tape
    self.object = object
    self.keepsKeys = keepsKeys
  }

  var codingPath: [any CodingKey] { tape.path(to: object) }

  var allKeys: [Key] {
    if tape.convertsKeys, !keepsKeys { return tape.convertedMembers(of: object).keys.compactMap { Key(stringValue: $0) } }
    var keys: [Key] = []
    tape.forEachMember(of: object) { name, _ in
      if let key = Key(stringValue: tape.string(name)) { keys.append(key) }
    }
    return keys
  }

  /// The place of the member's value, if there is one.
  @inline(__always)
  private func find(_ key: Key) -> Int? { tape.member(key.stringValue, of: object, keepsKeys: keepsKeys) }

  @inline(__always)
  private func require(_ key: Key) throws -> Int {
    guard let index = find(key) else { throw tape.missing(key, of: object) }
    return index
  }

  /// nil as well if the member is null.
  @inline(__always)
  private func present(_ key: Key) -> Int? {
    guard let index = find(key), !tape.isNull(index) else { return nil }
    return index
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { tape.isNull(try require(key)) }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try tape.bool(require(key)) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try tape.string(require(key)) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try tape.double(require(key)) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try tape.float(require(key)) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try tape.integer(type, require(key)) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try tape.integer(type, require(key)) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try tape.integer(type, require(key)) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try tape.integer(type, require(key)) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try tape.integer(type, require(key)) }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try tape.integer(type, require(key)) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try tape.integer(type, require(key)) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try tape.integer(type, require(key)) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try tape.integer(type, require(key)) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try tape.integer(type, require(key)) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try tape.integer(type, require(key)) }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try tape.integer(type, require(key)) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try tape.value(type, at: require(key)) }

  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try present(key).map { try tape.bool($0) } }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try present(key).map { try tape.string($0) } }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try present(key).map { try tape.double($0) } }
  func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try present(key).map { try tape.float($0) } }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? { try present(key).map { try tape.integer(type, $0) } }
  func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
    try present(key).map { try tape.value(type, at: $0) }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(try ObjectDecoder<NestedKey>(tape, require(key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try ArrayDecoder(tape, require(key)) }

  /// Without such a member the decoder finds null, as Foundation's does.
  func superDecoder() throws -> any Decoder { decoder(for: PathKey.superKey.stringValue) }
  func superDecoder(forKey key: Key) throws -> any Decoder { decoder(for: key.stringValue) }

  private func decoder(for name: String) -> ValueDecoder {
    ValueDecoder(tape: tape, index: tape.member(name, of: object, keepsKeys: keepsKeys) ?? tape.absent)
  }
}

struct ArrayDecoder: UnkeyedDecodingContainer {
  let tape: JSONTape
  let array: Int
  /// The token of the next element.
  private var index: Int
  private(set) var currentIndex = 0
  private let elements: Int

  init(_ tape: JSONTape, _ array: Int) throws {
    let token = tape.token(array)
    guard token.kind == .array else { throw tape.mismatch([Any].self, .array, at: array) }
    self.tape = tape
    self.array = array
    index = array + 1
    elements = Int(token.length)
  }

  var codingPath: [any CodingKey] { tape.path(to: array) }
  var count: Int? { elements }
  var isAtEnd: Bool { currentIndex >= elements }

  /// Reads the next element and steps over it; stays where it is if that throws.
  @inline(__always)
  private mutating func next<Value>(_ type: Value.Type, _ read: (Int) throws -> Value) throws -> Value {
    guard currentIndex < elements else { throw tape.atEnd(of: array, currentIndex, type) }
    let value = try read(index)
    index = tape.next(index)
    currentIndex += 1
    return value
  }

  /// Steps over the next element only if it is null.
  mutating func decodeNil() throws -> Bool {
    guard currentIndex < elements else { throw tape.atEnd(of: array, currentIndex, Any?.self) }
    guard tape.isNull(index) else { return false }
    index = tape.next(index)
    currentIndex += 1
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try next(type) { [tape] in try tape.bool($0) } }
  mutating func decode(_ type: String.Type) throws -> String { try next(type) { [tape] in try tape.string($0) } }
  mutating func decode(_ type: Double.Type) throws -> Double { try next(type) { [tape] in try tape.double($0) } }
  mutating func decode(_ type: Float.Type) throws -> Float { try next(type) { [tape] in try tape.float($0) } }
  mutating func decode(_ type: Int.Type) throws -> Int { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try next(type) { [tape] in try tape.integer(type, $0) } }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next(type) { [tape] in try tape.value(type, at: $0) }
  }

  mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
    try next(KeyedDecodingContainer<NestedKey>.self) { [tape] in KeyedDecodingContainer(try ObjectDecoder<NestedKey>(tape, $0)) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next(ArrayDecoder.self) { [tape] in try ArrayDecoder(tape, $0) }
  }

  mutating func superDecoder() throws -> any Decoder {
    try next(ValueDecoder.self) { [tape] in ValueDecoder(tape: tape, index: $0) }
  }
}
