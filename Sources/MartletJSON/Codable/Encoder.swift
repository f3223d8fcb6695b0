/// JSON from `Encodable` values, straight into bytes: no tree, no `Data`, no text in between.
///
///     let bytes = try MartletJSON.Encoder().encode(order)
///
/// Options carry the names that Foundation's JSONEncoder gave them. Where its output is free, ours is: members stand in the order in which
/// they were encoded (Foundation's differs from run to run), `/` is not escaped. Doubles are printed alike, shortest first. Dates, data and
/// the other types of Foundation encode themselves as their own `encode(to:)` says, unless `setStrategy(for:)` says otherwise.
///
/// A key that one container encodes twice stands in the text twice (readers that take the last one agree with Foundation, which keeps the
/// last); where two containers share an object, as a class and its superclass do, or with `.sortedKeys`, the last one only.
///
/// Errors are `EncodingError.invalidValue` with the coding path. A value; use it from any thread.

public import MartletBytes

extension MartletJSON {
  public struct Encoder: Sendable {
    public struct OutputFormatting: OptionSet, Sendable {
      public let rawValue: UInt
      public init(rawValue: UInt) { self.rawValue = rawValue }
      /// Two spaces a level, a line for each value, as Foundation prints them.
      public static let prettyPrinted = OutputFormatting(rawValue: 1 << 0)
      /// Members in the order of their names' UTF-8 bytes.
      public static let sortedKeys = OutputFormatting(rawValue: 1 << 1)
      /// Always so: accepted for those who come from Foundation.
      public static let withoutEscapingSlashes = OutputFormatting(rawValue: 1 << 3)
    }

    public enum KeyEncodingStrategy: Sendable {
      case useDefaultKeys
      /// `oneTwoThree` becomes `one_two_three`, by Foundation's rules.
      case convertToSnakeCase
      /// Given the path with the key at its end.
      case custom(@Sendable (_ codingPath: [any CodingKey]) -> any CodingKey)
    }

    public enum NonConformingFloatEncodingStrategy: Sendable {
      case `throw`
      case convertToString(positiveInfinity: String, negativeInfinity: String, nan: String)
    }

    public var outputFormatting: OutputFormatting = []
    /// Keys of `[String: …]` dictionaries are data and stay as they are.
    public var keyEncodingStrategy = KeyEncodingStrategy.useDefaultKeys
    public var nonConformingFloatEncodingStrategy = NonConformingFloatEncodingStrategy.throw
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    /// By type: what encodes a value instead of its own `encode(to:)`.
    var strategies: [ObjectIdentifier: Strategy] = [:]

    public init() {}

    /// Values of exactly this type are encoded by `body`, at the top and anywhere inside. Not for strings, numbers and `Bool`.
    public mutating func setStrategy<Value>(
      for type: Value.Type, _ body: @escaping @Sendable (_ value: Value, _ encoder: any Swift.Encoder) throws -> Void
    ) {
      setStrategy(for: type, setting: nil, body)
    }

    /// As above; `setting` is what the strategy was made from, for `setting(for:)`.
    package mutating func setStrategy<Value>(
      for type: Value.Type, setting: (any Sendable)?,
      _ body: @escaping @Sendable (_ value: Value, _ encoder: any Swift.Encoder) throws -> Void
    ) {
      precondition(!CommonTypes.scalars.contains(ObjectIdentifier(type)), "strategies are not for strings, numbers and Bool")
      strategies[ObjectIdentifier(type)] = Strategy(setting: setting) { value, encoder in
        guard let value = value as? Value else { preconditionFailure("a strategy is looked up by its value's type") }
        try body(value, encoder)
      }
    }

    /// What the strategy for `type` was made from; nil if there is none, or if it does not say.
    package func setting(for type: any Any.Type) -> (any Sendable)? { strategies[ObjectIdentifier(type)]?.setting }

    package func hasStrategy(for type: any Any.Type) -> Bool { strategies[ObjectIdentifier(type)] != nil }

    struct Strategy: Sendable {
      let setting: (any Sendable)?
      let encode: @Sendable (Any, any Swift.Encoder) throws -> Void
    }

    /// The JSON text of `value`.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
      var output = ByteBuffer()
      try encode(value, into: &output)
      return output.copied()
    }

    /// Appends the JSON text of `value`; if it throws, the buffer is as before.
    public func encode<Value: Encodable>(_ value: Value, into output: inout ByteBuffer) throws {
      let start = output.count
      let stream = JSONWriterStream(output, options: self)
      do {
        try stream.encodeText(value)
      } catch {
        output = stream.takeOutput()
        output.truncate(to: start)
        throw error
      }
      let isShared = stream.isShared
      output = stream.takeOutput()
      layOut(&output, from: start, always: isShared)
    }
  }
}

/// What options say, for either road.
extension MartletJSON.Encoder {
  /// A key as it is written; `path` leads to its object.
  func name(of key: some CodingKey, at path: @autoclosure () -> [any CodingKey]) -> String {
    switch keyEncodingStrategy {
    case .useDefaultKeys: key.stringValue
    case .convertToSnakeCase: SnakeCase.from(camelCase: key.stringValue)
    case .custom(let convert): convert(path() + [key]).stringValue
    }
  }

  /// How NaN or an infinity is written; throws unless a strategy says. `offset` is for the error.
  func text(ofNonFinite value: some BinaryFloatingPoint, offset: Int, at path: @autoclosure () -> [any CodingKey]) throws -> String {
    switch nonConformingFloatEncodingStrategy {
    case .convertToString(let positiveInfinity, let negativeInfinity, let nan):
      return value.isNaN ? nan : value > 0 ? positiveInfinity : negativeInfinity
    case .throw:
      let detail = "Unable to encode \(value) directly in JSON."
      let cause = JSONError(offset: offset, problem: .notFinite)
      throw EncodingError.invalidValue(value, .init(codingPath: path(), debugDescription: detail, underlyingError: cause))
    }
  }

  /// A tree or text would have too many levels.
  static func tooDeep(_ value: Any, offset: Int, at path: [any CodingKey]) -> EncodingError {
    let cause = JSONError(offset: offset, problem: .tooDeep)
    let detail = "More than \(depthMax) levels of objects and arrays."
    return .invalidValue(value, .init(codingPath: path, debugDescription: detail, underlyingError: cause))
  }

  static func encodedNothing<Value>(_ value: Value) -> EncodingError {
    .invalidValue(value, .init(codingPath: [], debugDescription: "Top-level \(Value.self) did not encode any values."))
  }

  /// As the scanner reads, so the encoders write.
  static var depthMax: Int { JSONScanner.depthMaxDefault }

  /// What stands behind the compact text: indentation, order. The text begins at `start` of `output`.
  func layOut(_ output: inout ByteBuffer, from start: Int, always: Bool = false) {
    guard always || !outputFormatting.isDisjoint(with: [.prettyPrinted, .sortedKeys]) else { return }
    JSONLayout(sorted: outputFormatting.contains(.sortedKeys), pretty: outputFormatting.contains(.prettyPrinted)).apply(
      to: &output, from: start)
  }
}
