// The request vectors of nodejs/llhttp (../shared/conformance/http), at the depth of a session: all of them, cut and whole.

import MartletBytes
import Testing

@testable import MartletHTTP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("HTTP conformance")
struct ConformanceTests {
  /// Where we differ, and why.
  static let mattersOfTaste: [String: String] = [
    // The reply to the first request is sound; what follows it is not looked at (RFC 9112 section 9.6: a server must not process
    // further requests after the one that closes).
    "connection: No restart when keep-alive is off (1.0)": "RFC 9112 section 9.6",
    "connection: CRLF between requests, explicit `close`": "RFC 9112 section 9.6",
    "connection: CRLF between requests, explicit `close` followed by tab": "RFC 9112 section 9.6",
    // Userinfo in an http URI is an error (RFC 9110 section 4.2.4).
    "uri: `host:port` and basic auth": "RFC 9110 section 4.2.4",
    // The body of the first request never comes whole, and so neither does a reply (RFC 9112 section 8).
    "content-length: Content-Length reset when no body is received": "RFC 9112 section 8",
    // A fragment is no part of a request target (RFC 9112 section 3.2); the vectors accept one here and refuse it elsewhere.
    "transfer-encoding: POST with `chunked` as last transfer-encoding": "RFC 9112 section 3.2",
    "transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)": "RFC 9112 section 3.2",
  ]

  struct Vector: Sendable {
    var name: String
    var expect: String
    var bytes: [UInt8]
  }

  static let vectors: [Vector] = load()

  @Test("Every vector is accepted or refused as it says", .enabled(if: !vectors.isEmpty, "needs ../shared/conformance"))
  func all() {
    #expect(Self.vectors.count == 106)
    var differing: Set<String> = []
    for vector in Self.vectors {
      for isDripped in [false, true] {
        var talk = Conversation(Self.routes)
        if isDripped { for byte in vector.bytes { talk.send([byte]) } } else { talk.send(vector.bytes) }
        if talk.closeReason == nil { talk.wake(.endOfInput) }
        let replies = statuses(talk.takeOutput())
        let isRefused = replies.contains { $0 == 400 || $0 == 505 }
        let agrees =
          switch vector.expect {
          case "accept": replies.first.map { $0 != 400 && $0 != 505 } ?? false
          case "reject": replies.isEmpty || replies.contains { $0 >= 400 }
          default: !isRefused
          }
        if agrees { continue }
        differing.insert(vector.name)
        if Self.mattersOfTaste[vector.name] == nil { Issue.record("\(vector.name) (\(vector.expect)): \(replies), dripped: \(isDripped)") }
      }
    }
    #expect(differing == Set(Self.mattersOfTaste.keys))
  }

  /// Everything is there, so that only framing can be refused.
  private static let routes: RouteTree = {
    var router = Router()
    for method in MartletHTTP.Method.allCases where method != .other {
      router.on(method, "/{rest...}") { (request: borrowing Request, response: inout ResponseWriter) in response.body(request.body) }
    }
    return RouteTree(router)
  }()

  // MARK: The file

  /// The vectors; empty if the file is not there. A reader for just this file: objects of four strings.
  private static func load() -> [Vector] {
    let shared = unsafe getenv("MARTLET_SHARED").map { unsafe String(cString: $0) } ?? packageRoot + "/../shared"
    guard let file = SmallFile.read(shared + "/conformance/http/requests.json") else { return [] }
    var strings = Strings(bytes: file.copied())
    var vectors: [Vector] = []
    while let key = strings.next() {
      precondition(key == "name")
      guard let name = strings.next(), strings.next() == "base64", let base64 = strings.next(), strings.next() == "expect",
        let expect = strings.next(), strings.next() == "reason", strings.next() != nil
      else { preconditionFailure("requests.json has another shape") }
      vectors.append(Vector(name: name, expect: expect, bytes: decode(base64: base64)))
    }
    return vectors
  }

  private static let packageRoot = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  /// The string tokens of a JSON text.
  private struct Strings {
    var bytes: [UInt8]
    var position = 0

    mutating func next() -> String? {
      guard let start = bytes[position...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
      position = start + 1
      var text: [UInt8] = []
      while bytes[position] != UInt8(ascii: "\"") {
        if bytes[position] == UInt8(ascii: "\\") { position += 1 }  // the escapes here are \\ and \" only
        text.append(bytes[position])
        position += 1
      }
      position += 1
      return String(decoding: text, as: UTF8.self)
    }
  }

  private static func decode(base64: String) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bytes: [UInt8] = []
    var bits = 0
    var value: UInt32 = 0
    for character in base64.utf8 where character != UInt8(ascii: "=") {
      value = value << 6 | UInt32(alphabet.firstIndex(of: character)!)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
      }
    }
    return bytes
  }
}
