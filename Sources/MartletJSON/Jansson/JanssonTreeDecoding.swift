/// A tree that is being read by `Decodable` types: scalars as the types that are asked for, and what is wrong where a value is not of that kind.
///
/// Nobody changes the tree, and each decoder and container holds it: cells are good for as long as any of them is.

import MartletBytes

final class JanssonTreeDecoding {
  private let document: JanssonDocument
  let options: MartletJSON.Decoder
  let convertsKeys: Bool
  /// A null that stands nowhere: for a super decoder without a value.
  private let nothing = JanssonNode.null()

  init(_ document: consuming JanssonDocument, options: MartletJSON.Decoder) {
    self.document = document
    self.options = options
    if case .useDefaultKeys = options.keyDecodingStrategy { convertsKeys = false } else { convertsKeys = true }
  }

  var root: JanssonCell { document.node.cell }
  var absent: JanssonCell { nothing.cell }

  /// The value of a cell; `path` leads to it.
  @inline(__always)
  func value<Value: Decodable>(_ type: Value.Type, at cell: JanssonCell, _ path: @autoclosure () -> JanssonPath?) throws -> Value {
    // Where the types are the same, the bits are.
    do throws(JanssonMisfit) {
      if type == String.self { return unsafe unsafeBitCast(try cell.checkedString(), to: type) }
      if type == Int.self { return unsafe unsafeBitCast(try cell.checkedInteger(Int.self), to: type) }
      if type == Double.self { return unsafe unsafeBitCast(try double(cell), to: type) }
      if type == Bool.self { return unsafe unsafeBitCast(try cell.checkedBool(), to: type) }
      if type == Float.self { return unsafe unsafeBitCast(try float(cell), to: type) }
      if CommonTypes.scalars.contains(ObjectIdentifier(type)), let integer = type as? any FixedWidthInteger.Type,
        let value = try cell.checkedInteger(integer) as? Value
      {
        return value
      }
    } catch {
      throw error.decodingError(type, at: path())
    }
    return try itself(type, at: cell, path())
  }

  /// By a strategy, or by the type's own `init(from:)`.
  private func itself<Value: Decodable>(_ type: Value.Type, at cell: JanssonCell, _ path: JanssonPath?) throws -> Value {
    if let strategy = options.strategies[ObjectIdentifier(type)] {
      guard let value = try strategy.decode(JanssonValueDecoder(tree: self, cell: cell, path: path)) as? Value else {
        preconditionFailure("a strategy gives values of the type that it was set for")
      }
      return value
    }
    let keepsKeys = convertsKeys && type is any StringKeyedDictionary.Type
    return try Value(from: JanssonValueDecoder(tree: self, cell: cell, path: path, keepsKeys: keepsKeys))
  }

  private func double(_ cell: JanssonCell) throws(JanssonMisfit) -> Double {
    if let value = cell.double { return value }
    if cell.isInteger { return Double(cell.integer) }
    if cell.kind == .number { throw .doesNotFit(cell.numberText) }
    return try nonFinite(cell)
  }

  private func float(_ cell: JanssonCell) throws(JanssonMisfit) -> Float {
    guard cell.kind == .number else { return try nonFinite(cell) }
    let text = cell.numberText
    guard let value = Float(text), value.isFinite else { throw .doesNotFit(text) }
    return value
  }

  private func nonFinite<Value: BinaryFloatingPoint>(_ cell: JanssonCell) throws(JanssonMisfit) -> Value {
    guard cell.kind == .string, let value = options.nonFinite(cell.text, Value.self) else { throw .kind(.number, cell.kind) }
    return value
  }

  /// The members of an object by the names that the key strategy gives them. Of several with the same, the last counts.
  func convertedMembers(of object: JanssonCell, _ path: JanssonPath?) -> [String: JanssonCell] {
    var members: [String: JanssonCell] = [:]
    object.forEachMember { name, cell in members[options.key(of: name.text, at: JanssonPath.keys(path)).stringValue] = cell }
    return members
  }
}

/// The way to a value: a list from its end, made when a decoder is, so that keys that nobody asks for cost a pointer.
final class JanssonPath {
  private let parent: JanssonPath?
  private let key: any CodingKey

  init(_ parent: JanssonPath?, _ key: any CodingKey) {
    self.parent = parent
    self.key = key
  }

  static func keys(_ path: JanssonPath?) -> [any CodingKey] {
    guard let path else { return [] }
    return keys(path.parent) + [path.key]
  }
}

/// A value that is not what was asked for.
enum JanssonMisfit: Error {
  case kind(_ expected: JSONKind, _ found: JSONKind)
  case doesNotFit(String, JSONError.Problem = .outOfRange)

  func decodingError(_ type: any Any.Type, at path: JanssonPath?) -> DecodingError {
    let keys = JanssonPath.keys(path)
    switch self {
    case .kind(let expected, .null):
      return .valueNotFound(type, .init(codingPath: keys, debugDescription: "Expected \(expected.name) but found null."))
    case .kind(let expected, let found):
      return .typeMismatch(type, .init(codingPath: keys, debugDescription: "Expected \(expected.name) but found \(found.name)."))
    case .doesNotFit(let text, let problem):
      return .dataCorrupted(.init(codingPath: keys, debugDescription: JSONNumber.doesNotFit(text, type, "\(problem)")))
    }
  }
}

extension JanssonCell {
  fileprivate func checkedBool() throws(JanssonMisfit) -> Bool {
    guard kind == .boolean else { throw .kind(.boolean, kind) }
    return isTrue
  }

  fileprivate func checkedString() throws(JanssonMisfit) -> String {
    guard kind == .string else { throw .kind(.string, kind) }
    return text
  }

  fileprivate func checkedInteger<Value: FixedWidthInteger>(_ type: Value.Type) throws(JanssonMisfit) -> Value {
    if isInteger {
      guard let value = Value(exactly: integer) else { throw .doesNotFit(numberText) }
      return value
    }
    guard kind == .number else { throw .kind(.number, kind) }
    let text = numberText
    let number = JSONNumber(Array(text.utf8).rawSpan)
    guard let value = number.integer(type, written: text) else { throw .doesNotFit(text, number.problemAsInteger) }
    return value
  }

  /// What a string says.
  var text: String { withBytes { $0.text } }

  /// A number as it was written, or as our writer prints it.
  var numberText: String {
    if isSpelledNumber { return withSpelling { $0.text } }
    if isInteger { return String(integer) }
    var writer = JSONWriter()
    writer.finite(real)
    return writer.finish().text
  }
}
