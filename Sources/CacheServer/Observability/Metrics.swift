/// `GET /metrics`: a snapshot as Prometheus text. Names, types and help stand here and nowhere else.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletHTTP
internal import MartletLoop

extension Snapshot {
  func prometheusText() -> ByteBuffer {
    var page = PrometheusText()
    writeHTTP(to: &page)
    writeRESP(to: &page)
    writePubSub(to: &page)
    writeMemcached(to: &page)
    writeConnections(to: &page)
    writeCache(to: &page)
    writeLeases(to: &page)
    writeProcess(to: &page)
    return page.finish()
  }

  private func writeHTTP(to page: inout PrometheusText) {
    page.family("martlet_http_requests_total", .counter, "Requests answered, by route and status.")
    for (label, route) in routeLabels {
      for (status, count) in http.replies(route: route) {
        page.sample("martlet_http_requests_total", [("route", label), ("status", String(status))], count)
      }
    }
    page.family("martlet_http_request_seconds", .histogram, "From the arrival of a request's last byte to its reply, by route.")
    for (label, route) in routeLabels where http.latency(route: route).count > 0 {
      page.histogram("martlet_http_request_seconds", [("route", label)], http.latency(route: route))
    }
  }

  private func writeRESP(to page: inout PrometheusText) {
    page.family("martlet_resp_commands_total", .counter, "Commands of Redis clients run, by command.")
    for row in CommandRow.all where resp.calls[Int(row.command.rawValue)] > 0 {
      page.sample("martlet_resp_commands_total", [("command", row.name)], resp.calls[Int(row.command.rawValue)])
    }
    page.single("martlet_resp_errors_total", .counter, "Commands of Redis clients answered with an error.", resp.failures)
    page.family("martlet_resp_command_seconds", .histogram, "From the arrival of a batch's last byte to its replies, by command.")
    page.histogram("martlet_resp_command_seconds", [], resp.latency)
  }

  private func writePubSub(to page: inout PrometheusText) {
    page.single("martlet_pubsub_messages_total", .counter, "Messages published.", pubsub.published)
    page.single("martlet_pubsub_deliveries_total", .counter, "Messages sent on to subscribers.", pubsub.deliveries)
    page.single("martlet_pubsub_overflows_total", .counter, "Subscribers closed since they did not read.", pubsub.overflows)
    page.single("martlet_pubsub_waiting_bytes", .gauge, "Messages that wait for slow subscribers, in bytes.", UInt64(pubsub.waitingBytes))
    page.family("martlet_pubsub_topics", .gauge, "What is subscribed to, by kind.")
    for (kind, count) in pubsub.topics { page.sample("martlet_pubsub_topics", [("kind", "\(kind)")], UInt64(count)) }
  }

  private func writeMemcached(to page: inout PrometheusText) {
    page.family("martlet_memcached_commands_total", .counter, "Commands of memcached clients run, by command.")
    for command in MemcachedCommand.allCases where memcached.calls[Int(command.rawValue)] > 0 {
      page.sample("martlet_memcached_commands_total", [("command", command.name)], memcached.calls[Int(command.rawValue)])
    }
    page.family("martlet_memcached_command_seconds", .histogram, "From the arrival of a batch's last byte to its replies, by command.")
    page.histogram("martlet_memcached_command_seconds", [], memcached.latency)
  }

  private func writeConnections(to page: inout PrometheusText) {
    let names = protocolNames
    page.family("martlet_connections", .gauge, "Connections open now, by protocol.")
    for name in names { page.sample("martlet_connections", [("protocol", name)], UInt64(openConnections(name))) }
    page.family("martlet_connections_closed_total", .counter, "Connections closed, by protocol and reason.")
    for name in names {
      for reason in CloseReason.allCases {
        page.sample("martlet_connections_closed_total", [("protocol", name), ("reason", reason.name)], closed(name, reason))
      }
    }
    page.single("martlet_connections_accepted_total", .counter, "Connections accepted.", total(\.accepted))
    page.single("martlet_received_bytes_total", .counter, "Bytes read from connections.", total(\.bytesIn))
    page.single("martlet_sent_bytes_total", .counter, "Bytes written to connections.", total(\.bytesOut))
    page.family("martlet_loop_turns_total", .counter, "Turns of each event loop.")
    for (index, loop) in loops.enumerated() { page.sample("martlet_loop_turns_total", [("loop", String(index))], loop.turns) }
  }

  private func writeCache(to page: inout PrometheusText) {
    page.single("martlet_cache_hits_total", .counter, "Reads that found their entry.", cache.hits)
    page.single("martlet_cache_misses_total", .counter, "Reads that did not.", cache.misses)
    page.single("martlet_cache_sets_total", .counter, "Values written.", cache.sets)
    page.single("martlet_cache_evictions_total", .counter, "Entries that made room for others.", cache.evictions)
    page.single("martlet_cache_expirations_total", .counter, "Entries that expired.", cache.expirations)
    page.single(
      "martlet_cache_invalidations_total", .counter, "Entries removed since a tag of theirs was invalidated.", cache.invalidations)
    page.single("martlet_cache_entries", .gauge, "Entries held.", UInt64(cache.entries))
    page.single("martlet_cache_bytes", .gauge, "Memory of the entries, in bytes.", UInt64(cache.bytes))
    page.single("martlet_cache_limit_bytes", .gauge, "Memory that entries may use, in bytes.", UInt64(cache.limitBytes))
    page.single(
      "martlet_cache_dead_bytes", .gauge,
      "Memory of entries that are gone and not compacted yet, in bytes: reused before anything is evicted.",
      UInt64(cache.deadBytes))
    page.single(
      "martlet_cache_loose_bytes", .gauge, "Memory that was freed and is not given back to the system yet, in bytes: beside that of the entries.",
      UInt64(cache.looseBytes))
    page.family(
      "martlet_expiry_lag_seconds", .histogram, "From an entry's expiry until it was removed and its memory counted as dead.")
    page.histogram("martlet_expiry_lag_seconds", [], cache.expiryLag)
  }

  private func writeLeases(to page: inout PrometheusText) {
    let leases = cache.leases
    page.family("martlet_leases_total", .counter, "Leases by what became of them; `granted` counts them all.")
    for (outcome, count) in leases.outcomes { page.sample("martlet_leases_total", [("outcome", outcome)], count) }
    page.single("martlet_leases", .gauge, "Leases out now.", leases.live)
    page.family("martlet_lease_waiters_total", .counter, "Readers that have waited for another's fill, by outcome.")
    for (outcome, count) in leases.waiterOutcomes { page.sample("martlet_lease_waiters_total", [("outcome", outcome)], count) }
    page.single("martlet_lease_waiters", .gauge, "Readers waiting now.", leases.waiting)
    page.single("martlet_lease_fills_refused_total", .counter, "Fills that came when their lease was over.", leases.fillsRefused)
    page.single("martlet_lease_stale_served_total", .counter, "Stale values served while another refreshed them.", leases.servedStale)
    page.single("martlet_lease_busy_total", .counter, "Readers told to ask again.", leases.busy)
    page.single("martlet_herd_saved_total", .counter, "Misses that did not reach the origin.", leases.herdSaved)
    page.family("martlet_tag_invalidations_total", .counter, "Tags invalidated, by kind.")
    page.sample("martlet_tag_invalidations_total", [("kind", "hard")], cache.tags.hardInvalidations)
    page.sample("martlet_tag_invalidations_total", [("kind", "soft")], cache.tags.softInvalidations)
    page.single("martlet_tag_records", .gauge, "Tags remembered, since an entry may be older than their invalidation.", cache.tags.records)
  }

  private func writeProcess(to page: inout PrometheusText) {
    page.single("process_cpu_seconds_total", .counter, "CPU time of user and system, in seconds.", process.cpuSeconds)
    page.single("process_start_time_seconds", .gauge, "Start of the process, in Unix time.", process.startTimeSeconds)
    if let bytes = process.residentBytes { page.single("process_resident_memory_bytes", .gauge, "Resident memory, in bytes.", bytes) }
    if let bytes = process.virtualBytes { page.single("process_virtual_memory_bytes", .gauge, "Virtual memory, in bytes.", bytes) }
    if let count = process.descriptorsOpen { page.single("process_open_fds", .gauge, "File descriptors open.", count) }
    if let count = process.descriptorsMax { page.single("process_max_fds", .gauge, "File descriptors allowed.", count) }
  }
}

extension PubSubStatistics {
  var topics: [(StaticString, Int)] { [("channel", channels), ("pattern", patterns), ("shard_channel", shardChannels)] }
}

extension LeaseStatistics {
  var outcomes: [(String, UInt64)] {
    [
      ("granted", granted), ("filled", filled), ("absent", foundAbsent), ("given_up", givenUp), ("expired", expired),
      ("overtaken", overtaken),
    ]
  }

  var waiterOutcomes: [(String, UInt64)] {
    [
      ("filled", waitersFilled), ("absent", waitersAbsent), ("leased", waitersLeased), ("timed_out", waitersTimedOut),
      ("left", waitersForgotten),
    ]
  }
}
