/// `Decodable` values from JSON: the text is checked once, whole, and its values are then read straight from its bytes.
///
///     let order = try MartletJSON.Decoder().decode(Order.self, from: bytes)
///
/// Options carry the names that Foundation's JSONDecoder gave them, and so do the errors: `DecodingError`, with the coding path, and with the
/// byte offset in its words and, as a `JSONError`, as its underlying error. As there, an integer may be written as `1.0` or `1e2` if its
/// value is one. Not as there: of a name that an object has more than once the last counts, as for every other part of Martlet (Foundation
/// takes the first); half a surrogate pair is refused; integers are exact to 128 bits, as far as their type goes.
///
/// The bytes are lent for the time of the call. A decoder or container that is kept and used afterwards stops the process. A value; use it from
/// any thread.

import MartletBytes

extension MartletJSON {
  public struct Decoder: Sendable {
    public enum KeyDecodingStrategy: Sendable {
      case useDefaultKeys
      /// `one_two_three` becomes `oneTwoThree`, by Foundation's rules.
      case convertFromSnakeCase
      /// Given the path with the key at its end.
      case custom(@Sendable (_ codingPath: [any CodingKey]) -> any CodingKey)
    }

    public enum NonConformingFloatDecodingStrategy: Sendable {
      case `throw`
      case convertFromString(positiveInfinity: String, negativeInfinity: String, nan: String)
    }

    /// Keys of `[String: …]` dictionaries are data and stay as they are.
    public var keyDecodingStrategy = KeyDecodingStrategy.useDefaultKeys
    public var nonConformingFloatDecodingStrategy = NonConformingFloatDecodingStrategy.throw
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    /// By type: what decodes a value instead of its own `init(from:)`.
    var strategies: [ObjectIdentifier: Strategy] = [:]

    public init() {}

    /// Values of exactly this type are decoded by `body`, at the top and anywhere inside. Not for strings, numbers and `Bool`.
    public mutating func setStrategy<Value>(
      for type: Value.Type, _ body: @escaping @Sendable (_ decoder: any Swift.Decoder) throws -> Value
    ) {
      setStrategy(for: type, setting: nil, body)
    }

    /// As above; `setting` is what the strategy was made from, for `setting(for:)`.
    package mutating func setStrategy<Value>(
      for type: Value.Type, setting: (any Sendable)?, _ body: @escaping @Sendable (_ decoder: any Swift.Decoder) throws -> Value
    ) {
      precondition(!CommonTypes.scalars.contains(ObjectIdentifier(type)), "strategies are not for strings, numbers and Bool")
      strategies[ObjectIdentifier(type)] = Strategy(setting: setting) { decoder in try body(decoder) }
    }

    /// What the strategy for `type` was made from; nil if there is none, or if it does not say.
    package func setting(for type: any Any.Type) -> (any Sendable)? { strategies[ObjectIdentifier(type)]?.setting }

    package func hasStrategy(for type: any Any.Type) -> Bool { strategies[ObjectIdentifier(type)] != nil }

    struct Strategy: Sendable {
      let setting: (any Sendable)?
      let decode: @Sendable (any Swift.Decoder) throws -> Any
    }

    /// The value that `text`, one JSON text in UTF-8 of less than 4 GiB and at most 512 levels, stands for.
    public func decode<Value: Decodable>(_ type: Value.Type, from text: RawSpan) throws -> Value {
      let tape = JSONTape(text, options: self)
      defer { tape.close() }
      if let failure = tape.failure {
        throw Self.malformed(failure, at: tape.pathOfFailure)
      }
      return try tape.value(type, at: JSONTape.root)
    }

    public func decode<Value: Decodable>(_ type: Value.Type, from text: [UInt8]) throws -> Value {
      try decode(type, from: text.rawSpan)
    }

    public func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
      try decode(type, from: Array(text.utf8))
    }
  }
}

/// What options say, for either road.
extension MartletJSON.Decoder {
  /// The key that a name stands for; `path` leads to its object.
  func key(of name: String, at path: @autoclosure () -> [any CodingKey]) -> any CodingKey {
    switch keyDecodingStrategy {
    case .useDefaultKeys: PathKey(name)
    case .convertFromSnakeCase: PathKey(SnakeCase.toCamelCase(name))
    case .custom(let convert): convert(path() + [PathKey(name)])
    }
  }

  static func malformed(_ failure: JSONError, at path: [any CodingKey]) -> DecodingError {
    .dataCorrupted(
      .init(codingPath: path, debugDescription: "The given data was not valid JSON: \(failure).", underlyingError: failure))
  }
}
