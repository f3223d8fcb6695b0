import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

@Suite struct ConnectionCloseTests {
  @Test("The reply to a peer that keeps sending is not lost to a reset")
  func linger() async throws {
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, _ in
        output.append("too large\n")
        return (input.byteCount, .close(.protocolError))
      }
    }
    defer { server.stop() }
    for _ in 0..<20 {
      let peer = try server.connect()
      for _ in 0..<64 { peer.send([UInt8](repeating: 1, count: 64 << 10)) }  // blocks unless somebody reads
      #expect(peer.receiveToEnd() == "too large\n")
    }
    #expect(await server.sum { Int($0.named("script").closed(.protocolError)) } == 20)
  }

  @Test("Lingering ends after its time, and after its number of bytes", arguments: [true, false])
  func lingerBounds(byTime: Bool) async throws {
    var limits = LoopLimits()
    limits.lingerSeconds = byTime ? 0.05 : 1000
    limits.lingerBytesMax = byTime ? 1 << 40 : 100_000
    let server = try TestServer(limits: limits) { _ in ScriptedSession.factory { input, _, _ in (input.byteCount, .close(.protocolError)) }
    }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("x")
    #expect(peer.receiveToEnd() == "")
    if !byTime { peer.send([UInt8](repeating: 1, count: 200_000)) }
    let loop = server.loops[0]
    await server.wait { _ in loop.loop.core.table.count == 0 }
  }

  @Test("A conversation that is finished closes at once, with its last reply written")
  func finished() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("one\nquit\nignored\n")
    #expect(peer.receiveToEnd() == "one\nquit\n")
    await server.wait { $0.named("echo").closed(.finished) == 1 }
  }

  @Test("A large last reply is written whole before the close")
  func largeLastReply() async throws {
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, _ in
        for _ in 0..<16 { output.append(ConnectionWriteTests.megabyte) }
        return (input.byteCount, .close(.finished))
      }
    }
    defer { server.stop() }
    let peer = try Peer(server.address, receiveBuffer: 4096)
    peer.send("x")
    #expect(peer.receiveToEnd().utf8.count == 16 << 20)
  }

  @Test("Every connection is counted once, by reason, and its session is destroyed once")
  func counted() async throws {
    let ended = Counter()
    let server = try TestServer { _ in
      ScriptedSession.factory(end: { ended.add(1) }) { input, output, _ in (input.byteCount, .close(.finished)) }
    }
    for index in 0..<60 {
      let peer = try server.connect()
      switch index % 3 {
      case 0: peer.send("x")
      case 1: peer.shutdownWrite()
      default: peer.reset()
      }
      if index % 3 < 2 { _ = peer.receiveToEnd() }
    }
    await server.wait { $0.accepted == 60 && $0.open == 0 }
    let closes = await server.loops[0].call { [loop = server.loops[0]] in loop.statistics.named("script").closes }
    #expect(closes.reduce(0, +) == 60)
    #expect(closes[Int(CloseReason.finished.rawValue)] == 20)
    #expect(closes[Int(CloseReason.peerClosed.rawValue)] >= 20)
    server.stop()
    #expect(ended.value == 60)
  }
}
