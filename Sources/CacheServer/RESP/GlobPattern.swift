/// Patterns of KEYS, SCAN, CONFIG GET: `*`, `?`, `[a-z]`, `[^a]`, `\x`, as Redis's `stringmatchlen` reads them.

internal import MartletBytes

enum GlobPattern {
  /// Steps that a match may take, so that a pattern of many stars cannot keep a loop busy.
  private static let stepsMax = 1 << 20

  static func matches(_ text: RawSpan, _ pattern: RawSpan, ignoringCase: Bool = false) -> Bool {
    var place = 0
    var index = 0
    /// After the last star: where to go on in the pattern, and how far the star reaches in the text.
    var star: (pattern: Int, text: Int)?
    var steps = 0
    while true {
      steps += 1
      if steps > stepsMax { return false }
      if place == text.byteCount {
        while index < pattern.byteCount, pattern[index] == UInt8(ascii: "*") { index += 1 }
        if index == pattern.byteCount { return true }
        return false
      }
      if index < pattern.byteCount, pattern[index] == UInt8(ascii: "*") {
        index += 1
        star = (index, place)
        continue
      }
      if index < pattern.byteCount, let after = matchOne(text[place], pattern, index, ignoringCase) {
        index = after
        place += 1
        continue
      }
      guard let last = star else { return false }
      star = (last.pattern, last.text + 1)
      index = last.pattern
      place = last.text + 1
    }
  }

  /// Where the pattern goes on if its element at `index` matches `byte`.
  private static func matchOne(_ byte: UInt8, _ pattern: RawSpan, _ index: Int, _ ignoringCase: Bool) -> Int? {
    func fold(_ byte: UInt8) -> UInt8 { ignoringCase ? ASCII.lowercased(byte) : byte }
    switch pattern[index] {
    case UInt8(ascii: "?"): return index + 1
    case UInt8(ascii: "["):
      var at = index + 1
      let isNegated = at < pattern.byteCount && pattern[at] == UInt8(ascii: "^")
      if isNegated { at += 1 }
      var isFound = false
      while at < pattern.byteCount, pattern[at] != UInt8(ascii: "]") {
        if pattern[at] == UInt8(ascii: "\\"), at + 1 < pattern.byteCount {
          at += 1
          if pattern[at] == byte { isFound = true }
        } else if at + 2 < pattern.byteCount, pattern[at + 1] == UInt8(ascii: "-") {
          let (low, high) = (fold(pattern[at]), fold(pattern[at + 2]))
          if min(low, high)...max(low, high) ~= fold(byte) { isFound = true }
          at += 2
        } else if fold(pattern[at]) == fold(byte) {
          isFound = true
        }
        at += 1
      }
      return isFound != isNegated ? min(at + 1, pattern.byteCount) : nil
    case UInt8(ascii: "\\") where index + 1 < pattern.byteCount:
      return fold(pattern[index + 1]) == fold(byte) ? index + 2 : nil
    default: return fold(pattern[index]) == fold(byte) ? index + 1 : nil
    }
  }
}
