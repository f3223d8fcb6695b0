import MartletBytes
import Testing

@testable import MartletJSON

/// The document after the merge patch, or what it failed with.
func merged(_ document: String, _ patch: String, bytesMax: Int = JSONPatch.bytesMaxDefault) throws(JSONPatchError) -> String {
  try withBytes(document) { (document) throws(JSONPatchError) in
    try withBytes(patch) { (patch) throws(JSONPatchError) in
      try JSONMergePatch.apply(patch: patch, to: document, bytesMax: bytesMax).text
    }
  }
}

@Suite("JSONMergePatch")
struct JSONMergePatchTests {
  @Test("RFC 7396 appendix A", .enabled(if: Shared.isPresent, "the conformance data is not beside the repository"))
  func conformance() throws {
    guard case .array(let cases) = try withBytes(Shared.bytes("merge-patch.json"), { try NaiveJSON($0) }) else {
      throw JSONPatchError.tooLarge
    }
    #expect(cases.count >= 15)
    for test in cases {
      guard case .array(let parts) = test, parts.count == 3 else { throw JSONPatchError.tooLarge }
      #expect(try NaiveJSON(merged(parts[0].text, parts[1].text)) == parts[2], "\(test.text)")
    }
  }

  @Test("Numbers that are not touched stay as they were; names may hold NUL")
  func spelling() throws {
    #expect(
      try merged(#"{"a":1.0,"b":{"c":1e2,"d":-0},"\u0000":1}"#, #"{"b":{"c":null},"\u0000":null,"e":2.50}"#)
        == #"{"a":1.0,"b":{"d":-0},"e":2.50}"#)
  }

  @Test("A value that is no object takes the document's place, null too")
  func replaces() throws {
    #expect(try merged(#"{"a":1}"#, "[null,{\"a\":null}]") == "[null,{\"a\":null}]")
    #expect(try merged(#"{"a":1}"#, "null") == "null")
    #expect(try merged("1", #"{"a":{"b":null,"c":{}}}"#) == #"{"a":{"c":{}}}"#)
  }

  @Test("Malformed texts are told apart: the patch's, the document's")
  func malformed() {
    #expect(throws: JSONPatchError.malformed(JSONError(offset: 1, problem: .unexpectedEnd))) { try merged("{}", "{") }
    #expect(throws: JSONPatchError.documentNotJSON(JSONError(offset: 0, problem: .unexpectedCharacter))) { try merged("x", "{}") }
  }

  @Test("Random merges do what the plain twin does, byte for byte")
  func random() throws {
    var random = SeededRandom(seed: runSeed)
    for round in 0..<6_000 {
      let document = NaiveJSON.random(&random, depth: 4)
      let patch = NaiveJSON.random(&random, depth: 4)
      #expect(
        try merged(document.text, patch.text) == document.merged(patch).text,
        "round \(round), seed \(runSeed): \(document.text) \(patch.text)")
    }
  }

  @Test("Patches at the depth bound are merged at it")
  func depth() throws {
    let deep = String(repeating: #"{"a":"#, count: 512) + "1" + String(repeating: "}", count: 512)
    #expect(try merged(deep, deep) == deep)
    #expect(try merged("1", deep) == deep)
    #expect(throws: JSONPatchError.malformed(JSONError(offset: 512 * 5, problem: .tooDeep))) { try merged("1", #"{"a":"# + deep + "}") }
  }
}
