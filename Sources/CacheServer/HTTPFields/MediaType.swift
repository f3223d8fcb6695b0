/// What a Content-Type says about a value (RFC 9110 section 8.3.1).

internal import MartletBytes
internal import MartletJSON

enum MediaType {
  /// The type of an entry that was given none.
  static var standard: StaticString { "application/octet-stream" }

  /// The type without its parameters.
  @_lifetime(copy field)
  static func essence(_ field: RawSpan) -> RawSpan {
    field[0..<(field.firstIndex(of: UInt8(ascii: ";")) ?? field.byteCount)].trimmed
  }

  /// `application/json`, or any type with the structured suffix `+json` (RFC 6839).
  static func isJSON(_ field: RawSpan) -> Bool {
    let type = essence(field)
    if type.equalsIgnoringCase("application/json") { return true }
    return type.byteCount > 5 && type[type.byteCount - 5..<type.byteCount].equalsIgnoringCase("+json")
      && type.firstIndex(of: UInt8(ascii: "/")) != nil
  }

  /// Whether a value counts as JSON: its type says so, or it has none (another protocol wrote it) and its bytes are.
  static func isJSON(_ value: RawSpan, type: RawSpan) -> Bool {
    type.byteCount > 0 ? isJSON(type) : (try? JSONScanner.validate(value)) != nil
  }
}
