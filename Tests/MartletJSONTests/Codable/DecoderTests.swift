import FoundationEssentials
import MartletBytes
import MartletJSON
import Testing

/// The value that our decoder gives; the jansson road, its tree made by our scanner, is held to a value where there is one, and to the same
/// complaint otherwise.
func decoded<Value: Decodable>(
  _ text: String, as type: Value.Type = Value.self, _ decoder: MartletJSON.Decoder = MartletJSON.Decoder()
) throws -> Value {
  let swift = Result { try withBytes(text) { try decoder.decode(type, from: $0) } }
  let jansson = Result { try withBytes(text) { try JanssonDecoder(decoder, parser: .scanner).decode(type, from: $0) } }
  switch (swift, jansson) {
  case (.success, .success): break
  case (.failure(let left), .failure(let right)):
    let isMalformed = scanError(text) != nil
    #expect(Complaint(left)?.kind == Complaint(right)?.kind, "\(left), \(right)")
    // How far into a malformed text there is a tree, nobody knows.
    #expect(Complaint(left)?.path == Complaint(right)?.path || isMalformed, "\(left), \(right)")
    if isMalformed { #expect(Complaint(left)?.offset == Complaint(right)?.offset) }
  case (_, .failure(let error)): Issue.record("the jansson road refuses: \(error)")
  case (.failure(let error), _): Issue.record("the jansson road accepts: \(error)")
  }
  return try swift.get()
}

/// What went wrong: the kind, the path and the byte.
struct Complaint: Equatable, CustomStringConvertible {
  var kind: String
  var path: String
  var offset: Int?
  var description: String { "\(kind) at \(path), byte \(offset.map(String.init) ?? "-")" }

  init(_ kind: String, _ path: String, _ offset: Int?) {
    self.kind = kind
    self.path = path
    self.offset = offset
  }

  init?(_ error: any Error) {
    guard let error = error as? DecodingError else { return nil }
    let (kind, context): (String, DecodingError.Context) =
      switch error {
      case .typeMismatch(_, let context): ("mismatch", context)
      case .valueNotFound(_, let context): ("null", context)
      case .keyNotFound(let key, let context): ("no \(key.stringValue)", context)
      case .dataCorrupted(let context): ("corrupted", context)
      @unknown default: fatalError("a new kind of error")
      }
    self.init(kind, JSONPointer.text(of: context.codingPath), (context.underlyingError as? JSONError)?.offset)
  }
}

func complaint<Value: Decodable>(_ text: String, as type: Value.Type, _ decoder: MartletJSON.Decoder = MartletJSON.Decoder()) -> Complaint?
{
  do {
    _ = try decoded(text, as: type, decoder)
    return nil
  } catch {
    return Complaint(error)
  }
}

/// A value whose `init(from:)` is chosen by its type parameter.
protocol Reading { static func read(_ decoder: any Decoder) throws }
struct Read<R: Reading>: Decodable {
  init(from decoder: any Decoder) throws { try R.read(decoder) }
}

@Suite("MartletJSON.Decoder")
struct DecoderTests {
  struct Item: Codable, Equatable {
    var id: Int
    var name: String?
    var tags: [String] = []
    var inner: [String: [Item]]?
  }

  @Test("A value is read whatever the order of its members, with unknown ones skipped")
  func members() throws {
    let item = try decoded(
      #" {"x":[{"id":0}], "tags":["a\u0062","é"], "name":null, "i\u0064":-3, "inner":{"k":[{"tags":[],"id":1e2}]}} "#, as: Item.self)
    #expect(item == Item(id: -3, tags: ["ab", "é"], inner: ["k": [Item(id: 100)]]))
  }

  @Test("Of a name that stands twice the last counts, in small objects and large, escaped or not")
  func duplicates() throws {
    struct Pair: Decodable, Equatable {
      var a: Int, b: Int
      enum K: CodingKey { case a, b }
      init(_ a: Int, _ b: Int) { (self.a, self.b) = (a, b) }
      init(from decoder: any Decoder) throws {
        // In the other order too: what a lookup finds does not depend on the one before.
        let container = try decoder.container(keyedBy: K.self)
        b = try container.decode(Int.self, forKey: .b)
        a = try container.decode(Int.self, forKey: .a)
        #expect(try container.decode(Int.self, forKey: .b) == b)
        #expect(container.allKeys.count == Set(container.allKeys.map(\.stringValue)).count)
      }
    }
    #expect(try decoded(#"{"a":1,"b":2,"a":3}"#, as: Pair.self) == Pair(3, 2))
    #expect(try decoded(#"{"a":1,"b":2,"\u0061":3,"b":{},"b":4}"#, as: Pair.self) == Pair(3, 4))
    #expect(try decoded(#"{"a":1,"a":2,"b":2,"a":3}"#, as: [String: Int].self) == ["a": 3, "b": 2])
    for count in [3, 127, 128, 129, 1000] {
      let members = (0..<count).map { #""k\#($0)":\#($0)"# }
      let text = "{" + (members + [#""k0":-1"#, #""k\#(count / 2)":-2"#, #""k0":-3"#]).joined(separator: ",") + "}"
      let dictionary = try decoded(text, as: [String: Int].self)
      #expect(dictionary.count == count)
      #expect(dictionary["k0"] == -3)
      #expect(dictionary["k\(count / 2)"] == -2)
    }
  }

  @Test("Integers are exact to their width, and may be written with a fraction or an exponent that come to nothing")
  func integers() throws {
    #expect(
      try decoded("[9223372036854775807,-9223372036854775808,-0,1.0,1e2,120e-1,0e400]", as: [Int].self)
        == [.max, .min, 0, 1, 100, 12, 0])
    #expect(try decoded("[18446744073709551615,1844674407370955161e1]", as: [UInt64].self) == [.max, 18_446_744_073_709_551_610])
    #expect(try decoded("[170141183460469231731687303715884105727]", as: [Int128].self) == [.max])
    #expect(try decoded("[-128,-1.28e2]", as: [Int8].self) == [-128, -128])
    for (text, type) in [
      ("[128]", [Int8].self), ("[-1]", [UInt8].self), ("[1.5]", [Int].self), ("[9223372036854775808]", [Int].self), ("[1e19]", [Int].self),
      ("[1e-400]", [Int].self), ("[18446744073709551616]", [UInt64].self), ("[-1e0]", [UInt64].self), ("[1e400]", [Double].self),
      ("[1e39]", [Float].self),
    ] as [(String, any Decodable.Type)] {
      #expect(complaint(text, as: type) == Complaint("corrupted", "/0", 1), "\(text) as \(type)")
    }
  }

  @Test("Doubles and floats are the nearest, rounded once")
  func floats() throws {
    #expect(
      try decoded("[0.1,1e-400,-0.0,1e23,123456789012345678901234567890]", as: [Double].self)
        == [0.1, 0, -0.0, 1e23, 1.2345678901234568e29])
    // Half way between two floats, and just beside it: by way of a double both would come out alike.
    #expect(
      try decoded("[1.00000005960464477539,1.00000005960464477540,16777217]", as: [Float].self)
        == [Float("1.00000005960464477539")!, Float("1.00000005960464477540")!, 16_777_216])
    var decoder = MartletJSON.Decoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "+", negativeInfinity: "-", nan: "?")
    let values = try decoded(#"["+","-","?",1]"#, as: [Double].self, decoder)
    #expect(values[0] == .infinity && values[1] == -.infinity && values[2].isNaN && values[3] == 1)
    #expect(complaint(#"["x"]"#, as: [Float].self, decoder) == Complaint("mismatch", "/0", 1))
  }

  @Test("What is wrong is told with path and byte: kind, null, absence, what a type itself refuses")
  func complaints() {
    enum Color: String, Decodable { case red }
    #expect(complaint(#"{"id":"1"}"#, as: Item.self) == Complaint("mismatch", "/id", 6))
    #expect(complaint(#"{"id":null}"#, as: Item.self) == Complaint("null", "/id", 6))
    #expect(complaint(#" {"x":1}"#, as: Item.self) == Complaint("no id", "", 1))
    #expect(
      complaint(#"{"id":1,"tags":[],"inner":{"a/b":[{"id":1,"tags":[]},{"id":2,"tags":["x",true]}]}}"#, as: Item.self)
        == Complaint("mismatch", "/inner/a~1b/1/tags/1", 73))
    #expect(complaint(#"[{"a":["red","blue"]}]"#, as: [[String: [Color]]].self) == Complaint("corrupted", "/0/a/1", nil))
    #expect(complaint("[1]", as: Item.self) == Complaint("mismatch", "", 0))
    #expect(complaint("{}", as: [Int].self) == Complaint("mismatch", "", 0))
    #expect(complaint("5", as: [String].self) == Complaint("mismatch", "", 0))
    #expect(complaint("[1,2]", as: [Bool].self) == Complaint("mismatch", "/0", 1))
  }

  @Test("A text that is not JSON is refused whole, with the place as path and byte")
  func malformed() {
    #expect(complaint("", as: Int.self) == Complaint("corrupted", "", 0))
    #expect(complaint("1 2", as: Int.self) == Complaint("corrupted", "", 2))
    #expect(complaint(#"{"a":[1,{"b":tru}]}"#, as: Int.self) == Complaint("corrupted", "/a/1/b", 16))
    #expect(complaint(#"{"a":[1,2,]}"#, as: Int.self) == Complaint("corrupted", "/a/2", 10))
    #expect(complaint(#"["\ud800"]"#, as: [String].self) == Complaint("corrupted", "/0", 2))
    #expect(complaint(#"{"id":1,"tags":[]} x"#, as: Item.self)?.kind == "corrupted")
    let text = #"{"id":12,"name":"x\n","tags":["é"],"inner":{"k":[]}}"#
    for length in 0..<text.utf8.count {
      #expect(complaint(String(decoding: Array(text.utf8)[..<length], as: UTF8.self), as: Item.self)?.kind == "corrupted")
    }
  }

  @Test("Hostile depth is refused; 512 levels are read")
  func depth() throws {
    indirect enum Nest: Decodable {
      case leaf
      case list(Nest)
      init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self = container.isAtEnd ? .leaf : .list(try container.decode(Nest.self))
      }
    }
    func text(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
    _ = try decoded(text(512), as: Nest.self)
    #expect(complaint(text(513), as: Nest.self)?.offset == 512)
    #expect(complaint(String(repeating: "[", count: 100_000), as: Nest.self)?.offset == 512)
  }

  @Test("Containers: nested, in arrays, super with and without a member, at the end")
  func containers() throws {
    enum Probe: Reading {
      static func read(_ decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: K.self)
        #expect(object.allKeys.map(\.stringValue) == ["a", "b", "c"])
        #expect(object.contains(.c) && !object.contains(.d))
        #expect(try object.decodeNil(forKey: .c))
        #expect(throws: DecodingError.self) { try object.decodeNil(forKey: .d) }
        let nested = try object.nestedContainer(keyedBy: K.self, forKey: .a)
        #expect(try nested.decode(Int.self, forKey: .b) == 1)
        #expect(nested.codingPath.map(\.stringValue) == ["a"])
        var list = try object.nestedUnkeyedContainer(forKey: .b)
        #expect(list.count == 4)
        #expect(try list.superDecoder().singleValueContainer().decode(Int.self) == 1)
        #expect(throws: DecodingError.self) { try list.decode(String.self) }
        #expect(list.currentIndex == 1)
        #expect(try list.nestedContainer(keyedBy: K.self).decode(Bool.self, forKey: .a))
        #expect(try list.decodeNil())
        var inner = try list.nestedUnkeyedContainer()
        #expect(inner.isAtEnd && list.isAtEnd)
        #expect(inner.codingPath.map(\.stringValue) == ["b", "Index 3"])
        #expect(throws: DecodingError.self) { try inner.decode(Int.self) }
        #expect(throws: DecodingError.self) { try list.decodeNil() }
        #expect(try object.superDecoder(forKey: .b).unkeyedContainer().count == 4)
        #expect(try object.superDecoder().singleValueContainer().decodeNil())
        #expect(try nested.superDecoder().singleValueContainer().decode(String.self) == "s")
      }
    }
    _ = try decoded(#"{"a":{"b":1,"super":"s"},"b":[1,{"a":true},null,[]],"c":null}"#, as: Read<Probe>.self)
  }

  @Test("Snake case becomes camel case as in Foundation, but not in dictionaries with string keys")
  func keys() throws {
    struct Words: Codable, Equatable {
      var oneTwoThree: Int, _private_: Int, URL: Int, ab: Int
      var dictionary: [String: Int]
    }
    let text = #"{"one_two_three":1,"_private_":2,"URL":3,"ab":4,"dictionary":{"one_two":5}}"#
    var ours = MartletJSON.Decoder()
    ours.keyDecodingStrategy = .convertFromSnakeCase
    let theirs = JSONDecoder()
    theirs.keyDecodingStrategy = .convertFromSnakeCase
    #expect(try decoded(text, as: Words.self, ours) == (try theirs.decode(Words.self, from: Data(text.utf8))))
    struct Path: Decodable {
      var fooBar: [Int]
    }
    #expect(complaint(#"{"foo_bar":[1,"x"]}"#, as: Path.self, ours) == Complaint("mismatch", "/fooBar/1", 14))
    ours.keyDecodingStrategy = .custom { path in AnyKey(path.last!.stringValue.lowercased()) }
    #expect(try decoded(#"{"A":1,"TAGS":[],"ID":4}"#, as: Item.self, ours).id == 4)
  }

  @Test("A strategy for a type takes the place of its own decoding; user information reaches the values")
  func strategies() throws {
    struct Celsius: Decodable, Equatable {
      var degrees: Double
    }
    var decoder = MartletJSON.Decoder()
    decoder.setStrategy(for: Celsius.self) { decoder in Celsius(degrees: try decoder.singleValueContainer().decode(Double.self)) }
    #expect(try decoded(#"{"a":[1.5,null]}"#, as: [String: [Celsius?]].self, decoder) == ["a": [Celsius(degrees: 1.5), nil]])
    #expect(try decoded("2", as: Celsius.self, decoder) == Celsius(degrees: 2))
    enum Information: Reading {
      static func read(_ decoder: any Decoder) throws { #expect(decoder.userInfo[CodingUserInfoKey(rawValue: "k")!] as? Int == 7) }
    }
    decoder.userInfo[try #require(CodingUserInfoKey(rawValue: "k"))] = 7
    _ = try decoded("[1]", as: [Read<Information>].self, decoder)
  }

  @Test("A decoder that is kept stops the process rather than read bytes that are no longer there")
  func keptDecoder() async {
    await #expect(processExitsWith: .failure) {
      final class Keeper: @unchecked Sendable { var decoder: (any Decoder)? }
      struct Kept: Decodable {
        static let keeper = Keeper()
        init(from decoder: any Decoder) { Kept.keeper.decoder = decoder }
      }
      _ = try? MartletJSON.Decoder().decode(Kept.self, from: #""text""#)
      _ = try? String(from: Kept.keeper.decoder!)
    }
  }
}
