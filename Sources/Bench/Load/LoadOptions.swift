/// The options of `martlet bench load`, as text, and as what they mean. Every bound has a name here.

public struct LoadOptionTexts: Sendable {
  public var target = ""
  public var connections = 64
  public var pipeline = 1
  public var threads = 1
  public var duration = 10.0
  public var requests: Int?
  public var rate: Double?
  public var mix: String?
  public var batch = 16
  public var path: String?
  public var body: String?
  public var status: Int?
  public var anyBody = false
  public var anyOrder = false
  public var keys = 1_000_000
  public var zipf: Double?
  public var scan = false
  public var hot: String?
  public var keyBytes = 16
  public var valueBytes = "64"
  public var ttl: Int?
  public var expireAt: Int?
  public var preload = false
  public var warmUp = 0.0
  public var timeout = 5.0
  public var serverPID: Int?
  public var pin: String?
  public var seed: UInt64 = 1
  public var token: String?
  public var json = false

  public init() {}
}

public struct LoadOptions: Sendable {
  let target: LoadTarget
  let connections: Int
  let pipeline: Int
  let threads: Int
  let durationSeconds: Double
  /// As many requests at most, warm-up included; nil: as the time allows.
  let requestsMax: Int?
  /// Requests a second of an open loop; nil: a closed loop.
  let rate: Double?
  let mix: LoadMix
  /// Keys of one mget.
  let batch: Int
  let path: String?
  /// What is posted to the path; nil: it is a GET.
  let body: String?
  /// Statuses that a path's reply may have.
  let statuses: ClosedRange<Int>
  /// Whether a path's body may be another each time.
  let anyBody: Bool
  /// Whether the members of a path's JSON may stand in another order each time.
  let anyOrder: Bool
  let keys: Int
  let distribution: KeyDistribution
  let keyBytes: Int
  let valueBytes: ClosedRange<Int>
  let ttlSeconds: Int?
  /// When all that is stored expires, in seconds of Unix time.
  let expireAt: Int?
  let preload: Bool
  let warmUpSeconds: Double
  let timeoutSeconds: Double
  let serverPID: Int32?
  /// The core of each thread; empty: wherever the system likes.
  let cores: [Int]
  let seed: UInt64
  let token: String?
  public let json: Bool

  static let connectionsMax = 65_536
  static let pipelineMax = 1024
  static let threadsMax = 256
  static let secondsMax = 86_400.0
  static let rateMax = 10_000_000.0
  static let batchMax = 1000
  static let keysMax = 1_000_000_000
  static let keyBytesMax = 250
  static let valueBytesMax = 8 << 20
  /// The year 2286.
  static let expiryMax = 9_999_999_999
  static let bodyBytesMax = 1 << 20
  /// Requests and replies that may be under way on one connection, in bytes: a server that stops reading until its replies are read, and a
  /// client that does likewise, would wait for each other beyond what the kernel holds between them.
  static let bytesUnderWayMax = 8 << 20

  public init(_ texts: LoadOptionTexts) throws(BenchError) {
    target = try LoadTarget(texts.target)
    connections = try Self.number(texts.connections, "--connections", 1...Self.connectionsMax)
    pipeline = try Self.number(texts.pipeline, "--pipeline", 1...Self.pipelineMax)
    threads = try Self.number(texts.threads, "--threads", 1...min(Self.threadsMax, connections))
    durationSeconds = try Self.number(texts.duration, "--duration", 0.001...Self.secondsMax)
    requestsMax = try texts.requests.map { (count) throws(BenchError) in try Self.number(count, "--requests", 1...Int.max / 2) }
    rate = try texts.rate.map { (rate) throws(BenchError) in try Self.number(rate, "--rate", 0.01...Self.rateMax) }
    batch = try Self.number(texts.batch, "--batch", 1...Self.batchMax)
    keys = try Self.number(texts.keys, "--keys", 1...Self.keysMax)
    keyBytes = try Self.number(texts.keyBytes, "--key-bytes", LoadContent.digits(keys: keys)...Self.keyBytesMax)
    valueBytes = try Self.sizes(texts.valueBytes)
    ttlSeconds = try texts.ttl.map { (ttl) throws(BenchError) in try Self.number(ttl, "--ttl", 1...1_000_000_000) }
    expireAt = try texts.expireAt.map { (time) throws(BenchError) in try Self.number(time, "--expire-at", 1...Self.expiryMax) }
    warmUpSeconds = try Self.number(texts.warmUp, "--warm-up", 0...Self.secondsMax)
    timeoutSeconds = try Self.number(texts.timeout, "--timeout", 0.01...3600)
    serverPID = try texts.serverPID.map { (pid) throws(BenchError) in Int32(try Self.number(pid, "--server-pid", 1...Int(Int32.max))) }
    cores = try Self.cores(texts.pin, threads: threads)
    distribution = try Self.distribution(texts)
    (preload, seed, json, anyBody, anyOrder) = (texts.preload, texts.seed, texts.json, texts.anyBody, texts.anyOrder)
    if texts.token == "" { throw .usage("--token: an empty token is none") }
    token = texts.token
    (path, mix) = try Self.pathAndMix(texts, target)
    body = texts.body
    statuses =
      try texts.status.map { (status) throws(BenchError) in
        let status = try Self.number(status, "--status", 200...599)
        return status...status
      } ?? 200...299
    try check()
  }

  /// What single options do not show.
  private func check() throws(BenchError) {
    if target.scheme == .http && mix.contains(.mget) { throw .usage("--mix: mget is for resp:// and memcached://") }
    if ttlSeconds != nil && expireAt != nil { throw .usage("--expire-at and --ttl exclude one another") }
    if expireAt != nil && target.scheme == .http { throw .usage("--expire-at is for resp:// and memcached://") }
    if path == nil && (body != nil || statuses.count == 1) { throw .usage("--body and --status are for --path") }
    if let body, body.utf8.count > Self.bodyBytesMax { throw .usage("--body has at most \(Self.bodyBytesMax) bytes") }
    if path != nil && preload { throw .usage("--preload stores keys; a path has none") }
    let largest = (mix.contains(.mget) ? batch : 1) * valueBytes.upperBound
    guard pipeline * largest <= Self.bytesUnderWayMax || pipeline == 1 else {
      throw .usage(
        "--pipeline \(pipeline) with up to \(largest) bytes a reply: more than \(Self.bytesUnderWayMax) bytes under way on a connection")
    }
  }

  // MARK: One option

  private static func number<Number: Comparable & CustomStringConvertible>(
    _ value: Number, _ name: String, _ range: ClosedRange<Number>
  ) throws(BenchError) -> Number {
    guard range.contains(value) else { throw .usage("\(name) is from \(range.lowerBound) to \(range.upperBound), not \(value)") }
    return value
  }

  /// `64`, or `16-65536`.
  private static func sizes(_ text: String) throws(BenchError) -> ClosedRange<Int> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count <= 2, let first = parts[0], let last = parts[parts.count - 1], first >= 1, first <= last, last <= valueBytesMax else {
      throw .usage("--value-bytes is a size or a range as 16-65536, from 1 to \(valueBytesMax), not '\(text)'")
    }
    return first...last
  }

  /// `1` or `0,2`: a core for each thread, the list again from its beginning if it is shorter.
  private static func cores(_ text: String?, threads: Int) throws(BenchError) -> [Int] {
    guard let text else { return [] }
    let cores = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard cores.allSatisfy({ 0..<1024 ~= $0 }) else { throw .usage("--pin is a list of cores as 0 or 2,3, not '\(text)'") }
    return (0..<threads).map { cores[$0 % cores.count] }
  }

  private static func distribution(_ texts: LoadOptionTexts) throws(BenchError) -> KeyDistribution {
    let given = [texts.zipf != nil, texts.scan, texts.hot != nil].filter { $0 }.count
    guard given <= 1 else { throw .usage("--zipf, --scan and --hot exclude one another") }
    if let theta = texts.zipf {
      guard 0...10 ~= theta else { throw .usage("--zipf is from 0 (uniform) to 10, not \(theta)") }
      return theta == 0 ? .uniform : .zipf(theta: theta)
    }
    if texts.scan { return .scan }
    guard let hot = texts.hot else { return .uniform }
    let parts = hot.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) ?? -1 }
    guard parts.count == 2, parts.allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw .usage(
        "--hot is PART:SHARE, both between 0 and 1, as 0.1:0.9 (a tenth of the keys gets nine tenths of the requests), not '\(hot)'")
    }
    return .hot(part: parts[0], share: parts[1])
  }

  private static func pathAndMix(_ texts: LoadOptionTexts, _ target: LoadTarget) throws(BenchError) -> (String?, LoadMix) {
    guard let path = texts.path ?? target.path else {
      if texts.anyBody || texts.anyOrder { throw .usage("--any-body and --any-order are for --path: values are known") }
      return (nil, try LoadMix(texts.mix ?? "get:9,set:1"))
    }
    guard target.scheme == .http else { throw .usage("--path is for http://") }
    guard texts.mix == nil else { throw .usage("--mix is for keys; with a path there is one request") }
    guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
      throw .usage("--path begins with / and is percent-encoded, not '\(path)'")
    }
    return (path, LoadMix(.path))
  }
}
