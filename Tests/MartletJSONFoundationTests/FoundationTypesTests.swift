// Foundation's own coders as the twin: the same types, the same options, the same texts, values and kinds of error.

import FoundationEssentials
import MartletJSON
import MartletJSONFoundation
import Testing

private struct Event: Codable, Equatable {
  var at = Date(timeIntervalSinceReferenceDate: 730_900_800.25)
  var page = URL(string: "https://example.org/a?b=c#d")!
  var price = Decimal(string: "12345678901234567890.12345678901234567")!
  var body = Data([0, 255, 16, 32])
  var id = UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F")!
  var history: [Date?] = [Date(timeIntervalSince1970: -1), nil]
  var parts: [String: Data] = ["x": Data("y".utf8)]
  var count = 3
  var note = "a/b"
}

/// One of the strategies, for both sides.
private struct Strategy: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var ours: @Sendable (inout MartletJSON.Encoder, inout MartletJSON.Decoder) -> Void
  var theirs: @Sendable (JSONEncoder, JSONDecoder) -> Void

  static let all = [
    Strategy(testDescription: "defaults", ours: { _, _ in }, theirs: { _, _ in }),
    Strategy(
      testDescription: "seconds",
      ours: {
        $0.dateEncodingStrategy = .secondsSince1970
        $1.dateDecodingStrategy = .secondsSince1970
      },
      theirs: {
        $0.dateEncodingStrategy = .secondsSince1970
        $1.dateDecodingStrategy = .secondsSince1970
      }),
    Strategy(
      testDescription: "milliseconds",
      ours: {
        $0.dateEncodingStrategy = .millisecondsSince1970
        $1.dateDecodingStrategy = .millisecondsSince1970
      },
      theirs: {
        $0.dateEncodingStrategy = .millisecondsSince1970
        $1.dateDecodingStrategy = .millisecondsSince1970
      }),
    Strategy(
      testDescription: "ISO 8601",
      ours: {
        $0.dateEncodingStrategy = .iso8601
        $1.dateDecodingStrategy = .iso8601
      },
      theirs: {
        $0.dateEncodingStrategy = .iso8601
        $1.dateDecodingStrategy = .iso8601
      }),
    Strategy(
      testDescription: "deferred data",
      ours: {
        $0.dataEncodingStrategy = .deferredToData
        $1.dataDecodingStrategy = .deferredToData
      },
      theirs: {
        $0.dataEncodingStrategy = .deferredToData
        $1.dataDecodingStrategy = .deferredToData
      }),
    Strategy(
      testDescription: "custom",
      ours: {
        $0.dateEncodingStrategy = .custom { date, encoder in try "\(date.timeIntervalSince1970)".encode(to: encoder) }
        $1.dateDecodingStrategy = .custom { Date(timeIntervalSince1970: Double(try String(from: $0))!) }
        $0.dataEncodingStrategy = .custom { data, encoder in try data.count.encode(to: encoder) }
        $1.dataDecodingStrategy = .custom { Data(count: try Int(from: $0)) }
      },
      theirs: {
        $0.dateEncodingStrategy = .custom { date, encoder in try "\(date.timeIntervalSince1970)".encode(to: encoder) }
        $1.dateDecodingStrategy = .custom { Date(timeIntervalSince1970: Double(try String(from: $0))!) }
        $0.dataEncodingStrategy = .custom { data, encoder in try data.count.encode(to: encoder) }
        $1.dataDecodingStrategy = .custom { Data(count: try Int(from: $0)) }
      }),
  ]
}

@Suite("Foundation's types")
struct FoundationTypesTests {
  @Test("Each strategy gives Foundation's text, and reads Foundation's value from it", arguments: Strategy.all)
  fileprivate func strategies(strategy: Strategy) throws {
    var (encoder, decoder) = (MartletJSON.Encoder.foundation, MartletJSON.Decoder.foundation)
    let (theirEncoder, theirDecoder) = (JSONEncoder(), JSONDecoder())
    encoder.outputFormatting = .sortedKeys
    theirEncoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    strategy.ours(&encoder, &decoder)
    strategy.theirs(theirEncoder, theirDecoder)
    let text: Data = try encoder.encode(Event())
    #expect(String(decoding: text, as: UTF8.self) == String(decoding: try theirEncoder.encode(Event()), as: UTF8.self))
    #expect(try decoder.decode(Event.self, from: text) == theirDecoder.decode(Event.self, from: text))
  }

  @Test("Setting one strategy gives the other types Foundation's form, and takes none away that was set before")
  func settingOne() throws {
    var encoder = MartletJSON.Encoder()
    #expect(encoder.dataEncodingStrategy.isDeferred)
    encoder.setStrategy(for: URL.self) { url, encoder in try (url.host() ?? "").encode(to: encoder) }
    encoder.dateEncodingStrategy = .iso8601
    #expect(!encoder.dataEncodingStrategy.isDeferred)
    let url = try #require(URL(string: "https://example.org/a"))
    #expect(try encoder.encode([url]) as [UInt8] == Array(#"["example.org"]"#.utf8))
    #expect(try encoder.encode([Data([1])]) as [UInt8] == Array(#"["AQ=="]"#.utf8))
    #expect(try encoder.encode([Decimal(5)]) as [UInt8] == Array("[5]".utf8))
    encoder.dataEncodingStrategy = .deferredToData
    #expect(try encoder.encode([Data([1])]) as [UInt8] == Array("[[1]]".utf8))

    var decoder = MartletJSON.Decoder()
    decoder.dataDecodingStrategy = .deferredToData
    #expect(try decoder.decode([URL].self, from: #"["https://example.org/a"]"#) == [url])
    #expect(try decoder.decode([Data].self, from: "[[1]]") == [Data([1])])
  }

  @Test(
    "What is no date, no data, no URL, no decimal is refused as Foundation refuses it, and always with its path",
    arguments: [
      #"{"at":"yesterday"}"#, #"{"at":1}"#, #"{"at":null}"#, #"{"body":"*"}"#, #"{"body":5}"#, #"{"page":""}"#, #"{"page":[]}"#,
      #"{"price":"5"}"#, #"{"price":{}}"#, #"{"price":1e500}"#, #"{"id":"x"}"#, #"{"id":7}"#,
    ])
  func refusals(text: String) {
    struct Part: Codable, Equatable {
      var at: Date?
      var body: Data?
      var page: URL?
      var price: Decimal?
      var id: UUID?
    }
    var decoder = MartletJSON.Decoder.foundation
    decoder.dateDecodingStrategy = .iso8601
    let theirs = JSONDecoder()
    theirs.dateDecodingStrategy = .iso8601
    let (ours, foundations) = (
      Refusal { try decoder.decode(Part.self, from: text) }, Refusal { try theirs.decode(Part.self, from: Data(text.utf8)) }
    )
    #expect(ours.kind == foundations.kind)
    // Foundation leaves the path out where a strategy itself refuses.
    #expect(ours.path == foundations.path || foundations.path == [])
    #expect(ours.kind == "none" || text.hasPrefix("{\"\(ours.path.joined(separator: "."))\":"))
  }

  @Test("Decimals keep 38 digits both ways; one that is not a number is refused")
  func decimals() throws {
    for text in ["0", "-0.1", "1e5", "12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001", "-7.50", "1E-3"]
    {
      let value = try MartletJSON.Decoder.foundation.decode([Decimal].self, from: "[\(text)]")
      #expect(try value == JSONDecoder().decode([Decimal].self, from: Data("[\(text)]".utf8)), "\(text)")
      #expect(try MartletJSON.Encoder.foundation.encode(value) as Data == JSONEncoder().encode(value), "\(text)")
    }
    #expect(throws: EncodingError.self) { try MartletJSON.Encoder.foundation.encode([Decimal.nan]) as [UInt8] }
  }

  @Test("A date that is no finite number is refused, or written as the strategy for such numbers says")
  func distantDates() throws {
    let never = [Date(timeIntervalSince1970: .infinity)]
    var encoder = MartletJSON.Encoder.foundation
    for strategy: MartletJSON.Encoder.DateEncodingStrategy in [.deferredToDate, .secondsSince1970, .millisecondsSince1970] {
      encoder.dateEncodingStrategy = strategy
      encoder.nonConformingFloatEncodingStrategy = .throw
      #expect(throws: EncodingError.self) { try encoder.encode(never) as [UInt8] }
      encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "never", negativeInfinity: "", nan: "")
      #expect(try encoder.encode(never) as [UInt8] == Array(#"["never"]"#.utf8))
    }
  }
}

/// Kind and path of a decoding's refusal.
private struct Refusal: Equatable {
  var kind = "none"
  var path: [String] = []

  init(_ body: () throws -> some Any) {
    do {
      _ = try body()
    } catch DecodingError.dataCorrupted(let context) {
      (kind, path) = ("corrupted", context.codingPath.map(\.stringValue))
    } catch DecodingError.typeMismatch(let type, let context) {
      (kind, path) = ("mismatch \(type)", context.codingPath.map(\.stringValue))
    } catch DecodingError.valueNotFound(_, let context) {
      (kind, path) = ("not found", context.codingPath.map(\.stringValue))
    } catch {
      kind = "\(error)"
    }
  }
}

extension MartletJSON.Encoder.DataEncodingStrategy {
  fileprivate var isDeferred: Bool { if case .deferredToData = self { true } else { false } }
}
