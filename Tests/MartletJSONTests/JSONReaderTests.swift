import MartletBytes
import Testing

@testable import MartletJSON

/// Runs `body` over a reader of `text`; what it threw.
private func failure(_ text: String, _ body: (inout JSONReader) throws(JSONError) -> Void) -> JSONError? {
  withBytes(text) { (bytes) -> JSONError? in
    var reader = JSONReader(bytes)
    do throws(JSONError) {
      try body(&reader)
      return nil
    } catch {
      return error
    }
  }
}

@Suite("JSONReader")
struct JSONReaderTests {
  @Test("An object is read member by member, in order, duplicates as they come")
  func object() throws {
    let text =
      #" {"by": -3, "b\u0000\n":"x\ud83d\ude00y", "by":9223372036854775807, "d":[1.5, true ,false,null,[],{}], "skip": {"a" : [1, 2]} , "e":""} "#
    try withBytes(text) { bytes in
      var reader = JSONReader(bytes)
      var keys: [String] = []
      #expect(try reader.peek() == .object)
      try reader.beginObject()
      while let key = try reader.nextKey() {
        keys.append(key)
        switch keys.count {
        case 1: #expect(try reader.readInteger() == -3)
        case 2: #expect(try reader.readString() == "x😀y")
        case 3: #expect(try reader.readInteger() == Int64.max)
        case 4:
          try reader.beginArray()
          #expect(try reader.nextElement())
          #expect(try reader.readDouble() == 1.5)
          #expect(try reader.nextElement())
          #expect(try reader.readBool())
          #expect(try reader.nextElement())
          #expect(try !reader.readBool())
          #expect(try reader.nextElement())
          try reader.readNull()
          #expect(try reader.nextElement())
          try reader.beginArray()
          #expect(try !reader.nextElement())
          #expect(try reader.nextElement())
          try reader.beginObject()
          #expect(try reader.nextKey() == nil)
          #expect(try !reader.nextElement())
        case 5:
          let range = try reader.skipValue()
          #expect(bytes[range].text == #"{"a" : [1, 2]}"#)
        default:
          var buffer = ByteBuffer()
          buffer.append("at the end: ")
          try reader.readString(into: &buffer)
          #expect(buffer.text == "at the end: ")
        }
      }
      try reader.end()
      #expect(keys == ["by", "b\u{0}\n", "by", "d", "skip", "e"])
    }
  }

  @Test("Kinds other than the one asked for are refused where they stand")
  func wrongKind() {
    let cases: [(JSONKind, (inout JSONReader) throws(JSONError) -> Void)] = [
      (.string, { reader throws(JSONError) in _ = try reader.readString() }),
      (.number, { reader throws(JSONError) in _ = try reader.readInteger() }),
      (.number, { reader throws(JSONError) in _ = try reader.readDouble() }),
      (.boolean, { reader throws(JSONError) in _ = try reader.readBool() }),
      (.null, { reader throws(JSONError) in try reader.readNull() }), (.object, { reader throws(JSONError) in try reader.beginObject() }),
      (.array, { reader throws(JSONError) in try reader.beginArray() }),
    ]
    let texts: [(JSONKind, String)] = [
      (.object, "{}"), (.array, "[]"), (.string, "\"\""), (.number, "1"), (.boolean, "true"), (.null, "null"),
    ]
    for (expected, read) in cases {
      for (kind, text) in texts {
        let error = failure("  " + text, read)
        #expect(error == (kind == expected ? nil : JSONError(offset: 2, problem: .wrongKind(expected: expected))))
      }
    }
  }

  @Test(
    "Integers are exact or refused",
    arguments: [
      ("0", 0), ("-0", 0), ("9007199254740991", 9_007_199_254_740_991), ("9007199254740993", 9_007_199_254_740_993),
      ("9223372036854775807", Int64.max),
      ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("18446744073709551615", nil),
      ("18446744073709551616", nil), ("100000000000000000000000", nil),
    ] as [(String, Int64?)])
  func integers(text: String, value: Int64?) {
    var read: Int64?
    let error = failure(text) { reader throws(JSONError) in read = try reader.readInteger() }
    #expect(read == value)
    #expect(error == (value == nil ? JSONError(offset: 0, problem: .outOfRange) : nil))
  }

  @Test("A fraction or an exponent is no integer", arguments: ["1.0", "1e2", "0.5", "-0.0", "10E-1"])
  func notIntegers(text: String) {
    #expect(failure(text) { reader throws(JSONError) in _ = try reader.readInteger() } == JSONError(offset: 0, problem: .notAnInteger))
  }

  @Test("Doubles beyond the finite ones are refused, too small ones are 0")
  func doubles() {
    var values: [Double] = []
    for text in ["1e308", "1e-400", "-0", "5e-324", "-1e-400"] {
      #expect(failure(text) { reader throws(JSONError) in values.append(try reader.readDouble()) } == nil)
    }
    #expect(values.map(\.bitPattern) == [1e308, 0, -0.0, Double.leastNonzeroMagnitude, -0.0].map(\.bitPattern))
    for text in ["1e309", "-1e309", "1e999999999999999999999"] {
      #expect(failure(text) { reader throws(JSONError) in _ = try reader.readDouble() } == JSONError(offset: 0, problem: .outOfRange))
    }
  }

  @Test("Where a value is due the reader stands at its first byte, whitespace or not")
  func offsets() throws {
    try withBytes(" { \"a\" : [ 1 , 2] ,\"b\":\t3}") { bytes in
      var reader = JSONReader(bytes)
      var offsets = [reader.offset]
      try reader.beginObject()
      _ = try reader.nextKey()
      offsets.append(reader.offset)
      try reader.beginArray()
      while try reader.nextElement() {
        offsets.append(reader.offset)
        _ = try reader.readInteger()
      }
      _ = try reader.nextKey()
      offsets.append(reader.offset)
      #expect(offsets == [1, 9, 11, 15, 24])
    }
  }

  @Test("Depth is bounded through the reader and the values that it skips together")
  func depth() {
    let text = String(repeating: "[", count: 100_000)
    func enter(_ levels: Int) -> JSONError? {
      failure(text) { reader throws(JSONError) in
        for _ in 0..<levels {
          try reader.beginArray()
          _ = try reader.nextElement()
        }
        _ = try reader.skipValue()
      }
    }
    #expect(enter(513) == JSONError(offset: 512, problem: .tooDeep))
    #expect(enter(512) == JSONError(offset: 512, problem: .tooDeep))
    #expect(enter(10) == JSONError(offset: 512, problem: .tooDeep))
  }

  @Test("Reading everything gives the scanner's verdict, for texts changed at random")
  func agreesWithScanner() {
    var random = SeededRandom(seed: runSeed)
    let sample = Array(JSONScannerTests.sample.utf8)
    let alphabet = Array("{}[]\",:\\u0123456789dD8aeE+-. \ntrufalsn\u{0}".utf8) + [0x80, 0xC3, 0xE2, 0xF0]
    for _ in 0..<30_000 {
      var bytes = sample
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random)!
        case 1: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &random))
        default: bytes.insert(alphabet.randomElement(using: &random)!, at: Int.random(in: 0...bytes.count, using: &random))
        }
      }
      #expect(readError(bytes) == scanError(bytes), "\(String(decoding: bytes, as: UTF8.self)), seed \(runSeed)")
    }
  }
}

/// Reads the whole text with the reader, every string, every literal and the bytes of every number; what it threw.
func readError(_ bytes: [UInt8]) -> JSONError? {
  func readValue(_ reader: inout JSONReader) throws(JSONError) {
    switch try reader.peek() {
    case .object:
      try reader.beginObject()
      while try reader.nextKey() != nil { try readValue(&reader) }
    case .array:
      try reader.beginArray()
      while try reader.nextElement() { try readValue(&reader) }
    case .string: _ = try reader.readString()
    case .number: _ = try reader.skipValue()
    case .boolean: _ = try reader.readBool()
    case .null: try reader.readNull()
    }
  }
  return withBytes(bytes) { (text) -> JSONError? in
    var reader = JSONReader(text)
    do throws(JSONError) {
      try readValue(&reader)
      try reader.end()
      return nil
    } catch {
      return error
    }
  }
}
