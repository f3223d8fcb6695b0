import MartletBytes
import MartletJSON
import Testing

private struct Point: Codable, Equatable, JSONEncodable, JSONDecodable {
  var x: Double
  var count: Int
  var tags: [String]
  var note: String?
  var parts: [String: [Point]]

  init(x: Double, count: Int, tags: [String] = [], note: String? = nil, parts: [String: [Point]] = [:]) {
    self.x = x
    self.count = count
    self.tags = tags
    self.note = note
    self.parts = parts
  }

  func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    try json.member("x", x)
    json.member("count", count)
    try json.member("tags", tags)
    try json.member("note", ifPresent: note)
    try json.member("parts", parts)
    json.endObject()
  }

  init(from json: inout JSONReader) throws {
    var x: Double?
    var count: Int?
    self.init(x: 0, count: 0)
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "x": x = try json.read()
      case "count": count = try json.read()
      case "tags": tags = try json.read()
      case "note": note = try json.read()
      case "parts": parts = try json.read()
      default: try json.skip()
      }
    }
    self.x = try json.require(x, "x")
    self.count = try json.require(count, "count")
  }
}

private func text(_ value: some JSONEncodable) throws -> String { String(decoding: try value.jsonBytes(), as: UTF8.self) }

private func read<Value: JSONDecodable>(_ text: String, as type: Value.Type = Value.self) throws -> Value {
  try withBytes(text) { try Value(json: $0) }
}

private func failure<Value: JSONDecodable>(_ text: String, as type: Value.Type) -> JSONError? {
  do {
    _ = try read(text, as: type)
    return nil
  } catch {
    return error as? JSONError
  }
}

@Suite("The fast lane")
struct FastLaneTests {
  private let point = Point(x: 0.5, count: -3, tags: ["a", "\"é\n"], note: nil, parts: ["k": [Point(x: 1, count: 2, note: "n")]])

  @Test("A type written by hand gives the text that Codable gives, and reads it back")
  func twin() throws {
    let bytes = try point.jsonBytes()
    #expect(try bytes == MartletJSON.Encoder().encode(point))
    #expect(try Point(json: bytes) == point)
    #expect(try MartletJSON.Decoder().decode(Point.self, from: bytes) == point)
    #expect(try read(#" { "\u0078" : 1 , "other" : [{}] , "count" : 2 , "note" : null, "x":0.5} "#) == Point(x: 0.5, count: 2))
  }

  @Test("Scalars of every width, optionals, lists and dictionaries go both ways")
  func scalars() throws {
    func both<Value: JSONEncodable & JSONDecodable & Equatable>(_ value: Value, _ expected: String) throws {
      #expect(try text(value) == expected)
      #expect(try read(expected) == value)
    }
    try both(true, "true")
    try both("é\u{0}", #""é\u0000""#)
    try both(-0.5, "-0.5")
    try both(Float(0.1), "0.1")
    try both(Float(3), "3")
    try both(Int.min, "-9223372036854775808")
    try both(Int8.min, "-128")
    try both(Int16.max, "32767")
    try both(Int32.min, "-2147483648")
    try both(Int64.max, "9223372036854775807")
    try both(UInt.max, "18446744073709551615")
    try both(UInt8.max, "255")
    try both(UInt16.max, "65535")
    try both(UInt32.max, "4294967295")
    try both(UInt64.max, "18446744073709551615")
    try both([1, nil, 3] as [Int?], "[1,null,3]")
    try both(["k": [[true], []]], #"{"k":[[true],[]]}"#)
    try both(Int?.none, "null")
  }

  @Test("What is wrong is told with its byte; a missing member with its name")
  func errors() {
    #expect(failure(#"{"x":"1"}"#, as: Point.self) == JSONError(offset: 5, problem: .wrongKind(expected: .number)))
    #expect(failure(#"{"x":1 }"#, as: Point.self) == JSONError(offset: 7, problem: .missingMember("count")))
    #expect(failure(#"{"x":1,}"#, as: Point.self) == JSONError(offset: 7, problem: .unexpectedCharacter))
    #expect(failure("{\"x\":1,\"count\":1}]", as: Point.self)?.problem == .trailingContent)
    #expect(failure("[256]", as: [UInt8].self) == JSONError(offset: 1, problem: .outOfRange))
    #expect(failure("[-1]", as: [UInt64].self) == JSONError(offset: 1, problem: .outOfRange))
    #expect(failure("[18446744073709551616]", as: [UInt64].self) == JSONError(offset: 1, problem: .outOfRange))
    #expect(failure("[128]", as: [Int8].self) == JSONError(offset: 1, problem: .outOfRange))
    #expect(failure("[null]", as: [Int32].self) == JSONError(offset: 1, problem: .wrongKind(expected: .number)))
    #expect(failure("[1.5]", as: [UInt16].self) == JSONError(offset: 1, problem: .notAnInteger))
    #expect(failure("[1e39]", as: [Float].self) == JSONError(offset: 1, problem: .outOfRange))
    #expect(failure(String(repeating: "[", count: 600), as: [[Int]].self)?.problem == .wrongKind(expected: .number))
    #expect(throws: JSONError.self) { try text([1, Double.nan]) }
    #expect(throws: JSONError.self) { try text(Float.infinity) }
  }

  @Test("Names are told apart whatever their length, also where they differ in one byte or are escaped")
  func names() throws {
    struct Found: JSONDecodable {
      var label = ""
      init(from json: inout JSONReader) throws {
        try json.beginObject()
        while let name = try json.nextName() {
          switch name {
          case "": label = "0"
          case "a": label = "1"
          case "ab": label = "2"
          case "abcdefg": label = "7"
          case "abcdefgh": label = "8"
          case "abcdefghi": label = "9"
          case "abcdefghijklmnop": label = "16"
          case "abcdefghijXlmnopq": label = "17 X"
          case "abcdefghijklmnopq": label = "17"
          case "é": label = "e"
          default: label = "other"
          }
          try json.skip()
        }
      }
    }
    for (name, label) in [
      ("", "0"), ("a", "1"), ("ab", "2"), ("abcdefg", "7"), ("abcdefgh", "8"), ("abcdefghi", "9"), ("abcdefghijklmnop", "16"),
      ("abcdefghijklmnopq", "17"), ("abcdefghijXlmnopq", "17 X"), ("é", "e"), ("\\u00e9", "e"), ("a\\u0062", "2"), ("\\u0061bcdefghi", "9"),
      ("b", "other"), ("abc", "other"), ("abcdefgi", "other"), ("abcdefghijYlmnopq", "other"), ("a\\u0000", "other"),
      ("abcdefgh\\u0000", "other"),
      (String(repeating: "x", count: 300), "other"),
    ] {
      // At the end of the text, too, where there are no sixteen bytes to be read at once; behind another member; with whitespace around it.
      for text in [
        "{\"\(name)\":0}", "{\"\(name)\":\"                    \"}", "{\"b\":0,\"\(name)\":\"                    \"}",
        "{\"b\":0 ,\"\(name)\" : 0}",
      ] { #expect(try read(text, as: Found.self).label == label, "\(text)") }
    }
  }

  @Test("Every truncation of a text is refused")
  func truncation() throws {
    let bytes = try point.jsonBytes()
    for length in bytes.indices { #expect(throws: JSONError.self) { try Point(json: Array(bytes[..<length])) } }
  }

  @Test("A text is read to its last byte and not beyond, whatever comes last")
  func lastBytes() throws {
    struct Last: JSONDecodable {
      var text = ""
      init(from json: inout JSONReader) throws {
        try json.beginObject()
        while let name = try json.nextName() { text = name.text + "=" + (try json.read() as String) }
      }
    }
    for nameLength in 0...20 {
      for valueLength in 0...36 {
        let (name, value) = (String(repeating: "n", count: nameLength), String(repeating: "v", count: valueLength))
        let bytes = Array("{\"\(name)\":\"\(value)\"}".utf8)
        let text = try withBytesBeforeProtectedPage(bytes) { try Last(json: $0).text }
        #expect(text == "\(name)=\(value)")
        for length in [bytes.count - 1, bytes.count - 2, nameLength + 3, nameLength + 4] {
          #expect(throws: JSONError(offset: length, problem: .unexpectedEnd)) {
            try withBytesBeforeProtectedPage(Array(bytes[..<length])) { try Last(json: $0) }
          }
        }
      }
    }
  }

  @Test("Encoding appends to a buffer, which is as before if it fails")
  func buffer() throws {
    var output = ByteBuffer()
    output.append("x=")
    try point.parts["k"]![0].encode(into: &output)
    #expect(output.text == #"x={"x":1,"count":2,"tags":[],"note":"n","parts":{}}"#)
    output.truncate(to: 2)
    #expect(throws: JSONError.self) { try Point(x: .nan, count: 1).encode(into: &output) }
    #expect(output.text == "x=")
  }
}

@Suite("Pointers to what an error is about")
struct JSONPointerPathTests {
  @Test("A byte is told by the pointer to the innermost value that it belongs to")
  func offsets() {
    let text = #" {"a/b": [1, {"c~": "x]"} , []], "d":{}} "#
    func pointer(_ part: String, last: Bool = false) -> String {
      let offset = text.utf8.distance(from: text.startIndex, to: text.range(of: part)!.lowerBound)
      return withBytes(text) { JSONPointer.text(ofByteAt: offset, in: $0) }
    }
    #expect(pointer("{\"a") == "")
    #expect(pointer("1") == "/a~1b/0")
    #expect(pointer("c~") == "/a~1b/1/c~0")
    #expect(pointer("x]") == "/a~1b/1/c~0")
    #expect(pointer("} ,") == "/a~1b/1")
    #expect(pointer("[]]") == "/a~1b/2")
    #expect(pointer("]]") == "/a~1b/2")
    #expect(pointer("], ") == "/a~1b")
    #expect(pointer("}} ") == "/d")
    #expect(pointer("} ") == "/a~1b/1")
    #expect(withBytes("{\"a\":[1,x]}") { JSONPointer.text(ofByteAt: 8, in: $0) } == "/a/1")
  }
}

extension String {
  /// Where `part` first stands.
  func range(of part: String) -> Range<Index>? {
    indices.first { self[$0...].hasPrefix(part) }.map { $0..<index($0, offsetBy: part.count) }
  }
}
