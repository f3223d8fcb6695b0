/// The options of `martlet serve`, understood and checked. Every bad value becomes one `UsageError`, here and nowhere else.

public import Logging
internal import MartletBytes
internal import MartletLoop
public import MartletServer

public struct ServeOptions: Sendable {
  public enum Eviction: String, CaseIterable, Sendable { case s3fifo, none }

  public var http: ListenAddress
  public var resp: ListenAddress
  public var memcached: ListenAddress
  /// Loops, one thread each.
  public var threads: Int
  /// The limit on the process's memory, in bytes.
  public var memory: ByteSize
  public var eviction: Eviction
  public var token: String?
  public var insecure: Bool
  public var logLevel: Logger.Level
  public var connectionsMax: Int
  public var bodyLimit: ByteSize
  public var drainSeconds: Double
  public var drainDelaySeconds: Double
  public var enableDebug: Bool

  public static let memoryMin = ByteSize.mebibytes(32)
  public static let bodyLimitMax = ByteSize.mebibytes(64)
  static let connectionsMaxMax = 1_000_000
  static let threadsMax = 1024
  static let drainSecondsMax = 86_400.0

  /// Understands what the flags say, completed by the environment and by the configuration file if one is named.
  public init(completing flags: RawSettings) throws(UsageError) {
    var raw = flags
    raw.offer(environment: ProcessEnvironment.value)
    if let file = raw[.config] { try raw.offer(file: file.text, namedBy: file.source.place(.config)) }
    try self.init(raw)
  }

  /// Understands `raw`; reads the token file if one is named.
  public init(_ raw: RawSettings) throws(UsageError) {
    http = try raw.httpAddress()
    resp = try raw.value(.resp, default: .tcp(host: "127.0.0.1", port: 6379), RawSettings.addressHint) { ListenAddress($0) }
    memcached = try raw.value(.memcached, default: .tcp(host: "127.0.0.1", port: 11211), RawSettings.addressHint) { ListenAddress($0) }
    threads = try raw.value(.threads, default: ProcessorCount.available, "write a whole number from 1 to \(Self.threadsMax)") {
      Int($0).flatMap { (1...Self.threadsMax).contains($0) ? $0 : nil }
    }
    memory = try raw.value(.memory, default: max(Self.memoryMin, ByteSize(bytes: MemoryAvailable.bytes / 2)), Self.sizeHint, ByteSize.init)
    guard memory >= Self.memoryMin else {
      throw UsageError("\(raw.place(.memory)): \(memory) is too little; give at least \(Self.memoryMin)")
    }
    eviction = try raw.value(.eviction, default: .s3fifo, "write s3fifo or none") { Eviction(rawValue: $0) }
    insecure = try raw.switchValue(.insecure)
    enableDebug = try raw.switchValue(.enableDebug)
    logLevel = try raw.value(.logLevel, default: .info, "write one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))") {
      Logger.Level(rawValue: $0.lowercased())
    }
    connectionsMax = try raw.value(.connections, default: 65_536, "write a whole number from 1 to \(Self.connectionsMaxMax)") {
      Int($0).flatMap { (1...Self.connectionsMaxMax).contains($0) ? $0 : nil }
    }
    bodyLimit = try raw.value(.bodyLimit, default: .mebibytes(8), Self.sizeHint, ByteSize.init)
    guard bodyLimit <= Self.bodyLimitMax else {
      throw UsageError("\(raw.place(.bodyLimit)): \(bodyLimit) is too much; give at most \(Self.bodyLimitMax)")
    }
    guard bodyLimit.bytes > 0 else { throw UsageError("\(raw.place(.bodyLimit)): 0 would refuse every body; give at least 1") }
    drainSeconds = try raw.seconds(.drain, default: 10)
    drainDelaySeconds = try raw.seconds(.drainDelay, default: 0)
    token = try raw.token()
    for (setting, address) in [(Setting.http, http), (.resp, resp), (.memcached, memcached)] {
      guard address.isLocal || token != nil || insecure else {
        throw UsageError(
          """
          \(raw.place(setting)): \(address) can be reached from other machines; give --token or --token-file, or --insecure to serve \
          without one
          """)
      }
    }
  }

  private static let sizeHint = "write bytes or a size like 512MiB or 2GiB"
}

extension RawSettings {
  /// How an error names the place of a setting; the flag if it was not given.
  func place(_ setting: Setting) -> String { (self[setting]?.source ?? .flag).place(setting) }

  func value<Value>(
    _ setting: Setting, default standard: @autoclosure () -> Value, _ hint: String, _ parse: (String) -> Value?
  ) throws(UsageError) -> Value {
    guard let given = self[setting] else { return standard() }
    if let value = parse(given.text) { return value }
    throw UsageError("\(given.source.place(setting)): \(quoted(given.text)) is not understood; \(hint)")
  }

  static let addressHint = "write host:port, a port, [::1]:port, unix:/path or off"

  func httpAddress() throws(UsageError) -> ListenAddress {
    try value(.http, default: .tcp(host: "127.0.0.1", port: 8080), Self.addressHint) { ListenAddress($0) }
  }

  func seconds(_ setting: Setting, default standard: Double) throws(UsageError) -> Double {
    let limit = ServeOptions.drainSecondsMax
    return try value(setting, default: standard, "write seconds from 0 to \(Int(limit)), fractions allowed") {
      Double($0).flatMap { (0...limit).contains($0) ? $0 : nil }
    }
  }

  func switchValue(_ setting: Setting) throws(UsageError) -> Bool {
    try value(setting, default: false, "write true or false") {
      ["true": true, "1": true, "yes": true, "on": true, "false": false, "0": false, "no": false, "off": false][$0.lowercased()]
    }
  }

  /// The token, given itself or by file; the stronger source wins, both from one source are a contradiction.
  func token() throws(UsageError) -> String? {
    let text = self[.token]
    let file = self[.tokenFile]
    if let text, let file, text.source == file.source {
      throw UsageError("\(text.source.place(.token)): a token file is given as well; give one of the two")
    }
    let fileIsStronger = text == nil || (file.map { $0.source.strength > text!.source.strength } ?? false)
    if let file, fileIsStronger { return try tokenFromFile(file.text, place: file.source.place(.tokenFile)) }
    guard let text else { return nil }
    return try checked(token: text.text, place: text.source.place(.token))
  }

  private func tokenFromFile(_ path: String, place: String) throws(UsageError) -> String {
    guard let content = SmallFile.read(path) else {
      throw UsageError(
        "\(place): cannot read \(quoted(path)) (at most \(SmallFile.bytesMax) bytes); name a readable file that holds the token")
    }
    var token = content.text
    if token.last?.isNewline == true { token.removeLast() }
    return try checked(token: token, place: place)
  }

  /// A token must be able to stand in a header field: visible ASCII.
  private func checked(token: String, place: String) throws(UsageError) -> String {
    guard !token.isEmpty else { throw UsageError("\(place): the token is empty; give one, or leave the option out") }
    guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw UsageError("\(place): a token is made of visible ASCII characters without spaces; choose another")
    }
    return token
  }

  private func quoted(_ text: String) -> String { "'\(text)'" }
}

extension SettingSource {
  var strength: Int {
    switch self {
    case .flag: 2
    case .environment: 1
    case .file: 0
    }
  }
}
