/// What `Decodable` types are handed by `JanssonDecoder`: a decoder and three kinds of container, each a reference to the tree and a place in it.
///
/// One generic method stands for the fifteen overloads that each protocol asks for: what a scalar is, the tree knows.

import MartletBytes

struct JanssonValueDecoder: Decoder, SingleValueDecodingContainer, NumberTextDecoder {
  let tree: JanssonTreeDecoding
  let cell: JanssonCell
  let path: JanssonPath?
  /// A dictionary whose keys are data: no strategy changes them.
  var keepsKeys = false

  var codingPath: [any CodingKey] { JanssonPath.keys(path) }
  var userInfo: [CodingUserInfoKey: Any] { tree.options.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try JanssonObjectDecoder<Key>(tree, cell, path, keepsKeys: keepsKeys))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try JanssonArrayDecoder(tree, cell, path) }
  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { cell.isNull }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try tree.value(type, at: cell, path) }

  func numberText(for type: any Any.Type) throws -> String {
    guard cell.kind == .number else { throw JanssonMisfit.kind(.number, cell.kind).decodingError(type, at: path) }
    return cell.numberText
  }
}

struct JanssonObjectDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private let tree: JanssonTreeDecoding
  private let object: JanssonCell
  private let path: JanssonPath?
  /// With a key strategy.
  private let converted: [String: JanssonCell]?

  init(_ tree: JanssonTreeDecoding, _ object: JanssonCell, _ path: JanssonPath?, keepsKeys: Bool = false) throws {
    guard object.isObject else { throw JanssonMisfit.kind(.object, object.kind).decodingError([String: Any].self, at: path) }
    self.tree = tree
    self.object = object
    self.path = path
    converted = tree.convertsKeys && !keepsKeys ? tree.convertedMembers(of: object, path) : nil
  }

  var codingPath: [any CodingKey] { JanssonPath.keys(path) }

  var allKeys: [Key] {
    if let converted { return converted.keys.compactMap { Key(stringValue: $0) } }
    var keys: [Key] = []
    object.forEachMember { name, _ in if let key = Key(stringValue: name.text) { keys.append(key) } }
    return keys
  }

  @inline(__always)
  private func find(_ key: some CodingKey) -> JanssonCell? {
    converted.map { $0[key.stringValue] } ?? object.member(key.stringValue)
  }

  private func require(_ key: Key) throws -> JanssonCell {
    if let cell = find(key) { return cell }
    throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "No member \"\(key.stringValue)\" in the object."))
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try require(key).isNull }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try tree.value(type, at: require(key), JanssonPath(path, key))
  }

  func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
    guard let cell = find(key), !cell.isNull else { return nil }
    return try tree.value(type, at: cell, JanssonPath(path, key))
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(try JanssonObjectDecoder<NestedKey>(tree, require(key), JanssonPath(path, key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try JanssonArrayDecoder(tree, require(key), JanssonPath(path, key))
  }

  /// Without such a member the decoder finds null, as Foundation's does.
  func superDecoder() throws -> any Decoder { decoder(for: PathKey.superKey) }
  func superDecoder(forKey key: Key) throws -> any Decoder { decoder(for: key) }

  private func decoder(for key: some CodingKey) -> JanssonValueDecoder {
    JanssonValueDecoder(tree: tree, cell: find(key) ?? tree.absent, path: JanssonPath(path, key))
  }
}

struct JanssonArrayDecoder: UnkeyedDecodingContainer {
  private let tree: JanssonTreeDecoding
  private let array: JanssonCell
  private let path: JanssonPath?
  private(set) var currentIndex = 0

  init(_ tree: JanssonTreeDecoding, _ array: JanssonCell, _ path: JanssonPath?) throws {
    guard array.isArray else { throw JanssonMisfit.kind(.array, array.kind).decodingError([Any].self, at: path) }
    self.tree = tree
    self.array = array
    self.path = path
  }

  var codingPath: [any CodingKey] { JanssonPath.keys(path) }
  var count: Int? { array.count }
  var isAtEnd: Bool { currentIndex >= array.count }

  private var pathOfNext: JanssonPath { JanssonPath(path, PathKey(index: currentIndex)) }

  private func element(_ type: any Any.Type) throws -> JanssonCell {
    if !isAtEnd { return array.element(currentIndex) }
    let detail = "The array has no element \(currentIndex)."
    throw DecodingError.valueNotFound(type, .init(codingPath: JanssonPath.keys(pathOfNext), debugDescription: detail))
  }

  /// Steps over the next element only if it is null.
  mutating func decodeNil() throws -> Bool {
    guard try element(Any?.self).isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let value = try tree.value(type, at: element(type), pathOfNext)
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
    let element = try element(KeyedDecodingContainer<NestedKey>.self)
    let container = KeyedDecodingContainer(try JanssonObjectDecoder<NestedKey>(tree, element, pathOfNext))
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try JanssonArrayDecoder(tree, element(JanssonArrayDecoder.self), pathOfNext)
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let decoder = JanssonValueDecoder(tree: tree, cell: try element(JanssonValueDecoder.self), path: pathOfNext)
    currentIndex += 1
    return decoder
  }
}
