/// Values of any type: the place where decoding turns from the tape to a type's own `init(from:)`, or does without.

import MartletBytes

extension JSONTape {
  /// Common types first, unless a strategy is for one of them, without a decoder and a container each; then the type's own `init(from:)`.
  @inline(__always)
  func value<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
    if hasShortcuts {
      // Where the types are the same, the bits are.
      if type == String.self { return unsafe unsafeBitCast(try string(index), to: type) }
      if type == Int.self { return unsafe unsafeBitCast(try integer(Int.self, index), to: type) }
      if type == Double.self { return unsafe unsafeBitCast(try double(index), to: type) }
      if type == [String].self { return unsafe unsafeBitCast(try elements(of: index, string), to: type) }
      if type == [Int].self { return unsafe unsafeBitCast(try elements(of: index) { try integer(Int.self, $0) }, to: type) }
    }
    return try otherValue(type, at: index)
  }

  private func otherValue<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
    if hasStrategies, let strategy = options.strategies[ObjectIdentifier(type)] {
      guard let value = try strategy.decode(ValueDecoder(tape: self, index: index)) as? Value else {
        preconditionFailure("a strategy gives values of the type that it was set for")
      }
      return value
    }
    let keepsKeys = convertsKeys && type is any StringKeyedDictionary.Type
    return try Value(from: ValueDecoder(tape: self, index: index, keepsKeys: keepsKeys))
  }

  private func elements<Element>(of index: Int, _ read: (Int) throws -> Element) throws -> [Element] {
    let token = token(index)
    guard token.kind == .array else { throw mismatch([Any].self, .array, at: index) }
    var elements: [Element] = []
    elements.reserveCapacity(Int(token.length))
    var element = index + 1
    for _ in 0..<Int(token.length) {
      elements.append(try read(element))
      element = next(element)
    }
    return elements
  }
}
