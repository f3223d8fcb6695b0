import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

@Suite struct ConnectionTests {
  @Test("What is sent comes back, over IPv4 and IPv6", arguments: [SocketAddress.loopback(port: 0), .ipv6(0, 1, port: 0)])
  func echo(address: SocketAddress) throws {
    let server = try TestServer(address) { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    for round in 0..<100 {
      peer.send("hello \(round)\n")
      #expect(peer.receiveText("hello \(round)\n".utf8.count) == "hello \(round)\n")
    }
  }

  @Test("Pipelined requests are answered in order, cut at every byte")
  func pipelining() throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let text = (0..<6).map { "request \($0)\n" }.joined()
    let bytes = Array(text.utf8)
    for cut in 0..<bytes.count {
      let peer = try server.connect()
      peer.send(Array(bytes[..<cut]))
      if cut > 9 { _ = peer.receiveText(10) }  // the first reply is here: the two halves are two reads
      peer.send(Array(bytes[cut...]))
      peer.shutdownWrite()
      #expect(peer.receiveToEnd() == (cut > 9 ? String(text.dropFirst(10)) : text))
    }
  }

  @Test("All replies of one read leave in one write")
  func oneWrite() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    let text = (0..<16).map { "request \($0)\n" }.joined()
    peer.send(text)
    #expect(peer.receive() == Array(text.utf8))
  }

  @Test("A request dripped a byte at a time is presented as it grows and answered whole")
  func drip() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    let others = try server.connect()
    for byte in Array("a request that takes its time".utf8) {
      peer.send([byte])
      others.send("quick\n")
      #expect(others.receiveText(6) == "quick\n")
    }
    peer.send("\n")
    #expect(peer.receiveText(30) == "a request that takes its time\n")
  }

  @Test(
    "A session that asks for n bytes is called once they are there, with all of them in one piece", arguments: [1, 100, 70_000, 3_000_000])
  func atLeast(count: Int) async throws {
    let calls = Mutex<[Int]>([])
    let server = try TestServer { _ in
      ScriptedSession.factory(
        wake: { cause, output, id in
          if case .connected = cause { return .read(atLeast: count) }
          return ScriptedSession.plainWake(cause, &output, id)
        },
        receive: { input, output, _ in
          calls.withLock { $0.append(input.byteCount) }
          output.append(UInt8(ascii: "!"))
          return (count, .read(atLeast: count))
        })
    }
    defer { server.stop() }
    let peer = try server.connect()
    for _ in 0..<3 {
      peer.send([UInt8](repeating: 7, count: count))
      #expect(peer.receiveText(1) == "!")
    }
    #expect(calls.withLock { $0 } == [count, count, count])
  }

  @Test("A claimed length takes no memory before its bytes arrive")
  func claim() async throws {
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, _ in
        output.append(UInt8(ascii: "!"))
        return (0, .read(atLeast: 1 << 40))
      }
    }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("x")
    #expect(peer.receiveText(1) == "!")
    peer.send([UInt8](repeating: 7, count: 200_000))
    await server.wait { $0.bytesIn == 200_001 }
    let loop = server.loops[0]
    let (count, capacity) = await loop.call {
      let connection = loop.loop.core.table.all()[0]
      return (connection.hot.input.count, connection.hot.input.capacity)
    }
    #expect(count == 200_001)
    #expect(capacity <= 2 * count)
  }

  @Test("A session that consumes nothing and names no number is not fed beyond the bound")
  func inputBound() async throws {
    let server = try TestServer { _ in ScriptedSession.factory { _, _, _ in (0, .read(atLeast: 1)) } }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send([UInt8](repeating: 7, count: SessionLimits.inputBytesMax + 10_000))
    await server.wait { $0.named("script").closed(.protocolError) == 1 }
  }

  @Test("A peer that shuts its side is answered first; what it had not finished is not presented")
  func halfClose() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("one\ntwo\nincomplete")
    peer.shutdownWrite()
    #expect(peer.receiveToEnd() == "one\ntwo\n")
    await server.wait { $0.named("echo").closed(.peerClosed) == 1 && $0.open == 0 }
  }

  @Test("A reset destroys the session at once, also while it is blocked")
  func reset() async throws {
    let ended = Atomic(0)
    let server = try TestServer { _ in
      ScriptedSession.factory(end: { ended.add(1, ordering: .relaxed) }) { input, output, _ in
        output.append(UInt8(ascii: "!"))
        return (input.byteCount, .blocked)
      }
    }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("x")
    #expect(peer.receiveText(1) == "!")
    peer.reset()
    await server.wait { $0.named("script").closed(.peerReset) == 1 }
    #expect(ended.load(ordering: .relaxed) == 1)
  }

  @Test("A blocked session that watches its peer is told at once that it shut its side; one that does not, later")
  func watchedPeer() async throws {
    for watches in [true, false] {
      let told = Atomic(0)
      let ids = Mutex<[ConnectionID]>([])
      let server = try TestServer { _ in
        WatchingSession.factory(
          watches: watches, begun: { id in ids.withLock { $0.append(id) } }, told: { told.add(1, ordering: .relaxed) })
      }
      defer { server.stop() }
      let peer = try server.connect()
      peer.send("x")
      #expect(peer.receiveText(1) == "!")
      peer.shutdownWrite()
      if watches {
        await server.wait { $0.named("watching").closed(.peerClosed) == 1 }
      } else {
        let id = ids.withLock { $0[0] }
        server.loops[Int(id.loop)].wake(id, "go on")
        await server.wait { $0.named("watching").closed(.peerClosed) == 1 }
      }
      #expect(told.load(ordering: .relaxed) == 1)
    }
  }

  @Test("While a reply is owed nothing more is presented; afterwards all of it is")
  func blocked() async throws {
    let ids = Mutex<[ConnectionID]>([])
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, id in
        guard let end = input.firstIndex(of: ASCII.lineFeed) else { return (0, .read(atLeast: 1)) }
        output.append(input[0..<(end + 1)])
        ids.withLock { $0.append(id) }
        return (end + 1, .blocked)
      }
    }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("one\ntwo\nthree\n")
    for line in ["one\n", "two\n", "three\n"] {
      #expect(peer.receiveText(line.utf8.count) == line)
      let id = ids.withLock { $0.last! }
      server.loops[0].wake(id, "done \(line)")
      #expect(peer.receiveText(5 + line.utf8.count) == "done \(line)")
    }
    #expect(ids.withLock { $0.count } == 3)
  }

  @Test("For a blocked session input is taken in up to the bound, then the peer has to wait")
  func blockedInput() async throws {
    let server = try TestServer { _ in ScriptedSession.factory { _, _, _ in (0, .blocked) } }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send([UInt8](repeating: 7, count: 3 * SessionLimits.inputBytesMax))
    let loop = server.loops[0]
    await server.wait { _ in
      !loop.loop.core.table.all().isEmpty && !loop.loop.core.table.all()[0].hot.isReading && loop.loop.core.table.all()[0].hot.isBlocked
    }
    let count = await loop.call { loop.loop.core.table.all()[0].hot.input.count }
    #expect(count == SessionLimits.inputBytesMax)
  }

  @Test("A blocked session hears of the end of input after it has seen the rest")
  func blockedEnd() async throws {
    let ids = Mutex<[ConnectionID]>([])
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, id in
        output.append(input[0..<1])
        ids.withLock { $0.append(id) }
        return (1, .blocked)
      }
    }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("abc")
    peer.shutdownWrite()
    for letter in ["a", "-b", "-c"] {
      #expect(peer.receiveText(letter.utf8.count) == letter)
      server.loops[0].wake(ids.withLock { $0.last! }, "-")
    }
    #expect(peer.receiveToEnd() == "-")
    await server.wait { $0.named("script").closed(.peerClosed) == 1 }
  }

  @Test("An idle connection holds no buffers")
  func idle() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let peers = try (0..<100).map { _ in try server.connect() }
    for peer in peers {
      peer.send("one\ntw")
      #expect(peer.receiveText(4) == "one\n")
      peer.send("o\n")
      #expect(peer.receiveText(4) == "two\n")
    }
    let loop = server.loops[0]
    let held = await loop.call { loop.loop.core.table.all().map { $0.hot.input.capacity + $0.hot.output.capacity } }
    #expect(held == Array(repeating: 0, count: 100))
    let kept = await loop.call { (loop.loop.core.pool.count, loop.loop.core.pool.bytes) }
    #expect(kept.0 <= LoopLimits.pooledBuffersMax && kept.1 <= LoopLimits.pooledBytesMax)
  }

  @Test("A session's deadline wakes it, and another word of it puts the deadline off")
  func deadline() async throws {
    let server = try TestServer { _ in LineEcho.factory(deadlineSeconds: 0.05) }
    defer { server.stop() }
    let peer = try server.connect()
    #expect(peer.receiveToEnd() == "")
    await server.wait { $0.named("echo").closed(.idleTimeout) == 1 }
  }

  @Test("A session may say full as often as it likes without keeping others from their turn")
  func full() async throws {
    let server = try TestServer { _ in
      ScriptedSession.factory { input, output, _ in
        if input.byteCount > 0 && input[0] == UInt8(ascii: "q") {
          output.append("quick\n")
          return (input.byteCount, .read(atLeast: 1))
        }
        output.append("endless ")
        return (input.byteCount, .full)
      }
    }
    defer { server.stop() }
    let endless = try server.connect()
    endless.send("e")
    #expect(endless.receiveText(16) == "endless endless ")
    let quick = try server.connect()
    for _ in 0..<100 {
      quick.send("q")
      #expect(quick.receiveText(6) == "quick\n")
      _ = endless.receive()
    }
  }
}
