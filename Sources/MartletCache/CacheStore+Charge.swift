/// Memory that is not the store's but counts under its limit: what waits for slow subscribers, for one. While others hold it, entries
/// have so much less; who writes next makes room.

extension CacheStore {
  /// Counts `bytes` more under the limit; negative: as many less. From any thread. Whoever charges has a bound of his own, far below the
  /// limit, and gives back what he took.
  package func charge(_ bytes: Int) { unsafe _ = engine.pointee.memory.ledger.add(bytes) }
}
