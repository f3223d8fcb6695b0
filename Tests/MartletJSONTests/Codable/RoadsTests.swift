// The two roads held against each other and against Foundation: the same texts accepted, the same values, the same bytes, and each difference by
// its name.

import FoundationEssentials
import MartletBytes
import Testing

@testable import MartletJSON

private enum Nothing: Reading { static func read(_ decoder: any Decoder) {} }

@Suite("Two roads")
struct RoadsTests {
  private let seed = runSeed

  @Test("Random values give the same bytes on both roads, and come back by every pairing of encoders and decoders, Foundation's too")
  func roundTrip() throws {
    var random = SeededRandom(seed: seed)
    for round in 0..<60 {
      var sample = Sample(&random)
      let swift = try MartletJSON.Encoder().encode(sample)
      #expect(try JanssonEncoder(printer: .writer).encode(sample) == swift, "seed \(seed), round \(round)")
      #expect(try JanssonDecoder(parser: .scanner).decode(Sample.self, from: swift) == sample, "seed \(seed), round \(round)")
      // Beyond Int64 jansson itself has no integers.
      sample.parts = sample.parts.map { part in
        var part = part
        part.large >>= 1
        return part
      }
      let printed = try JanssonEncoder().encode(sample)
      for text in [printed, try MartletJSON.Encoder().encode(sample), [UInt8](try JSONEncoder().encode(sample))] {
        // Some name may have NUL in it.
        let loads = !JanssonLimits.holds(text)
        #expect((try? JanssonDecoder().decode(Sample.self, from: text)) == (loads ? sample : nil), "seed \(seed), round \(round)")
        #expect(try MartletJSON.Decoder().decode(Sample.self, from: text) == sample, "seed \(seed), round \(round)")
        #expect(try JSONDecoder().decode(Sample.self, from: Data(text)) == sample, "seed \(seed), round \(round)")
      }
    }
  }

  @Test("Texts broken at random are refused by both roads, or read as the same value")
  func broken() throws {
    var random = SeededRandom(seed: seed)
    for round in 0..<150 {
      let text = try Sample.broken(&random)
      let swift = try? MartletJSON.Decoder().decode(Sample.self, from: text)
      #expect((try? JanssonDecoder(parser: .scanner).decode(Sample.self, from: text)) == swift, "seed \(seed), round \(round)")
      let jansson = try? JanssonDecoder().decode(Sample.self, from: text)
      let expected = JanssonLimits.holds(text) ? nil : swift
      #expect(jansson == expected, "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test("Every text of JSONTestSuite is accepted or refused alike on every road", .enabled(if: Shared.isPresent))
  func conformance() {
    for file in Shared.names(in: "parsing") {
      let text = Shared.bytes("parsing/" + file)
      let isAccepted = scanError(text) == nil
      #expect(((try? MartletJSON.Decoder().decode(Read<Nothing>.self, from: text)) != nil) == isAccepted, "\(file)")
      #expect(((try? JanssonDecoder(parser: .scanner).decode(Read<Nothing>.self, from: text)) != nil) == isAccepted, "\(file)")
      let loads = isAccepted && !JanssonLimits.refuses.contains(String(file.dropLast(5)))
      #expect(((try? JanssonDecoder().decode(Read<Nothing>.self, from: text)) != nil) == loads, "\(file)")
      #expect(isAccepted || !file.hasPrefix("y_"))
      #expect(!isAccepted || !file.hasPrefix("n_"))
    }
  }

  @Test("jansson's own printer: reals have 17 digits and a fraction, everything else is as our writer prints it")
  func janssonsBytes() throws {
    struct Everything: Encodable {
      var integers = [Int64.min, 0, .max], text = "é\"\\/\u{1}\n\u{7F}\u{2028}\u{0}", flags = [true, false], none: [Int?] = [nil]
      var empty = [String: Int](), list = [[Int]]()
    }
    let text = try JanssonEncoder().encode(Everything())
    #expect(String(decoding: text, as: UTF8.self) == String(decoding: try MartletJSON.Encoder().encode(Everything()), as: UTF8.self))
    let reals = [0.1, 1, -0.0, 1e15, 1e16, 1e100, .leastNonzeroMagnitude, 1.5, 1e-7]
    #expect(
      String(decoding: try JanssonEncoder().encode(reals), as: UTF8.self)
        == "[0.10000000000000001,1.0,-0.0,1000000000000000.0,10000000000000000.0,1e100,4.9406564584124654e-324,1.5,9.9999999999999995e-8]")
    #expect(try encoded(reals) == "[0.1,1,-0,1000000000000000,1e+16,1e+100,5e-324,1.5,1e-07]")
    #expect(String(decoding: try JanssonEncoder().encode([Float(0.1)]), as: UTF8.self) == "[0.10000000149011612]")
  }

  @Test("jansson's limits: integers beyond 64 bits and NUL in names are refused with the place, or kept by our scanner and writer")
  func limits() throws {
    for value in [UInt64.max, UInt64(Int64.max) + 1] {
      do {
        _ = try JanssonEncoder().encode(["x": [value]])
        Issue.record("jansson holds \(value)")
      } catch EncodingError.invalidValue(_, let context) {
        #expect(context.codingPath.map(\.stringValue) == ["x", "Index 0"])
        #expect((context.underlyingError as? JSONError)?.problem == .inexactNumber)
      }
      #expect(try JanssonEncoder(printer: .writer).encode([value]) == Array("[\(value)]".utf8))
      #expect(try JanssonDecoder(parser: .scanner).decode([UInt64].self, from: "[\(value)]") == [value])
      #expect(throws: DecodingError.self) { try JanssonDecoder().decode([UInt64].self, from: "[\(value)]") }
    }
    #expect(try JanssonDecoder(parser: .scanner).decode([Int128].self, from: "[-170141183460469231731687303715884105728]") == [.min])
    #expect(throws: EncodingError.self) { try JanssonEncoder().encode(Int128.min) }
    #expect(try JanssonEncoder(printer: .writer).encode(Int128.min) == Array("-170141183460469231731687303715884105728".utf8))

    let name = ["\u{0}": 1]
    #expect(try JanssonEncoder().encode(name) == Array(#"{"\u0000":1}"#.utf8))
    #expect(try JanssonDecoder(parser: .scanner).decode([String: Int].self, from: #"{"\u0000":1}"#) == name)
    #expect(throws: DecodingError.self) { try JanssonDecoder().decode([String: Int].self, from: #"{"\u0000":1}"#) }
    #expect(try JanssonDecoder().decode([String].self, from: #"["\u0000"]"#) == ["\u{0}"])
    #expect(throws: DecodingError.self) { try JanssonDecoder().decode([Int].self, from: Array("[1]\u{0}".utf8)) }
    #expect(throws: DecodingError.self) { try JanssonDecoder().decode([Double].self, from: "[1e309]") }
    #expect(try JanssonDecoder().decode([Double].self, from: "[-0]").map(\.sign) == [.plus])
    #expect(try JanssonDecoder(parser: .scanner).decode([Double].self, from: "[-0]").map(\.sign) == [.minus])
  }

  @Test("Depth is bounded alike on every road, in members that nobody asks for too")
  func depth() {
    struct One: Decodable, Equatable { var a: Int }
    for (levels, isAccepted) in [(511, true), (512, false), (2047, false), (2048, false), (100_000, false)] {
      let text = #"{"x":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + #","a":1}"#
      #expect(((try? MartletJSON.Decoder().decode(One.self, from: text)) != nil) == isAccepted, "\(levels)")
      #expect(((try? JanssonDecoder().decode(One.self, from: text)) != nil) == isAccepted, "\(levels)")
      #expect(((try? JanssonDecoder(parser: .scanner).decode(One.self, from: text)) != nil) == isAccepted, "\(levels)")
    }
  }

  @Test("A byte that is no UTF-8 is refused wherever it stands, and so is a text cut anywhere, by every road")
  func brokenBytes() throws {
    let text = Array(#"{"name":"été 日 😀 \u00e9","tags":["x",1.5,-7,true,null],"long name of a member":{"a":[]}}"#.utf8)
    for place in text.indices {
      var invalid = text
      invalid[place] = 0xFF
      for bytes in [invalid, Array(text[..<place])] {
        #expect(throws: DecodingError.self) { try MartletJSON.Decoder().decode(Read<Nothing>.self, from: bytes) }
        #expect(throws: DecodingError.self) { try JanssonDecoder().decode(Read<Nothing>.self, from: bytes) }
        #expect(throws: DecodingError.self) { try JanssonDecoder(parser: .scanner).decode(Read<Nothing>.self, from: bytes) }
      }
    }
  }

  @Test("A string of 64 MiB comes through")
  func longString() throws {
    let text = String(repeating: "0123456789abcdé", count: 1 << 22)
    let bytes = try MartletJSON.Encoder().encode(text)
    #expect(bytes.count == 2 + text.utf8.count)
    #expect(try MartletJSON.Decoder().decode(String.self, from: bytes) == text)
    #expect(try JanssonDecoder().decode(String.self, from: bytes) == text)
  }

  @Test("Containers handed out one inside the other without end are an error in the end, not a crash")
  func containersWithoutEnd() {
    let value = Custom { encoder in
      var container = encoder.unkeyedContainer()
      for _ in 0..<100_000 { container = container.nestedUnkeyedContainer() }
    }
    #expect(throws: EncodingError.self) { try JanssonEncoder().encode(value) }
  }

  @Test("A container whose place has been taken by another value may still be written, and is of no consequence")
  func replaced() throws {
    let value = Custom { encoder in
      var object = encoder.container(keyedBy: K.self)
      var first = object.nestedUnkeyedContainer(forKey: .a)
      let slot = object.superEncoder(forKey: .b)
      try object.encode(1, forKey: .a)
      try object.encode(2, forKey: .b)
      for _ in 0..<100 { try first.encode("lost") }
      try [3].encode(to: slot)
    }
    #expect(try JanssonEncoder().encode(value) == Array(#"{"a":1,"b":[3]}"#.utf8))
  }

  @Test("Texts are laid out alike behind either printer")
  func layout() throws {
    struct Words: Encodable { var zOne = 1, aTwo = [true, false] }
    var options = MartletJSON.Encoder()
    options.outputFormatting = [.prettyPrinted, .sortedKeys]
    options.keyEncodingStrategy = .convertToSnakeCase
    #expect(try JanssonEncoder(options).encode(Words()) == options.encode(Words()))
  }

  @Test("A tree that would take more memory than is allowed is refused")
  func memory() {
    var decoder = JanssonDecoder(parser: .scanner)
    decoder.treeBytesMax = 1000
    let text = "[" + String(repeating: "{},", count: 100) + "1]"
    #expect(throws: DecodingError.self) { try decoder.decode(Read<Nothing>.self, from: text) }
  }
}

/// What jansson's own parser refuses though it is JSON.
private enum JanssonLimits {
  /// Of JSONTestSuite.
  static let refuses: Set<String> = [
    "y_object_escaped_null_in_key",  // NUL in a name
    "i_number_huge_exp", "i_number_neg_int_huge_exp", "i_number_pos_double_huge_exp",  // beyond the finite doubles
    "i_number_real_neg_overflow", "i_number_real_pos_overflow",
    "i_number_too_big_neg_int", "i_number_too_big_pos_int", "i_number_very_big_negative_int",  // integers beyond 64 bits
  ]

  /// Whether a text, if it is JSON, has any of it.
  static func holds(_ text: [UInt8]) -> Bool {
    withBytes(text) { bytes -> Bool in
      var reader = JSONReader(bytes)
      return (try? holds(&reader)) ?? false
    }
  }

  private static func holds(_ reader: inout JSONReader) throws -> Bool {
    var found = false
    switch try reader.peek() {
    case .object:
      try reader.beginObject()
      while let name = try reader.nextKey() {
        if name.utf8.contains(0) { found = true }
        if try holds(&reader) { found = true }
      }
    case .array:
      try reader.beginArray()
      while try reader.nextElement() { if try holds(&reader) { found = true } }
    case .number:
      let text = try reader.readNumberText()
      found = text.contains { ".eE".contains($0) } ? !(Double(text)?.isFinite ?? false) : Int64(text) == nil
    default: try reader.skip()
    }
    return found
  }
}
