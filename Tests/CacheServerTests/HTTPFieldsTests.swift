import MartletBytes
import Testing

@testable import CacheServer

@Suite("Entity tags")
struct EntityTagsTests {
  static func parse(_ text: String) -> EntityTags? {
    var strong: [UInt64] = []
    var weak: [UInt64] = []
    return EntityTags.parse(Array(text.utf8).rawSpan, strong: &strong, weak: &weak) ? .versions(strong: strong, weak: weak) : nil
  }

  @Test("Lists of strong and weak tags are read; foreign tags match nothing")
  func lists() {
    #expect(Self.parse(#""7""#) == .versions(strong: [7], weak: []))
    #expect(Self.parse(#"W/"7" , "8","abc",, "18446744073709551615""#) == .versions(strong: [8, .max], weak: [7]))
    #expect(Self.parse(#""""#) == .versions(strong: [], weak: []))
  }

  @Test("Anything else is malformed", arguments: ["7", #""7"#, #"w/"7""#, #"W"7""#, #""7" "8""#, "*, \"7\"", "W/", "W"])
  func malformed(text: String) {
    #expect(Self.parse(text) == nil)
  }

  @Test("Weak tags never match strongly")
  func comparison() {
    let tags = EntityTags.versions(strong: [1], weak: [2])
    #expect(tags.matchesStrongly(1) && !tags.matchesStrongly(2))
    #expect(tags.matchesWeakly(1) && tags.matchesWeakly(2) && !tags.matchesWeakly(3))
    #expect(EntityTags.any.matchesStrongly(9) && EntityTags.any.matchesWeakly(9))
  }
}

@Suite("Seconds and Cache-Control")
struct SecondsTests {
  @Test(
    "A time to live is a decimal number of seconds above 0 and up to 10^9, kept to the millisecond, rounded up",
    arguments: [("1", 1000), ("0.5", 500), ("60", 60_000), ("0.0001", 1), ("1000000000", 1_000_000_000_000), (".5", 500), ("5.", 5000)])
  func accepted(text: String, milliseconds: Int64) {
    let found = Seconds.milliseconds(Array(text.utf8).rawSpan)
    #expect(found == milliseconds)
  }

  @Test(
    "Anything else is refused",
    arguments: ["", "0", "0.0", "-1", "+1", "1e3", "nan", "inf", "1.2.3", "1000000001", " 1", "1s", ".", "0x10"])
  func refused(text: String) {
    let found = Seconds.milliseconds(Array(text.utf8).rawSpan)
    #expect(found == nil)
  }

  @Test(
    "max-age is found among other directives, without case, quoted or not",
    arguments: [
      ("max-age=5", "5"), ("no-cache, MAX-AGE = 7 , private", "7"), ("max-age=\"9\"", "9"), ("s-maxage=3", nil), ("", nil),
      ("max-age", nil),
      ("private,max-age=", ""),
    ])
  func maxAge(line: String, value: String?) {
    let bytes = Array(line.utf8)
    let found = CacheControl.maxAge(bytes.rawSpan)?.text
    #expect(found == value)
  }
}

@Suite("Media types")
struct MediaTypeTests {
  @Test(
    "JSON is application/json or a +json type, whatever its parameters and case",
    arguments: [
      ("application/json", true), ("Application/JSON; charset=utf-8", true), ("application/problem+json", true),
      ("application/ld+JSON;x=y", true),
      ("text/json", false), ("application/jsonl", false), ("application/json+xml", false), ("+json", false), ("", false), ("json", false),
    ])
  func isJSON(type: String, expected: Bool) {
    let isJSON = MediaType.isJSON(Array(type.utf8).rawSpan)
    #expect(isJSON == expected)
  }

  @Test("A value without a type counts as JSON if it is")
  func untyped() {
    let isJSON = { (value: String, type: String) in MediaType.isJSON(Array(value.utf8).rawSpan, type: Array(type.utf8).rawSpan) }
    #expect(isJSON("[1]", ""))
    #expect(!isJSON("hello", ""))
    #expect(!isJSON("[1]", "text/plain"))
    #expect(isJSON("anything", "application/json"))
  }
}

@Suite("Base64 and percent-encoding")
struct EncodingTests {
  @Test(
    "The vectors of RFC 4648 section 10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, encoded: String) throws {
    var output = ByteBuffer()
    Base64.encode(Array(plain.utf8).rawSpan, into: &output)
    #expect(output.text == encoded)
    #expect(Self.decode(encoded) == Array(plain.utf8))
  }

  static func decode(_ text: String) -> [UInt8]? {
    guard let decoded = Base64.decode(Array(text.utf8).rawSpan) else { return nil }
    return decoded.copied()
  }

  @Test(
    "What is not base64 is refused", arguments: ["Z", "Zg", "Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "=Zm9", "Zm-_", "===="])
  func refused(text: String) {
    #expect(Self.decode(text) == nil)
  }

  @Test("Every byte survives base64 and percent-encoding")
  func everyByte() {
    let all = (0...255).map { UInt8($0) }
    var output = ByteBuffer()
    Base64.encode(all.rawSpan, into: &output)
    #expect(Self.decode(output.text) == all)
    var encoded = ByteBuffer()
    encoded.append(percentEncoding: all.rawSpan)
    #expect(encoded.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
    #expect(encoded.text.hasPrefix("%00%01"))
    #expect(encoded.text.contains("ABC") && encoded.text.contains("%2F0123456789%3A"))
  }
}
