/// Paths of JSON commands: what they say, where it stands, and that a change of it leaves the rest as it was.

import MartletBytes
import Testing

@testable import MartletJSON

@Suite("Paths")
struct JSONPathTests {
  private func path(_ text: String) throws -> JSONPath { try JSONPath(Array(text.utf8).rawSpan) }

  private func member(_ name: String) -> JSONPath.Step { .member(Array(name.utf8)) }

  @Test("Members and indices are read in every spelling")
  func spellings() throws {
    for text in ["$", "", "."] { #expect(try path(text).isRoot, "\(text)") }
    for text in ["$.a.b[0]", "$['a'].b[0]", #"$["a"]["b"][0]"#, ".a.b[0]", "a.b[0]", "a['b'][ 0 ]", #"["a"].b[0]"#, ".a.['b'].[0]"] {
      #expect(try path(text).steps == [member("a"), member("b"), .index(0)], "\(text)")
    }
    #expect(try path("$[-1]").steps == [.index(-1)])
    #expect(try path("é-_:9").steps == [member("é-_:9")])
    #expect(try path("$a").steps == [member("$a")])
    #expect(try path(#"$["a\"b\\c\d"]['it\'s']['']"#).steps == [member(#"a"b\c\d"#), member("it's"), member("")])
  }

  @Test("Only what begins with a dollar asks for arrays, and every path is told from there")
  func bare() throws {
    for (text, isBare, full) in [
      ("$", false, "$"), ("$.a", false, "$.a"), ("$[0]", false, "$[0]"), (".", true, "$"), (".a", true, "$.a"), ("a", true, "$.a"),
      ("[0]", true, "$[0]"), ("$a", true, "$.$a"),
    ] {
      #expect(try path(text).isBare == isBare)
      #expect(try path(text).text == Array(full.utf8))
    }
  }

  @Test(
    "What names no one place is refused",
    arguments: [
      "$.", "$..a", "$.*", "$[*]", "$[0:2]", "$[0,1]", "$[?(@.a)]", "$[", "$['a", "$['a'", "$[a]", "$[]", "a b", "a[0]b", "$x[0", "..",
      "a.", "$[1", "$[--1]", "$[99999999999999999999]", "'a'",
    ])
  func refused(text: String) {
    #expect(throws: JSONError.self) { try path(text) }
  }

  private func found(_ text: String, in document: String) throws -> String? {
    let bytes = Array(document.utf8)
    return try path(text).locate(in: bytes.rawSpan).map { bytes.rawSpan[$0.value].text }
  }

  @Test("The place is found, the last of equal names, negative indices from the end")
  func locating() throws {
    let document = #" {"a" : [1, [2 , 3], {"b":"x","b": "y" }], "é\u0041":null, "n":{"m":{}}} "#
    let expected = [
      ("$", #"{"a" : [1, [2 , 3], {"b":"x","b": "y" }], "é\u0041":null, "n":{"m":{}}}"#), ("a[0]", "1"), ("a[1][-1]", "3"),
      ("a[-2][-2]", "2"), ("a[2].b", #""y""#), ("éA", "null"), ("n.m", "{}"),
    ]
    for (text, value) in expected { #expect(try found(text, in: document) == value, "\(text)") }
    for text in ["b", "a[3]", "a[-4]", "a.b", "n[0]", "a[1][0].c", "n.m.k"] { #expect(try found(text, in: document) == nil, "\(text)") }
    #expect(throws: JSONError.self) { try found("a", in: #"{"a":1} x"#) }
    #expect(throws: JSONError.self) { try found("a", in: #"{"a":1,"b":}"#) }
  }

  @Test("Removing takes a name and one comma with it, and nothing else")
  func removing() throws {
    for (document, text, result) in [
      (#"{"a":1}"#, "a", "{}"), (#"{ "a" : 1 , "b":2}"#, "a", #"{ "b":2}"#), (#"{"a":1, "b" : 2 }"#, "b", #"{"a":1 }"#),
      (#"{"a":1,"b":2,"c":3}"#, "b", #"{"a":1,"c":3}"#), ("[1]", "[0]", "[]"),
      ("[1, 2 ,3]", "[0]", "[2 ,3]"), ("[1, 2 ,3]", "[1]", "[1 ,3]"), ("[1, 2 ,3]", "[-1]", "[1, 2]"),
      (#"{"x":[{"y":1.50}],"z":1e2}"#, "x[0].y", #"{"x":[{}],"z":1e2}"#),
    ] {
      let bytes = Array(document.utf8)
      let place = try #require(try path(text).locate(in: bytes.rawSpan))
      #expect(place.removing(from: bytes.rawSpan).text == result)
    }
  }

  @Test("Members and elements are added at the end, values replaced in their place")
  func adding() throws {
    let value = Array("7".utf8)
    for (document, text, result) in [
      ("{}", "$", #"{"n\"":7}"#), ("{ }", "$", #"{ "n\"":7}"#), (#"{"a":{"b":1 }}"#, "a", #"{"a":{"b":1 ,"n\"":7}}"#),
    ] {
      let bytes = Array(document.utf8)
      let place = try #require(try path(text).locate(in: bytes.rawSpan))
      #expect(place.adding(Array(#"n""#.utf8), value.rawSpan, to: bytes.rawSpan).text == result)
    }
    for (document, text, result) in [("[]", "$", "[7]"), ("[ ]", "$", "[ 7]"), (#"{"a":[1 ]}"#, "a", #"{"a":[1 ,7]}"#)] {
      let bytes = Array(document.utf8)
      let place = try #require(try path(text).locate(in: bytes.rawSpan))
      #expect(place.appending(value.rawSpan, to: bytes.rawSpan).text == result)
    }
    let bytes = Array(#"{"a": [1.0, "x"] ,"b":2}"#.utf8)
    let place = try #require(try path("a[1]").locate(in: bytes.rawSpan))
    #expect(place.replacing(in: bytes.rawSpan, by: value.rawSpan).text == #"{"a": [1.0, 7] ,"b":2}"#)
  }

  @Test("Every value of random documents is found by its path, and removing all of them leaves nothing")
  func random() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<200 {
      var document = Array(makeDocument(&random, levels: 4).utf8)
      while true {
        var paths: [String] = []
        collect(document, "$", &paths)
        for text in paths { #expect(try found(text, in: String(decoding: document, as: UTF8.self)) != nil, "seed \(seed), \(text)") }
        guard let text = paths.dropFirst().randomElement(using: &random) else { break }
        let place = try #require(try path(text).locate(in: document.rawSpan))
        document = place.removing(from: document.rawSpan).copied()
        #expect(throws: Never.self, "seed \(seed)") { try JSONScanner.validate(document.rawSpan) }
      }
    }
  }

  private func makeDocument(_ random: inout SeededRandom, levels: Int) -> String {
    let space = { (random: inout SeededRandom) in ["", " ", "\n"].randomElement(using: &random)! }
    switch levels == 0 ? 2 : Int.random(in: 0..<4, using: &random) {
    case 0:
      let members = (0..<Int.random(in: 0..<4, using: &random)).map { index in
        "\(space(&random))\"k\(index)\"\(space(&random)):\(space(&random))\(makeDocument(&random, levels: levels - 1))\(space(&random))"
      }
      return "{\(members.joined(separator: ","))}"
    case 1:
      let elements = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        "\(space(&random))\(makeDocument(&random, levels: levels - 1))\(space(&random))"
      }
      return "[\(elements.joined(separator: ","))]"
    default: return ["1", "-0.50", "\"s,]}\"", "true", "null", "[ ]", "{ }"].randomElement(using: &random)!
    }
  }

  private func collect(_ document: [UInt8], _ path: String, _ paths: inout [String]) {
    paths.append(path)
    guard let place = try? self.path(path).locate(in: document.rawSpan) else { return }
    for index in 0..<4 {
      let next = place.kind == .object ? "\(path).k\(index)" : "\(path)[\(index)]"
      if (try? self.path(next).locate(in: document.rawSpan)) != nil { collect(document, next, &paths) }
    }
  }

  private func sum(_ left: String, _ right: String) -> String? {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard let sum = JSONSum.text(left.rawSpan, right.rawSpan) else { return nil }
    return sum.text
  }

  @Test("Integers are added exactly, others as doubles")
  func sums() {
    #expect(sum("1", "2") == "3")
    #expect(sum("9007199254740993", "1") == "9007199254740994")
    #expect(sum("9223372036854775807", "1") == nil)
    #expect(sum("1", "0.5") == "1.5")
    #expect(sum("1.5", "1.5") == "3.0")
    #expect(sum("1e308", "1e308") == nil)
    #expect(sum("0.1", "0.2") == "0.30000000000000004")
    #expect(sum("-1", "1.0") == "0.0")
  }

  private func laidOut(_ text: String, indent: String = "", newline: String = "", space: String = "") throws -> String {
    var spacing = JSONSpacing()
    spacing.indent = Array(indent.utf8)
    spacing.newline = Array(newline.utf8)
    spacing.space = Array(space.utf8)
    var output = ByteBuffer()
    try output.append(json: Array(text.utf8).rawSpan, spacing: spacing, bytesMax: 1000)
    return output.text
  }

  @Test("Texts are laid out without whitespace or with one's own, spellings kept")
  func layout() throws {
    let text = #" { "a" : [ 1.00 , { } , [ ] , "\u0041 b" ] , "c" : { "d" : null } } "#
    #expect(try laidOut(text) == #"{"a":[1.00,{},[],"\u0041 b"],"c":{"d":null}}"#)
    #expect(
      try laidOut(text, indent: "\t", newline: "\n", space: " ")
        == "{\n\t\"a\": [\n\t\t1.00,\n\t\t{},\n\t\t[],\n\t\t\"\\u0041 b\"\n\t],\n\t\"c\": {\n\t\t\"d\": null\n\t}\n}")
    #expect(throws: JSONError.self) { try laidOut("[1,2") }
    #expect(throws: JSONError.self) { try laidOut("[\(String(repeating: "1,", count: 200))1]", indent: String(repeating: " ", count: 100)) }
  }
}
