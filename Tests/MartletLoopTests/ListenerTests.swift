import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct ListenerTests {
  @Test("Ten thousand connections that are opened and reset leave nothing behind")
  func churn() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    for index in 0..<10_000 {
      let peer = try server.connect()
      if index % 2 == 0 { peer.send("half a li") }
      peer.reset()
    }
    let loop = server.loops[0]
    await server.wait { $0.accepted >= 9_000 && $0.open == 0 && loop.loop.core.table.count == 0 && loop.load.count == 0 }
    #expect(await loop.call { loop.loop.core.pool.count } <= LoopLimits.pooledBuffersMax)
    #expect(server.budget.count == 0)
    let peer = try server.connect()
    peer.send("alive\n")
    #expect(peer.receiveText(6) == "alive\n")
  }

  @Test("Beyond the budget a connection is told why and closed; a place that becomes free is given again")
  func budget() async throws {
    let server = try TestServer(connectionsMax: 3) { _ in LineEcho.factory(refusal: "full house\n") }
    defer { server.stop() }
    let guests = try (0..<3).map { _ in try server.connect() }
    for guest in guests {
      guest.send("in\n")
      #expect(guest.receiveText(3) == "in\n")
    }
    for index in 0..<100 {
      let refused = try server.connect()
      if index % 2 == 0 { refused.send("let me in\n") }
      #expect(refused.receiveToEnd() == "full house\n")
    }
    #expect(await server.sum { Int($0.named("echo").closed(.refused)) } == 100)
    guests[0].close()
    await server.wait { $0.open == 2 }
    while server.budget.count == 3 { await Task.yield() }
    let next = try server.connect()
    next.send("in\n")
    #expect(next.receiveText(3) == "in\n")
  }

  @Test("More refused peers than may linger are still told and closed")
  func manyRefusals() async throws {
    var limits = LoopLimits()
    limits.refusalsLingeringMax = 2
    let server = try TestServer(connectionsMax: 0, limits: limits) { _ in LineEcho.factory(refusal: "full house\n") }
    defer { server.stop() }
    let peers = try (0..<20).map { _ in try server.connect() }
    for peer in peers { #expect(peer.receiveToEnd() == "full house\n") }
  }

  #if os(Linux)
    @Test("Running out of file descriptors refuses newcomers, serves the others, and is survived")
    func descriptorsExhausted() async throws {
      // In a process of its own, whose limit can be lowered.
      await #expect(processExitsWith: .success) {
        let server = try TestServer { _ in LineEcho.factory(refusal: "no descriptor\n") }
        let first = try server.connect()
        first.send("one\n")
        try #require(first.receiveText(4) == "one\n")
        let sockets = (0..<30).map { _ in socket(AF_INET, streamType, 0) }
        var limit = rlimit()
        unsafe _ = getrlimit(__rlimit_resource_t(7), &limit)  // RLIMIT_NOFILE
        let before = limit.rlim_cur
        limit.rlim_cur = rlim_t(sockets.max()! + 9)  // for a few connections, whatever else opens files here
        unsafe _ = setrlimit(__rlimit_resource_t(7), &limit)
        for socket in sockets {
          let code = unsafe server.address.withSystemAddress { unsafe connectDescriptor(socket, $0, $1) }
          try #require(code == 0)
        }
        var refused = 0
        var served = 0
        for socket in sockets {
          unsafe _ = send(socket, "hi\n", 3, Int32(MSG_NOSIGNAL))
          var bytes = [UInt8](repeating: 0, count: 64)
          let count = unsafe read(socket, &bytes, 64)
          if count > 0 && String(decoding: bytes[..<count], as: UTF8.self) == "hi\n" { served += 1 }
          if count > 0 && String(decoding: bytes[..<count], as: UTF8.self) == "no descriptor\n" { refused += 1 }
        }
        #expect(served >= 1)
        #expect(refused >= 1)
        #expect(served + refused >= 29, "\(served) served, \(refused) refused")
        first.send("two\n")
        #expect(first.receiveText(4) == "two\n")
        #expect(await server.sum { Int($0.turns) } < 100_000)
        limit.rlim_cur = before
        unsafe _ = setrlimit(__rlimit_resource_t(7), &limit)
        for socket in sockets { closeDescriptor(socket) }
        let last = try server.connect()
        last.send("three\n")
        #expect(last.receiveText(6) == "three\n")
        server.stop()
      }
    }

    @Test("A listener without any descriptor left rests and comes back by itself")
    func acceptPauses() async throws {
      await #expect(processExitsWith: .success) {
        let server = try TestServer { _ in LineEcho.factory() }
        let loop = server.loops[0]
        // Without the reserve, as if somebody else had taken it.
        await server.wait { _ in loop.loop.core.reserveDescriptor >= 0 }
        let client = socket(AF_INET, streamType, 0)
        var limit = rlimit()
        unsafe _ = getrlimit(__rlimit_resource_t(7), &limit)
        let before = limit.rlim_cur
        await loop.call {
          closeDescriptor(loop.loop.core.reserveDescriptor)
          loop.loop.core.reserveDescriptor = -1
        }
        limit.rlim_cur = 3
        unsafe _ = setrlimit(__rlimit_resource_t(7), &limit)
        let code = unsafe server.address.withSystemAddress { unsafe connectDescriptor(client, $0, $1) }
        try #require(code == 0)
        await server.wait { $0.acceptPauses >= 2 }
        limit.rlim_cur = before
        unsafe _ = setrlimit(__rlimit_resource_t(7), &limit)
        unsafe _ = send(client, "hi\n", 3, Int32(MSG_NOSIGNAL))
        var bytes = [UInt8](repeating: 0, count: 3)
        #expect(unsafe read(client, &bytes, 3) == 3)
        server.stop()
      }
    }
  #endif

  @Test("Loops share a port and the connections to it")
  func sharing() async throws {
    let server = try TestServer(loops: 2) { _ in LineEcho.factory() }
    defer { server.stop() }
    let peers = try (0..<200).map { _ in try server.connect() }
    for peer in peers {
      peer.send("x\n")
      #expect(peer.receiveText(2) == "x\n")
    }
    var open: [Int] = []
    for loop in server.loops { open.append(await loop.call { loop.statistics.open }) }
    #expect(open.reduce(0, +) == 200)
    #expect(open.min()! >= 50)
  }

  @Test("A Unix socket's connections are dealt to the loop with the fewest")
  func dealing() async throws {
    let folder = try TemporaryFolder()
    let server = try TestServer(.unix(folder.path + "/s"), loops: 4) { _ in LineEcho.factory() }
    defer { server.stop() }
    var peers: [Peer] = []
    for _ in 0..<40 {
      let peer = try server.connect()
      peer.send("x\n")
      #expect(peer.receiveText(2) == "x\n")
      peers.append(peer)
    }
    for loop in server.loops { #expect(await loop.call { loop.statistics.open } == 10) }
    _ = peers
  }
}
