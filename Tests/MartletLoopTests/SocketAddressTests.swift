import Testing

@testable import MartletLoop

@Suite struct SocketAddressTests {
  @Test(
    "A literal reads back as it is written",
    arguments: [
      "127.0.0.1:8080", "0.0.0.0:1", "255.255.255.255:65535", "[::1]:8080", "[::]:0", "[fe80::1:2]:443", "[2001:db8::ff00:42:8329]:80",
      "unix:/tmp/socket", "unix:relative",
    ])
  func literals(text: String) {
    #expect(SocketAddress(text)?.description == text)
  }

  @Test("A port alone is loopback")
  func portAlone() {
    #expect(SocketAddress("8080") == .loopback(port: 8080))
    #expect(SocketAddress("0")?.description == "127.0.0.1:0")
  }

  @Test(
    "Everything else is no literal",
    arguments: [
      "", ":", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80",
      "127.0.0.1:123456", "1.2.3:80", "::1:80", "[::1]", "[::1]80", "[::1:80", "[127.0.0.1]:80", "[]:80", "unix:", "off", "65536",
      "unix:" + String(repeating: "x", count: 200),
    ])
  func malformed(text: String) {
    #expect(SocketAddress(text) == nil)
  }

  @Test(
    "Local is what only this machine can reach",
    arguments: [
      ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true), ("unix:/x", true),
      ("0.0.0.0:1", false), ("[::]:1", false), ("10.0.0.1:1", false), ("[::ffff:10.0.0.1]:1", false), ("[fe80::1]:1", false),
    ])
  func local(text: String, isLocal: Bool) throws {
    #expect(try #require(SocketAddress(text)).isLocal == isLocal)
  }

  @Test("Names are looked up; what cannot be found or read is an error that says so")
  func resolve() throws {
    #expect(try SocketAddress.resolve("localhost:80").isLocal)
    #expect(try SocketAddress.resolve("127.0.0.1:80") == .loopback(port: 80))
    let unknown = #expect(throws: UVError.self) { try SocketAddress.resolve("no-such-host.invalid:80") }
    #expect(unknown?.description.hasPrefix("cannot find the host 'no-such-host.invalid'") == true)
    for text in ["", "[::1", "host", "unix:", "a:b:80"] {
      let error = #expect(throws: UVError.self) { try SocketAddress.resolve(text) }
      #expect(error?.name == "EINVAL")
    }
  }
}
