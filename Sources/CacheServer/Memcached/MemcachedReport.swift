/// What `stats` answers: the figures under the names that memcached's tools know, from the same snapshot as `/metrics`.
///
/// There is one class of items here, 1, since memory is not cut by size. Figures of machinery that is not here (slabs, the LRU's parts, its
/// crawler) are left out rather than made up; what dashboards divide by is there.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop
internal import MartletServer

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

struct MemcachedReport: Sendable {
  enum Topic: Sendable {
    case general, settings, items, slabs, sizes, conns, reset

    /// Nil: memcached has no such statistics, or they are of what is not here.
    init?(_ words: borrowing ArgumentList) {
      guard words.count > 0 else {
        self = .general
        return
      }
      let word = words[0]
      if word.equals("settings") {
        self = .settings
      } else if word.equals("items") {
        self = .items
      } else if word.equals("slabs") {
        self = .slabs
      } else if word.equals("sizes") {
        self = .sizes
      } else if word.equals("conns") {
        self = .conns
      } else if word.equals("reset") {
        self = .reset
      } else {
        return nil
      }
    }
  }

  /// What `stats reset` sets to 0.
  struct Counts: Sendable {
    var memcached: MemcachedStatistics
    var accepted: UInt64
    var sets: UInt64
    var evictions: UInt64
    var expirations: UInt64

    init(_ snapshot: Snapshot) {
      memcached = snapshot.memcached
      let closed = CloseReason.allCases.reduce(0) { $0 + snapshot.closed("memcached", $1) }
      accepted = UInt64(snapshot.openConnections("memcached")) + closed
      sets = snapshot.cache.sets
      evictions = snapshot.cache.evictions
      expirations = snapshot.cache.expirations
    }

    func since(_ earlier: Counts?) -> Counts {
      guard let earlier else { return self }
      var counts = self
      counts.memcached = memcached.since(earlier.memcached)
      counts.accepted &-= earlier.accepted
      counts.sets &-= earlier.sets
      counts.evictions &-= earlier.evictions
      counts.expirations &-= earlier.expirations
      return counts
    }
  }

  /// The whole reply.
  let text: [UInt8]

  init(_ topic: Topic, _ snapshot: Snapshot, since baseline: Counts?, _ options: ServeOptions) {
    if topic == .reset {
      text = Array("RESET\r\n".utf8)
      return
    }
    var writer = MemcachedWriter()
    let counts = Counts(snapshot).since(baseline)
    let figures: [(String, String)] =
      switch topic {
      case .general: Self.general(snapshot, counts, options)
      case .settings: Self.settings(snapshot, options)
      case .items: Self.items(snapshot, counts)
      case .slabs: Self.slabs(snapshot, counts)
      case .sizes: [("sizes_status", "disabled")]
      case .conns: Self.connections(snapshot, options)
      case .reset: []
      }
    for (name, value) in figures { writer.statistic(name, value) }
    writer.line("END\r\n")
    text = writer.output.copied()
  }

  private static func general(_ snapshot: Snapshot, _ counts: Counts, _ options: ServeOptions) -> [(String, String)] {
    let memcached = counts.memcached
    let process = snapshot.process
    let cpu = process.cpuSecondsByMode
    let uptime = UInt64(snapshot.uptimeSeconds)
    return [
      ("pid", "\(getpid())"), ("uptime", "\(uptime)"), ("time", "\(UInt64(process.startTimeSeconds) + uptime)"),
      ("version", MemcachedExecution.version), ("martlet_version", MartletVersion.text), ("pointer_size", "64"),
      ("rusage_user", seconds(cpu.user)), ("rusage_system", seconds(cpu.system)),
      ("max_connections", "\(options.connectionsMax)"), ("curr_connections", "\(snapshot.openConnections("memcached"))"),
      ("total_connections", "\(counts.accepted)"), ("rejected_connections", "\(snapshot.closed("memcached", .refused))"),
      ("cmd_get", "\(memcached.getHits + memcached.getMisses)"), ("cmd_set", "\(memcached.sets)"), ("cmd_flush", "\(memcached.flushes)"),
      ("cmd_touch", "\(memcached.touchHits + memcached.touchMisses)"), ("cmd_meta", "\(memcached.metas)"),
      ("get_hits", "\(memcached.getHits)"), ("get_misses", "\(memcached.getMisses)"),
      ("delete_misses", "\(memcached.deleteMisses)"), ("delete_hits", "\(memcached.deleteHits)"),
      ("incr_misses", "\(memcached.incrMisses)"), ("incr_hits", "\(memcached.incrHits)"),
      ("decr_misses", "\(memcached.decrMisses)"), ("decr_hits", "\(memcached.decrHits)"),
      ("cas_misses", "\(memcached.casMisses)"), ("cas_hits", "\(memcached.casHits)"), ("cas_badval", "\(memcached.casBadVersions)"),
      ("touch_hits", "\(memcached.touchHits)"), ("touch_misses", "\(memcached.touchMisses)"),
      ("store_too_large", "\(memcached.tooLarge)"), ("store_no_memory", "\(memcached.outOfMemory)"),
      ("auth_cmds", "\(memcached.authentications)"), ("auth_errors", "\(memcached.authenticationErrors)"),
      ("bytes_read", "\(memcached.bytesIn)"), ("bytes_written", "\(memcached.bytesOut)"),
      ("limit_maxbytes", "\(snapshot.cache.limitBytes)"), ("accepting_conns", "1"), ("threads", "\(options.threads)"),
      ("hash_is_expanding", "0"), ("bytes", "\(snapshot.cache.bytes)"), ("curr_items", "\(snapshot.cache.entries)"),
      ("total_items", "\(counts.sets)"), ("evictions", "\(counts.evictions)"), ("reclaimed", "\(counts.expirations)"),
    ]
  }

  /// As memcached prints them: seconds, a point, microseconds.
  private static func seconds(_ seconds: Double) -> String {
    let microseconds = UInt64(seconds * 1e6)
    let rest = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - rest.utf8.count) + rest
  }

  private static func settings(_ snapshot: Snapshot, _ options: ServeOptions) -> [(String, String)] {
    var host = "NULL"
    var port = "0"
    var path = "NULL"
    switch options.memcached {
    case .tcp(let name, let number): (host, port) = (name, "\(number)")
    case .unix(let name): path = name
    case .off: break
    }
    return [
      ("maxbytes", "\(snapshot.cache.limitBytes)"), ("maxconns", "\(options.connectionsMax)"), ("tcpport", port), ("udpport", "0"),
      ("inter", host), ("verbosity", "0"), ("oldest", "0"), ("evictions", options.eviction == .none ? "off" : "on"),
      ("domain_socket", path), ("umask", "700"), ("shutdown_command", "no"), ("num_threads", "\(options.threads)"),
      ("stat_key_prefix", ":"), ("detail_enabled", "no"), ("cas_enabled", "yes"), ("binding_protocol", "ascii"),
      ("auth_enabled_sasl", "no"), ("auth_enabled_ascii", options.token == nil ? "no" : "yes"),
      ("item_size_max", "\(min(CacheLimits.valueBytesMax, options.memory.bytes / 8))"), ("maxconns_fast", "yes"),
      ("flush_enabled", "yes"), ("dump_enabled", "no"), ("hash_algorithm", "wyhash"), ("idle_timeout", "0"), ("track_sizes", "no"),
      ("ssl_enabled", "no"),
    ]
  }

  private static func items(_ snapshot: Snapshot, _ counts: Counts) -> [(String, String)] {
    if snapshot.cache.entries == 0 { return [] }
    return [
      ("items:1:number", "\(snapshot.cache.entries)"), ("items:1:mem_requested", "\(snapshot.cache.bytes)"),
      ("items:1:evicted", "\(counts.evictions)"), ("items:1:outofmemory", "\(counts.memcached.outOfMemory)"),
      ("items:1:reclaimed", "\(counts.expirations)"),
    ]
  }

  private static func slabs(_ snapshot: Snapshot, _ counts: Counts) -> [(String, String)] {
    let memcached = counts.memcached
    return [
      ("1:chunk_size", "1"), ("1:chunks_per_page", "262144"), ("1:total_pages", "\(snapshot.cache.segments)"),
      ("1:total_chunks", "\(snapshot.cache.bytes)"), ("1:used_chunks", "\(snapshot.cache.entries)"), ("1:free_chunks", "0"),
      ("1:free_chunks_end", "0"), ("1:get_hits", "\(memcached.getHits)"), ("1:cmd_set", "\(memcached.sets)"),
      ("1:delete_hits", "\(memcached.deleteHits)"), ("1:incr_hits", "\(memcached.incrHits)"), ("1:decr_hits", "\(memcached.decrHits)"),
      ("1:cas_hits", "\(memcached.casHits)"), ("1:cas_badval", "\(memcached.casBadVersions)"), ("1:touch_hits", "\(memcached.touchHits)"),
      ("active_slabs", "1"), ("total_malloced", "\(snapshot.cache.bytes)"),
    ]
  }

  /// The listener alone: connections are counted here, not listed.
  private static func connections(_ snapshot: Snapshot, _ options: ServeOptions) -> [(String, String)] {
    let address = if case .unix = options.memcached { "\(options.memcached)" } else { "tcp:\(options.memcached)" }
    return [
      ("0:addr", address), ("0:state", "conn_listening"), ("0:secs_since_last_cmd", "\(UInt64(snapshot.uptimeSeconds))"),
    ]
  }
}
