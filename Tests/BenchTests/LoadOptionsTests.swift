import Testing

@testable import Bench

@Suite struct LoadOptionsTests {
  private func options(_ change: @Sendable (inout LoadOptionTexts) -> Void = { _ in }) throws -> LoadOptions {
    var texts = LoadOptionTexts()
    texts.target = "resp://127.0.0.1:6379"
    change(&texts)
    return try LoadOptions(texts)
  }

  @Test("Without options they are what the contract says")
  func defaults() throws {
    let options = try options()
    #expect(options.connections == 64 && options.pipeline == 1 && options.threads == 1)
    #expect(options.durationSeconds == 10 && options.rate == nil && options.requestsMax == nil)
    #expect("\(options.mix)" == "get 90 %, set 10 %")
    #expect(options.keys == 1_000_000 && options.distribution == .uniform)
    #expect(options.keyBytes == 16 && options.valueBytes == 64...64)
    #expect(options.cores == [] && options.path == nil && options.serverPID == nil)
  }

  @Test(
    "A target names protocol, address, and for HTTP a path",
    arguments: [
      ("http://127.0.0.1:8080", "127.0.0.1:8080", nil), ("http://localhost", "localhost:80", nil),
      ("http://[::1]:8080/", "[::1]:8080", nil),
      ("http://a:1/json/50?x=1", "a:1", "/json/50?x=1"), ("resp://[::1]", "[::1]:6379", nil), ("memcached://h", "h:11211", nil),
      ("resp://unix:/tmp/s", "unix:/tmp/s", nil), ("resp://h:1/", "h:1", nil),
    ] as [(String, String, String?)])
  func target(text: String, address: String, path: String?) throws {
    let target = try LoadTarget(text)
    #expect(target.address == address)
    #expect(target.path == path)
  }

  @Test(
    "A target that is none is told with what it should be",
    arguments: [
      "", "127.0.0.1:6379", "redis://h:1", "resp:/h", "resp://", "http://", "resp://h:1/path", "resp://u@h:1", "resp://unix:/", "http://h:",
      "http:// h",
    ])
  func wrongTarget(text: String) {
    let error = #expect(throws: BenchError.self) { try LoadTarget(text) }
    #expect(error?.kind == .usage)
    #expect(error?.description.contains("'\(text)'") == true)
  }

  @Test("Ranges, distributions and cores are understood")
  func understood() throws {
    #expect(try options { $0.valueBytes = "16-65536" }.valueBytes == 16...65536)
    #expect(try options { $0.zipf = 0.99 }.distribution == .zipf(theta: 0.99))
    #expect(try options { $0.zipf = 0 }.distribution == .uniform)
    #expect(try options { $0.scan = true }.distribution == .scan)
    #expect(try options { $0.hot = "0.1:0.9" }.distribution == .hot(part: 0.1, share: 0.9))
    #expect(
      try options {
        $0.pin = "1,3"
        $0.threads = 3
      }.cores == [1, 3, 1])
    #expect(
      try options {
        $0.target = "http://h:1"
        $0.path = "/json"
      }.mix == LoadMix(.path))
    #expect(try options { $0.target = "http://h:1/json" }.path == "/json")
  }

  static let wrongOnes: [(option: String, change: @Sendable (inout LoadOptionTexts) -> Void)] = [
    ("--connections", { $0.connections = 0 }), ("--connections", { $0.connections = 65_537 }), ("--pipeline", { $0.pipeline = 1025 }),
    ("--threads", { $0.threads = 65 }), ("--duration", { $0.duration = 0 }), ("--duration", { $0.duration = .nan }),
    ("--requests", { $0.requests = 0 }), ("--rate", { $0.rate = 0 }), ("--rate", { $0.rate = .infinity }), ("--batch", { $0.batch = 0 }),
    ("--keys", { $0.keys = 0 }), ("--key-bytes", { $0.keyBytes = 5 }), ("--key-bytes", { $0.keyBytes = 251 }),
    ("--value-bytes", { $0.valueBytes = "0" }), ("--value-bytes", { $0.valueBytes = "9-8" }),
    ("--value-bytes", { $0.valueBytes = "1-2-3" }),
    ("--value-bytes", { $0.valueBytes = "x" }), ("--value-bytes", { $0.valueBytes = "9000000" }), ("--ttl", { $0.ttl = 0 }),
    ("--warm-up", { $0.warmUp = -1 }), ("--timeout", { $0.timeout = 0 }), ("--server-pid", { $0.serverPID = 0 }),
    ("--pin", { $0.pin = "a" }), ("--pin", { $0.pin = "" }), ("--zipf", { $0.zipf = -0.5 }),
    (
      "--zipf",
      {
        $0.zipf = 1
        $0.scan = true
      }
    ),
    ("--hot", { $0.hot = "0.1" }), ("--hot", { $0.hot = "1:0.9" }), ("--token", { $0.token = "" }),
    ("--path", { $0.path = "/json" }),
    (
      "--path",
      {
        $0.target = "http://h:1"
        $0.path = "json"
      }
    ), ("--any-body", { $0.anyBody = true }), ("--any-body", { $0.anyOrder = true }),
    (
      "--mix",
      {
        $0.target = "http://h:1"
        $0.path = "/json"
        $0.mix = "get"
      }
    ),
    (
      "--mix",
      {
        $0.target = "http://h:1"
        $0.mix = "mget"
      }
    ),
    ("--expire-at", { $0.expireAt = 0 }),
    (
      "--expire-at",
      {
        $0.expireAt = 1
        $0.ttl = 1
      }
    ),
    (
      "--expire-at",
      {
        $0.target = "http://h:1"
        $0.expireAt = 1
      }
    ), ("--body", { $0.body = "{}" }), ("--body", { $0.status = 201 }),
    (
      "--body",
      {
        $0.target = "http://h:1/orders"
        $0.body = String(repeating: "x", count: LoadOptions.bodyBytesMax + 1)
      }
    ),
    (
      "--status",
      {
        $0.target = "http://h:1/orders"
        $0.status = 100
      }
    ),
    (
      "--preload",
      {
        $0.target = "http://h:1/json"
        $0.preload = true
      }
    ),
    (
      "--pipeline",
      {
        $0.pipeline = 1024
        $0.valueBytes = "65536"
      }
    ),
  ]

  @Test("What is beyond a bound, or contradicts itself, is one line that names its option", arguments: wrongOnes.indices)
  func wrong(index: Int) {
    let (option, change) = Self.wrongOnes[index]
    let error = #expect(throws: BenchError.self) { try options(change) }
    #expect(error?.kind == .usage)
    #expect(error?.description.hasPrefix(option) == true, "\(String(describing: error))")
  }
}
