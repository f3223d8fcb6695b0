// A value of every kind that Codable knows, made from a seed: for tests that hold coders against each other.

import MartletJSON

struct Sample: Codable, Equatable {
  enum Kind: String, Codable, CaseIterable { case plain, odd, none }
  enum Payload: Codable, Equatable {
    case number(Double)
    case words([String], count: Int)
    case empty
    indirect case nested(Payload, tag: String?)
  }
  struct Part: Codable, Equatable {
    var flag: Bool?
    var small: Int8
    var large: UInt64
    var single: Float
    var byName: [String: Int]
    var byNumber: [Int: String]
  }

  var id: Int64
  var name: String
  var ratio: Double
  var kind: Kind
  var payloads: [Payload]
  var parts: [Part]
  var optional: [Int?]
  var set: Set<UInt16>
  var wide: UInt32?
  var grid: [[Double]]
  var `self`: Bool
}

extension Sample {
  init(_ random: inout SeededRandom) {
    id = Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random)
    name = Self.text(&random)
    ratio = Self.double(&random)
    kind = Kind.allCases.randomElement(using: &random)!
    payloads = Self.list(&random) { Self.payload(&$0, depth: 3) }
    parts = Self.list(&random) { random in
      Part(
        flag: [nil, true, false].randomElement(using: &random)!, small: .random(in: .min ... .max, using: &random), large: random.next(),
        single: Float(bitPattern: UInt32.random(in: 0...0x7F7F_FFFF, using: &random)),
        byName: Dictionary(Self.list(&random) { (Self.text(&$0), 7) }, uniquingKeysWith: { $1 }),
        byNumber: Dictionary(Self.list(&random) { (Int.random(in: -9...9, using: &$0), Self.text(&$0)) }, uniquingKeysWith: { $1 }))
    }
    optional = Self.list(&random) { Bool.random(using: &$0) ? nil : Int.random(in: -5...5, using: &$0) }
    set = Set(Self.list(&random) { UInt16.random(in: 0...9, using: &$0) })
    wide = Bool.random(using: &random) ? nil : UInt32.random(in: .min ... .max, using: &random)
    grid = Self.list(&random) { Self.list(&$0) { Self.double(&$0) } }
    self.`self` = Bool.random(using: &random)
  }

  static func list<Element>(_ random: inout SeededRandom, _ make: (inout SeededRandom) -> Element) -> [Element] {
    (0..<Int.random(in: 0...4, using: &random)).map { _ in make(&random) }
  }

  static func payload(_ random: inout SeededRandom, depth: Int) -> Payload {
    switch Int.random(in: 0...(depth > 0 ? 3 : 2), using: &random) {
    case 0: .number(double(&random))
    case 1: .words(list(&random, text), count: 1)
    case 2: .empty
    default: .nested(payload(&random, depth: depth - 1), tag: Bool.random(using: &random) ? nil : text(&random))
    }
  }

  static func double(_ random: inout SeededRandom) -> Double {
    let value = Double(bitPattern: random.next())
    return value.isFinite ? value : Double(Int.random(in: -1000...1000, using: &random)) / 100
  }

  static func text(_ random: inout SeededRandom) -> String {
    let alphabet: [Unicode.Scalar] = ["a", "B", "9", " ", "\"", "\\", "/", "\u{0}", "\u{1F}", "\n", "\u{7F}", "é", "日", "😀", "\u{2028}"]
    return (0..<Int.random(in: 0...20, using: &random)).reduce(into: "") { text, _ in
      text.unicodeScalars.append(alphabet.randomElement(using: &random)!)
    }
  }
}

extension Sample {
  /// A text of one, broken at random.
  static func broken(_ random: inout SeededRandom) throws -> [UInt8] {
    var text = try MartletJSON.Encoder().encode(Sample(&random))
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      let place = Int.random(in: text.indices, using: &random)
      switch Int.random(in: 0...2, using: &random) {
      case 0: text.remove(at: place)
      case 1: text.insert(Array(#"{}[],:"0e.-truné\ "#.utf8).randomElement(using: &random)!, at: place)
      default: text[place] = Array(#"{}[],:"0e.-trun\ "#.utf8).randomElement(using: &random)!
      }
      if text.isEmpty { text = [0x30] }
    }
    return text
  }
}
