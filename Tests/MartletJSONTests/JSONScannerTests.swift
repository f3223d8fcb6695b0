import MartletBytes
import Testing

@testable import MartletJSON

@Suite("JSONScanner")
struct JSONScannerTests {
  @Test("Every kind of value is accepted, with whitespace wherever it may stand")
  func accepts() {
    for text in [
      "null", "true", "false", "0", "-0", "1", "-1.5e+10", "1E5", "0.0", "\"\"", "[]", "{}", " [ ] ", "\t{\r\n}\n", "[1,2]", "[ 1 , 2 ]",
      #"{"a":1,"b":[{"c":null}]}"#, #" { "a" : 1 , "a" : 2 } "#, #""\"\\\/\b\f\n\r\t\u0041\ud83d\uDE00""#,
      "\"\u{7F}é€😀\u{10FFFF}\u{FFFE}\"",
    ] {
      #expect(scanError(text) == nil, "\(text)")
    }
  }

  @Test(
    "What is wrong is named with its byte",
    arguments: [
      ("", 0, JSONError.Problem.unexpectedEnd), ("  ", 2, .unexpectedEnd), ("[", 1, .unexpectedEnd), ("{\"a\"", 4, .unexpectedEnd),
      ("\"a", 2, .unexpectedEnd),
      ("-", 1, .unexpectedEnd), ("1.", 2, .unexpectedEnd), ("1e+", 3, .unexpectedEnd), ("tru", 3, .unexpectedEnd),
      ("[1,]", 3, .unexpectedCharacter), ("[,1]", 1, .unexpectedCharacter), ("{,}", 1, .unexpectedCharacter),
      ("{\"a\":1,}", 7, .unexpectedCharacter),
      ("{a:1}", 1, .unexpectedCharacter), ("{\"a\" 1}", 5, .unexpectedCharacter), ("[1 2]", 3, .unexpectedCharacter),
      ("[}", 1, .unexpectedCharacter),
      ("{]", 1, .unexpectedCharacter), ("[1}", 2, .unexpectedCharacter), ("{\"a\":1]", 6, .unexpectedCharacter),
      ("nul1", 3, .unexpectedCharacter),
      ("\u{FEFF}1", 0, .unexpectedCharacter), ("// c\n1", 0, .unexpectedCharacter), ("+1", 0, .unexpectedCharacter),
      ("NaN", 0, .unexpectedCharacter),
      ("1 2", 2, .trailingContent), ("{}}", 2, .trailingContent), ("01", 1, .malformedNumber), ("-01", 2, .malformedNumber),
      ("-a", 1, .malformedNumber),
      ("1.a", 2, .malformedNumber), ("1e", 2, .unexpectedEnd), ("[1e]", 3, .malformedNumber), ("\"\n\"", 1, .controlCharacter),
      ("\"\u{0}\"", 1, .controlCharacter), (#""\x""#, 2, .malformedEscape), (#""\u00g0""#, 5, .malformedEscape),
      (#""\u12""#, 5, .malformedEscape),
      (#""\ud800""#, 1, .loneSurrogate), (#""\udc00""#, 1, .loneSurrogate), (#""\ud800\n""#, 1, .loneSurrogate),
      (#""\ud800\ud800""#, 1, .loneSurrogate),
      (#""\ud800\u0041""#, 1, .loneSurrogate), (#""\ud800"#, 7, .unexpectedEnd), (#""\ud800\"#, 8, .unexpectedEnd),
      (#""\ud800\u"#, 9, .unexpectedEnd),
    ])
  func refuses(text: String, offset: Int, problem: JSONError.Problem) {
    #expect(scanError(text) == JSONError(offset: offset, problem: problem), "\(text)")
  }

  @Test("Depth is bounded exactly, and a bomb of 100,000 levels is refused at the bound")
  func depth() {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(scanError(nested(512)) == nil)
    #expect(scanError(nested(513)) == JSONError(offset: 512, problem: .tooDeep))
    #expect(scanError("1", depthMax: 0) == nil)
    #expect(scanError("[]", depthMax: 0) == JSONError(offset: 0, problem: .tooDeep))
    #expect(scanError(nested(1024), depthMax: 1024) == nil)
    #expect(scanError(nested(100_000)) == JSONError(offset: 512, problem: .tooDeep))
    let objects = String(repeating: "{\"a\":", count: 100_000)
    #expect(scanError(objects) == JSONError(offset: 512 * 5, problem: .tooDeep))
    // Levels of both kinds, so that each bit of the stack is told apart.
    var random = SeededRandom(seed: runSeed)
    let kinds = (0..<1000).map { _ in Bool.random(using: &random) }
    let mixed = kinds.map { $0 ? "{\"\":" : "[" }.joined() + "0" + kinds.reversed().map { $0 ? "}" : "]" }.joined()
    #expect(scanError(mixed, depthMax: 1000) == nil, "seed \(runSeed)")
    #expect(scanError(String(mixed.dropLast()) + (kinds[0] ? "]" : "}"), depthMax: 1000)?.offset == mixed.utf8.count - 1, "seed \(runSeed)")
  }

  static let sample =
    #" {"id": 1234567890, "name":"A name \"quoted\" \u00e9\ud83d\ude00 é€😀 and long enough for vectors", "n":[0,-1.5e-3,1E+2, true,false , null], "o":{"":{}, "x":[]}} "#

  @Test("A text cut anywhere is unexpected at its end, and never read beyond it")
  func truncated() throws {
    let bytes = Array(Self.sample.utf8)
    #expect(scanError(bytes) == nil)
    for count in 0..<bytes.count - 1 {
      let error = scanError(Array(bytes[..<count]))
      #expect(error == JSONError(offset: count, problem: .unexpectedEnd))
      let protected = try withBytesBeforeProtectedPage(Array(bytes[..<count])) { text in
        do throws(JSONError) {
          try JSONScanner.validate(text)
          return false
        } catch { return true }
      }
      #expect(protected)
    }
  }

  @Test("A byte of 0x80 or above, put anywhere, is refused unless it completes a character")
  func invalidUTF8Anywhere() {
    let bytes = Array(Self.sample.utf8)
    for wrong in [0x80, 0xBF, 0xC0, 0xC1, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFE, 0xFF] as [UInt8] {
      for index in bytes.indices {
        var changed = bytes
        changed[index] = wrong
        if String(validating: changed, as: UTF8.self) != nil { continue }
        let error = scanError(changed)
        #expect(error != nil, "0x\(String(wrong, radix: 16)) at \(index)")
        #expect((error?.offset ?? 0) <= index + 3, "0x\(String(wrong, radix: 16)) at \(index)")
      }
    }
  }

  @Test("Exactly the sequences that are UTF-8 are accepted in a string")
  func utf8() {
    func accepted(_ sequence: [UInt8]) {
      // At the end of the text, and far from it: both roads of the check.
      let expected = String(validating: sequence, as: UTF8.self) != nil
      for rest in ["\"", "\"          "] {
        #expect((scanError([0x22] + sequence + Array(rest.utf8)) == nil) == expected, "\(sequence)")
      }
    }
    for first in 0x80...0xFF as ClosedRange<UInt8> {
      accepted([first])
      for second in [0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] as [UInt8] {
        accepted([first, second])
        for third in [0x41, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
          accepted([first, second, third])
          for fourth in [0x41, 0x80, 0xBF, 0xC0] as [UInt8] { accepted([first, second, third, fourth]) }
        }
      }
    }
  }

  @Test("Runs end where the plain loop says, at every length and offset")
  func runs() {
    var random = SeededRandom(seed: runSeed)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...70, using: &random)
      let specials: [UInt8] = [0x00, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF, 0x0A, 0x09, 0x0D]
      let isRare = Bool.random(using: &random)
      let bytes = (0..<count).map { _ in
        Int.random(in: 0..<(isRare ? 40 : 3), using: &random) == 0 ? specials.randomElement(using: &random)! : 0x61
      }
      let blanks = bytes.map { $0 == 0x61 ? 0x20 : $0 }
      withBytes(bytes) { text in
        for start in [0, 1, 3].filter({ $0 <= count }) {
          let plain = bytes[start...].firstIndex { $0 < 0x20 || $0 >= 0x80 || $0 == 0x22 || $0 == 0x5C } ?? count
          #expect(JSONScanner.plainRunEnd(in: text, from: start) == plain, "seed \(runSeed)")
          #expect(JSONScanner.plainRunEndSWAR(in: text, from: start) == plain, "seed \(runSeed)")
          #expect(JSONScanner.plainRunEndScalar(in: text, from: start) == plain, "seed \(runSeed)")
        }
      }
      withBytes(blanks) { text in
        let plain = blanks.firstIndex { ![0x20, 0x0A, 0x0D, 0x09].contains($0) } ?? count
        #expect(JSONScanner.whitespaceEnd(in: text, from: 0) == plain, "seed \(runSeed)")
      }
    }
  }
}
