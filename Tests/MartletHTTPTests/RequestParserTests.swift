import MartletBytes
import Testing

@testable import MartletHTTP

/// What the parser makes of a head: its failure, or what it read. Nil: unfinished.
func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) throws(RequestFailure) -> Parsed? {
  try parse(Array(text.utf8), limits: limits)
}

func parse(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) throws(RequestFailure) -> Parsed? {
  var head = RequestHead()
  return try RequestParser.parse(bytes.rawSpan, limits: limits, into: &head) ? Parsed(head, of: bytes) : nil
}

func failure(_ text: String, limits: HTTPLimits = HTTPLimits()) -> RequestFailure? {
  do throws(RequestFailure) {
    _ = try parse(text, limits: limits)
    return nil
  } catch {
    return error
  }
}

/// A parsed head, copied out.
struct Parsed: Equatable {
  var method: MartletHTTP.Method
  var path: String
  var query: String
  var host: String
  var minorVersion: UInt8
  var fields: [String]
  var byteCount: Int
  var contentLength: Int?
  var isChunked: Bool
  var keepsAlive: Bool
  var expectsContinue: Bool

  init(_ head: borrowing RequestHead, of bytes: [UInt8]) {
    func text(_ range: ByteRange, from start: Int = 0) -> String {
      String(decoding: bytes[start + Int(range.start)..<start + Int(range.end)], as: UTF8.self)
    }
    method = head.method
    path = text(head.path)
    query = text(head.query)
    host = head.targetHost.isEmpty ? text(head.section.host, from: head.sectionStart) : text(head.targetHost)
    minorVersion = head.minorVersion
    byteCount = head.byteCount
    contentLength = head.contentLength
    isChunked = head.isChunked
    keepsAlive = head.keepsAlive
    expectsContinue = head.expectsContinue
    fields = []
    for index in 0..<head.section.fields.count {
      let entry = head.section.fields[index]
      fields.append(text(entry.name, from: head.sectionStart) + "=" + text(entry.value, from: head.sectionStart))
    }
  }
}

@Suite("Request parser")
struct RequestParserTests {
  @Test("A request line and fields become offsets; blanks around values are trimmed")
  func plain() throws {
    let text = "GET /a/b?c=d&e?f HTTP/1.1\r\nHost: example.com:80\r\nX-Odd_Name.~1:\t two  words \t\r\nEmpty:\r\n\r\nrest"
    let head = try #require(try parse(text))
    #expect(head.method == .get)
    #expect(head.path == "/a/b")
    #expect(head.query == "c=d&e?f")
    #expect(head.host == "example.com:80")
    #expect(head.fields == ["Host=example.com:80", "X-Odd_Name.~1=two  words", "Empty="])
    #expect(head.byteCount == text.utf8.count - 4)
    #expect(head.contentLength == nil && !head.isChunked && head.keepsAlive)
  }

  @Test("Each method is recognised by its exact name", arguments: MartletHTTP.Method.allCases)
  func methods(_ method: MartletHTTP.Method) throws {
    let name = method == .other ? "PROPFIND" : "\(method.name)"
    #expect(try #require(try parse("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")).method == method)
    if method != .other {
      #expect(failure("\(name)X / HTTP/1.1\r\nHost: a\r\n\r\n") == .methodUnknown)
      #expect(failure("\(name.lowercased()) / HTTP/1.1\r\nHost: a\r\n\r\n") == .methodUnknown)
    }
  }

  @Test("All registered methods are known")
  func registered() throws {
    for name in MartletHTTP.Method.others { #expect(try parse("\(name) /x HTTP/1.1\r\nHost: a\r\n\r\n")?.method == .other, "\(name)") }
  }

  @Test("A target may be a path, an http URI, or an asterisk")
  func targets() throws {
    func target(_ text: String) throws -> [String] {
      let head = try #require(try parse("OPTIONS \(text) HTTP/1.1\r\nHost: field\r\n\r\n"))
      return [head.path, head.query, head.host]
    }
    #expect(try target("/") == ["/", "", "field"])
    #expect(try target("/?") == ["/", "", "field"])
    #expect(try target("//x//") == ["//x//", "", "field"])
    #expect(try target("*") == ["*", "", "field"])
    #expect(try target("http://other:81/p?q=/") == ["/p", "q=/", "other:81"])
    #expect(try target("HTTPS://other/p") == ["/p", "", "other"])
    #expect(try target("http://other") == ["/", "", "other"])
    #expect(try target("http://other?q=/x") == ["/", "q=/x", "other"])
    #expect(try target("http://[::1]:8080/") == ["/", "", "[::1]:8080"])
    for text in ["x", "a/b", "?", "*x", "*?a", "http:/x", "http:///x", "http://", "ftp://a/", "http://u:p@a/", "example.com:80"] {
      #expect(failure("GET \(text) HTTP/1.1\r\nHost: a\r\n\r\n").map { [.targetForm, .hostInvalid].contains($0) } == true, "\(text)")
    }
    #expect(failure("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n") == .tunnel)
  }

  @Test("A target holds bytes 0x21 to 0x7E without #, and each of them is let through")
  func targetBytes() throws {
    for byte in UInt8.min...UInt8.max {
      for padding in 0..<9 {
        let target = Array("/".utf8) + Array(repeating: 0x61, count: padding) + [byte] + Array("bcdefghij".utf8)
        let bytes = Array("GET ".utf8) + target + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let head = try? parse(bytes)
        let allowed = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#")
        #expect(((head ?? nil) != nil) == allowed, "byte \(byte) at \(padding)")
      }
    }
  }

  @Test("Versions: 1.1 and 1.0 are spoken, other ones 505, malformed ones 400")
  func versions() throws {
    #expect(try parse("GET / HTTP/1.0\r\n\r\n")?.minorVersion == 0)
    for version in ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/9.9"] {
      #expect(failure("GET / \(version)\r\nHost: a\r\n\r\n") == .versionUnsupported)
    }
    for version in ["HTTP/1", "HTTP/1.", "HTTP/11", "http/1.1", "HTTP/1.x", "HTTPS/1.1", " HTTP/1.1", "", "HTTP 1.1"] {
      #expect(failure("GET / \(version)\r\nHost: a\r\n\r\n") == .version, "\(version)")
    }
    #expect(failure("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == .lineEnd)
    #expect(failure("GET / HTTP/1.10\r\nHost: a\r\n\r\n") == .lineEnd)
  }

  /// One per line of the contract's list, and the smuggler's favourites.
  static let refused: [(String, RequestFailure)] = [
    ("\u{1} / HTTP/1.1\r\n", .method),
    (" GET / HTTP/1.1\r\n", .method),
    ("GET\t/ HTTP/1.1\r\n", .method),
    ("G(T / HTTP/1.1\r\n", .method),
    ("GET  / HTTP/1.1\r\n", .targetForm),
    ("GET / \tHTTP/1.1\r\n", .version),
    ("GET /\r\n", .target),
    ("GET / HTTP/1.1\n", .lineEnd),
    ("GET / HTTP/1.1\rX", .lineEnd),
    ("GET / HTTP/1.1\r\nHost: a\n\r\n", .lineEnd),
    ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .lineEnd),
    ("GET / HTTP/1.1\r\nHost: a\r\n\n", .lineEnd),
    ("GET / HTTP/1.1\r\nHost: a\r\n\rX", .lineEnd),
    ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .fieldFolded),
    ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", .fieldFolded),
    ("GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n", .fieldFolded),
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .fieldNameSpace),
    ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", .fieldNameSpace),
    ("GET / HTTP/1.1\r\n: a\r\n\r\n", .fieldName),
    ("GET / HTTP/1.1\r\nHost\r\n\r\n", .fieldName),
    ("GET / HTTP/1.1\r\nHo@st: a\r\n\r\n", .fieldName),
    ("GET / HTTP/1.1\r\nHos\u{E9}: a\r\n\r\n", .fieldName),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", .fieldValue),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{B}b\r\n\r\n", .fieldValue),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n", .fieldValue),
    ("GET / HTTP/1.1\r\n\r\n", .hostMissing),
    ("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", .hostTwice),
    ("GET / HTTP/1.0\r\nHost: a\r\nHOST: b\r\n\r\n", .hostTwice),
    ("GET http://a/ HTTP/1.1\r\n\r\n", .hostMissing),
    ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a,b\u{E9}\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: []\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .hostInvalid),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .contentLengthTwice),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", .contentLength),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .bothLengths),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", .bothLengths),
    ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferCodingVersion),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .transferCodingOrder),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", .transferCodingOrder),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", .transferCodingOrder),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", .transferCodingOrder),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .transferCodingUnknown),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", .transferCodingUnknown),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", .transferCodingUnknown),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", .transferCodingUnknown),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n", .transferCoding),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", .transferCoding),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", .transferCoding),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{B}chunked\r\n\r\n", .fieldValue),
    ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", .expectation),
  ]

  @Test("Ambiguous heads are refused, whole and byte by byte alike", arguments: refused)
  func refusals(_ text: String, _ expected: RequestFailure) {
    #expect(failure(text) == expected)
    // A prefix is either unfinished or refused in the same way.
    let bytes = Array(text.utf8)
    for count in 0..<bytes.count {
      do throws(RequestFailure) {
        #expect(try parse(Array(bytes[0..<count])) == nil)
      } catch {
        #expect(error == expected, "after \(count) bytes")
      }
    }
  }

  @Test("Every prefix of a good head is unfinished, never refused")
  func prefixes() throws {
    let heads = [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST http://a.b:1/c?d HTTP/1.0\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHOST: [::1]:80\r\nTransfer-Encoding: chunked\r\nX:\t\u{E9} \t\r\n\r\n",
    ]
    for head in heads {
      let bytes = Array(head.utf8)
      for count in 0..<bytes.count { #expect(try parse(Array(bytes[0..<count])) == nil, "\(count) bytes of \(head)") }
      #expect(try parse(bytes) != nil)
    }
  }

  @Test("Limits are exact: what reaches them passes, one byte more does not")
  func limits() throws {
    let limits = HTTPLimits()
    func request(target: Int) -> String { "GET /\(String(repeating: "a", count: target - 1)) HTTP/1.1\r\nHost: a\r\n\r\n" }
    #expect(try parse(request(target: limits.targetBytesMax)) != nil)
    #expect(failure(request(target: limits.targetBytesMax + 1)) == .targetTooLong)
    #expect(failure("GET /" + String(repeating: "a", count: limits.targetBytesMax)) == .targetTooLong)
    #expect(failure("GET /" + String(repeating: "a", count: limits.targetBytesMax - 1)) == nil)

    func request(head: Int) -> String {
      let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
      return start + String(repeating: "a", count: head - start.utf8.count - 4) + "\r\n\r\n"
    }
    #expect(try parse(request(head: limits.headBytesMax))?.byteCount == limits.headBytesMax)
    #expect(try parse(request(head: limits.headBytesMax) + "GET")?.byteCount == limits.headBytesMax)
    #expect(failure(request(head: limits.headBytesMax + 1)) == .headTooLarge)
    #expect(try parse(Array(request(head: limits.headBytesMax + 1).utf8.prefix(limits.headBytesMax - 1))) == nil)

    func request(fields: Int) -> String {
      "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: a\r\n", count: fields - 1) + "\r\n"
    }
    #expect(try parse(request(fields: limits.fieldCountMax))?.fields.count == limits.fieldCountMax)
    #expect(failure(request(fields: limits.fieldCountMax + 1)) == .fieldsTooMany)
  }

  @Test("A Content-Length beyond all integers is large, not malformed")
  func hugeLength() throws {
    for digits in ["9223372036854775807", "9223372036854775808", "1000000000000000000000", String(repeating: "9", count: 300)] {
      #expect(try parse("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(digits)\r\n\r\n")?.contentLength == .max)
    }
    #expect(try parse("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0042\r\n\r\n")?.contentLength == 42)
  }

  @Test("Connections persist as version and Connection say")
  func persistence() throws {
    func keeps(_ version: String, _ connection: String?) throws -> Bool? {
      let line = connection.map { "Connection: \($0)\r\n" } ?? ""
      return try parse("GET / HTTP/\(version)\r\nHost: a\r\n\(line)\r\n")?.keepsAlive
    }
    #expect(try keeps("1.1", nil) == true)
    #expect(try keeps("1.1", "close") == false)
    #expect(try keeps("1.1", "upgrade, Close") == false)
    #expect(try keeps("1.1", "closed") == true)
    #expect(try keeps("1.0", nil) == false)
    #expect(try keeps("1.0", "Keep-Alive") == true)
    #expect(try keeps("1.0", "keep-alive, close") == false)
  }

  @Test("A field section that is the same as the last one is not parsed again, and means the same")
  func repeatedSections() throws {
    var head = RequestHead()
    let limits = HTTPLimits()
    let sections = [
      "Host: a\r\nContent-Length: 3\r\n\r\n", "Host: a\r\nContent-Length: 3\r\n\r\n", "Host: a\r\nContent-Length: 4\r\n\r\n",
      "Host: b\r\n\r\n",
      "Host: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
      "Host: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
    ]
    for (index, section) in sections.enumerated() {
      let bytes = Array("PUT /\(String(repeating: "x", count: index)) HTTP/1.1\r\n\(section)".utf8)
      #expect(try RequestParser.parse(bytes.rawSpan, limits: limits, into: &head))
      #expect(Parsed(head, of: bytes) == (try parse(bytes)))
    }
    // The same section is judged again where version or method make a difference.
    let old = Array("PUT / HTTP/1.0\r\n\(sections[5])".utf8)
    #expect(throws: RequestFailure.transferCodingVersion) { try RequestParser.parse(old.rawSpan, limits: limits, into: &head) }
    // A section that was refused is not kept.
    let bad = Array("PUT / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n".utf8)
    for _ in 0..<2 {
      #expect(throws: RequestFailure.fieldName) { try RequestParser.parse(bad.rawSpan, limits: limits, into: &head) }
    }
  }

  @Test("The parser never reads past its input, be it followed by a forbidden page")
  func forbiddenPage() throws {
    let heads = Self.refused.map(\.0) + ["GET /a%20b?c HTTP/1.1\r\nHost: example.com:8080\r\nAccept: */*\r\nContent-Length: 5\r\n\r\n"]
    for head in heads {
      let bytes = Array(head.utf8)
      for count in 0...bytes.count {
        let page = GuardedBytes(bytes[0..<count])
        page.withSpan { span in
          var parsed = RequestHead()
          do throws(RequestFailure) { _ = try RequestParser.parse(span, limits: HTTPLimits(), into: &parsed) } catch {}
        }
      }
    }
  }
}
