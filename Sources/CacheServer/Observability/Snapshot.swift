/// What the loops and the store have counted, added up when an operator asks, from plain integers that each loop keeps for itself.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletLoop
internal import MartletServer

struct Snapshot: Sendable {
  var routes: RouteTree
  var http: HTTPStatistics
  var resp: RESPStatistics
  var pubsub: PubSubStatistics
  var memcached: MemcachedStatistics
  var loops: [LoopStatistics]
  var cache: CacheStatistics
  /// The most read first.
  var hotKeys: [HotKey]
  var process: ProcessFigures
  var uptimeSeconds: Double

  /// The name of each route, the last one for requests that no route matched, with its place in `http`.
  var routeLabels: [(label: String, route: Int)] {
    routes.routes.enumerated().map { ($1.label, $0) } + [("unmatched", routes.unmatched)]
  }

  /// Names of the protocols that loops have seen.
  var protocolNames: [String] { Set(loops.flatMap { $0.protocols.map(\.name) }).sorted() }

  func openConnections(_ name: String) -> Int { loops.reduce(0) { $0 + $1.named(name).open } }

  func closed(_ name: String, _ reason: CloseReason) -> UInt64 { loops.reduce(0) { $0 + $1.named(name).closed(reason) } }

  func total(_ figure: (LoopStatistics) -> UInt64) -> UInt64 { loops.reduce(0) { $0 + figure($1) } }
}

/// Takes snapshots: asks the loops one after the other, each on its own thread.
///
/// The routes that show snapshots belong to the HTTP face that is counted in them, so that is handed in afterwards, once, before the
/// server runs.
final class Observatory: Sendable {
  private let server: Server
  private let store: CacheStore
  private let startTime: UnixTime
  private let face = LoopLocal<HTTPFace?>(nil)
  private let resp = LoopLocal<RESPFace?>(nil)
  private let memcached = LoopLocal<MemcachedFace?>(nil)

  init(server: Server, store: CacheStore, startTime: UnixTime) {
    self.server = server
    self.store = store
    self.startTime = startTime
  }

  func observe(_ http: HTTPFace, _ resp: RESPFace, _ memcached: MemcachedFace) {
    face.value = http
    self.resp.value = resp
    self.memcached.value = memcached
  }

  func snapshot() async -> Snapshot {
    guard let face = face.value, let resp = resp.value, let memcached = memcached.value else {
      preconditionFailure("a snapshot is taken once the server runs")
    }
    var loops: [LoopStatistics] = []
    for loop in server.loops { loops.append(await loop.call { loop.statistics }) }
    return Snapshot(
      routes: face.routes, http: await face.statistics(of: server.loops), resp: await resp.statistics(of: server.loops),
      pubsub: resp.shared.pubsub.statistics, memcached: await memcached.statistics(of: server.loops), loops: loops,
      cache: store.statistics, hotKeys: store.hotKeys(),
      process: .current(startTime: startTime), uptimeSeconds: Double(MonotonicTime.now.nanoseconds(since: startedAt)) / 1e9)
  }

  private let startedAt = MonotonicTime.now
}
