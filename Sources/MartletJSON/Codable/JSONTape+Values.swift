/// Scalars read from the tape as the types that decoding asks for, and what is wrong where a value is not of that kind.

import MartletBytes

extension JSONTape {
  @inline(__always)
  func string(_ index: Int) throws -> String {
    let token = token(index)
    guard token.kind == .string else { throw mismatch(String.self, .string, at: index) }
    return string(token)
  }

  @inline(__always)
  func bool(_ index: Int) throws -> Bool {
    switch kind(index) {
    case .isTrue: return true
    case .isFalse: return false
    default: throw mismatch(Bool.self, .boolean, at: index)
    }
  }

  func isNull(_ index: Int) -> Bool { kind(index) == .null }

  @inline(__always)
  func integer<Value: FixedWidthInteger>(_ type: Value.Type, _ index: Int) throws -> Value {
    let token = token(index)
    guard token.kind == .number else { throw mismatch(type, .number, at: index) }
    if let number = withBytes(token, { JSONNumber($0).int64 }), let value = Value(exactly: number) { return value }
    return try unusualInteger(type, index)
  }

  /// Beyond 64 bits, or written with a fraction or an exponent.
  @inline(never)
  private func unusualInteger<Value: FixedWidthInteger>(_ type: Value.Type, _ index: Int) throws -> Value {
    let token = token(index)
    let (lexeme, number) = withBytes(token) { ($0.text, JSONNumber($0)) }
    if let value = number.integer(type, written: lexeme) { return value }
    throw doesNotFit(lexeme, type, number.problemAsInteger, at: index)
  }

  @inline(__always)
  func double(_ index: Int) throws -> Double {
    let token = token(index)
    guard token.kind == .number else { return try nonConforming(Double.self, index) }
    if let value = withBytes(token, { JSONNumber($0).double($0) }) { return value }
    throw doesNotFit(withBytes(token) { $0.text }, Double.self, .outOfRange, at: index)
  }

  func float(_ index: Int) throws -> Float {
    let token = token(index)
    guard token.kind == .number else { return try nonConforming(Float.self, index) }
    // Rounded once, from the digits: by way of a double some numbers would be rounded twice.
    let lexeme = withBytes(token) { $0.text }
    if let value = Float(lexeme), value.isFinite { return value }
    throw doesNotFit(lexeme, Float.self, .outOfRange, at: index)
  }

  private func nonConforming<Value: BinaryFloatingPoint>(_ type: Value.Type, _ index: Int) throws -> Value {
    let token = token(index)
    guard token.kind == .string, let value = options.nonFinite(string(token), type) else { throw mismatch(type, .number, at: index) }
    return value
  }

  // MARK: What is wrong

  /// Another kind of value than was asked for; null is told apart, as Foundation does.
  @inline(never)
  func mismatch(_ type: any Any.Type, _ expected: JSONKind, at index: Int) -> DecodingError {
    let token = token(index)
    let offset = Int(token.start) - (token.kind == .string ? 1 : 0)
    let cause = JSONError(offset: offset, problem: .wrongKind(expected: expected))
    let path = path(to: index)
    if token.kind == .null {
      let detail = "Expected \(expected.name) but found null at byte \(offset)."
      return .valueNotFound(type, .init(codingPath: path, debugDescription: detail, underlyingError: cause))
    }
    let detail = "Expected \(expected.name) but found \(token.kind.jsonKind.name) at byte \(offset)."
    return .typeMismatch(type, .init(codingPath: path, debugDescription: detail, underlyingError: cause))
  }

  private func doesNotFit(_ lexeme: String, _ type: any Any.Type, _ problem: JSONError.Problem, at index: Int) -> DecodingError {
    let cause = JSONError(offset: Int(token(index).start), problem: problem)
    let detail = JSONNumber.doesNotFit(lexeme, type, "\(cause)")
    return .dataCorrupted(.init(codingPath: path(to: index), debugDescription: detail, underlyingError: cause))
  }

  func missing(_ key: some CodingKey, of object: Int) -> DecodingError {
    let cause = JSONError(offset: Int(token(object).start), problem: .missingMember(key.stringValue))
    let detail = "No member \"\(key.stringValue)\" in the object at byte \(cause.offset)."
    return .keyNotFound(key, .init(codingPath: path(to: object), debugDescription: detail, underlyingError: cause))
  }

  /// An array has no element at the place asked for.
  func atEnd(of array: Int, _ place: Int, _ type: any Any.Type) -> DecodingError {
    let detail = "The array at byte \(token(array).start) has no element \(place)."
    let path = path(to: array) + [PathKey(index: place)]
    return .valueNotFound(type, .init(codingPath: path, debugDescription: detail))
  }
}

extension JSONToken.Kind {
  var jsonKind: JSONKind {
    switch self {
    case .object: .object
    case .array: .array
    case .name, .string: .string
    case .number: .number
    case .isTrue, .isFalse: .boolean
    case .null: .null
    }
  }
}

extension MartletJSON.Decoder {
  /// What a string stands for where a floating point number is asked for; nil unless a strategy says.
  func nonFinite<Value: BinaryFloatingPoint>(_ text: String, _ type: Value.Type) -> Value? {
    guard case .convertFromString(let infinity, let minusInfinity, let nan) = nonConformingFloatDecodingStrategy else { return nil }
    switch text {
    case infinity: return .infinity
    case minusInfinity: return -.infinity
    case nan: return .nan
    default: return nil
    }
  }
}

extension JSONNumber {
  /// The value if it is an integer of that type, however it is written; `lexeme` is how.
  func integer<Value: FixedWidthInteger>(_ type: Value.Type, written lexeme: String) -> Value? {
    if isInteger { return Value(lexeme) }
    return isTruncated ? nil : exactInteger(type)
  }

  /// Why it is no integer of some type.
  var problemAsInteger: JSONError.Problem { !isInteger && exponent < 0 ? .notAnInteger : .outOfRange }

  /// For people.
  static func doesNotFit(_ lexeme: String, _ type: any Any.Type, _ reason: String) -> String {
    let number = lexeme.utf8.count > 64 ? lexeme.prefix(64) + "…" : lexeme
    return "Parsed JSON number <\(number)> does not fit in \(type): \(reason)."
  }

  /// The value if it is an integer of that type, however it is written. All digits are there (`isTruncated` is false).
  private func exactInteger<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
    if digits == 0 { return 0 }
    var digits = digits
    var exponent = exponent
    while exponent < 0 {
      let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
      if remainder != 0 { return nil }
      digits = quotient
      exponent += 1
    }
    // Counted towards the sign, so that the least value of a signed type has a place.
    guard var value = isNegative ? Value(exactly: Int128(digits) * -1) : Value(exactly: digits) else { return nil }
    while exponent > 0 {
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      if overflows { return nil }
      value = product
      exponent -= 1
    }
    return value
  }
}
