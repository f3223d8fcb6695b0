/// CONFIG: settings under Redis's names. Most are fixed when the server starts, and say so; those that can be changed are changed for all
/// loops, until the server ends.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

extension RESPSession {
  mutating func config(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .configGet:
      var found: [(String, String)] = []
      for (name, value) in settings {
        let matches = (2..<args.count).contains { GlobPattern.matches(Array(name.utf8).rawSpan, args[$0], ignoringCase: true) }
        if matches { found.append((name, value)) }
      }
      execution.writer.map(found.count)
      for (name, value) in found {
        execution.writer.bulk(text: name)
        execution.writer.bulk(text: value)
      }
    case .configSet:
      try configSet(args)
      execution.writer.ok()
    case .configResetstat:
      service.shared.resetStatistics(execution.statistics)
      execution.writer.ok()
    default: throw CommandError("ERR The server is running without a config file")
    }
  }

  private var settings: [(String, String)] {
    let shared = service.shared
    let limits = shared.pubsub.limits
    let buffers = "\(limits.hardBytes.load(ordering: .relaxed)) \(limits.softBytes.load(ordering: .relaxed))"
    return [
      ("appendonly", "no"),
      ("client-output-buffer-limit", "normal 0 0 0 slave 0 0 0 pubsub \(buffers) \(limits.softSeconds.load(ordering: .relaxed))"),
      ("client-query-buffer-limit", String(RESPLimits(bulkBytesMax: 0).commandBytesMax)), ("cluster-enabled", "no"),
      ("databases", String(CacheLimits.databaseCount)), ("io-threads", String(shared.threads)), ("latency-monitor-threshold", "0"),
      ("maxclients", String(shared.connectionsMax)), ("maxmemory", String(shared.store.limitBytes)),
      ("maxmemory-policy", shared.evicts ? "allkeys-lfu" : "noeviction"), ("notify-keyspace-events", ""),
      ("port", shared.port), ("proto-max-bulk-len", String(shared.store.valueBytesMax)), ("save", ""),
      ("slowlog-log-slower-than", String(shared.slowlog.thresholdMicroseconds.load(ordering: .relaxed))),
      ("slowlog-max-len", String(shared.slowlog.lengthMax.load(ordering: .relaxed))),
      ("timeout", String(shared.idleSeconds.load(ordering: .relaxed))),
    ]
  }

  /// All or none: each is understood before any is changed.
  private func configSet(_ args: borrowing RESPArguments) throws(CommandError) {
    guard args.count % 2 == 0 else { throw .arity("config|set") }
    let settings = settings
    var changes: [(name: String, Change)] = []
    for index in stride(from: 2, to: args.count, by: 2) {
      let name = args[index].text.lowercased()
      guard let current = settings.first(where: { $0.0 == name }) else {
        throw CommandError("ERR Unknown option or number of arguments for CONFIG SET - '\(args[index].text)'")
      }
      if changes.contains(where: { $0.name == name }) { throw .config(name, "duplicate parameter") }
      if let change = try change(name, to: args[index + 1].text) {
        changes.append((name, change))
      } else if args[index + 1].text != current.1 {
        throw .config(name, name == "notify-keyspace-events" ? "keyspace notifications are not offered" : "can't set immutable config")
      }
    }
    for (_, change) in changes { apply(change) }
  }

  private enum Change {
    case idleSeconds(Int)
    case slowlogThreshold(Int)
    case slowlogLength(Int)
    case bufferLimits([(hard: Int, soft: Int, seconds: Int)])
  }

  /// Nil: it cannot be changed.
  private func change(_ name: String, to value: String) throws(CommandError) -> Change? {
    switch name {
    case "timeout": .idleSeconds(try Self.number(value, of: name, 0...Int(Int32.max)))
    case "slowlog-log-slower-than": .slowlogThreshold(try Self.number(value, of: name, -1...Int.max / 1000))
    case "slowlog-max-len": .slowlogLength(try Self.number(value, of: name, 0...Int.max))
    case "client-output-buffer-limit": .bufferLimits(try Self.bufferLimits(value))
    default: nil
    }
  }

  private func apply(_ change: Change) {
    let shared = service.shared
    switch change {
    case .idleSeconds(let seconds): shared.idleSeconds.store(seconds, ordering: .relaxed)
    case .slowlogThreshold(let microseconds): shared.slowlog.thresholdMicroseconds.store(microseconds, ordering: .relaxed)
    case .slowlogLength(let count): shared.slowlog.lengthMax.store(count, ordering: .relaxed)
    case .bufferLimits(let all):
      for limits in all {
        shared.pubsub.limits.hardBytes.store(limits.hard, ordering: .relaxed)
        shared.pubsub.limits.softBytes.store(limits.soft, ordering: .relaxed)
        shared.pubsub.limits.softSeconds.store(limits.seconds, ordering: .relaxed)
      }
    }
  }

  private static func number(_ text: String, of name: String, _ range: ClosedRange<Int>) throws(CommandError) -> Int {
    guard let number = Int(text) else { throw .config(name, "argument couldn't be parsed into an integer") }
    guard range ~= number else { throw .config(name, "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive") }
    return number
  }

  /// `class hard soft seconds`, several times. Those of the other classes are understood, and are what they are: output for a client that
  /// asks is bounded by the client's reading.
  private static func bufferLimits(_ text: String) throws(CommandError) -> [(hard: Int, soft: Int, seconds: Int)] {
    let name = "client-output-buffer-limit"
    let words = text.split(separator: " ").map(String.init)
    guard !words.isEmpty, words.count % 4 == 0 else { throw .config(name, "Wrong number of arguments in buffer limit configuration.") }
    var found: [(hard: Int, soft: Int, seconds: Int)] = []
    for index in stride(from: 0, to: words.count, by: 4) {
      guard ["normal", "slave", "replica", "pubsub"].contains(words[index].lowercased()) else {
        throw .config(name, "Invalid client class specified in buffer limit configuration.")
      }
      guard let hard = bytes(words[index + 1]), let soft = bytes(words[index + 2]), let seconds = Int(words[index + 3]), seconds >= 0 else {
        throw .config(name, "Error in hard, soft or soft_seconds setting in buffer limit configuration.")
      }
      if words[index].lowercased() == "pubsub" { found.append((hard, soft, seconds)) }
    }
    return found
  }

  /// `1mb`, `1m`, `1000`: kb, mb and gb are powers of 1024, k, m and g of 1000.
  private static func bytes(_ text: String) -> Int? {
    let units = ["": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1_000_000, "mb": 1 << 20, "g": 1_000_000_000, "gb": 1 << 30]
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), let unit = units[text.dropFirst(digits.count).lowercased()] else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }
}

extension CommandError {
  fileprivate static func config(_ name: String, _ reason: String) -> CommandError {
    CommandError("ERR CONFIG SET failed (possibly related to argument '\(name)') - \(reason)")
  }
}
