/// Commands about the server: COMMAND, INFO, CONFIG.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension RESPSession {
  // MARK: COMMAND

  mutating func commandCommand(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count == 1 {
      execution.writer.array(CommandRow.all.count)
      for row in CommandRow.all { write(row, &execution.writer) }
    } else if args[1].equalsIgnoringCase("count") {
      try arity(args, 2, "command|count")
      execution.writer.integer(CommandRow.all.count)
    } else if args[1].equalsIgnoringCase("info") {
      if args.count == 2 {
        execution.writer.array(CommandRow.all.count)
        for row in CommandRow.all { write(row, &execution.writer) }
        return
      }
      execution.writer.array(args.count - 2)
      for index in 2..<args.count {
        if let row = row(args[index]) { write(row, &execution.writer) } else { execution.writer.null() }
      }
    } else if args[1].equalsIgnoringCase("docs") {
      var rows: [CommandRow] = []
      if args.count == 2 { rows = CommandRow.all }
      for index in 2..<max(args.count, 2) { if let row = row(args[index]) { rows.append(row) } }
      execution.writer.map(rows.count)
      for row in rows { writeDocs(row, &execution.writer) }
    } else if args[1].equalsIgnoringCase("list") {
      execution.writer.array(CommandRow.all.count)
      for row in CommandRow.all { execution.writer.bulk(text: row.name) }
    } else if args[1].equalsIgnoringCase("getkeys") {
      try getKeys(args, &execution)
    } else {
      throw .unknownSubcommand(args[1], of: .command)
    }
  }

  private func row(_ name: RawSpan) -> CommandRow? { service.lookup.value.find(name, argumentCount: 1)?.command.row }

  private func write(_ row: CommandRow, _ writer: inout RESPWriter) {
    let specs = row.keySpecs
    writer.array(10)
    writer.bulk(text: row.name)
    writer.integer(row.arity)
    write(status: row.flags, &writer)
    let last = specs.map { $0.last < 0 ? $0.last : $0.first + $0.last }.max() ?? 0
    writer.integer(specs.first?.first ?? 0)
    writer.integer(last)
    writer.integer(specs.first?.step ?? 0)
    write(status: row.categories, &writer)
    let tips = row.tips.split(separator: " ")
    writer.set(tips.count)
    for tip in tips { writer.bulk(text: String(tip)) }
    writer.set(specs.count)
    for spec in specs { write(spec, &writer) }
    writer.set(0)
  }

  private func write(status words: String, _ writer: inout RESPWriter) {
    let words = words.split(separator: " ")
    writer.set(words.count)
    for word in words { writer.simple(text: String(word)) }
  }

  private func write(_ spec: CommandRow.KeySpec, _ writer: inout RESPWriter) {
    writer.map(3)
    writer.bulk("flags")
    write(status: spec.flags, &writer)
    writer.bulk("begin_search")
    writer.map(2)
    writer.bulk("type")
    writer.bulk("index")
    writer.bulk("spec")
    writer.map(1)
    writer.bulk("index")
    writer.integer(spec.first)
    writer.bulk("find_keys")
    writer.map(2)
    writer.bulk("type")
    writer.bulk("range")
    writer.bulk("spec")
    writer.map(3)
    writer.bulk("lastkey")
    writer.integer(spec.last)
    writer.bulk("keystep")
    writer.integer(spec.step)
    writer.bulk("limit")
    writer.integer(0)
  }

  private func writeDocs(_ row: CommandRow, _ writer: inout RESPWriter) {
    let facts = [("summary", row.summary), ("since", row.since), ("group", row.group), ("complexity", row.complexity)].filter {
      !$0.1.isEmpty
    }
    writer.bulk(text: row.name)
    writer.map(facts.count)
    for (name, text) in facts {
      writer.bulk(text: name)
      writer.bulk(text: text)
    }
  }

  private func getKeys(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    guard args.count > 3 else { throw .arity("command|getkeys") }
    let count = args.count - 2
    guard let found = service.lookup.value.find(args[2], argumentCount: count) else { throw CommandError("ERR Invalid command specified") }
    guard found.isArityRight else { throw CommandError("ERR Invalid number of arguments specified for command") }
    var places: [Int] = []
    for spec in found.command.row.keySpecs {
      let last = spec.last < 0 ? count + spec.last : spec.first + spec.last
      places += stride(from: spec.first, through: last, by: spec.step)
    }
    if places.isEmpty { throw CommandError("ERR The command has no key arguments") }
    execution.writer.array(places.count)
    for place in places { execution.writer.bulk(args[place + 2]) }
  }

  // MARK: CONFIG

  mutating func config(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args[1].equalsIgnoringCase("get") {
      guard args.count > 2 else { throw .arity("config|get") }
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
    } else if args[1].equalsIgnoringCase("set") {
      try configSet(args, &execution)
    } else if args[1].equalsIgnoringCase("resetstat") {
      try arity(args, 2, "config|resetstat")
      for index in execution.calls.indices { execution.calls[index] = 0 }
      execution.writer.ok()
    } else if args[1].equalsIgnoringCase("rewrite") {
      throw CommandError("ERR The server is running without a config file")
    } else {
      throw .unknownSubcommand(args[1], of: .config)
    }
  }

  private var settings: [(String, String)] {
    let shared = service.shared
    return [
      ("appendonly", "no"), ("databases", String(CacheLimits.databaseCount)), ("maxclients", String(shared.connectionsMax)),
      ("maxmemory", String(shared.store.limitBytes)), ("maxmemory-policy", shared.evicts ? "allkeys-lfu" : "noeviction"),
      ("notify-keyspace-events", ""), ("port", shared.localAddress.split(separator: ":").last.map(String.init) ?? "0"),
      ("proto-max-bulk-len", String(shared.store.valueBytesMax)), ("save", ""),
      ("timeout", String(shared.idleSeconds.load(ordering: .relaxed))),
    ]
  }

  private func configSet(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    guard args.count >= 4, args.count % 2 == 0 else { throw .arity("config|set") }
    var seconds: Int?
    for index in stride(from: 2, to: args.count, by: 2) {
      let name = args[index].text.lowercased()
      guard let current = settings.first(where: { $0.0 == name }) else {
        throw CommandError("ERR Unknown option or number of arguments for CONFIG SET - '\(args[index].text)'")
      }
      if name == "timeout" {
        guard let number = RESPNumber.integer(args[index + 1]), 0...Int64(Int32.max) ~= number else {
          throw CommandError("ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer")
        }
        seconds = Int(number)
      } else if args[index + 1].text != current.1 {
        throw CommandError("ERR CONFIG SET failed (possibly related to argument '\(name)') - can't set immutable config")
      }
    }
    if let seconds { service.shared.idleSeconds.store(seconds, ordering: .relaxed) }
    execution.writer.ok()
  }

  // MARK: INFO

  func info(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    var wanted: Set<String> = []
    for index in 1..<max(args.count, 1) { wanted.insert(args[index].text.lowercased()) }
    let isAll = wanted.isEmpty || !wanted.isDisjoint(with: ["all", "default", "everything"])
    let isEverything = !wanted.isDisjoint(with: ["all", "everything"])
    let figures = InfoFigures(self, execution)
    var parts: [String] = []
    for (name, text) in figures.sections where isAll || wanted.contains(name) { parts.append(text) }
    if isEverything || wanted.contains("commandstats") { parts.append(figures.commandStatistics) }
    execution.writer.verbatim(parts.joined(separator: "\r\n"))
  }
}

extension CommandRow {
  struct KeySpec {
    let first: Int
    let last: Int
    let step: Int
    let flags: String
  }

  var keySpecs: [KeySpec] {
    keys.split(separator: ";").map { part in
      let words = part.split(separator: " ", maxSplits: 3)
      return KeySpec(first: Int(words[0]) ?? 0, last: Int(words[1]) ?? 0, step: Int(words[2]) ?? 1, flags: String(words[3]))
    }
  }
}

/// The sections of INFO: the fields that dashboards and clients read, under Redis's names.
struct InfoFigures {
  let sections: [(String, String)]
  let commandStatistics: String

  init(_ session: borrowing RESPSession, _ execution: borrowing CommandExecution) {
    let shared = session.service.shared
    let pubsub = shared.pubsub.statistics
    let statistics = execution.statistics ?? shared.store.statistics
    let counts: [Int] = execution.statistics != nil ? [] : (0..<CacheLimits.databaseCount).map { shared.store.count(database: UInt8($0)) }
    let uptime = MonotonicTime.now.nanoseconds(since: shared.startedAt) / 1_000_000_000
    let process = ProcessFigures.current(startTime: shared.startTime)
    let resident = process.residentBytes ?? 0
    var keyspace: [(String, String)] = []
    for (index, count) in counts.enumerated() where count > 0 { keyspace.append(("db\(index)", "keys=\(count),expires=0,avg_ttl=0")) }
    sections = [
      (
        "server",
        Self.section(
          "Server",
          [
            ("redis_version", "7.0.15"), ("martlet_version", MartletVersion.text), ("redis_mode", "standalone"), ("os", Self.system),
            ("arch_bits", "64"), ("multiplexing_api", "libuv"), ("process_id", String(getpid())), ("run_id", Self.runID),
            ("tcp_port", shared.localAddress.split(separator: ":").last.map(String.init) ?? "0"),
            ("server_time_usec", String(execution.now.milliseconds * 1000)), ("uptime_in_seconds", String(uptime)),
            ("uptime_in_days", String(uptime / 86400)), ("io_threads_active", shared.threads > 1 ? "1" : "0"),
          ])
      ),
      (
        "clients",
        Self.section(
          "Clients",
          [
            ("connected_clients", String(shared.clients.count)), ("cluster_connections", "0"),
            ("maxclients", String(shared.connectionsMax)),
            ("blocked_clients", String(shared.clients.all.count { $0.isBlocked.load(ordering: .relaxed) })), ("tracking_clients", "0"),
          ])
      ),
      (
        "memory",
        Self.section(
          "Memory",
          [
            ("used_memory", String(statistics.bytes)), ("used_memory_human", Self.human(statistics.bytes)),
            ("used_memory_rss", String(resident)), ("used_memory_rss_human", Self.human(resident)),
            ("used_memory_dataset", String(statistics.bytes)), ("maxmemory", String(statistics.limitBytes)),
            ("maxmemory_human", Self.human(statistics.limitBytes)), ("maxmemory_policy", shared.evicts ? "allkeys-lfu" : "noeviction"),
            ("mem_fragmentation_ratio", statistics.bytes == 0 ? "1.00" : Self.hundredths(Double(resident) / Double(statistics.bytes))),
            ("mem_clients_normal", String(pubsub.waitingBytes)), ("mem_allocator", "martlet"),
          ])
      ),
      (
        "persistence",
        Self.section(
          "Persistence",
          [("loading", "0"), ("rdb_changes_since_last_save", "0"), ("rdb_bgsave_in_progress", "0"), ("aof_enabled", "0")])
      ),
      (
        "stats",
        Self.section(
          "Stats",
          [
            ("total_connections_received", String(shared.clients.total)),
            ("total_commands_processed", String(shared.total { $0.commands.load(ordering: .relaxed) })),
            ("total_net_input_bytes", String(shared.total { $0.bytesIn.load(ordering: .relaxed) })),
            ("total_net_output_bytes", String(shared.total { $0.bytesOut.load(ordering: .relaxed) })),
            ("expired_keys", String(statistics.expirations)), ("evicted_keys", String(statistics.evictions)),
            ("keyspace_hits", String(statistics.hits)), ("keyspace_misses", String(statistics.misses)),
            ("pubsub_channels", String(pubsub.channels)),
            ("pubsub_patterns", String(pubsub.patterns)), ("pubsubshard_channels", String(pubsub.shardChannels)),
            ("client_output_buffer_limit_disconnections", String(pubsub.overflows)), ("latest_fork_usec", "0"),
          ])
      ),
      ("replication", Self.section("Replication", [("role", "master"), ("connected_slaves", "0"), ("master_repl_offset", "0")])),
      ("cpu", Self.section("CPU", [("used_cpu_sys", "0.000000"), ("used_cpu_user", String(process.cpuSeconds))])),
      ("cluster", Self.section("Cluster", [("cluster_enabled", "0")])),
      (
        "keyspace",
        Self.section(
          "Keyspace", keyspace)
      ),
    ]
    let calls = execution.calls
    var called: [(String, String)] = []
    for row in CommandRow.all where calls[Int(row.command.rawValue)] > 0 {
      called.append(("cmdstat_\(row.name)", "calls=\(calls[Int(row.command.rawValue)])"))
    }
    commandStatistics = Self.section("Commandstats", called)
  }

  private static func section(_ name: String, _ fields: [(String, String)]) -> String {
    "# \(name)\r\n" + fields.map { "\($0.0):\($0.1)\r\n" }.joined()
  }

  private static func human(_ bytes: UInt64) -> String {
    if bytes < 1 << 10 { return "\(bytes)B" }
    if bytes < 1 << 20 { return hundredths(Double(bytes) / 1024) + "K" }
    if bytes < 1 << 30 { return hundredths(Double(bytes) / 1_048_576) + "M" }
    return hundredths(Double(bytes) / 1_073_741_824) + "G"
  }

  private static func hundredths(_ value: Double) -> String {
    let scaled = Int((value * 100).rounded())
    return "\(scaled / 100).\(scaled % 100 / 10)\(scaled % 10)"
  }

  #if os(Linux)
    private static let system = "Linux"
  #else
    private static let system = "Darwin"
  #endif

  /// 40 hexadecimal digits of this process alone.
  private static let runID = String((0..<40).map { _ in "0123456789abcdef".randomElement()! })
}
