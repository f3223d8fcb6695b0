/// A tree that is being built from an `Encodable` value.
///
/// jansson's containers can be changed at any time, so the orders in which `Encodable` may write need no care here: a container is put in its
/// place when it is asked for, and filled then or later. What needs care is that containers may be kept and written to after their node has
/// been replaced: each holds a reference of its own (`JanssonBranch`).
///
/// Levels are bounded as elsewhere: jansson recurses when it prints and when it lets go. A container beyond the bound is not put into the
/// tree, and the whole encoding fails in the end.

import MartletBytes

final class JanssonTreeEncoding {
  let options: MartletJSON.Encoder
  /// Any number can be held, in its spelling; jansson's printer does not know of it.
  let keepsSpelling: Bool
  let convertsKeys: Bool
  fileprivate(set) var root = JanssonNode.null()
  fileprivate var isTooDeep = false

  init(_ encoder: JanssonEncoder) {
    options = encoder.options
    keepsSpelling = encoder.printer == .writer
    if case .useDefaultKeys = options.keyEncodingStrategy { convertsKeys = false } else { convertsKeys = true }
  }

  func encodeRoot<Value: Encodable>(_ value: Value) throws {
    let slot = JanssonSlot(self, .root)
    try slot.encode(value)
    guard slot.isFilled else { throw MartletJSON.Encoder.encodedNothing(value) }
    if isTooDeep { throw MartletJSON.Encoder.tooDeep(value, offset: 0, at: []) }
  }

  // MARK: Scalars

  /// The node of a value that a text has a form for; nil for other types. `path` leads to it.
  @inline(__always)
  func scalar<Value>(_ value: Value, at path: @autoclosure () -> [any CodingKey]) throws -> JanssonNode? {
    // Where the types are the same, the bits are.
    if Value.self == String.self { return unsafe .string(unsafeBitCast(value, to: String.self)) }
    if Value.self == Int.self { return unsafe .integer(Int64(unsafeBitCast(value, to: Int.self))) }
    if Value.self == Double.self { return unsafe try floating(unsafeBitCast(value, to: Double.self), at: path()) }
    if Value.self == Bool.self { return unsafe .boolean(unsafeBitCast(value, to: Bool.self)) }
    return CommonTypes.scalars.contains(ObjectIdentifier(Value.self)) ? try unusualScalar(value, at: path()) : nil
  }

  private func unusualScalar(_ value: Any, at path: @autoclosure () -> [any CodingKey]) throws -> JanssonNode? {
    if let value = value as? any FixedWidthInteger {
      guard let value = Int64(exactly: value) else { return try number("\(value)", of: value, at: path()) }
      return .integer(value)
    }
    guard let value = value as? Float else { return nil }
    guard value.isFinite, keepsSpelling else { return try floating(value, at: path()) }
    let text = value.description
    return try number(text.hasSuffix(".0") ? String(text.dropLast(2)) : text, of: value, at: path())
  }

  private func floating(_ value: some BinaryFloatingPoint, at path: @autoclosure () -> [any CodingKey]) throws -> JanssonNode {
    guard value.isFinite else { return .string(try options.text(ofNonFinite: value, offset: 0, at: path())) }
    return .real(Double(value))
  }

  /// A number by its text.
  func number(_ text: String, of value: Any, at path: @autoclosure () -> [any CodingKey]) throws -> JanssonNode {
    if keepsSpelling { return .spelled(text) }
    let lexeme = Array(text.utf8)
    let number = JSONNumber(lexeme.rawSpan)
    if let integer = number.int64 { return .integer(integer) }
    if !number.isInteger, let real = number.exactDouble(lexeme.rawSpan) { return .real(real) }
    let cause = JSONError(offset: 0, problem: .inexactNumber)
    let detail = "jansson has 64-bit integers and doubles: \(text) is neither."
    throw EncodingError.invalidValue(value, .init(codingPath: path(), debugDescription: detail, underlyingError: cause))
  }
}

/// An object or array that is being written, held by each container that may still write to it.
final class JanssonBranch {
  let tree: JanssonTreeEncoding
  let node: JanssonNode
  /// The object or array around it and its key there; nil at the top.
  let parent: JanssonBranch?
  let key: (any CodingKey)?
  /// A dictionary with keys that are data: no strategy changes them.
  let keepsKeys: Bool
  /// Objects and arrays down to this one.
  let level: Int

  init(_ tree: JanssonTreeEncoding, isObject: Bool, keepsKeys: Bool, in parent: JanssonBranch?, key: (any CodingKey)?) {
    self.tree = tree
    self.keepsKeys = keepsKeys
    self.key = key
    node = isObject ? .object() : .array()
    // One level beyond the bound may follow another without end: those behind the first stand beside it.
    let isBeyond = parent.map { $0.level > MartletJSON.Encoder.depthMax } ?? false
    self.parent = isBeyond ? parent?.parent : parent
    level = isBeyond ? MartletJSON.Encoder.depthMax + 1 : (parent?.level ?? 0) + 1
    if isTooDeep { tree.isTooDeep = true }
  }

  var isTooDeep: Bool { level > MartletJSON.Encoder.depthMax }

  var path: [any CodingKey] {
    guard let parent, let key else { return [] }
    return parent.path + [key]
  }

  /// A key as it stands in the tree.
  func name(of key: some CodingKey) -> String {
    tree.convertsKeys && !keepsKeys ? tree.options.name(of: key, at: path) : key.stringValue
  }

  /// Encodes a value that is no scalar into `slot`, a place of this branch; if that throws, nothing is left there.
  func encode<Value: Encodable>(_ value: Value, in slot: JanssonSlot) throws {
    do {
      if isTooDeep { throw MartletJSON.Encoder.tooDeep(value, offset: 0, at: path) }
      try slot.encodeItself(value)
    } catch {
      slot.clear()
      throw error
    }
    if !slot.isFilled { slot.fill(.object()) }
  }
}

/// One place for one value, and the encoder for it.
final class JanssonSlot: Encoder, SingleValueEncodingContainer, NumberTextEncoder {
  enum Place {
    case root
    case member(JanssonBranch, name: String, key: any CodingKey)
    case element(JanssonBranch, index: Int)
  }

  let tree: JanssonTreeEncoding
  let place: Place
  private(set) var isFilled = false
  private var branch: JanssonBranch?
  private var keepsKeys = false

  init(_ tree: JanssonTreeEncoding, _ place: Place) {
    self.tree = tree
    self.place = place
  }

  private var parent: JanssonBranch? {
    switch place {
    case .root: nil
    case .member(let branch, _, _), .element(let branch, _): branch
    }
  }

  private var key: (any CodingKey)? {
    switch place {
    case .root: nil
    case .member(_, _, let key): key
    case .element(_, let index): PathKey(index: index)
    }
  }

  var codingPath: [any CodingKey] { (parent?.path ?? []) + (key.map { [$0] } ?? []) }
  var userInfo: [CodingUserInfoKey: Any] { tree.options.userInfo }

  // MARK: The place

  func fill(_ node: consuming JanssonNode) {
    precondition(!isFilled, "an encoder's place holds one value, and has it already")
    isFilled = true
    put(node)
  }

  /// Something stands here until the value comes, if it comes.
  func put(_ node: consuming JanssonNode) {
    switch place {
    case .root: tree.root = node
    case .member(let branch, let name, _): branch.node.cell.setMember(name, node)
    case .element(let branch, let index): branch.node.cell.setElement(index, node)
    }
  }

  /// Takes away what has been put here, and in an array what stands behind it.
  func clear() {
    switch place {
    case .root: break
    case .member(let branch, let name, _): branch.node.cell.removeMember(name)
    case .element(let branch, let index):
      while branch.node.cell.count > index { _ = branch.node.cell.removeElement(branch.node.cell.count - 1) }
    }
  }

  // MARK: Encoder

  private func container(isObject: Bool) -> JanssonBranch {
    if let branch {
      precondition(
        branch.node.cell.isObject == isObject, "an encoder's place holds one value: an object or an array, and has the other already")
      return branch
    }
    let new = JanssonBranch(tree, isObject: isObject, keepsKeys: keepsKeys, in: parent, key: key)
    fill(new.isTooDeep ? .null() : JanssonNode(sharing: new.node.cell))
    branch = new
    return new
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(JanssonObjectEncoder<Key>(branch: container(isObject: true)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { JanssonArrayEncoder(branch: container(isObject: false)) }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  // MARK: Single value

  func encodeNil() { fill(.null()) }

  func encode<Value: Encodable>(_ value: Value) throws {
    if let node = try tree.scalar(value, at: codingPath) { fill(node) } else { try encodeItself(value) }
  }

  func encode(numberText text: String) throws { fill(try tree.number(text, of: text, at: codingPath)) }

  /// By a strategy, or by the value's own `encode(to:)`.
  fileprivate func encodeItself<Value: Encodable>(_ value: Value) throws {
    if let strategy = tree.options.strategies[ObjectIdentifier(Value.self)] { return try strategy.encode(value, self) }
    if tree.convertsKeys, value is any StringKeyedDictionary { keepsKeys = true }
    try value.encode(to: self)
  }
}
