import MartletAPI
import MartletBytes
import MartletHTTP
import MartletJSON
import Testing

private struct Order: Codable, Equatable {
  var id: Int
  var lines: [Line]
  struct Line: Codable, Equatable { var name: String }
}

/// The same on the fast lane, with a mark that shows which way was taken.
private struct Fast: Codable, JSONEncodable, JSONDecodable {
  var id: Int
  func encode(to json: inout JSONWriter) { json.string("fast") }
  init(id: Int) { self.id = id }
  init(from json: inout JSONReader) throws {
    var id: Int?
    try json.beginObject()
    while let name = try json.nextName() {
      if name == "id" { id = try json.read() } else { try json.skip() }
    }
    self.id = try json.require(id, "id") + 1000
  }
}

@Suite("JSON requests and replies as values")
struct RequestJSONTests {
  /// The reply to a POST of `body`.
  private static func reply(to body: String, _ handler: @escaping Handler) -> String {
    var router = Router()
    router.post("/", handler)
    let service = HTTPService(routes: RouteTree(router)) { _, _ in }
    var session = HTTPSession(id: ConnectionID(loop: 0, slot: 0, generation: 1), service: service)
    var output = ByteBuffer()
    let request: [UInt8] = Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    _ = session.receive(request.rawSpan, into: &output, at: .now)
    return output.text
  }

  private static func content(_ reply: String) -> Substring { reply[reply.range(after: "\r\n\r\n")...] }

  @Test("A body comes as a value, and a value goes as a body")
  func values() {
    let reply = Self.reply(to: #"{"id":7,"lines":[{"name":"é"}]}"#) { request, response in
      var order = try request.json(Order.self)
      order.id += 1
      try response.json(order)
    }
    #expect(reply.contains("\r\nContent-Type: application/json\r\n"))
    #expect(Self.content(reply) == #"{"id":8,"lines":[{"name":"é"}]}"#)
  }

  @Test("Types with a fast lane take it, also where only Codable is known of them; not when a coder with options is given")
  func lanes() {
    func generic<Value: Codable & SendableMetatype>(_ type: Value.Type) -> String {
      Self.reply(to: #"{"id":1}"#) { request, response in try response.json([try request.json(type)]) }
    }
    let plain = Self.reply(to: #"{"id":1}"#) { request, response in
      #expect(try request.json(Fast.self).id == 1001)
      try response.json(Fast(id: 1))
    }
    #expect(Self.content(plain) == #""fast""#)
    #expect(Self.content(generic(Fast.self)) == #"["fast"]"#)
    let coded = Self.reply(to: #"{"ID":1}"#) { request, response in
      var decoder = MartletJSON.Decoder()
      decoder.setStrategy(for: Fast.self) { _ in Fast(id: 5) }
      #expect(try request.json(Fast.self, by: decoder).id == 5)
      try response.json(Fast(id: 6), by: MartletJSON.Encoder())
    }
    #expect(Self.content(coded) == #"{"id":6}"#)
  }

  @Test(
    "What is wrong with a body is a 400 that says where",
    arguments: [
      (#"{"id":1,"lines":[{"name":"a"},{"name":5}]}"#, #""offset":38,"pointer":"/lines/1/name""#),
      (#"{"id":1,"lines":[{}]}"#, #""offset":17,"pointer":"/lines/0/name""#),
      (#"{"id":1,"lines":[{"name":"a}]}"#, #""offset":30,"pointer":"/lines/0/name""#),
      (#"{"id":1}}"#, #""offset":8}"#),
      ("", #""offset":0}"#),
    ])
  func refusals(body: String, place: String) {
    let reply = Self.reply(to: body) { request, response in try response.json(try request.json(Order.self)) }
    #expect(reply.hasPrefix("HTTP/1.1 400 "))
    #expect(reply.contains("application/problem+json"))
    #expect(reply.contains(place), "\(reply)")
  }

  @Test("The fast lane's refusals say the same")
  func fastRefusals() {
    func refusal(_ body: String) -> String {
      Self.reply(to: body) { request, response in try response.json(try request.json([Fast].self)) }
    }
    #expect(refusal(#"[{"id":1},{"id":true}]"#).contains(#""offset":16,"pointer":"/1/id""#))
    #expect(refusal(#"[{"id":1},{"x":[]}]"#).contains(#""offset":17,"pointer":"/1/id""#))
    #expect(refusal(#"[{"id":1},"#).contains(#""offset":10,"pointer":"/1""#))
  }

  @Test("A value that cannot be written is the server's error; what a type itself throws stays what it is")
  func otherErrors() {
    #expect(Self.reply(to: "") { _, response in try response.json(["x": Double.nan] as [String: Double]) }.hasPrefix("HTTP/1.1 500 "))
    struct Reading: Encodable {
      var value = Float.nan
    }
    #expect(Self.reply(to: "") { _, response in try response.json(Reading()) }.hasPrefix("HTTP/1.1 500 "))
    struct Teapot: Decodable {
      init(from decoder: any Decoder) throws { throw HTTPError(.conflict, "no") }
    }
    #expect(Self.reply(to: "{}") { request, response in _ = try request.json(Teapot.self) }.hasPrefix("HTTP/1.1 409 "))
  }

  @Test("Owned requests and replies have the same")
  func owned() throws {
    let response = try OwnedResponse(json: Order(id: 1, lines: []), status: .created)
    guard case .bytes(let bytes) = response.body else { return #expect(Bool(false), "no body") }
    #expect(bytes == Array(#"{"id":1,"lines":[]}"#.utf8))
    #expect(response.status == .created)
    guard case .bytes(let fast) = try OwnedResponse(json: [Fast(id: 1)]).body else { return #expect(Bool(false), "no body") }
    #expect(fast == Array(#"["fast"]"#.utf8))
  }
}

extension String {
  fileprivate func range(after part: String) -> Index {
    indices.first { self[$0...].hasPrefix(part) }.map { index($0, offsetBy: part.count) } ?? endIndex
  }
}
