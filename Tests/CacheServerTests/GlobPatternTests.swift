import MartletBytes
import Testing

@testable import CacheServer

@Suite("Patterns of KEYS and SCAN")
struct GlobPatternTests {
  private func matches(_ text: String, _ pattern: String, ignoringCase: Bool = false) -> Bool {
    GlobPattern.matches(Array(text.utf8).rawSpan, Array(pattern.utf8).rawSpan, ignoringCase: ignoringCase)
  }

  @Test(
    "Stars, question marks, sets and escapes match as in Redis",
    arguments: [
      ("", "", true), ("", "*", true), ("", "?", false), ("abc", "abc", true), ("abc", "ab", false), ("abc", "a*", true),
      ("abc", "*c", true), ("abc", "a*c*", true), ("abc", "a?c", true), ("abc", "a[b]c", true), ("abc", "a[^b]c", false),
      ("abc", "a[a-c]c", true), ("abc", "a[c-a]c", true), ("a*c", "a\\*c", true), ("abc", "a\\*c", false), ("abc", "[", false),
      ("aXbXc", "a*b*c", true), ("abd", "a*b*c", false), ("hallo", "h[^e]llo", true), ("hello", "h[^e]llo", false),
    ])
  func cases(text: String, pattern: String, expected: Bool) {
    #expect(matches(text, pattern) == expected)
  }

  @Test("Case is ignored where that is asked for")
  func ignoringCase() {
    #expect(matches("MaxMemory", "maxm*", ignoringCase: true))
    #expect(!matches("MaxMemory", "maxm*"))
  }

  @Test("A pattern of many stars ends soon")
  func bounded() {
    let text = String(repeating: "a", count: 4000)
    #expect(!matches(text, String(repeating: "*a", count: 500) + "*b"))
  }
}
