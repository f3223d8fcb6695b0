/// What RESP sessions share: all of them a `RESPShared`, those of one loop a `RESPService`.

internal import Logging
internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletServer
internal import Synchronization

/// Of every loop: never changes, or is atomic.
final class RESPShared: Sendable {
  let store: CacheStore
  let clock: SteadyClock
  let wake: Waker
  let token: [UInt8]?
  let address: ListenAddress
  /// Where it listens, written once before the loops run.
  private let listening = LoopLocal("")
  let startTime: UnixTime
  let startedAt = MonotonicTime.now
  let clients = ClientRegistry()
  let pubsub: PubSub
  let databases = Databases()
  let pause = ClientPause()
  let slowlog = SlowLog()
  let errors = ErrorCounts()
  let infoMemory = InfoMemory()
  let logger: Logger
  let connectionsMax: Int
  let memoryBytes: Int
  let evicts: Bool
  let threads: Int
  let enableDebug: Bool
  /// Begins to drain the server.
  let stop: @Sendable () -> Void
  /// `timeout` of CONFIG: seconds after which a connection without a command is closed; 0: never.
  let idleSeconds = Atomic<Int>(0)
  /// Connections beyond the number that may be open.
  let refusals = Atomic<UInt64>(0)
  /// Commands run by each loop, for INFO.
  let totals: [LoopTotals]

  final class LoopTotals: Sendable {
    let commands = Atomic<UInt64>(0)
    let bytesIn = Atomic<UInt64>(0)
    let bytesOut = Atomic<UInt64>(0)
    let counts = CommandCounts()
  }

  init(
    store: CacheStore, clock: SteadyClock, wake: Waker, startTime: UnixTime, options: ServeOptions, logger: Logger,
    stop: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.clock = clock
    self.wake = wake
    self.startTime = startTime
    self.logger = logger
    pubsub = PubSub(loops: wake.loops, limits: PubSubLimits(memoryBytes: options.memory.bytes))
    token = options.token.map { Array($0.utf8) }
    address = options.resp
    connectionsMax = options.connectionsMax
    memoryBytes = options.memory.bytes
    evicts = options.eviction != .none
    threads = options.threads
    enableDebug = options.enableDebug
    self.stop = stop
    totals = (0..<options.threads).map { _ in LoopTotals() }
  }

  var localAddress: String {
    get { listening.value }
    set { listening.value = newValue }
  }

  func total(_ figure: (LoopTotals) -> UInt64) -> UInt64 { totals.reduce(0) { $0 + figure($1) } }

  /// As they are now.
  var rules: RESPRules {
    RESPRules(
      databases: databases.map, slowNanoseconds: slowlog.thresholdNanoseconds, idleSeconds: idleSeconds.load(ordering: .relaxed),
      isPaused: pause.isOn)
  }
}

/// What a loop has counted of RESP: for metrics, asked for on the loop's own thread.
struct RESPStatistics: Sendable {
  /// By `Command.rawValue`.
  var calls = [UInt64](repeating: 0, count: Command.allCases.count)
  var failures: UInt64 = 0
  var latency = LatencyHistogram()

  mutating func add(_ other: RESPStatistics) {
    for index in calls.indices { calls[index] += other.calls[index] }
    failures += other.failures
    latency.add(other.latency)
  }
}

/// Of one loop: touched by its thread only.
final class RESPService: Sendable {
  let shared: RESPShared
  /// Taken hold of once per call of a session, and handed down from there.
  let loop: LoopLocal<RESPLoop>

  init(shared: RESPShared, index: Int) {
    self.shared = shared
    loop = LoopLocal(RESPLoop(shared, totals: shared.totals[index]))
  }

  var statistics: RESPStatistics { loop.value.statistics }
}
