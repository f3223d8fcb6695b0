import MartletBytes
import Synchronization
import Testing

@testable import MartletHTTP

@Suite("Request")
struct RequestTests {
  /// Runs `look` on a request and gives back what it found.
  private func see(
    _ target: String, _ fields: String = "", method: String = "GET", _ look: @escaping @Sendable (borrowing Request) throws -> String
  ) -> String {
    var router = Router()
    router.get("/{rest...}") { request, response in response.body(try look(request)) }
    router.post("/{rest...}") { request, response in response.body(try look(request)) }
    var talk = Conversation(RouteTree(router))
    let reply = talk.exchange("\(method) \(target) HTTP/1.1\r\nHost: example.com\r\n\(fields)\r\n")
    return statuses(reply) == [200]
      ? String(reply.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first ?? "") : "\(statuses(reply))"
  }

  @Test("Fields are found without case, the first one first, blanks trimmed")
  func fields() {
    let fields = "X-A:  1 \r\nx-a: 2\r\nX-B:\r\n"
    #expect(see("/", fields) { $0.field("x-a")?.text ?? "none" } == "1")
    #expect(see("/", fields) { $0.field("x-b")?.text ?? "none" } == "")
    #expect(see("/", fields) { $0.field("x-c")?.text ?? "none" } == "none")
    #expect(
      see("/", fields) { request in
        var all = ""
        request.forEachField(named: "x-a") { all += $0.text + ";" }
        request.forEachField { all += $0.text + "=" + $1.text + ";" }
        return all
      } == "1;2;Host=example.com;X-A=1;x-a=2;X-B=;")
    #expect(see("/") { $0.host.text } == "example.com")
    #expect(see("http://other:8/x") { $0.host.text + $0.path.text } == "other:8/x")
  }

  @Test("A precondition is noticed, whatever its case, and nothing else is taken for one")
  func conditions() {
    for field in ["If-Match: *", "if-none-match: \"1\"", "IF-Range: x", "X: 1\r\niF-modified-since: x"] {
      #expect(see("/", field + "\r\n") { "\($0.hasConditions)" } == "true", "\(field)")
    }
    for field in ["If: x", "X-If-Match: *", "Iff-Match: *", "I: f-"] {
      #expect(see("/", field + "\r\n") { "\($0.hasConditions)" } == "false", "\(field)")
    }
  }

  @Test("A body is told of before it is there")
  func bodies() {
    #expect(see("/") { "\($0.hasBody)" } == "false")
    #expect(see("/", "Content-Length: 0\r\n", method: "POST") { "\($0.hasBody)" } == "false")
    #expect(see("/", "Content-Length: 1\r\n\r\nx", method: "POST") { "\($0.hasBody)" } == "true")
  }

  @Test("Lists are taken apart at commas outside of quotes")
  func lists() {
    #expect(
      see("/", "If-Match: \"a,b\" , W/\"c\\\",d\",, e\r\nIf-Match: f\r\n") { request in
        var all: [String] = []
        request.forEachElement(ofField: "if-match") { all.append($0.text) }
        return all.joined(separator: "|")
      } == #""a,b"|W/"c\",d"|e|f"#)
  }

  @Test("Query items are decoded once; + is a space; malformed encoding is 400")
  func query() {
    func items(_ query: String) -> String {
      see("/?" + query) { request in
        var all: [String] = []
        try request.forEachQueryItem { all.append($0.text + "=" + $1.text) }
        return all.joined(separator: "|")
      }
    }
    #expect(items("a=1&b=&c&&=d&e=f=g") == "a=1|b=|c=|=d|e=f=g")
    #expect(items("a+b=c%2Bd%26e&%61=%2525") == "a b=c+d&e|a=%25")
    #expect(items("") == "")
    for bad in ["a=%", "a=%4", "%zz=1", "a=1&b=%G0"] { #expect(items(bad) == "[400]") }
  }

  @Test("Body, method, version, time and parameters are there")
  func rest() {
    #expect(
      see("/a/b?c", method: "POST") {
        "\($0.method) \($0.methodName.text) \($0.minorVersion) \($0.query.text) \($0.parameter(0).text) \($0.parameterCount) \($0.now.nanoseconds)"
      }
        == "post POST 1 c a/b 1 1000000000")
  }

  @Test("A copy of a request says the same")
  func owned() {
    #expect(
      see("/a%20b?c=%64", "X-A: 1\r\n") { request in
        let copy = OwnedRequest(request)
        var items = ""
        try copy.forEachQueryItem { items += $0.text + $1.text }
        return [
          String(decoding: copy.path, as: UTF8.self), String(decoding: copy.parameter(0), as: UTF8.self), items,
          String(decoding: copy.field("x-a") ?? [], as: UTF8.self), String(decoding: copy.host, as: UTF8.self),
          "\(copy.field("x-b") == nil)",
        ].joined(separator: "|")
      } == "/a%20b|a b|cd|1|example.com|true")
  }

  @Test("Percent-decoding gives any byte, once")
  func percentCoding() {
    for byte in UInt8.min...UInt8.max {
      var encoded = ByteBuffer()
      encoded.append("%")
      encoded.append(ASCII.hexDigit(byte >> 4))
      encoded.append(ASCII.lowercased(ASCII.hexDigit(byte & 15)))
      var decoded = ByteBuffer()
      #expect(PercentCoding.firstMalformed(encoded.bytes) == nil)
      PercentCoding.decode(encoded.bytes, into: &decoded)
      #expect(decoded.copied() == [byte])
    }
    #expect(PercentCoding.firstMalformed(Array("ab%41%4".utf8).rawSpan) == 5)
  }
}
