/// MEMORY DOCTOR, STATS, PURGE, MALLOC-STATS: what there is to say of memory that is not a key's.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  /// With no shard locked, but within a transaction, where `statistics` are there.
  mutating func memoryReport(_ args: borrowing RESPArguments) throws(CommandError) {
    let sub = args[1]
    if sub.equalsIgnoringCase("doctor") {
      try checkAlone(args, "memory|doctor")
      let figures = statistics ?? store.statistics
      writer.verbatim(
        "Entries use \(InfoFigures.human(figures.bytes)) of \(InfoFigures.human(figures.limitBytes)). \(figures.evictions) have made room for others.\n"
      )
    } else if sub.equalsIgnoringCase("stats") {
      try checkAlone(args, "memory|stats")
      memoryStatistics()
    } else if sub.equalsIgnoringCase("purge") {
      try checkAlone(args, "memory|purge")
      writer.ok()
    } else if sub.equalsIgnoringCase("malloc-stats") {
      try checkAlone(args, "memory|malloc-stats")
      writer.verbatim("The store has an allocator of its own: see MEMORY STATS.\n")
    } else {
      throw .unknownSubcommand(sub, of: .memory)
    }
  }

  private func checkAlone(_ args: borrowing RESPArguments, _ name: String) throws(CommandError) {
    if args.count != 2 { throw .arity(name) }
  }

  private mutating func memoryStatistics() {
    let figures = statistics ?? store.statistics
    let resident = ProcessFigures.current(startTime: now).residentBytes ?? 0
    let entries = max(UInt64(figures.entries), 1)
    let fields: [(StaticString, UInt64)] = [
      ("peak.allocated", figures.bytes), ("total.allocated", figures.bytes), ("startup.allocated", 0), ("replication.backlog", 0),
      ("clients.slaves", 0), ("clients.normal", 0), ("cluster.links", 0), ("aof.buffer", 0), ("lua.caches", 0), ("functions.caches", 0),
      ("overhead.total", 0), ("keys.count", UInt64(figures.entries)), ("keys.bytes-per-key", figures.bytes / entries),
      ("dataset.bytes", figures.bytes), ("allocator.resident", resident), ("limit.bytes", figures.limitBytes),
    ]
    writer.map(fields.count)
    for (name, value) in fields {
      writer.bulk(name)
      writer.integer(Int64(clamping: value))
    }
  }
}
