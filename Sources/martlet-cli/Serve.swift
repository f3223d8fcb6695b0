/// `martlet serve`: the options of CONTRACT, as text; `ServeOptions` understands them together with environment and file.

import ArgumentParser
import CacheServer

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the cache.",
    discussion: """
      Each option also as environment (MARTLET_HTTP, MARTLET_BODY_LIMIT, …) and as a key of the configuration file, one JSON \
      object: {"http": "127.0.0.1:8080", "log-level": "info"}. Flags beat environment beats file beats defaults.

      ADDR is host:port, a port (loopback), [::1]:port, unix:/path or off. SIZE is bytes or 512KiB, 512MiB, 2GiB.
      """)

  @Option(help: ArgumentHelp("Where to serve HTTP. (default: 127.0.0.1:8080)", valueName: "addr"))
  var http: String?
  @Option(help: ArgumentHelp("Where to serve the Redis protocol. (default: 127.0.0.1:6379)", valueName: "addr"))
  var resp: String?
  @Option(help: ArgumentHelp("Where to serve the memcached protocol. (default: 127.0.0.1:11211)", valueName: "addr"))
  var memcached: String?
  @Option(help: ArgumentHelp("How many loops, one thread each. (default: the cores this process may use)", valueName: "n"))
  var threads: String?
  @Option(help: ArgumentHelp("The limit on the process's memory. (default: half of what it may use; at least 32MiB)", valueName: "size"))
  var memory: String?
  @Option(help: ArgumentHelp("What to do at the limit: s3fifo evicts, none refuses writes. (default: s3fifo)", valueName: "policy"))
  var eviction: String?
  @Option(help: "The token that clients must show.")
  var token: String?
  @Option(help: ArgumentHelp("A file that holds the token; one trailing newline is dropped.", valueName: "file"))
  var tokenFile: String?
  @Flag(help: "Listen beyond loopback without a token, and for any Host.")
  var insecure = false
  @Option(help: ArgumentHelp("A configuration file.", valueName: "file"))
  var config: String?
  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical. (default: info)", valueName: "level"))
  var logLevel: String?
  @Option(help: ArgumentHelp("The most connections at once. (default: 65536)", valueName: "n"))
  var connections: String?
  @Option(help: ArgumentHelp("The largest request body; at most 64MiB. (default: 8MiB)", valueName: "size"))
  var bodyLimit: String?
  @Option(help: ArgumentHelp("How long open requests may take at the end. (default: 10)", valueName: "seconds"))
  var drain: String?
  @Option(help: ArgumentHelp("How long /readyz says 503 before the listeners close. (default: 0)", valueName: "seconds"))
  var drainDelay: String?
  @Flag(help: "Allow commands that are for debugging only.")
  var enableDebug = false

  func run() throws {
    var raw = RawSettings()
    for (setting, text) in flags { raw.offer(text, for: setting, from: .flag) }
    let options = try ServeOptions(completing: raw)
    try CacheServerProcess(options: options).run()
  }

  private var flags: [(Setting, String)] {
    let given: [(Setting, String?)] = [
      (.http, http), (.resp, resp), (.memcached, memcached), (.threads, threads), (.memory, memory), (.eviction, eviction),
      (.token, token), (.tokenFile, tokenFile), (.insecure, insecure ? "true" : nil), (.config, config), (.logLevel, logLevel),
      (.connections, connections), (.bodyLimit, bodyLimit), (.drain, drain), (.drainDelay, drainDelay),
      (.enableDebug, enableDebug ? "true" : nil),
    ]
    return given.compactMap { setting, text in text.map { (setting, $0) } }
  }
}

struct Health: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Exit 0 if the server says it is ready: for container health checks.")

  @Option(help: ArgumentHelp("Where the server serves HTTP. (default: MARTLET_HTTP, or 127.0.0.1:8080)", valueName: "addr"))
  var http: String?

  func run() throws {
    var raw = RawSettings()
    if let http { raw.offer(http, for: .http, from: .flag) }
    try HealthCheck(completing: raw).run()
  }
}
