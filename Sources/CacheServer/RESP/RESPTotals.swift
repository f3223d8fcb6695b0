/// What all loops have counted of RESP, added up for INFO; CONFIG RESETSTAT begins anew by remembering what there was.

internal import MartletBytes
internal import MartletCache
internal import Synchronization

struct RESPTotals: Sendable {
  struct CommandCount: Sendable {
    var calls: UInt64 = 0
    var failed: UInt64 = 0
    var rejected: UInt64 = 0
    /// Of the calls that were timed.
    var times = LatencyHistogram()
  }

  var commands: UInt64 = 0
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0
  var failures: UInt64 = 0
  var connections: UInt64 = 0
  var refusals: UInt64 = 0
  var hits: UInt64 = 0
  var misses: UInt64 = 0
  var expirations: UInt64 = 0
  var evictions: UInt64 = 0
  /// By `Command.rawValue`.
  var commandCounts = [CommandCount](repeating: CommandCount(), count: Command.allCases.count)

  init() {}

  init(_ shared: RESPShared, _ store: CacheStatistics) {
    commands = shared.total { $0.commands.load(ordering: .relaxed) }
    bytesIn = shared.total { $0.bytesIn.load(ordering: .relaxed) }
    bytesOut = shared.total { $0.bytesOut.load(ordering: .relaxed) }
    failures = shared.errors.all.reduce(0) { $0 + $1.1 }
    connections = shared.clients.total
    refusals = shared.refusals.load(ordering: .relaxed)
    hits = store.hits
    misses = store.misses
    expirations = store.expirations
    evictions = store.evictions
    for command in Command.allCases {
      let number = Int(command.rawValue)
      for loop in shared.totals {
        commandCounts[number].calls += loop.counts[command].calls.load(ordering: .relaxed)
        commandCounts[number].failed += loop.counts[command].failed.load(ordering: .relaxed)
        commandCounts[number].rejected += loop.counts[command].rejected.load(ordering: .relaxed)
        commandCounts[number].times.add(loop.counts[command].times.value)
      }
    }
  }

  func since(_ other: RESPTotals) -> RESPTotals {
    var rest = self
    rest.commands -= min(other.commands, commands)
    rest.bytesIn -= min(other.bytesIn, bytesIn)
    rest.bytesOut -= min(other.bytesOut, bytesOut)
    rest.connections -= min(other.connections, connections)
    rest.refusals -= min(other.refusals, refusals)
    rest.hits -= min(other.hits, hits)
    rest.misses -= min(other.misses, misses)
    rest.expirations -= min(other.expirations, expirations)
    rest.evictions -= min(other.evictions, evictions)
    for (index, old) in other.commandCounts.enumerated() {
      rest.commandCounts[index].calls -= min(old.calls, commandCounts[index].calls)
      rest.commandCounts[index].times.subtract(old.times)
      rest.commandCounts[index].failed -= min(old.failed, commandCounts[index].failed)
      rest.commandCounts[index].rejected -= min(old.rejected, commandCounts[index].rejected)
    }
    return rest
  }
}

/// Errors answered, by their first word, for INFO errorstats. From any thread; an error is no fast path.
final class ErrorCounts: Sendable {
  private let lock = ShardLock()
  private let counts = LoopLocal<[String: UInt64]>([:])

  /// Kinds that are told apart; a few come from the server's texts, none from what clients send.
  private static let kindsMax = 128

  func count(_ text: [UInt8]) {
    let code = text.prefix { $0 != ASCII.space }
    let name = String(decoding: code, as: UTF8.self)
    lock.withLock {
      if counts.value[name] == nil, counts.value.count >= Self.kindsMax { return }
      counts.value[name, default: 0] += 1
    }
  }

  /// By name.
  var all: [(String, UInt64)] { lock.withLock { counts.value.sorted { $0.key < $1.key } } }

  func reset() { lock.withLock { counts.value = [:] } }
}

/// What INFO remembers from one time to the next.
final class InfoMemory: Sendable {
  private let lock = ShardLock()
  private let peakBytes = LoopLocal<UInt64>(0)
  private let baseline = LoopLocal(RESPTotals())
  private let sample = LoopLocal<(time: MonotonicTime, commands: UInt64, rate: UInt64)>((.now, 0, 0))

  /// Less than this since the last look: the rate is that of the last look.
  private static let sampleNanosecondsMin: UInt64 = 100_000_000

  /// The most memory that was ever told of.
  func peak(_ bytes: UInt64) -> UInt64 {
    lock.withLock {
      peakBytes.value = max(peakBytes.value, bytes)
      return peakBytes.value
    }
  }

  func begin(from totals: RESPTotals) { lock.withLock { baseline.value = totals } }
  func since(_ totals: RESPTotals) -> RESPTotals { lock.withLock { totals.since(baseline.value) } }

  /// Commands per second since the last look.
  func rate(_ commands: UInt64, at now: MonotonicTime) -> UInt64 {
    lock.withLock {
      let elapsed = now.nanoseconds(since: sample.value.time)
      if elapsed < Self.sampleNanosecondsMin { return sample.value.rate }
      let rate = UInt64(Double(commands - min(sample.value.commands, commands)) / (Double(elapsed) / 1e9))
      sample.value = (now, commands, rate)
      return rate
    }
  }
}

extension RESPShared {
  func totalsSinceReset(_ store: CacheStatistics) -> RESPTotals { infoMemory.since(RESPTotals(self, store)) }

  /// `statistics`: of the store, where it must not be asked.
  func resetStatistics(_ statistics: CacheStatistics?) {
    errors.reset()
    infoMemory.begin(from: RESPTotals(self, statistics ?? store.statistics))
  }

  func notePeak(_ bytes: UInt64) -> UInt64 { infoMemory.peak(bytes) }

  func operationsPerSecond() -> UInt64 { infoMemory.rate(total { $0.commands.load(ordering: .relaxed) }, at: .now) }

  /// The port of the listener, 0 for a Unix socket.
  var port: String { localAddress.hasPrefix("/") ? "0" : localAddress.split(separator: ":").last.map(String.init) ?? "0" }
}
