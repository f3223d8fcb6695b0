/// Durations as clients write them: seconds in decimal, fractions allowed.

internal import MartletBytes
internal import MartletHTTP

enum Seconds {
  /// The longest time to live, in seconds: 10^9.
  static let timeToLiveMax = 1_000_000_000.0

  /// Milliseconds, rounded up, of a number of seconds in (0, 10^9]; nil for anything else. Digits with at most one point: no
  /// exponent, no sign.
  static func milliseconds(_ text: RawSpan) -> Int64? { number(text).flatMap { milliseconds($0) } }

  /// Digits with at most one point; nil for anything else.
  static func number(_ text: RawSpan) -> Double? {
    guard text.byteCount > 0, text.byteCount <= 32 else { return nil }
    var points = 0
    for index in 0..<text.byteCount {
      if text[index] == UInt8(ascii: ".") { points += 1 } else if !ASCII.isDigit(text[index]) { return nil }
    }
    return points <= 1 ? Double(text.text) : nil
  }

  static func milliseconds(_ seconds: Double) -> Int64? {
    guard seconds > 0, seconds <= timeToLiveMax else { return nil }
    return Int64((seconds * 1000).rounded(.up))
  }
}

enum CacheControl {
  /// The value of `max-age` in a Cache-Control line, as text; nil if it has none (RFC 9111 section 5.2: names without case,
  /// values perhaps quoted).
  @_lifetime(copy line)
  static func maxAge(_ line: RawSpan) -> RawSpan? {
    var start = 0
    while start <= line.byteCount {
      let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.byteCount
      let directive = line[start..<end].trimmed
      if let equals = directive.firstIndex(of: UInt8(ascii: "=")), directive[0..<equals].trimmed.equalsIgnoringCase("max-age") {
        let value = directive[equals + 1..<directive.byteCount].trimmed
        let isQuoted = value.byteCount >= 2 && value[0] == UInt8(ascii: "\"") && value[value.byteCount - 1] == UInt8(ascii: "\"")
        return isQuoted ? value[1..<value.byteCount - 1] : value
      }
      start = end + 1
    }
    return nil
  }
}
