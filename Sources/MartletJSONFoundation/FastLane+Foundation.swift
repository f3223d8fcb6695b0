/// Foundation's types on the fast lane, where they have one form that everybody expects: what JSONEncoder writes by default. `Date` has none.

import MartletBytes
public import MartletJSON

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension URL: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) { json.string(absoluteString) }

  public init(from json: inout JSONReader) throws {
    self = try json.readString("a URL") { URL(string: $0) }
  }
}

extension UUID: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) { json.string(uuidString) }

  public init(from json: inout JSONReader) throws {
    self = try json.readString("a UUID") { UUID(uuidString: $0) }
  }
}

extension Data: JSONEncodable, JSONDecodable {
  /// In Base64.
  public func encode(to json: inout JSONWriter) { json.string(base64EncodedString()) }

  public init(from json: inout JSONReader) throws {
    self = try json.readString("Base64") { Data(base64Encoded: $0) }
  }
}

extension Decimal: JSONEncodable, JSONDecodable {
  /// A number with all digits. Throws for NaN.
  public func encode(to json: inout JSONWriter) throws {
    guard isFinite else { throw JSONError(offset: json.byteCount, problem: .notFinite) }
    json.raw(Array(description.utf8).rawSpan)
  }

  /// Rounded to the 38 digits that a Decimal holds; `.outOfRange` beyond its range.
  public init(from json: inout JSONReader) throws {
    let start = json.offset
    guard let value = Decimal(string: try json.readNumberText()) else { throw JSONError(offset: start, problem: .outOfRange) }
    self = value
  }
}

extension JSONReader {
  /// The next value, a string, as something that not all strings are.
  fileprivate mutating func readString<Value>(_ expected: String, _ make: (String) -> Value?) throws -> Value {
    let start = offset
    guard let value = make(try readString()) else { throw JSONError(offset: start, problem: .unexpectedString(expected: expected)) }
    return value
  }
}
