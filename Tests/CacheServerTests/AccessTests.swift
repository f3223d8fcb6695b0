import MartletBytes
import Testing

@testable import CacheServer

@Suite("Access")
struct AccessTests {
  @Test(
    "Loopback names and the own address are local, whatever the port",
    arguments: [
      ("localhost", true), ("LOCALHOST:8080", true), ("127.0.0.1", true), ("127.0.0.1:80", true), ("127.1.2.3:80", true), ("[::1]", true),
      ("[::1]:80", true), ("my.host:80", true), ("MY.host", true), ("evil.org", false), ("localhost.evil.org", false),
      ("127.0.0.1.nip.io", false),
      ("[::2]:80", false), ("[::1", false), ("", false), ("10.0.0.1", false),
    ])
  func hosts(host: String, isLocal: Bool) {
    let found = Access.isLocal(host: Array(host.utf8).rawSpan, own: "my.host")
    #expect(found == isLocal)
  }

  @Test(
    "A bearer token is what follows the scheme, whose name has no case",
    arguments: [
      ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("BEARER a b", "a b"), ("Basic abc", nil), ("Bearer", nil), ("Bearer ", nil),
      ("", nil),
    ])
  func bearer(field: String, token: String?) {
    let bytes = Array(field.utf8)
    let found = Access.bearerToken(bytes.rawSpan)?.text
    #expect(found == token)
  }
}
