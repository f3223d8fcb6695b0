/// INFO: the sections and fields that dashboards, exporters and clients read, under Redis's names. What this server does not have (replicas,
/// files, scripts) is said to be none, or left out; nothing is made up.

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
  func info(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    var wanted: Set<String> = []
    for index in 1..<max(args.count, 1) { wanted.insert(args[index].text.lowercased()) }
    let isDefault = wanted.isEmpty || !wanted.isDisjoint(with: ["all", "default", "everything"])
    let isAll = !wanted.isDisjoint(with: ["all", "everything"])
    let figures = InfoFigures(self, execution)
    var parts: [String] = []
    for section in InfoFigures.Section.allCases {
      guard wanted.contains(section.rawValue) || (section.isDefault ? isDefault : isAll) else { continue }
      parts.append("# \(section.title)\r\n" + figures.fields(section).map { "\($0.0):\($0.1)\r\n" }.joined())
    }
    execution.writer.verbatim(parts.joined(separator: "\r\n"))
  }
}

struct InfoFigures {
  enum Section: String, CaseIterable {
    case server, clients, memory, persistence, stats, replication, cpu, modules, commandstats, errorstats, latencystats, cluster, keyspace

    var isDefault: Bool { self != .commandstats && self != .latencystats }
    var title: String { self == .cpu ? "CPU" : rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
  }

  typealias Fields = [(String, String)]

  private let shared: RESPShared
  private let store: CacheStatistics
  private let totals: RESPTotals
  private let counts: [(entries: Int, deadlines: Int)]
  private let process: ProcessFigures
  private let pubsub: PubSubStatistics
  private let uptimeSeconds: UInt64
  private let now: UnixTime

  init(_ session: borrowing RESPSession, _ execution: borrowing CommandExecution) {
    shared = session.service.shared
    store = execution.statistics ?? shared.store.statistics
    // Within a transaction the store must not be asked.
    let databases = execution.databases
    let isInTransaction = execution.statistics != nil
    counts =
      isInTransaction
      ? []
      : (0..<CacheLimits.databaseCount).map { [shared] in
        shared.store.counts(database: databases[UInt8($0)])
      }
    totals = shared.totalsSinceReset(store)
    process = ProcessFigures.current(startTime: shared.startTime)
    pubsub = shared.pubsub.statistics
    uptimeSeconds = MonotonicTime.now.nanoseconds(since: shared.startedAt) / 1_000_000_000
    now = execution.now
  }

  func fields(_ section: Section) -> Fields {
    switch section {
    case .server: server
    case .clients: clients
    case .memory: memory
    case .persistence: persistence
    case .stats: stats
    case .replication: replication
    case .cpu: cpu
    case .modules: []
    case .latencystats: latencystats
    case .commandstats: commandstats
    case .errorstats: errorstats
    case .cluster: [("cluster_enabled", "0")]
    case .keyspace: keyspace
    }
  }

  // MARK: The sections

  private var server: Fields {
    [
      ("redis_version", "7.0.15"), ("redis_git_sha1", "00000000"), ("redis_git_dirty", "0"),
      ("redis_build_id", Self.runID.prefix(16).lowercased()),
      ("martlet_version", MartletVersion.text), ("redis_mode", "standalone"), ("os", Self.system), ("arch_bits", "64"),
      ("multiplexing_api", "libuv"), ("process_id", String(getpid())), ("process_supervised", "no"), ("run_id", Self.runID),
      ("tcp_port", shared.port), ("server_time_usec", String(now.milliseconds * 1000)), ("uptime_in_seconds", String(uptimeSeconds)),
      ("uptime_in_days", String(uptimeSeconds / 86400)), ("executable", "martlet"), ("config_file", ""),
      ("io_threads_active", shared.threads > 1 ? "1" : "0"),
    ]
  }

  private var clients: Fields {
    let all = shared.clients.all
    return [
      ("connected_clients", String(all.count)), ("cluster_connections", "0"), ("maxclients", String(shared.connectionsMax)),
      ("client_recent_max_input_buffer", "0"),
      ("client_recent_max_output_buffer", String(all.map { $0.waitingBytes.load(ordering: .relaxed) }.max() ?? 0)),
      ("blocked_clients", String(all.count { $0.isBlocked.load(ordering: .relaxed) })), ("tracking_clients", "0"),
      ("clients_in_timeout_table", "0"), ("pubsub_clients", String(all.count { $0.isSubscriber })),
    ]
  }

  private var memory: Fields {
    let resident = process.residentBytes ?? 0
    let peak = shared.notePeak(store.bytes)
    let system = Self.systemMemory
    return [
      ("used_memory", String(store.bytes)), ("used_memory_human", Self.human(store.bytes)), ("used_memory_rss", String(resident)),
      ("used_memory_rss_human", Self.human(resident)), ("used_memory_peak", String(peak)), ("used_memory_peak_human", Self.human(peak)),
      ("used_memory_peak_perc", Self.percent(store.bytes, of: peak)), ("used_memory_overhead", String(pubsub.waitingBytes)),
      ("used_memory_startup", "0"), ("used_memory_dataset", String(store.bytes - min(UInt64(pubsub.waitingBytes), store.bytes))),
      ("used_memory_dataset_perc", Self.percent(store.bytes - min(UInt64(pubsub.waitingBytes), store.bytes), of: store.bytes)),
      ("total_system_memory", String(system)), ("total_system_memory_human", Self.human(system)), ("used_memory_lua", "0"),
      ("used_memory_lua_human", "0B"), ("used_memory_scripts", "0"), ("used_memory_scripts_human", "0B"), ("number_of_cached_scripts", "0"),
      ("number_of_functions", "0"), ("number_of_libraries", "0"), ("maxmemory", String(store.limitBytes)),
      ("maxmemory_human", Self.human(store.limitBytes)), ("maxmemory_policy", shared.evicts ? "allkeys-lfu" : "noeviction"),
      ("mem_fragmentation_ratio", store.bytes == 0 ? "1.00" : Self.hundredths(Double(resident) / Double(store.bytes))),
      ("mem_fragmentation_bytes", String(Int64(resident) - Int64(store.bytes))), ("mem_not_counted_for_evict", "0"),
      ("mem_replication_backlog", "0"), ("mem_clients_slaves", "0"), ("mem_clients_normal", String(pubsub.waitingBytes)),
      ("mem_aof_buffer", "0"), ("mem_allocator", "martlet"), ("active_defrag_running", "0"), ("lazyfree_pending_objects", "0"),
      ("lazyfreed_objects", "0"),
    ]
  }

  private var persistence: Fields {
    [
      ("loading", "0"), ("async_loading", "0"), ("rdb_changes_since_last_save", "0"), ("rdb_bgsave_in_progress", "0"),
      ("rdb_last_save_time", String(shared.startTime.milliseconds / 1000)), ("rdb_last_bgsave_status", "ok"),
      ("rdb_last_bgsave_time_sec", "-1"), ("rdb_current_bgsave_time_sec", "-1"), ("aof_enabled", "0"), ("aof_rewrite_in_progress", "0"),
      ("aof_rewrite_scheduled", "0"), ("aof_last_rewrite_time_sec", "-1"), ("aof_current_rewrite_time_sec", "-1"),
      ("aof_last_bgrewrite_status", "ok"), ("aof_last_write_status", "ok"),
    ]
  }

  private var stats: Fields {
    [
      ("total_connections_received", String(totals.connections)), ("total_commands_processed", String(totals.commands)),
      ("rejected_connections", String(totals.refusals)),
      ("instantaneous_ops_per_sec", String(shared.operationsPerSecond())), ("total_net_input_bytes", String(totals.bytesIn)),
      ("total_net_output_bytes", String(totals.bytesOut)), ("sync_full", "0"), ("sync_partial_ok", "0"), ("sync_partial_err", "0"),
      ("expired_keys", String(totals.expirations)), ("evicted_keys", String(totals.evictions)), ("evicted_clients", "0"),
      ("keyspace_hits", String(totals.hits)), ("keyspace_misses", String(totals.misses)), ("pubsub_channels", String(pubsub.channels)),
      ("pubsub_patterns", String(pubsub.patterns)), ("pubsubshard_channels", String(pubsub.shardChannels)), ("latest_fork_usec", "0"),
      ("total_forks", "0"), ("migrate_cached_sockets", "0"), ("slave_expires_tracked_keys", "0"), ("tracking_total_keys", "0"),
      ("tracking_total_items", "0"), ("tracking_total_prefixes", "0"), ("total_error_replies", String(totals.failures)),
      ("client_output_buffer_limit_disconnections", String(pubsub.overflows)),
    ]
  }

  private var replication: Fields {
    [
      ("role", "master"), ("connected_slaves", "0"), ("master_failover_state", "no-failover"), ("master_replid", Self.runID),
      ("master_replid2", String(repeating: "0", count: 40)), ("master_repl_offset", "0"), ("second_repl_offset", "-1"),
      ("repl_backlog_active", "0"), ("repl_backlog_size", "0"), ("repl_backlog_first_byte_offset", "0"), ("repl_backlog_histlen", "0"),
    ]
  }

  private var cpu: Fields {
    let (user, system) = process.cpuSecondsByMode
    return [
      ("used_cpu_sys", Self.decimal(system)), ("used_cpu_user", Self.decimal(user)), ("used_cpu_sys_children", "0.000000"),
      ("used_cpu_user_children", "0.000000"),
    ]
  }

  /// Not every call is timed: those that were stand for all.
  private var commandstats: Fields {
    CommandRow.all.compactMap { row in
      let count = totals.commandCounts[Int(row.command.rawValue)]
      guard count.calls + count.rejected > 0 else { return nil }
      let microsecondsEach = count.times.count == 0 ? 0 : Double(count.times.nanosecondsTotal) / 1000 / Double(count.times.count)
      let microseconds = UInt64(microsecondsEach * Double(count.calls))
      let each = Self.hundredths(microsecondsEach)
      return (
        "cmdstat_\(row.name)",
        "calls=\(count.calls),usec=\(microseconds),usec_per_call=\(each),rejected_calls=\(count.rejected),failed_calls=\(count.failed)"
      )
    }
  }

  /// Upper bounds: time is counted in buckets that double.
  private var latencystats: Fields {
    CommandRow.all.compactMap { row in
      let times = totals.commandCounts[Int(row.command.rawValue)].times
      if times.count == 0 { return nil }
      let percentiles = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)].map { name, quantile in
        "\(name)=\(Self.thousandths(times.upperBoundSeconds(quantile: quantile) * 1e6))"
      }
      return ("latency_percentiles_usec_\(row.name)", percentiles.joined(separator: ","))
    }
  }

  private var errorstats: Fields { shared.errors.all.map { ("errorstat_\($0.0)", "count=\($0.1)") } }

  private var keyspace: Fields {
    counts.enumerated().compactMap { index, count in
      count.entries > 0 ? ("db\(index)", "keys=\(count.entries),expires=\(count.deadlines),avg_ttl=0") : nil
    }
  }

  // MARK: Figures as text

  static func human(_ bytes: UInt64) -> String {
    if bytes < 1 << 10 { return "\(bytes)B" }
    if bytes < 1 << 20 { return hundredths(Double(bytes) / 1024) + "K" }
    if bytes < 1 << 30 { return hundredths(Double(bytes) / 1_048_576) + "M" }
    return hundredths(Double(bytes) / 1_073_741_824) + "G"
  }

  private static func percent(_ part: UInt64, of whole: UInt64) -> String {
    hundredths(whole == 0 ? 0 : Double(part) * 100 / Double(whole)) + "%"
  }

  static func hundredths(_ value: Double) -> String {
    let scaled = Int((value * 100).rounded())
    return "\(scaled / 100).\(scaled % 100 / 10)\(scaled % 10)"
  }

  private static func thousandths(_ value: Double) -> String {
    let scaled = Int((value * 1000).rounded())
    let rest = String(scaled % 1000)
    return "\(scaled / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }

  /// With six places.
  private static func decimal(_ seconds: Double) -> String {
    let millionths = String(Int((seconds * 1_000_000).rounded()) % 1_000_000)
    return "\(Int(seconds)).\(String(repeating: "0", count: 6 - millionths.count))\(millionths)"
  }

  #if os(Linux)
    private static let system = "Linux"
  #else
    private static let system = "Darwin"
  #endif

  private static var systemMemory: UInt64 { UInt64(max(sysconf(Int32(_SC_PHYS_PAGES)), 0)) * UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1)) }

  /// 40 hexadecimal digits of this process alone.
  private static let runID = String((0..<40).map { _ in "0123456789abcdef".randomElement()! })
}
