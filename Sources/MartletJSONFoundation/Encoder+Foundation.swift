/// Dates, data, URLs and decimals out, as Foundation's JSONEncoder writes them.
///
///     var encoder = MartletJSON.Encoder.foundation
///     encoder.dateEncodingStrategy = .iso8601
///
/// Importing a module cannot change what `MartletJSON.Encoder()` does: there these types encode themselves, a URL as an object and data as an
/// array of numbers. `.foundation`, or setting either strategy, gives all of them the form that JSONEncoder gives them.

public import MartletJSON

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension MartletJSON.Encoder {
  /// The cases of Foundation's strategy but for `.formatted`, whose `DateFormatter` is not among the essentials.
  public enum DateEncodingStrategy: Sendable {
    /// Seconds since 2001-01-01T00:00:00Z, a number: what `Date` itself does.
    case deferredToDate
    /// A number, fraction included.
    case secondsSince1970
    case millisecondsSince1970
    /// `2024-02-29T12:00:00Z`: whole seconds, in UTC.
    case iso8601
    case custom(@Sendable (_ date: Date, _ encoder: any Encoder) throws -> Void)
  }

  public enum DataEncodingStrategy: Sendable {
    /// An array of numbers: what `Data` itself does.
    case deferredToData
    case base64
    case custom(@Sendable (_ data: Data, _ encoder: any Encoder) throws -> Void)
  }

  /// An encoder that begins as `JSONEncoder()` does: dates deferred to `Date`, data in Base64, URLs as strings, decimals as numbers with all
  /// their digits.
  public static var foundation: Self {
    var encoder = Self()
    encoder.useFoundation()
    return encoder
  }

  /// As JSONEncoder's. Setting it gives URL, Decimal and Data Foundation's form, too, as far as they have no strategy yet.
  public var dateEncodingStrategy: DateEncodingStrategy {
    get { setting(for: Date.self) as? DateEncodingStrategy ?? .deferredToDate }
    set {
      setStrategy(for: Date.self, setting: newValue) { date, encoder in try newValue.encode(date, to: encoder) }
      useFoundation()
    }
  }

  /// As JSONEncoder's, whose default is `.base64`; that of an encoder to which nothing of Foundation has been set is `.deferredToData`. Setting it
  /// gives URL and Decimal Foundation's form, too, as far as they have no strategy yet.
  public var dataEncodingStrategy: DataEncodingStrategy {
    get { setting(for: Data.self) as? DataEncodingStrategy ?? .deferredToData }
    set {
      setStrategy(for: Data.self, setting: newValue) { data, encoder in try newValue.encode(data, to: encoder) }
      useFoundation()
    }
  }

  /// Foundation's form for those of its types that have no strategy.
  private mutating func useFoundation() {
    if !hasStrategy(for: Data.self) {
      setStrategy(for: Data.self, setting: DataEncodingStrategy.base64) { data, encoder in
        try DataEncodingStrategy.base64.encode(data, to: encoder)
      }
    }
    if !hasStrategy(for: URL.self) {
      setStrategy(for: URL.self) { url, encoder in try url.absoluteString.encode(to: encoder) }
    }
    if !hasStrategy(for: Decimal.self) {
      setStrategy(for: Decimal.self) { decimal, encoder in try encoder.encode(decimal) }
    }
  }

  /// The JSON text of `value` as `Data`.
  @_disfavoredOverload
  public func encode(_ value: some Encodable) throws -> Data { Data(try encode(value) as [UInt8]) }
}

extension MartletJSON.Encoder.DateEncodingStrategy {
  fileprivate func encode(_ date: Date, to encoder: any Encoder) throws {
    switch self {
    case .deferredToDate: try date.encode(to: encoder)
    case .secondsSince1970: try encoder.encode(date.timeIntervalSince1970)
    case .millisecondsSince1970: try encoder.encode(1000 * date.timeIntervalSince1970)
    case .iso8601: try encoder.encode(date.formatted(.iso8601))
    case .custom(let body): try body(date, encoder)
    }
  }
}

extension MartletJSON.Encoder.DataEncodingStrategy {
  fileprivate func encode(_ data: Data, to encoder: any Encoder) throws {
    switch self {
    case .deferredToData: try data.encode(to: encoder)
    case .base64: try encoder.encode(data.base64EncodedString())
    case .custom(let body): try body(data, encoder)
    }
  }
}

extension Encoder {
  /// The encoder's one value. Not by the value's own `encode(to:)`: of a double that is not finite the encoder's options decide.
  fileprivate func encode(_ value: Double) throws {
    var container = singleValueContainer()
    try container.encode(value)
  }

  fileprivate func encode(_ value: String) throws {
    var container = singleValueContainer()
    try container.encode(value)
  }

  /// All digits, as a number. NaN, for which JSON has no text, is refused, where Foundation writes it.
  fileprivate func encode(_ value: Decimal) throws {
    guard let encoder = self as? any NumberTextEncoder else { preconditionFailure("strategies are called by encoders of MartletJSON") }
    guard value.isFinite else {
      let detail = "Unable to encode Decimal NaN directly in JSON."
      throw EncodingError.invalidValue(value, .init(codingPath: codingPath, debugDescription: detail))
    }
    try encoder.encode(numberText: value.description)
  }
}
