/// `martlet serve` from the first line to the last: the store, the routes around it, the server that serves them.

internal import Logging
internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletLoop
internal import MartletServer

public struct CacheServerProcess {
  let options: ServeOptions

  public init(options: ServeOptions) {
    self.options = options
  }

  /// Serves until a signal has ended it in good order.
  public func run() throws(ServeFailure) {
    let logger = StandardLog.make(level: options.logLevel)
    let clock = SteadyClock()
    let startTime = clock.unixTime(at: .now)
    let descriptors: Int
    do { descriptors = try DescriptorLimit.raise() } catch { throw ServeFailure("\(error)") }
    let store = CacheStore(
      options: CacheStore.Options(
        limitBytes: entryBytesMax, eviction: options.eviction == .none ? .none : .s3fifo, shardCount: shardCount, versionOrigin: startTime,
        valueBytesMax: min(CacheLimits.valueBytesMax, options.memory.bytes / 8)))
    do throws(UVError) {
      let server = try Server(serverOptions)
      let observatory = Observatory(server: server, store: store, startTime: startTime)
      let wake = Waker(loops: server.loops)
      let application = CacheApplication(store: store, clock: clock, observatory: observatory, readiness: server.readiness, wake: wake)
      let http = HTTPFace(application.router(options), limits: httpLimits, on: server, lookAhead: { EntryRoutes.lookAhead(store) }) {
        error, route in
        logger.error("a handler failed", metadata: ["route": "\(route)", "error": "\(error)"])
      }
      let resp = RESPFace(
        RESPShared(store: store, clock: clock, wake: wake, startTime: startTime, options: options, logger: logger) { server.stop() },
        on: server)
      let memcached = MemcachedFace(
        MemcachedShared(store: store, clock: clock, options: options, on: server, observatory: observatory), on: server)
      observatory.observe(http, resp, memcached)
      let address = try server.listen(on: options.http, http.sessionFactory)
      let respAddress = try server.listen(on: options.resp, resp.sessionFactory)
      let memcachedAddress = try server.listen(on: options.memcached, memcached.sessionFactory)
      resp.shared.localAddress = respAddress.map { "\($0)" } ?? ""
      ExpirySweep(store: store, clock: clock).start(on: server.loops[0])
      MemoryUpkeep(store: store).start(on: server.control)
      TagSweeper(store: store, clock: clock).start(on: server.loops[0])
      let leaseTimer = LeaseTimer(store: store, clock: clock, on: server.loops[0])
      leaseTimer.start()
      defer { store.setLeaseAlarm(nil) }
      logger.info(
        "serving",
        metadata: [
          "version": "\(MartletVersion.text)", "threads": "\(options.threads)", "memory": "\(options.memory)",
          "entries": "\(ByteSize(bytes: store.limitBytes))", "descriptors": "\(descriptors)", "token": "\(options.token != nil)",
        ])
      try server.run { event in
        switch event {
        case .ready:
          if let address { StandardStreams.output("listening http \(address)") }
          if let respAddress { StandardStreams.output("listening resp \(respAddress)") }
          if let memcachedAddress { StandardStreams.output("listening memcached \(memcachedAddress)") }
          StandardStreams.output("ready")
        case .draining(let signal): logger.notice("stopping", metadata: ["signal": "\(signal)", "drain": "\(options.drainSeconds) s"])
        case .cut: logger.warning("drain time is over: open connections are cut")
        case .stopped: logger.info("stopped")
        }
      }
    } catch {
      throw ServeFailure("\(error)")
    }
  }

  private var entryBytesMax: Int {
    let atRest = ProcessFigures.current(startTime: UnixTime(milliseconds: 0)).residentBytes.map(Int.init) ?? (12 << 20)
    return Self.entryBytesMax(memory: options.memory, residentAtRest: atRest)
  }

  /// What entries may use: the limit of the whole process less what it uses at rest, buffers of connections included; half of it at the
  /// least.
  static func entryBytesMax(memory: ByteSize, residentAtRest: Int) -> Int {
    max(memory.bytes - residentAtRest - bufferBytes, memory.bytes / 2)
  }

  /// Set aside for the buffers of connections.
  private static let bufferBytes = 4 << 20

  /// A batch takes the lock of each shard that it has a key in: sixteen keys take ten locks of 16, or fourteen of 64. Where threads wait for
  /// each other's shards there are as many as can be; one thread waits for nobody.
  private var shardCount: Int { options.threads == 1 ? 16 : CacheLimits.shardCountMax }

  private var httpLimits: HTTPLimits {
    var limits = HTTPLimits()
    limits.bodyBytesMax = options.bodyLimit.bytes
    return limits
  }

  private var serverOptions: ServerOptions {
    var server = ServerOptions()
    server.threads = options.threads
    server.connectionsMax = options.connectionsMax
    server.drainSeconds = options.drainSeconds
    server.drainDelaySeconds = options.drainDelaySeconds
    return server
  }
}
