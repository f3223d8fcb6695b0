import MartletBytes
import MartletJSON
import Testing

@Suite("JSONWriter")
struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) throws -> Void) rethrows -> String {
    var writer = JSONWriter()
    try body(&writer)
    return writer.finish().text
  }

  @Test("The smallest reply is written as the contract shows it")
  func helloWorld() {
    let text = written { writer in
      writer.beginObject()
      writer.member("message", "Hello, World!")
      writer.endObject()
    }
    #expect(text == #"{"message":"Hello, World!"}"#)
  }

  @Test("Commas and colons stand where they must, at every depth")
  func nesting() throws {
    let text = try written { writer in
      writer.beginObject()
      writer.key("a")
      writer.beginArray()
      writer.integer(1)
      writer.beginArray()
      writer.endArray()
      writer.beginObject()
      writer.endObject()
      writer.null()
      writer.endArray()
      writer.member("b", true)
      try writer.member("c", 1.5)
      writer.key("d" as String)
      writer.beginObject()
      writer.member("e", Int64.min)
      writer.member("f", UInt64.max)
      writer.endObject()
      writer.member("g", false)
      writer.endObject()
    }
    #expect(text == #"{"a":[1,[],{},null],"b":true,"c":1.5,"d":{"e":-9223372036854775808,"f":18446744073709551615},"g":false}"#)
    #expect(scanError(text) == nil)
  }

  @Test("Each kind of value can be the whole text")
  func scalars() throws {
    #expect(written { $0.string("x" as String) } == "\"x\"")
    #expect(written { $0.string("y") } == "\"y\"")
    #expect(written { $0.integer(-7) } == "-7")
    #expect(written { $0.bool(true) } == "true")
    #expect(written { $0.null() } == "null")
    #expect(try written { try $0.double(0.1) } == "0.1")
    #expect(written { writer in withBytes("[1, 2]") { writer.raw($0) } } == "[1, 2]")
  }

  @Test("What a string holds is escaped: marks, controls, NUL; the rest is copied")
  func escaping() {
    let text = written { writer in
      writer.beginObject()
      writer.key("k\"\\\u{0}")
      writer.string("\u{8}\u{9}\u{A}\u{C}\u{D}\u{1F}/\u{7F}é€😀")
      withBytes("utf8 \u{1}") { key in writer.key(utf8: key) }
      withBytes("v\"") { value in writer.string(utf8: value) }
      writer.member("l", "a\"b" as StaticString)
      writer.endObject()
    }
    #expect(text == #"{"k\"\\\u0000":"\b\t\n\f\r\u001f/"# + "\u{7F}é€😀" + #"","utf8 \u0001":"v\"","l":"a\"b"}"#)
    #expect(scanError(text) == nil)
  }

  @Test("NaN and infinities are refused, and leave no trace")
  func notFinite() throws {
    for value in [Double.nan, .infinity, -.infinity, .signalingNaN] {
      var writer = JSONWriter()
      writer.beginArray()
      writer.integer(1)
      #expect(throws: JSONError(offset: 2, problem: .notFinite)) { try writer.double(value) }
      writer.integer(2)
      writer.endArray()
      #expect(writer.finish().text == "[1,2]")
    }
  }

  @Test("A buffer lent for appending keeps what it had, also when the body fails")
  func appending() throws {
    var buffer = ByteBuffer()
    buffer.append("head ")
    JSONWriter.append(to: &buffer) { $0.integer(1) }
    #expect(buffer.text == "head 1")
    #expect(throws: JSONError.self) {
      try JSONWriter.append(to: &buffer) { writer throws(JSONError) in
        writer.beginArray()
        try writer.double(.nan)
      }
    }
    #expect(buffer.text == "head 1")
  }

  @Test("More than 64 levels are written correctly")
  func deep() {
    let text = written { writer in
      for _ in 0..<300 {
        writer.beginArray()
        writer.beginObject()
        writer.key("k")
      }
      writer.null()
      for _ in 0..<300 {
        writer.endObject()
        writer.endArray()
      }
    }
    #expect(scanError(text, depthMax: 600) == nil)
    #expect(scanError(text, depthMax: 599)?.problem == .tooDeep)
  }

  #if DEBUG && os(Linux)
    @Test("In debug builds a value without its key stops the program")
    func misuse() async {
      await #expect(processExitsWith: .failure) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.integer(1)
        _ = writer.finish()
      }
      await #expect(processExitsWith: .failure) {
        var writer = JSONWriter()
        writer.beginArray()
        writer.endObject()
        _ = writer.finish()
      }
    }
  #endif
}
