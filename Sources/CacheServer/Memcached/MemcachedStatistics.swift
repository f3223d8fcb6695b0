/// What a loop has counted of memcached clients: plain numbers, touched by its thread alone.

internal import MartletBytes
internal import MartletCacheProtocols

struct MemcachedStatistics: Sendable {
  /// Requests by `MemcachedCommand.rawValue`.
  var calls = [UInt64](repeating: 0, count: MemcachedCommand.allCases.count)
  var getHits: UInt64 = 0
  var getMisses: UInt64 = 0
  var sets: UInt64 = 0
  var flushes: UInt64 = 0
  var metas: UInt64 = 0
  var deleteHits: UInt64 = 0
  var deleteMisses: UInt64 = 0
  var incrHits: UInt64 = 0
  var incrMisses: UInt64 = 0
  var decrHits: UInt64 = 0
  var decrMisses: UInt64 = 0
  var casHits: UInt64 = 0
  var casMisses: UInt64 = 0
  var casBadVersions: UInt64 = 0
  var touchHits: UInt64 = 0
  var touchMisses: UInt64 = 0
  var tooLarge: UInt64 = 0
  var outOfMemory: UInt64 = 0
  var authentications: UInt64 = 0
  var authenticationErrors: UInt64 = 0
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0
  var latency = LatencyHistogram()

  /// All plain counters.
  private static let figures: [any WritableKeyPath<MemcachedStatistics, UInt64> & Sendable] = [
    \.getHits, \.getMisses, \.sets, \.flushes, \.metas, \.deleteHits, \.deleteMisses, \.incrHits, \.incrMisses, \.decrHits, \.decrMisses,
    \.casHits, \.casMisses, \.casBadVersions, \.touchHits, \.touchMisses, \.tooLarge, \.outOfMemory, \.authentications,
    \.authenticationErrors, \.bytesIn, \.bytesOut,
  ]

  mutating func add(_ other: MemcachedStatistics) {
    for index in calls.indices { calls[index] &+= other.calls[index] }
    for figure in Self.figures { self[keyPath: figure] &+= other[keyPath: figure] }
    latency.add(other.latency)
  }

  /// What has come since `earlier`.
  func since(_ earlier: MemcachedStatistics) -> MemcachedStatistics {
    var difference = self
    for index in calls.indices { difference.calls[index] &-= earlier.calls[index] }
    for figure in Self.figures { difference[keyPath: figure] &-= earlier[keyPath: figure] }
    return difference
  }
}
