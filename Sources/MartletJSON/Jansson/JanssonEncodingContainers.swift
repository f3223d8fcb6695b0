/// The containers of `JanssonEncoder`: each a reference to the object or array that it writes.
///
/// One generic method stands for the fifteen overloads that each protocol asks for: what a scalar is, the tree knows.

struct JanssonObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let branch: JanssonBranch

  var codingPath: [any CodingKey] { branch.path }

  func encodeNil(forKey key: Key) { branch.node.cell.setMember(branch.name(of: key), .null()) }

  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    if let node = try branch.tree.scalar(value, at: codingPath + [key]) {
      branch.node.cell.setMember(branch.name(of: key), node)
    } else {
      try branch.encode(value, in: slot(key))
    }
  }

  private func slot(_ key: some CodingKey) -> JanssonSlot {
    JanssonSlot(branch.tree, .member(branch, name: branch.name(of: key), key: key))
  }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedEncodingContainer<NestedKey> {
    slot(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { slot(key).unkeyedContainer() }

  func superEncoder() -> any Encoder { superEncoder(under: PathKey.superKey) }
  func superEncoder(forKey key: Key) -> any Encoder { superEncoder(under: key) }

  /// An empty object, unless something is encoded.
  private func superEncoder(under key: some CodingKey) -> any Encoder {
    let slot = slot(key)
    slot.put(.object())
    return slot
  }
}

struct JanssonArrayEncoder: UnkeyedEncodingContainer {
  let branch: JanssonBranch

  var codingPath: [any CodingKey] { branch.path }
  var count: Int { branch.node.cell.count }

  func encodeNil() { branch.node.cell.append(.null()) }

  func encode<Value: Encodable>(_ value: Value) throws {
    if let node = try branch.tree.scalar(value, at: codingPath + [PathKey(index: count)]) {
      branch.node.cell.append(node)
    } else {
      try branch.encode(value, in: slot(.null()))
    }
  }

  /// The place behind the last element, `placeholder` in it until its value comes.
  private func slot(_ placeholder: consuming JanssonNode) -> JanssonSlot {
    let index = count
    branch.node.cell.append(placeholder)
    return JanssonSlot(branch.tree, .element(branch, index: index))
  }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
    slot(.null()).container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { slot(.null()).unkeyedContainer() }
  func superEncoder() -> any Encoder { slot(.object()) }
}
