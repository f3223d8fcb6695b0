import MartletBytes
import Testing

@testable import MartletJSON

/// The document after the patch, or what it failed with.
func patched(_ document: String, _ patch: String, bytesMax: Int = JSONPatch.bytesMaxDefault) throws(JSONPatchError) -> String {
  try withBytes(document) { (document) throws(JSONPatchError) in
    try withBytes(patch) { (patch) throws(JSONPatchError) in
      try JSONPatch.apply(patch: patch, to: document, bytesMax: bytesMax).text
    }
  }
}

@Suite("JSONPatch")
struct JSONPatchTests {
  @Test(
    "json-patch-tests", .enabled(if: Shared.isPresent, "the conformance data is not beside the repository"),
    arguments: ["tests.json", "spec_tests.json"])
  func conformance(file: String) throws {
    guard case .array(let cases) = try withBytes(Shared.bytes("patch/" + file), { try NaiveJSON($0) }) else {
      throw JSONPatchError.tooLarge
    }
    var run = 0
    for test in cases {
      func member(_ name: String) -> NaiveJSON? { test.get([Array(name.utf8)]) }
      guard let document = member("doc"), let patch = member("patch"), member("disabled") == nil else { continue }
      run += 1
      do {
        let result = try patched(document.text, patch.text)
        #expect(member("error") == nil, "\(test.text)")
        if let expected = member("expected") { #expect(try NaiveJSON(result) == expected, "\(test.text)") }
      } catch {
        #expect(member("error") != nil, "\(error) for \(test.text)")
      }
    }
    #expect(run > 15)
  }

  @Test("A patch of one field leaves every other number as it was")
  func spelling() throws {
    let numbers =
      #"[1.0,1e2,1E+2,-0,-0.0,0.10,1.50e+01,9223372036854775807,-9223372036854775808,9007199254740993,0.1,1e23,5e-324,1.7976931348623157e308,100000000000000000000.0]"#
    let result = try patched(#"{"n":"# + numbers + #","f":1}"#, #"[{"op":"replace","path":"/f","value":2.50}]"#)
    #expect(result == #"{"n":"# + numbers + #","f":2.50}"#)
    let moved = try patched(#"{"n":"# + numbers + #"}"#, #"[{"op":"copy","from":"/n","path":"/m"},{"op":"move","from":"/n","path":"/o"}]"#)
    #expect(moved == #"{"m":"# + numbers + #","o":"# + numbers + "}")
  }

  @Test(
    "Numbers that a tree cannot keep exactly are refused where they stand",
    arguments: [
      "9223372036854775808", "-9223372036854775809", "18446744073709551616", "100000000000000000000", "1e400", "-1e309", "1e-400",
      "0.10000000000000000001",
      "0.1000000000000000055511151231257827", "9007199254740993.0", "123456789012345678.5", "2.4703282292062327e-324",
    ])
  func inexact(number: String) {
    #expect(throws: JSONPatchError.inexactNumber(offset: 5, inPatch: false)) { try patched(#"{"a":"# + number + "}", "[]") }
    #expect(throws: JSONPatchError.inexactNumber(offset: 35, inPatch: true)) {
      try patched("[]", #"[{"op":"add","path":"/-", "value":["# + number + "]}]")
    }
    #expect(throws: JSONPatchError.inexactNumber(offset: 5, inPatch: true)) { try merged("{}", #"{"a":"# + number + "}") }
    #expect(throws: JSONPatchError.inexactNumber(offset: 5, inPatch: false)) { try merged(#"{"a":"# + number + "}", "{}") }
  }

  @Test(
    "A test compares numbers by value, objects without order, strings byte by byte",
    arguments: [
      ("1", "1.0", true), ("1.0", "1e0", true), ("-0", "0", true), ("0.10", "0.1", true), ("100", "1e2", true), ("1", "2", false),
      ("1", "-1", false), ("1", "-1.0", false),
      ("9007199254740993", "9007199254740992", false), ("9007199254740993", "9007199254740992.0", false),
      ("9223372036854775807", "9223372036854775807", true),
      ("9223372036854775000", "9.223372036854775e18", true), ("9223372036854774784", "9.223372036854775e18", false), ("1", "\"1\"", false),
      ("0", "false", false),
      ("null", "0", false), (#"{"a":1,"b":[2]}"#, #"{"b":[2.0],"a":1.0}"#, true), (#"{"a":1}"#, #"{"a":1,"b":2}"#, false),
      (#"{"a":1}"#, #"{"b":1}"#, false),
      ("[1,2]", "[2,1]", false), ("[1]", "[1,1]", false), (#""\u00e9""#, "\"\u{E9}\"", true), ("\"e\u{301}\"", "\"\u{E9}\"", false),
      ("true", "true", true),
      ("true", "false", false), (#"{"\u0000":1}"#, #"{"\u0000":1}"#, true), (#"{"\u0000":1}"#, #"{"":1}"#, false),
    ])
  func equality(document: String, value: String, isEqual: Bool) {
    let patch = #"[{"op":"test","path":"/v","value":"# + value + "}]"
    if isEqual {
      #expect(throws: Never.self) { try patched(#"{"v":"# + document + "}", patch) }
    } else {
      #expect(throws: JSONPatchError.testFailed(pointer: "/v")) { try patched(#"{"v":"# + document + "}", patch) }
    }
  }

  @Test("Names may hold NUL, slashes, tildes and nothing at all")
  func names() throws {
    let result = try patched(
      #"{"\u0000":1,"\u0000x":2,"":{"a/b":3,"m~n":4}}"#,
      #"[{"op":"remove","path":"/\u0000"},{"op":"add","path":"/\u0000y","value":5},{"op":"replace","path":"//a~1b","value":6},{"op":"move","from":"//m~0n","path":"/~1"}]"#
    )
    #expect(result == #"{"\u0000x":2,"":{"a/b":6},"\u0000y":5,"/":4}"#)
  }

  @Test("Of equal names the last one counts")
  func duplicates() throws {
    #expect(try patched(#"{"a":1,"b":2,"a":3}"#, #"[{"op":"test","path":"/a","value":3}]"#) == #"{"a":3,"b":2}"#)
  }

  @Test(
    "What is no patch is refused before anything happens, with the operation and the reason",
    arguments: [
      ("{}", nil, "a JSON Patch is an array of operations"), ("null", nil, "a JSON Patch is an array of operations"),
      ("[1]", 0, "an operation is an object"),
      ("[{}]", 0, "\"op\" is missing"),
      (#"[{"op":"test","path":"/no","value":1},{"op":"spam","path":""}]"#, 1, "\"op\" is one of add, remove, replace, move, copy, test"),
      (#"[{"op":"add","value":1}]"#, 0, "\"path\" is missing"), (#"[{"op":"add","path":null,"value":1}]"#, 0, "\"path\" is no string"),
      (#"[{"op":1,"path":"","value":1}]"#, 0, "\"op\" is no string"), (#"[{"op":"add","path":""}]"#, 0, "\"value\" is missing"),
      (#"[{"op":"copy","path":""}]"#, 0, "\"from\" is missing"),
      (#"[{"op":"move","path":"","from":"a"}]"#, 0, "\"from\" is no JSON Pointer: unexpected character at byte 0"),
      (#"[{"op":"add","path":"/~2","value":1}]"#, 0, "\"path\" is no JSON Pointer: malformed escape in a string at byte 1"),
      (#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#, 0, "\"op\" stands twice"),
      (#"[{"op":"add","path":"","value":1,"value":1}]"#, 0, "\"value\" stands twice"),
      (#"[{"op":"remove","path":""}]"#, 0, "the whole document cannot be removed"),
      (#"[{"op":"move","from":"/a","path":"/a/b"}]"#, 0, "a value cannot be moved into itself"),
      (#"[{"op":"move","from":"","path":"/b"}]"#, 0, "a value cannot be moved into itself"),
    ] as [(String, Int?, String)])
  func notAPatch(patch: String, operation: Int?, why: String) {
    #expect(throws: JSONPatchError.notAPatch(operation: operation, why: why)) { try patched(#"{"a":{}}"#, patch) }
  }

  @Test("Malformed texts are told apart: the patch's, the document's")
  func malformed() {
    #expect(throws: JSONPatchError.malformed(JSONError(offset: 1, problem: .unexpectedEnd))) { try patched("{}", "[") }
    #expect(throws: JSONPatchError.documentNotJSON(JSONError(offset: 4, problem: .unexpectedEnd))) { try patched(#"{"a""#, "[]") }
    #expect(throws: JSONPatchError.documentNotJSON(JSONError(offset: 3, problem: .trailingContent))) { try patched("{} x", "[]") }
    #expect(throws: JSONPatchError.documentNotJSON(JSONError(offset: 512, problem: .tooDeep))) {
      try patched(String(repeating: "[", count: 100_000), "[]")
    }
    #expect(throws: JSONPatchError.malformed(JSONError(offset: 512, problem: .tooDeep))) {
      try patched("1", String(repeating: "[", count: 100_000))
    }
  }

  @Test(
    "A location that is not there is named",
    arguments: [
      (#"{"op":"remove","path":"/x"}"#, "/x"), (#"{"op":"replace","path":"/a/2","value":1}"#, "/a/2"),
      (#"{"op":"replace","path":"/a/-","value":1}"#, "/a/-"),
      (#"{"op":"add","path":"/x/y","value":1}"#, "/x/y"), (#"{"op":"add","path":"/a/3","value":1}"#, "/a/3"),
      (#"{"op":"add","path":"/a/01","value":1}"#, "/a/01"),
      (#"{"op":"copy","from":"/m~0n","path":"/c"}"#, "/m~0n"), (#"{"op":"move","from":"/a/9","path":"/c"}"#, "/a/9"),
      (#"{"op":"test","path":"/q","value":null}"#, "/q"),
      (#"{"op":"add","path":"/s/0","value":1}"#, "/s/0"), (#"{"op":"move","from":"/a/0","path":"/a/2"}"#, "/a/2"),
      (#"{"op":"copy","from":"/s","path":"/s/x"}"#, "/s/x"),
    ])
  func missing(operation: String, pointer: String) {
    #expect(throws: JSONPatchError.pathMissing(pointer: pointer)) { try patched(#"{"a":[1,2],"s":"text"}"#, "[" + operation + "]") }
  }

  @Test("The whole document can be added, replaced, copied into and moved over")
  func wholeDocument() throws {
    #expect(try patched("{}", #"[{"op":"add","path":"","value":[1.0]}]"#) == "[1.0]")
    #expect(try patched("1", #"[{"op":"replace","path":"","value":"x"}]"#) == "\"x\"")
    #expect(try patched(#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":""}]"#) == #"{"b":1}"#)
    #expect(try patched(#"{"a":[1]}"#, #"[{"op":"copy","from":"/a","path":""}]"#) == "[1]")
    #expect(try patched("[1]", #"[{"op":"copy","from":"","path":"/-"}]"#) == "[1,[1]]")
    #expect(try patched("[1]", #"[{"op":"move","from":"","path":""}]"#) == "[1]")
    #expect(try patched("[]", "[]") == "[]")
  }

  @Test("Copies that double the document stop at the bound")
  func copyBomb() {
    let bomb = "[" + Array(repeating: #"{"op":"copy","from":"","path":"/-"}"#, count: 100).joined(separator: ",") + "]"
    #expect(throws: JSONPatchError.tooLarge) { try patched("[1,2,3,4]", bomb, bytesMax: 1 << 20) }
    // Not the result, but all copies together: the same place is written again and again.
    let again = "[" + Array(repeating: #"{"op":"copy","from":"/a","path":"/b"}"#, count: 5000).joined(separator: ",") + "]"
    #expect(throws: JSONPatchError.tooLarge) {
      try patched(#"{"a":["# + String(repeating: "\"text\",", count: 100) + "1]}", again, bytesMax: 1 << 20)
    }
    let deeper = "[" + Array(repeating: #"{"op":"copy","from":"","path":"/a"}"#, count: 600).joined(separator: ",") + "]"
    #expect(throws: JSONPatchError.self) { try patched(#"{"b":1}"#, deeper) }
  }

  @Test("The memory of all trees together is bounded: document, values, copies")
  func treeBytesMax() throws {
    func apply(_ patch: String, _ document: String, _ treeBytesMax: Int) throws {
      try withBytes(document) { document in
        try withBytes(patch) { _ = try JSONPatch.apply(patch: $0, to: document, treeBytesMax: treeBytesMax) }
      }
    }
    let objects = "[" + String(repeating: "{},", count: 999) + "{}]"
    #expect(throws: Never.self) { try apply("[]", objects, 300_000) }
    #expect(throws: JSONPatchError.tooLarge) { try apply("[]", objects, 200_000) }
    #expect(throws: JSONPatchError.tooLarge) { try apply(#"[{"op":"add","path":"","value":\#(objects)}]"#, "1", 200_000) }
    #expect(throws: Never.self) { try apply(#"[{"op":"copy","from":"/0","path":"/-"}]"#, objects, 300_000) }
    #expect(throws: JSONPatchError.tooLarge) { try apply(#"[{"op":"copy","from":"","path":"/-"}]"#, objects, 300_000) }
    #expect(throws: JSONPatchError.tooLarge) {
      try withBytes(objects) { document in
        try withBytes(objects) { _ = try JSONMergePatch.apply(patch: $0, to: document, treeBytesMax: 300_000) }
      }
    }
  }

  @Test("The result's bytes are bounded exactly")
  func bytesMax() throws {
    #expect(try patched(#"{ "a" : 1 }"#, "[]", bytesMax: 7) == #"{"a":1}"#)
    #expect(throws: JSONPatchError.tooLarge) { try patched(#"{ "a" : 1 }"#, "[]", bytesMax: 6) }
    #expect(throws: JSONPatchError.tooLarge) { try merged(#"{ "a" : 1 }"#, "{}", bytesMax: 6) }
  }

  @Test("No operation nests the document more deeply than the bound")
  func depth() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    let path = String(repeating: "/0", count: 299)
    let document = nested(300)
    #expect(try scanError(patched(document, #"[{"op":"add","path":"\#(path)/0","value":\#(nested(212))}]"#)) == nil)
    #expect(throws: JSONPatchError.tooDeep) { try patched(document, #"[{"op":"add","path":"\#(path)/0","value":\#(nested(213))}]"#) }
    #expect(throws: JSONPatchError.tooDeep) { try patched(document, #"[{"op":"copy","from":"","path":"\#(path)/0"}]"#) }
    let two = "[\(nested(300)),\(nested(300))]"
    #expect(throws: JSONPatchError.tooDeep) { try patched(two, #"[{"op":"move","from":"/1","path":"/0\#(path)/0"}]"#) }
    #expect(try scanError(patched(two, #"[{"op":"move","from":"/1","path":"/0/0"}]"#)) == nil)
  }

  @Test("Work is bounded: insertions at the front of a long array")
  func work() {
    let document = "[" + String(repeating: "0,", count: 2_000_000) + "0]"
    let patch = "[" + Array(repeating: #"{"op":"add","path":"/0","value":0}"#, count: 5_000).joined(separator: ",") + "]"
    #expect(throws: JSONPatchError.tooLarge) { try patched(document, patch) }
  }

  @Test("A failure leaves the output as it was")
  func outputKept() throws {
    var output = ByteBuffer()
    output.append("before")
    for patch in [#"[{"op":"remove","path":"/x"}]"#, "[", #"[{"op":"add","path":"/a","value":"long enough"}]"#] {
      #expect(throws: JSONPatchError.self) {
        try withBytes("{}") { document in try withBytes(patch) { try JSONPatch.apply(patch: $0, to: document, into: &output, bytesMax: 10) }
        }
      }
      #expect(output.text == "before")
    }
  }

  @Test("Random patches do what the plain twin does, byte for byte")
  func random() throws {
    var random = SeededRandom(seed: runSeed)
    var applied = 0
    for round in 0..<4_000 {
      let document = NaiveJSON.array([
        NaiveJSON.random(&random, depth: 4), .object([(Array("a".utf8), NaiveJSON.random(&random, depth: 3))]),
      ])
      var expected: NaiveJSON? = document
      var operations: [NaiveJSON] = []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        guard let state = expected else { break }
        let places = state.places()
        var operation = NaiveOperation(
          op: ["add", "remove", "replace", "move", "copy", "test"].randomElement(using: &random)!,
          path: places.randomElement(using: &random)!,
          from: places.randomElement(using: &random)!, value: NaiveJSON.random(&random, depth: 2))
        if operation.op == "test", Int.random(in: 0...3, using: &random) > 0, let found = state.get(operation.path[...]) {
          operation.value = found
        }
        operations.append(operation.json)
        expected = state.applying(operation)
      }
      let result = try? patched(document.text, NaiveJSON.array(operations).text)
      #expect(result == expected?.text, "round \(round), seed \(runSeed): \(document.text) \(NaiveJSON.array(operations).text)")
      if result != nil { applied += 1 }
    }
    #expect(applied > 400, "too few patches apply for the test to mean anything, seed \(runSeed)")
  }
}
