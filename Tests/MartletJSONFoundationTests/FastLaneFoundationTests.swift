import FoundationEssentials
import MartletJSON
import MartletJSONFoundation
import Testing

private struct Item: JSONEncodable, JSONDecodable, Equatable {
  var page = URL(string: "https://example.org/ä?b")!
  var id = UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F")!
  var body = Data([1, 2, 255])
  var price = Decimal(string: "0.123456789012345678901234567890")!

  func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    try json.member("page", page)
    try json.member("id", id)
    try json.member("body", body)
    try json.member("price", price)
    json.endObject()
  }

  init() {}

  init(from json: inout JSONReader) throws {
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "page": page = try json.read()
      case "id": id = try json.read()
      case "body": body = try json.read()
      case "price": price = try json.read()
      default: try json.skip()
      }
    }
  }
}

@Suite("Foundation's types on the fast lane")
struct FastLaneFoundationTests {
  @Test("They are written as JSONEncoder writes them, and come back")
  func roundTrip() throws {
    let text = try Item().jsonBytes()
    #expect(
      String(decoding: text, as: UTF8.self)
        == #"{"page":"https://example.org/%C3%A4?b","id":"E621E1F8-C36C-495A-93FC-0C247A3E6E5F","body":"AQL/","price":0.12345678901234567890123456789}"#
    )
    #expect(try Item(json: text) == Item())
  }

  @Test(
    "What they cannot be read from is an error at its first byte",
    arguments: [
      (#"{"page":""}"#, 8, "expected a URL"), (#"{"id": "x"}"#, 7, "expected a UUID"), (#"{"body":"*"}"#, 8, "expected Base64"),
      (#"{"price":1e999}"#, 9, "number out of range"), (#"{"price":"1"}"#, 9, "expected a number"),
    ])
  func refusals(text: String, offset: Int, problem: String) {
    do {
      _ = try Item(json: Array(text.utf8))
      Issue.record("\(text) was read")
    } catch {
      #expect("\(error)" == "\(problem) at byte \(offset)")
    }
  }

  @Test("A decimal that is not a number is refused")
  func notANumber() {
    #expect(throws: JSONError.self) { try Decimal.nan.jsonBytes() }
  }
}
