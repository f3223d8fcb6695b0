import MartletBytes
import Testing

@testable import MartletJSON

private func located(_ pointer: String, in json: String) throws -> String? {
  let pointer = try JSONPointer(pointer)
  return try withBytes(json) { text in try pointer.locate(in: text).map { text[$0].text } }
}

@Suite("JSONPointer")
struct JSONPointerTests {
  static let example = #"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#

  @Test(
    "RFC 6901 section 5",
    arguments: [
      ("", example), ("/foo", #"["bar", "baz"]"#), ("/foo/0", "\"bar\""), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
      ("/g|h", "4"), ("/i\\j", "5"),
      ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
    ])
  func examples(pointer: String, expected: String) throws {
    #expect(try located(pointer, in: Self.example) == expected)
    #expect(try JSONPointer(pointer).description == pointer)
  }

  @Test(
    "What is not there is nil",
    arguments: [
      "/x", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/-1", "/foo/1e0", "/foo/", "/foo/0/0", "/foo/99999999999999999999", "/foo/0x1",
      "//", "/m~0n/a",
    ])
  func absent(pointer: String) throws { #expect(try located(pointer, in: Self.example) == nil) }

  @Test(
    "Malformed pointers are refused with their byte",
    arguments: [
      ("a", 0, JSONError.Problem.unexpectedCharacter), ("#/a", 0, .unexpectedCharacter), ("/~", 1, .malformedEscape),
      ("/a~2", 2, .malformedEscape),
      ("/a~/b", 2, .malformedEscape), ("/ok/~", 4, .malformedEscape),
    ])
  func malformed(text: String, offset: Int, problem: JSONError.Problem) {
    #expect(throws: JSONError(offset: offset, problem: problem)) { try JSONPointer(text) }
  }

  @Test("A pointer that is not UTF-8 is refused")
  func invalidUTF8() {
    #expect(throws: JSONError(offset: 2, problem: .malformedUTF8)) { try withBytes([0x2F, 0x61, 0xFF]) { try JSONPointer($0) } }
    #expect(throws: JSONError(offset: 1, problem: .malformedUTF8)) { try withBytes([0x2F, 0xE2, 0x82]) { try JSONPointer($0) } }
  }

  @Test("The exact source bytes are found, through escapes, NUL, and the last of equal names")
  func exactBytes() throws {
    #expect(try located("/a/b", in: #" { "\u0061" : { "b" : 1.50e+01 } , "z":[] } "#) == "1.50e+01")
    #expect(try located("/x\u{0}", in: #"{"x\u0000": "\u00e9" }"#) == #""\u00e9""#)
    #expect(try located("/a", in: #"{"a":1,"b":2,"a":3}"#) == "3")
    #expect(try located("/a/x", in: #"{"a":{"x":1},"a":{"y":2}}"#) == nil)
    #expect(try located("/1/1", in: "[[1,2],[3, [4] ]]") == "[4]")
    // Names are compared as bytes: one accent composed, one not, are two names.
    #expect(try located("/\u{E9}", in: "{\"e\u{301}\":1}") == nil)
  }

  @Test("A text that is not JSON is refused, also behind the place sought")
  func notJSON() {
    #expect(throws: JSONError(offset: 7, problem: .unexpectedCharacter)) { try located("/a", in: "{\"a\":1 x}") }
    #expect(throws: JSONError(offset: 8, problem: .trailingContent)) { try located("/b", in: "{\"a\":1} x") }
    #expect(throws: JSONError(offset: 0, problem: .unexpectedEnd)) { try located("", in: "") }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError(offset: 512, problem: .tooDeep)) { try located(String(repeating: "/0", count: 2000), in: deep) }
  }
}
