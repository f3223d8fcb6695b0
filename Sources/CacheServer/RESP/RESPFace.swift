/// RESP on a server: one service per loop.

internal import MartletBytes
internal import MartletCache
internal import MartletLoop
internal import MartletServer
internal import Synchronization

final class RESPFace: Sendable {
  let shared: RESPShared
  /// By the loop's index.
  private let services: [RESPService]

  init(_ shared: RESPShared, on server: Server) {
    self.shared = shared
    services = server.loops.indices.map { RESPService(shared: shared, index: $0) }
    server.atDrain { [services] loop in services[Int(loop.index)].loop.value.isDraining = true }
  }

  var sessionFactory: SessionFactory {
    let services = services
    let shared = shared
    return SessionFactory.make(
      name: "resp", refusal: Array("-ERR max number of clients reached\r\n".utf8),
      refused: { shared.refusals.wrappingAdd(1, ordering: .relaxed) },
      session: { id, peer in RESPSession(id: id, service: services[Int(id.loop)], peer: "\(peer.address)", at: .now) })
  }

  /// What all loops have counted, each asked on its own thread.
  func statistics(of loops: [EventLoop]) async -> RESPStatistics {
    var sum = RESPStatistics()
    for (loop, service) in zip(loops, services) { sum.add(await loop.call { service.statistics }) }
    return sum
  }
}
