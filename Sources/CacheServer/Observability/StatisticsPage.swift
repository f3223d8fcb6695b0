/// `GET /v1/stats`: the same snapshot as JSON with the same stems, for people and the dashboard.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON
internal import MartletLoop

extension Snapshot {
  func write(to json: inout JSONWriter) throws {
    json.beginObject()
    json.member("version", MartletVersion.text)
    try json.member("martlet_uptime_seconds", uptimeSeconds)
    json.key("martlet_http_requests_total")
    json.beginArray()
    for (label, route) in routeLabels where http.latency(route: route).count > 0 { try write(route, label, to: &json) }
    json.endArray()
    json.key("martlet_connections")
    json.beginObject()
    for name in protocolNames {
      json.key(name)
      json.integer(openConnections(name))
    }
    json.endObject()
    json.key("martlet_connections_closed_total")
    json.beginObject()
    for name in protocolNames { writeCloses(name, to: &json) }
    json.endObject()
    try writeCache(to: &json)
    writeLeases(to: &json)
    writePubSub(to: &json)
    writeHotKeys(to: &json)
    try writeProcess(to: &json)
    json.endObject()
  }

  private func write(_ route: Int, _ label: String, to json: inout JSONWriter) throws {
    let latency = http.latency(route: route)
    json.beginObject()
    json.member("route", label)
    json.key("status")
    json.beginObject()
    for (status, count) in http.replies(route: route) {
      json.key(String(status))
      json.integer(count)
    }
    json.endObject()
    json.key("martlet_http_request_seconds")
    json.beginObject()
    json.member("count", latency.count)
    try json.member("sum", Double(latency.nanosecondsTotal) / 1e9)
    try json.member("p50", latency.upperBoundSeconds(quantile: 0.5))
    try json.member("p90", latency.upperBoundSeconds(quantile: 0.9))
    try json.member("p99", latency.upperBoundSeconds(quantile: 0.99))
    json.endObject()
    json.endObject()
  }

  private func writeCloses(_ name: String, to json: inout JSONWriter) {
    json.key(name)
    json.beginObject()
    for reason in CloseReason.allCases {
      json.key(reason.name)
      json.integer(closed(name, reason))
    }
    json.endObject()
  }

  private func writeCache(to json: inout JSONWriter) throws {
    json.member("martlet_cache_hits_total", cache.hits)
    json.member("martlet_cache_misses_total", cache.misses)
    try json.member("martlet_cache_hit_ratio", cache.hits + cache.misses == 0 ? 0 : Double(cache.hits) / Double(cache.hits + cache.misses))
    json.member("martlet_cache_sets_total", cache.sets)
    json.member("martlet_cache_evictions_total", cache.evictions)
    json.member("martlet_cache_expirations_total", cache.expirations)
    json.member("martlet_cache_invalidations_total", cache.invalidations)
    json.member("martlet_cache_entries", cache.entries)
    json.member("martlet_cache_bytes", cache.bytes)
    json.member("martlet_cache_limit_bytes", cache.limitBytes)
    json.member("martlet_cache_dead_bytes", cache.deadBytes)
    json.member("martlet_cache_loose_bytes", cache.looseBytes)
    json.key("martlet_expiry_lag_seconds")
    json.beginObject()
    json.member("count", cache.expiryLag.count)
    try json.member("sum", Double(cache.expiryLag.nanosecondsTotal) / 1e9)
    try json.member("p99", cache.expiryLag.upperBoundSeconds(quantile: 0.99))
    json.endObject()
  }

  private func writeLeases(to json: inout JSONWriter) {
    let leases = cache.leases
    json.member("martlet_herd_saved_total", leases.herdSaved)
    json.member("martlet_leases", leases.live)
    json.key("martlet_leases_total")
    json.beginObject()
    for (outcome, count) in leases.outcomes {
      json.key(outcome)
      json.integer(count)
    }
    json.endObject()
    json.member("martlet_lease_waiters", leases.waiting)
    json.key("martlet_lease_waiters_total")
    json.beginObject()
    for (outcome, count) in leases.waiterOutcomes {
      json.key(outcome)
      json.integer(count)
    }
    json.endObject()
    json.member("martlet_lease_fills_refused_total", leases.fillsRefused)
    json.member("martlet_lease_stale_served_total", leases.servedStale)
    json.member("martlet_lease_busy_total", leases.busy)
    json.key("martlet_tag_invalidations_total")
    json.beginObject()
    json.member("hard", cache.tags.hardInvalidations)
    json.member("soft", cache.tags.softInvalidations)
    json.endObject()
    json.member("martlet_tag_records", cache.tags.records)
  }

  private func writePubSub(to json: inout JSONWriter) {
    json.member("martlet_pubsub_messages_total", pubsub.published)
    json.member("martlet_pubsub_deliveries_total", pubsub.deliveries)
    json.member("martlet_pubsub_overflows_total", pubsub.overflows)
    json.member("martlet_pubsub_waiting_bytes", pubsub.waitingBytes)
    json.key("martlet_pubsub_topics")
    json.beginObject()
    for (kind, count) in pubsub.topics { json.member(kind, count) }
    json.endObject()
  }

  /// The keys that are read most, of late: a sample's estimate. Keys are percent-encoded as in their route.
  private func writeHotKeys(to json: inout JSONWriter) {
    json.key("martlet_hot_keys")
    json.beginArray()
    for hot in hotKeys {
      var key = ByteBuffer()
      key.append(percentEncoding: hot.key.rawSpan)
      json.beginObject()
      json.key("key")
      json.string(utf8: key.bytes)
      json.member("reads", hot.reads)
      json.endObject()
    }
    json.endArray()
  }

  private func writeProcess(to json: inout JSONWriter) throws {
    try json.member("process_cpu_seconds_total", process.cpuSeconds)
    try json.member("process_start_time_seconds", process.startTimeSeconds)
    if let bytes = process.residentBytes { json.member("process_resident_memory_bytes", bytes) }
    if let bytes = process.virtualBytes { json.member("process_virtual_memory_bytes", bytes) }
    if let count = process.descriptorsOpen { json.member("process_open_fds", count) }
    if let count = process.descriptorsMax { json.member("process_max_fds", count) }
  }
}
