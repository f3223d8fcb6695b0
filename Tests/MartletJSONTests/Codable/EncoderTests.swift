// `any Encoder` below is the standard library's, though FoundationEssentials and MartletJSON are both imported: that it compiles is a test.

import FoundationEssentials
import MartletBytes
import MartletJSON
import Testing

/// The text that our encoder gives; the jansson road, printed by our writer, is held to the same text or the same refusal.
func encoded(_ value: some Encodable, _ encoder: MartletJSON.Encoder = MartletJSON.Encoder(), roadsAgree: Bool = true) throws -> String {
  let swift = Result { try encoder.encode(value) }
  let jansson = Result { try JanssonEncoder(encoder, printer: .writer).encode(value) }
  if roadsAgree { #expect(Outcome(jansson) == Outcome(swift)) }
  return String(decoding: try swift.get(), as: UTF8.self)
}

/// What came of an encoding, to be compared: bytes, or what is wrong with which path.
enum Outcome: Equatable {
  case text(String)
  case refused(path: [String], detail: String)
  case failed(String)

  init(_ result: Result<[UInt8], any Error>) {
    switch result {
    case .success(let bytes): self = .text(String(decoding: bytes, as: UTF8.self))
    case .failure(EncodingError.invalidValue(_, let context)):
      self = .refused(path: context.codingPath.map(\.stringValue), detail: context.debugDescription)
    case .failure(let error): self = .failed("\(error)")
    }
  }
}

/// A value whose `encode(to:)` is a closure.
struct Custom: Encodable {
  let body: (any Encoder) throws -> Void
  init(_ body: @escaping (any Encoder) throws -> Void) { self.body = body }
  func encode(to encoder: any Encoder) throws { try body(encoder) }
}

enum K: String, CodingKey { case a, b, c, d }

@Suite("MartletJSON.Encoder")
struct EncoderTests {
  enum Shape: Codable, Equatable {
    case circle(radius: Double)
    case square(Int, label: String?)
    case empty
  }

  class Animal: Codable {
    var name = "Rex"
    init() {}
  }

  final class Dog: Animal {
    var tricks = 3
    enum Keys: CodingKey { case tricks }
    override init() { super.init() }
    required init(from decoder: any Decoder) throws {
      tricks = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .tricks)
      try super.init(from: decoder)
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(tricks, forKey: .tricks)
      try super.encode(to: encoder)
    }
  }

  @Test("Members stand in the order in which they are encoded; nil is left out; scalars at the top are texts too")
  func order() throws {
    struct Point: Encodable {
      var z = 1, a: Int? = nil, m = [true], s = "é\"\\\u{1}/", d = 1.0, o: Int?? = .some(nil)
    }
    #expect(try encoded(Point()) == #"{"z":1,"m":[true],"s":"é\"\\\u0001/","d":1,"o":null}"#)
    #expect(try encoded(5) == "5")
    #expect(try encoded("x") == #""x""#)
    #expect(try encoded(Int?.none) == "null")
    #expect(try encoded([Int]()) == "[]")
    #expect(try encoded([String: Int]()) == "{}")
  }

  @Test("Integers of every width are exact, floats keep their own shortest digits")
  func numbers() throws {
    #expect(try encoded([Int64.min, .max]) == "[-9223372036854775808,9223372036854775807]")
    #expect(try encoded([UInt64.max]) == "[18446744073709551615]")
    #expect(try encoded([Int128.min]) == "[-170141183460469231731687303715884105728]")
    #expect(try encoded([UInt128.max]) == "[340282366920938463463374607431768211455]")
    #expect(try encoded([UInt8(255)]) == "[255]")
    #expect(try encoded([Float(0.1), 3, 16_777_216]) == "[0.1,3,16777216]")
    #expect(try encoded([0.1, -0.0, 1e100, .leastNonzeroMagnitude]) == "[0.1,-0,1e+100,5e-324]")
  }

  @Test("Enumerations with payloads, dictionaries by names, numbers and other keys, as Foundation shapes them")
  func shapes() throws {
    #expect(
      try encoded([Shape.circle(radius: 1.5), .square(2, label: nil), .square(2, label: "x"), .empty])
        == #"[{"circle":{"radius":1.5}},{"square":{"_0":2}},{"square":{"_0":2,"label":"x"}},{"empty":{}}]"#)
    #expect(try encoded(["k": [1: "one"]]) == #"{"k":{"1":"one"}}"#)
    #expect(try encoded([Shape.empty.isEmpty: 1]) == "[true,1]")
    #expect(try encoded(["x": Optional("y"), "z": nil]).count == #"{"x":"y","z":null}"#.count)
  }

  @Test("Nested containers may be written in any order, each keeps its own place")
  func outOfOrder() throws {
    let value = Custom { encoder in
      var outer = encoder.container(keyedBy: K.self)
      var first = outer.nestedContainer(keyedBy: K.self, forKey: .a)
      var second = outer.nestedUnkeyedContainer(forKey: .b)
      try first.encode(1, forKey: .a)
      try second.encode("x")
      try first.encode(2, forKey: .b)
      var inner = first.nestedUnkeyedContainer(forKey: .c)
      try second.encode("y")
      try inner.encode(3)
      try outer.encode(4, forKey: .d)
      try inner.encode(5)
      try first.encode(6, forKey: .d)
      #expect(second.count == 2)
      #expect(inner.count == 2)
    }
    #expect(
      try encoded([value, value])
        == String(repeating: #",{"a":{"a":1,"b":2,"c":[3,5],"d":6},"b":["x","y"],"d":4}"#, count: 2).dropFirst().description.wrapped)
  }

  @Test("A super encoder is filled at once, later, or never")
  func superEncoders() throws {
    let value = Custom { encoder in
      var object = encoder.container(keyedBy: K.self)
      try [1, 2].encode(to: object.superEncoder())
      let late = object.superEncoder(forKey: .a)
      let never = object.superEncoder(forKey: .b)
      try object.encode(true, forKey: .c)
      var list = object.nestedUnkeyedContainer(forKey: .d)
      let first = list.superEncoder()
      let second = list.superEncoder()
      try list.encode(9)
      var deep = second.container(keyedBy: K.self)
      try deep.encode("deep", forKey: .a)
      try "first".encode(to: first)
      try deep.encode("er", forKey: .b)
      var single = late.singleValueContainer()
      try single.encode(7)
      #expect(never.codingPath.map(\.stringValue) == ["b"])
      #expect(second.codingPath.map(\.stringValue) == ["d", "Index 1"])
    }
    #expect(try encoded(value) == #"{"super":[1,2],"a":7,"b":{},"c":true,"d":["first",{"a":"deep","b":"er"},9]}"#)
  }

  @Test("A class and its superclass share an object; of a name that both write, the last stands")
  func inheritance() throws {
    #expect(try encoded(Dog()) == #"{"tricks":3,"name":"Rex"}"#)
    let twice = Custom { encoder in
      var first = encoder.container(keyedBy: K.self)
      try first.encode(1, forKey: .a)
      try first.encode(2, forKey: .b)
      var second = encoder.container(keyedBy: K.self)
      try second.encode(3, forKey: .a)
    }
    #expect(try encoded([twice], roadsAgree: false) == #"[{"b":2,"a":3}]"#)
    // Where jansson has a name, it stays.
    #expect(try JanssonEncoder().encode([twice]) == Array(#"[{"a":3,"b":2}]"#.utf8))
  }

  @Test("A value that encodes nothing is an empty object inside, and an error at the top")
  func nothing() throws {
    #expect(try encoded([Custom { _ in }]) == "[{}]")
    #expect(throws: EncodingError.self) { try encoded(Custom { _ in }) }
  }

  @Test("A member whose encoding throws leaves nothing behind, and the caller may go on")
  func failedMember() throws {
    struct Broken: Error {}
    let broken = Custom { encoder in
      var object = encoder.container(keyedBy: K.self)
      try object.encode(1, forKey: .a)
      var list = object.nestedUnkeyedContainer(forKey: .b)
      let late = list.superEncoder()
      try list.encode("x")
      try 1.encode(to: late)
      throw Broken()
    }
    let value = Custom { encoder in
      var object = encoder.container(keyedBy: K.self)
      #expect(throws: Broken.self) { try object.encode(broken, forKey: .a) }
      #expect(throws: EncodingError.self) { try object.encode(Double.nan, forKey: .b) }
      var list = object.nestedUnkeyedContainer(forKey: .c)
      #expect(throws: Broken.self) { try list.encode(broken) }
      try list.encode(1)
      #expect(throws: Broken.self) { try list.encode(broken) }
      #expect(list.count == 1)
      try object.encode("end", forKey: .d)
    }
    #expect(try encoded(value) == #"{"c":[1],"d":"end"}"#)
    var buffer = ByteBuffer()
    buffer.append("before")
    #expect(throws: Broken.self) { try MartletJSON.Encoder().encode([broken], into: &buffer) }
    #expect(buffer.text == "before")
  }

  @Test("NaN and infinities are refused with their path, or written as a strategy says")
  func nonFinite() throws {
    struct Reading: Encodable {
      var values: [String: [Double]]
    }
    do {
      _ = try encoded(Reading(values: ["x": [1, .infinity]]))
      Issue.record("infinity was encoded")
    } catch EncodingError.invalidValue(let value, let context) {
      #expect(value as? Double == .infinity)
      #expect(context.codingPath.map(\.stringValue) == ["values", "x", "Index 1"])
      #expect((context.underlyingError as? JSONError)?.problem == .notFinite)
    }
    var encoder = MartletJSON.Encoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "+", negativeInfinity: "-", nan: "?")
    #expect(try encoded([.infinity, -.infinity, .nan, 1.5], encoder) == #"["+","-","?",1.5]"#)
    #expect(try encoded([Float.infinity], encoder) == #"["+"]"#)
  }

  @Test("Values nested without end are an error, not a crash; 512 levels are not")
  func depth() throws {
    final class Node: Encodable {
      var next: Node?
    }
    let node = Node()
    node.next = node
    do {
      _ = try encoded(node)
      Issue.record("a cycle was encoded")
    } catch EncodingError.invalidValue(_, let context) {
      #expect((context.underlyingError as? JSONError)?.problem == .tooDeep)
      #expect(context.codingPath.count == 512)
    }
    node.next = nil
    func nested(_ levels: Int) -> Custom {
      Custom { encoder in
        var list = encoder.unkeyedContainer()
        if levels > 1 { try list.encode(nested(levels - 1)) } else { try list.encode(1) }
      }
    }
    #expect(try encoded(nested(512)).count == 1025)
    #expect(throws: EncodingError.self) { try encoded(nested(513)) }
  }

  @Test("Keys become snake case as in Foundation, but not those of dictionaries with string keys; user information reaches the values")
  func keysAndInformation() throws {
    struct Words: Codable {
      var oneTwoThree = 1, myURLProperty = 2, _private_ = 3, already_snake = 4, URL = 5, aB = 6, éÀx = 7
      var dictionary = ["oneTwo": ["threeFour": 1]]
    }
    var ours = MartletJSON.Encoder()
    ours.keyEncodingStrategy = .convertToSnakeCase
    ours.outputFormatting = .sortedKeys
    let theirs = JSONEncoder()
    theirs.keyEncodingStrategy = .convertToSnakeCase
    theirs.outputFormatting = .sortedKeys
    #expect(try encoded(Words(), ours) == String(decoding: try theirs.encode(Words()), as: UTF8.self))

    ours.keyEncodingStrategy = .custom { path in AnyKey(path.map(\.stringValue).joined(separator: ".")) }
    struct Inner: Encodable {
      var x = 1
    }
    struct Outer: Encodable {
      var inner = Inner()
    }
    #expect(try encoded(Outer(), ours) == #"{"inner":{"inner.x":1}}"#)

    let key = try #require(CodingUserInfoKey(rawValue: "k"))
    ours.userInfo[key] = 7
    #expect(try encoded([Custom { encoder in try (encoder.userInfo[key] as? Int).encode(to: encoder) }], ours) == "[7]")
  }

  @Test("A strategy for a type takes the place of its own encoding, everywhere")
  func strategies() throws {
    struct Celsius: Encodable {
      var degrees: Double
    }
    struct Weather: Encodable {
      var now: Celsius
      var later: [Celsius?]
      var by: [String: Celsius]
    }
    var encoder = MartletJSON.Encoder()
    encoder.setStrategy(for: Celsius.self) { value, encoder in
      var container = encoder.singleValueContainer()
      try container.encode("\(value.degrees) °C")
    }
    let hot = Celsius(degrees: 30.5)
    #expect(
      try encoded(Weather(now: hot, later: [hot, nil], by: ["x": hot]), encoder)
        == #"{"now":"30.5 °C","later":["30.5 °C",null],"by":{"x":"30.5 °C"}}"#)
    #expect(try encoded(hot, encoder) == #""30.5 °C""#)
  }

  @Test("Pretty and sorted output is Foundation's, byte for byte")
  func layout() throws {
    struct Everything: Encodable {
      var z = [1, 2], a = ["b": [String](), "ä": ["x\n"], "Z": []], empty = [String: Int](), list = [[Int]](), o: Double? = 1.5
    }
    for formatting: (MartletJSON.Encoder.OutputFormatting, JSONEncoder.OutputFormatting) in [
      (.sortedKeys, .sortedKeys), ([.sortedKeys, .prettyPrinted], [.sortedKeys, .prettyPrinted]),
    ] {
      var ours = MartletJSON.Encoder()
      ours.outputFormatting = formatting.0
      let theirs = JSONEncoder()
      theirs.outputFormatting = formatting.1.union(.withoutEscapingSlashes)
      #expect(try encoded(Everything(), ours) == String(decoding: try theirs.encode(Everything()), as: UTF8.self))
    }
  }
}

struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension EncoderTests.Shape {
  var isEmpty: Bool { self == .empty }
}

extension String {
  var wrapped: String { "[\(self)]" }
}
