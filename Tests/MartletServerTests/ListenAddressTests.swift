import MartletServer
import Testing

@Suite("ListenAddress")
struct ListenAddressTests {
  @Test(
    "Each form is understood and written back",
    arguments: [
      ("127.0.0.1:8080", "127.0.0.1:8080"), ("8080", "127.0.0.1:8080"), ("0", "127.0.0.1:0"), ("[::1]:80", "[::1]:80"),
      ("[fe80::1]:65535", "[fe80::1]:65535"), ("localhost:1", "localhost:1"), ("unix:/run/m.sock", "unix:/run/m.sock"), ("off", "off"),
      ("0.0.0.0:8080", "0.0.0.0:8080"),
    ])
  func forms(text: String, written: String) throws {
    #expect(try #require(ListenAddress(text)).description == written)
  }

  @Test(
    "Anything else is refused",
    arguments: [
      "", ":8080", "host", "host:", "host:65536", "host:-1", "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80", "unix:", "on", "a b:80",
      "h/x:80", "+80",
      "٣", "unix:/" + String(repeating: "x", count: 103),
    ])
  func refusals(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(
    "Local is what only this machine can reach",
    arguments: [
      ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true), ("localhost:1", true), ("unix:/x", true), ("off", true),
      ("0.0.0.0:1", false), ("[::]:1", false), ("10.0.0.1:1", false), ("example.org:1", false), ("127.evil.org:1", false),
      ("127.0.0.1.evil:1", false), ("127.0.0.256:1", false),
    ])
  func locality(text: String, isLocal: Bool) throws {
    #expect(try #require(ListenAddress(text)).isLocal == isLocal)
  }
}

@Suite("ByteSize")
struct ByteSizeTests {
  @Test(
    "Sizes are understood",
    arguments: [("0", 0), ("1000000", 1_000_000), ("1KiB", 1024), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("2gib", 2 << 30), ("7B", 7)])
  func understood(text: String, bytes: Int) {
    #expect(ByteSize(text)?.bytes == bytes)
  }

  @Test(
    "Anything else is refused",
    arguments: ["", "MiB", "1MB", "1.5GiB", "-1", "1 MiB", "1K", "9223372036854775808", "9007199254740993GiB", "１"])
  func refused(text: String) {
    #expect(ByteSize(text) == nil)
  }

  @Test(
    "A size is written in the largest unit that says it exactly",
    arguments: [(0, "0"), (1023, "1023"), (1024, "1KiB"), (3 << 20, "3MiB"), ((3 << 20) + 1, "3145729"), (1 << 40, "1024GiB")])
  func written(bytes: Int, text: String) {
    #expect(ByteSize(bytes: bytes).description == text)
  }
}
