/// memcached's protocols on a server: one service per loop.

internal import MartletBytes
internal import MartletCache
internal import MartletLoop
internal import MartletServer

final class MemcachedFace: Sendable {
  let shared: MemcachedShared
  /// By the loop's index.
  private let services: [MemcachedService]

  init(_ shared: MemcachedShared, on server: Server) {
    self.shared = shared
    services = server.loops.map { _ in MemcachedService(shared: shared) }
    server.atDrain { [services] loop in services[Int(loop.index)].loop.value.isDraining = true }
  }

  var sessionFactory: SessionFactory {
    let services = services
    return SessionFactory.make(name: "memcached", refusal: Array("ERROR Too many open connections\r\n".utf8)) { id, _ in
      MemcachedSession(id: id, service: services[Int(id.loop)])
    }
  }

  /// What all loops have counted, each asked on its own thread.
  func statistics(of loops: [EventLoop]) async -> MemcachedStatistics {
    var sum = MemcachedStatistics()
    for (loop, service) in zip(loops, services) { sum.add(await loop.call { service.loop.value.execution.statistics }) }
    return sum
  }
}
