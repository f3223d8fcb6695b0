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

@Suite struct ConnectionWriteTests {
  static let megabyte = [UInt8](repeating: UInt8(ascii: "m"), count: 1 << 20)

  /// For each byte of input a megabyte of output; counts what it produced.
  static func megabytes(_ produced: Counter) -> SessionFactory {
    ScriptedSession.factory { input, output, _ in
      var consumed = 0
      while consumed < input.byteCount {
        if output.count >= SessionLimits.outputBytesMax { return (consumed, .full) }
        output.append(megabyte)
        produced.add(megabyte.count)
        consumed += 1
      }
      return (consumed, .read(atLeast: 1))
    }
  }

  @Test("A peer that does not read a pipeline of 100 MB is not produced for; others are served, and it gets everything once it reads")
  func backpressure() async throws {
    let produced = Counter()
    var limits = LoopLimits()
    limits.writeTimeoutSeconds = 3600  // what is held back here stays so for as long as a slow machine needs
    let server = try TestServer(limits: limits) { _ in Self.megabytes(produced) }
    defer { server.stop() }
    let lazy = try server.connect()
    lazy.send([UInt8](repeating: 1, count: 100))
    let loop = server.loops[0]
    await server.wait { _ in loop.loop.core.table.all().contains { $0.hot.isWriting && !$0.hot.isReading } }
    for _ in 0..<20 {
      let other = try server.connect()
      other.send([1])
      #expect(other.receive(exactly: 1 << 20).count == 1 << 20)
    }
    let held = await loop.call { loop.loop.core.table.all().map { $0.hot.output.capacity + ($0.hot.isWriting ? 1 << 20 : 0) }.max()! }
    #expect(held <= 4 << 20)
    #expect(produced.value <= 60 << 20, "of 120 MiB; what the kernel's socket buffers take is not ours")
    var received = 0
    while received < 100 << 20, let bytes = lazy.receive(), !bytes.isEmpty { received += bytes.count }
    #expect(received == 100 << 20)
    lazy.send([1])  // and the conversation goes on
    #expect(lazy.receive(exactly: 1 << 20).count == 1 << 20)
  }

  @Test("A peer that takes nothing for the write timeout is closed for that reason")
  func writeTimeout() async throws {
    var limits = LoopLimits()
    limits.writeTimeoutSeconds = 0.2
    let server = try TestServer(limits: limits) { _ in Self.megabytes(Counter()) }
    defer { server.stop() }
    let lazy = try Peer(server.address, receiveBuffer: 4096)
    lazy.send([UInt8](repeating: 1, count: 100))
    await server.wait { $0.named("script").closed(.writeTimeout) == 1 }
    await server.wait { $0.open == 0 }
  }

  @Test("A peer that takes its replies slowly is kept beyond the write timeout")
  func slowReader() async throws {
    var limits = LoopLimits()
    limits.writeTimeoutSeconds = 2
    let server = try TestServer(limits: limits) { _ in Self.megabytes(Counter()) }
    defer { server.stop() }
    let slow = try Peer(server.address, receiveBuffer: 64 << 10)
    slow.send([UInt8](repeating: 1, count: 24))
    // The peer's pace, on a thread that nobody delays: until the timeout is over twice, a piece every 50 ms.
    let received = await onOwnThread {
      let start = MonotonicTime.now
      var received = 0
      while received < 24 << 20 {
        if MonotonicTime.now.nanoseconds(since: start) < 4_500_000_000 { usleep(50_000) }
        guard let bytes = slow.receive(atMost: 256 << 10), !bytes.isEmpty else { break }
        received += bytes.count
      }
      return received
    }
    #expect(received == 24 << 20)
    #expect(await server.sum { Int($0.named("script").closed(.writeTimeout)) } == 0)
  }

  @Test("Wakes while a write is pending add to the output in order")
  func wakesWhileWriting() async throws {
    let ids = Mutex<ConnectionID?>(nil)
    var limits = LoopLimits()
    limits.writeTimeoutSeconds = 3600  // this task may not run for a minute, while others hold every core
    let server = try TestServer(limits: limits) { _ in
      ScriptedSession.factory { input, output, id in
        ids.withLock { $0 = id }
        for _ in 0..<16 { output.append(Self.megabyte) }
        return (input.byteCount, .read(atLeast: 1))
      }
    }
    defer { server.stop() }
    let peer = try Peer(server.address, receiveBuffer: 4096)
    peer.send("x")
    let loop = server.loops[0]
    await server.wait { _ in loop.loop.core.table.all().contains { $0.hot.isWriting } }
    let id = ids.withLock { $0! }
    for number in 0..<10 { loop.wake(id, "wake \(number)\n") }
    _ = peer.receive(exactly: 16 << 20)
    let expected = (0..<10).map { "wake \($0)\n" }.joined()
    #expect(peer.receiveText(expected.utf8.count) == expected)
  }

  @Test("A peer that resets in the middle of a large reply ends its session")
  func resetWhileWriting() async throws {
    let server = try TestServer { _ in Self.megabytes(Counter()) }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send([UInt8](repeating: 1, count: 50))
    _ = peer.receive(exactly: 1000)
    peer.reset()
    await server.wait { $0.open == 0 && $0.named("script").closed(.peerReset) == 1 }
  }

  @Test("Large output leaves no large memory behind")
  func noLargeBuffers() async throws {
    let server = try TestServer { _ in Self.megabytes(Counter()) }
    defer { server.stop() }
    for _ in 0..<10 {
      let peer = try server.connect()
      peer.send([1])
      #expect(peer.receive(exactly: 1 << 20).count == 1 << 20)
    }
    let loop = server.loops[0]
    #expect(await loop.call { loop.loop.core.pool.bytes } <= LoopLimits.pooledBytesMax)
  }
}
