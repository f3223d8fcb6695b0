/// Entity tags and the conditions made of them (RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2).
///
/// Ours are strong and hold the entry's version in decimal: `"7"`. Tags of any other content are well-formed and match nothing.

internal import MartletBytes
internal import MartletHTTP

/// The value of If-Match or If-None-Match.
enum EntityTags: Equatable {
  /// `*`: any current entry.
  case any
  /// The versions named: by strong tags, and by weak ones, which If-Match never accepts.
  case versions(strong: [UInt64], weak: [UInt64])

  /// The tags of a field; nil if the request has none. Several lines of a field are one list (RFC 9110 section 5.3).
  static func read(_ name: StaticString, of request: borrowing Request) throws(HTTPError) -> EntityTags? {
    if request.field(name) == nil { return nil }
    var strong: [UInt64] = []
    var weak: [UInt64] = []
    var any = false
    var malformed = false
    request.forEachField(named: name) { line in
      if line.equals("*") {
        any = true
      } else if !parse(line, strong: &strong, weak: &weak) {
        malformed = true
      }
    }
    if malformed || (any && !(strong.isEmpty && weak.isEmpty)) {
      throw HTTPError(.badRequest, "\(name) is neither * nor a list of entity tags")
    }
    return any ? .any : .versions(strong: strong, weak: weak)
  }

  /// Reads `"…"` and `W/"…"` separated by commas; false if the list is malformed.
  static func parse(_ line: RawSpan, strong: inout [UInt64], weak: inout [UInt64]) -> Bool {
    var index = 0
    var expectsTag = true
    while index < line.byteCount {
      let byte = line[index]
      if byte == ASCII.space || byte == ASCII.tab {
        index += 1
      } else if byte == UInt8(ascii: ",") {
        expectsTag = true
        index += 1
      } else {
        guard expectsTag else { return false }
        let isWeak = byte == UInt8(ascii: "W")
        if isWeak {
          guard index + 1 < line.byteCount, line[index + 1] == UInt8(ascii: "/") else { return false }
          index += 2
        }
        guard index < line.byteCount, line[index] == UInt8(ascii: "\""),
          let close = line.firstIndex(of: UInt8(ascii: "\""), from: index + 1)
        else { return false }
        if let version = Digits.parseUnsigned(line[index + 1..<close]) {
          if isWeak { weak.append(version) } else { strong.append(version) }
        }
        index = close + 1
        expectsTag = false
      }
    }
    return true
  }

  /// If-Match's comparison: strong.
  func matchesStrongly(_ version: UInt64) -> Bool {
    switch self {
    case .any: true
    case .versions(let strong, _): strong.contains(version)
    }
  }

  /// If-None-Match's comparison: weak.
  func matchesWeakly(_ version: UInt64) -> Bool {
    switch self {
    case .any: true
    case .versions(let strong, let weak): strong.contains(version) || weak.contains(version)
    }
  }
}

extension ByteBuffer {
  /// Appends a version as a strong entity tag.
  mutating func append(entityTag version: UInt64) {
    append(UInt8(ascii: "\""))
    append(decimal: version)
    append(UInt8(ascii: "\""))
  }
}
