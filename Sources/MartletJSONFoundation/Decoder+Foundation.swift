/// Dates, data, URLs and decimals in, as Foundation's JSONDecoder reads them.
///
///     var decoder = MartletJSON.Decoder.foundation
///     decoder.dateDecodingStrategy = .iso8601
///
/// The mirror of `Encoder+Foundation.swift`: `.foundation`, or setting either strategy, has all of these types read as JSONDecoder reads them.

public import MartletJSON

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension MartletJSON.Decoder {
  /// The cases of Foundation's strategy but for `.formatted`, whose `DateFormatter` is not among the essentials.
  public enum DateDecodingStrategy: Sendable {
    /// Seconds since 2001-01-01T00:00:00Z, a number: what `Date` itself does.
    case deferredToDate
    case secondsSince1970
    case millisecondsSince1970
    /// `2024-02-29T12:00:00Z`, as `Date.ISO8601FormatStyle` reads it.
    case iso8601
    case custom(@Sendable (_ decoder: any Decoder) throws -> Date)
  }

  public enum DataDecodingStrategy: Sendable {
    /// An array of numbers: what `Data` itself does.
    case deferredToData
    case base64
    case custom(@Sendable (_ decoder: any Decoder) throws -> Data)
  }

  /// A decoder that begins as `JSONDecoder()` does.
  public static var foundation: Self {
    var decoder = Self()
    decoder.useFoundation()
    return decoder
  }

  /// As JSONDecoder's. Setting it has URL, Decimal and Data read as Foundation does, too, as far as they have no strategy yet.
  public var dateDecodingStrategy: DateDecodingStrategy {
    get { setting(for: Date.self) as? DateDecodingStrategy ?? .deferredToDate }
    set {
      setStrategy(for: Date.self, setting: newValue) { decoder in try newValue.decode(decoder) }
      useFoundation()
    }
  }

  /// As JSONDecoder's, whose default is `.base64`; that of a decoder to which nothing of Foundation has been set is `.deferredToData`. Setting it
  /// has URL and Decimal read as Foundation does, too, as far as they have no strategy yet.
  public var dataDecodingStrategy: DataDecodingStrategy {
    get { setting(for: Data.self) as? DataDecodingStrategy ?? .deferredToData }
    set {
      setStrategy(for: Data.self, setting: newValue) { decoder in try newValue.decode(decoder) }
      useFoundation()
    }
  }

  /// Foundation's reading for those of its types that have no strategy.
  private mutating func useFoundation() {
    if !hasStrategy(for: Data.self) {
      setStrategy(for: Data.self, setting: DataDecodingStrategy.base64) { decoder in try DataDecodingStrategy.base64.decode(decoder) }
    }
    if !hasStrategy(for: URL.self) { setStrategy(for: URL.self) { decoder in try decoder.url() } }
    if !hasStrategy(for: Decimal.self) { setStrategy(for: Decimal.self) { decoder in try decoder.decimal() } }
  }

  /// The value that `text`, a JSON text as `Data`, stands for.
  public func decode<Value: Decodable>(_ type: Value.Type, from text: Data) throws -> Value { try decode(type, from: text.bytes) }
}

extension MartletJSON.Decoder.DateDecodingStrategy {
  fileprivate func decode(_ decoder: any Decoder) throws -> Date {
    switch self {
    case .deferredToDate: return try Date(from: decoder)
    case .secondsSince1970: return Date(timeIntervalSince1970: try decoder.value(Double.self))
    case .millisecondsSince1970: return Date(timeIntervalSince1970: try decoder.value(Double.self) / 1000)
    case .iso8601:
      let text = try decoder.value(String.self)
      guard let date = try? Date.ISO8601FormatStyle().parse(text) else {
        throw decoder.corrupted("Expected date string to be ISO8601-formatted.")
      }
      return date
    case .custom(let body): return try body(decoder)
    }
  }
}

extension MartletJSON.Decoder.DataDecodingStrategy {
  fileprivate func decode(_ decoder: any Decoder) throws -> Data {
    switch self {
    case .deferredToData: return try Data(from: decoder)
    case .base64:
      guard let data = Data(base64Encoded: try decoder.value(String.self)) else {
        throw decoder.corrupted("Encountered Data is not valid Base64.")
      }
      return data
    case .custom(let body): return try body(decoder)
    }
  }
}

extension Decoder {
  fileprivate func value<Value: Decodable>(_ type: Value.Type) throws -> Value { try singleValueContainer().decode(type) }

  fileprivate func url() throws -> URL {
    guard let url = URL(string: try value(String.self)) else { throw corrupted("Invalid URL string.") }
    return url
  }

  /// All digits that a Decimal holds, 38.
  fileprivate func decimal() throws -> Decimal {
    guard let decoder = self as? any NumberTextDecoder else { preconditionFailure("strategies are called by decoders of MartletJSON") }
    let text = try decoder.numberText(for: Decimal.self)
    guard let decimal = Decimal(string: text) else { throw corrupted("Parsed JSON number <\(text.prefix(64))> does not fit in Decimal.") }
    return decimal
  }

  fileprivate func corrupted(_ detail: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: detail))
  }
}
