import MartletBytes
import Testing

@testable import MartletJSON

@Suite("JanssonDocument")
struct JanssonDocumentTests {
  private func scanned(_ text: String, treeBytesMax: Int = JanssonDocument.treeBytesMax) throws(JSONError) -> String {
    try withBytes(text) { (bytes) throws(JSONError) in
      let document = try JanssonDocument(scanning: bytes, treeBytesMax: treeBytesMax)
      var output = ByteBuffer()
      document.write(to: &output)
      return output.text
    }
  }

  private func loaded(_ text: String) throws(JSONError) -> String {
    try withBytes(text) { (bytes) throws(JSONError) in
      let document = try JanssonDocument(loading: bytes)
      var output = ByteBuffer()
      document.dump(to: &output)
      return output.text
    }
  }

  @Test("A scanned document is printed compactly, otherwise as it was")
  func roundTrip() throws {
    let text = #" {"a" : [1, -2.50, 1e2, true, false, null, "é\u00e9\/\ud83d\ude00\u0000"], "\u0000b": {}, "a\u0000c": 0.1 } "#
    #expect(try scanned(text) == #"{"a":[1,-2.50,1e2,true,false,null,"éé/😀\u0000"],"\u0000b":{},"a\u0000c":0.1}"#)
  }

  @Test("Values are read by kind, place and name")
  func access() throws {
    let text = #"{"n":null,"b":true,"i":-5,"r":1.50,"s":"x\u0000","a":[1,[2]],"o":{"":3}, "big":9007199254740993}"#
    try withBytes(text) { try expectAccess(JanssonDocument(scanning: $0)) }
  }

  private func expectAccess(_ document: borrowing JanssonDocument) {
    let root = document.root
    check(root.kind == .object && root.count == 8)
    check(root["n"]?.kind == .null)
    check(root["b"]?.boolean == true)
    check(root["i"]?.integer == -5 && root["i"]?.double == -5)
    check(root["r"]?.double == 1.5 && root["r"]?.integer == nil && root["r"]?.kind == .number && root["r"]?.string == nil)
    check(root["s"]?.string == "x\u{0}" && root["s"]?.withUTF8 { $0.byteCount } == 2)
    check(root["big"]?.integer == 9_007_199_254_740_993)
    check(root["a"]?.count == 2 && root["a"]?[0].integer == 1 && root["a"]?[1][0].integer == 2)
    check(root["o"]?[""]?.integer == 3 && root["o"]?["x"] == nil)
    check(root["missing"] == nil && root["i"]?["x"] == nil && root["s"]?.count == 0 && root["s"]?.boolean == nil)
    var names: [String] = []
    root.forEachMember { key, value in names.append("\(key.text):\(value.kind)") }
    #expect(names.first == "n:null" && names.last == "big:number" && names.count == 8)
    if let array = root["a"], let same = root["a"], let other = root["o"] { check(array.equals(same) && !array.equals(other)) }
    var writer = JSONWriter()
    root["a"]?.write(to: &writer)
    #expect(writer.finish().text == "[1,[2]]")
  }

  /// `#expect` wants its operands escapable, which a borrowed value is not.
  private func check(_ isTrue: Bool, sourceLocation: SourceLocation = #_sourceLocation) { #expect(isTrue, sourceLocation: sourceLocation) }

  @Test("The tree's memory is bounded, by estimate")
  func memory() throws {
    let objects = "[" + String(repeating: "{},", count: 1000) + "{}]"
    #expect(throws: Never.self) { try scanned(objects, treeBytesMax: 1 << 20) }
    #expect { try scanned(objects, treeBytesMax: 100_000) } throws: { ($0 as? JSONError)?.problem == .tooLarge }
    #expect { try scanned("[\"" + String(repeating: "x", count: 2000) + "\",1]", treeBytesMax: 1000) } throws: {
      ($0 as? JSONError)?.problem == .tooLarge
    }
  }

  @Test("What is wrong is told with its byte, and everything built so far is given back")
  func errors() {
    for (text, offset, problem) in [
      (#"{"a":[1,2,{"b":"c"},]}"#, 20, JSONError.Problem.unexpectedCharacter), (#"{"a":1} x"#, 8, .trailingContent),
      (#"{"a":1e400}"#, 5, .inexactNumber),
      (#"[[["\ud800"]]]"#, 4, .loneSurrogate),
    ] {
      #expect(throws: JSONError(offset: offset, problem: problem)) { try scanned(text) }
    }
    #expect(throws: JSONError(offset: 512, problem: .tooDeep)) { try scanned(String(repeating: "[", count: 100_000)) }
  }

  @Test("jansson's own road has the limits that are written down")
  func janssonRoad() throws {
    #expect(try loaded(#" {"a" : [1, 0.1, 1.0, -0, 1e2, "\u0000é"]} "#) == #"{"a":[1,0.10000000000000001,1.0,0,100.0,"\u0000é"]}"#)
    #expect(try loaded("9223372036854775807") == "9223372036854775807")
    #expect { try loaded("9223372036854775808") } throws: { ($0 as? JSONError)?.problem == .outOfRange }
    #expect { try loaded("1e400") } throws: { ($0 as? JSONError)?.problem == .outOfRange }
    #expect(throws: JSONError.self) { try loaded(#"{"\u0000":1}"#) }
    #expect { try loaded("") } throws: { ($0 as? JSONError)?.problem == .unexpectedEnd }
    #expect { try loaded("[1") } throws: { ($0 as? JSONError)?.problem == .unexpectedEnd }
    #expect { try loaded("1 2") } throws: { ($0 as? JSONError)?.problem == .trailingContent }
    #expect { try loaded(String(repeating: "[", count: 100_000)) } throws: { ($0 as? JSONError)?.problem == .tooDeep }
    #expect(throws: Never.self) { try loaded(String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)) }
  }

  @Test("Trees can be built on many threads at once from the first one on")
  func threads() async {
    await withTaskGroup(of: Bool.self) { group in
      for index in 0..<16 {
        group.addTask {
          (0..<50).allSatisfy { round in
            let text = #"{"a\#(index)":{"b":[\#(round),true,null]},"c":"\#(round)"}"#
            return (try? scanned(text)) == text && (try? loaded(text)) == text
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
