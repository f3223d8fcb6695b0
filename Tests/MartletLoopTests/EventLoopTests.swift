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

@Suite struct EventLoopTests {
  @Test("What one thread posts runs in order on the loop's thread")
  func post() async throws {
    let loop = try EventLoop(index: 0)
    let thread = try LoopThread(loop)
    let seen = Mutex<[Int]>([])
    for number in 0..<10_000 { loop.post { seen.withLock { $0.append(loop.isCurrent ? number : -1) } } }
    #expect(await loop.call { loop.isCurrent })
    #expect(seen.withLock { $0 } == Array(0..<10_000))
    #expect(!loop.isCurrent)
    loop.stop()
    thread.join()
  }

  #if os(Linux)
    @Test("A loop's thread gives way, and no other thread does")
    func giveWay() async throws {
      let loops = [try EventLoop(index: 0), try EventLoop(index: 1)]
      let threads = try loops.map { try LoopThread($0) }
      #expect(await loops[0].call { loops[0].giveWay() })
      let priorities = [await loops[0].call { priority() }, await loops[1].call { priority() }]
      #expect(priorities[0] == min(priorities[1] + 10, 19))
      for loop in loops { loop.stop() }
      for thread in threads { thread.join() }
    }

    /// Of the calling thread: the higher, the less it is given.
    private func priority() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
  #endif

  @Test("What is posted before the loop runs and after it ended runs too")
  func postOutside() async throws {
    let loop = try EventLoop(index: 0)
    let count = Counter()
    loop.post { count.add(1) }
    let thread = try LoopThread(loop)
    loop.stop()
    thread.join()
    loop.post { count.add(1) }
    #expect(await loop.call { count.value } == 2)
  }

  @Test("A loop that never ran can be thrown away, with what was prepared on it")
  func unused() throws {
    let loop = try EventLoop(index: 0)
    loop.schedule(afterSeconds: 1000) {}
    loop.connect(to: .loopback(port: 1), factory: LineEcho.factory()) { _ in }
  }

  @Test("A wake reaches its connection from any thread, and nobody once that is gone")
  func wake() async throws {
    let ids = Mutex<[ConnectionID]>([])
    let server = try TestServer { _ in
      SessionFactory.make(name: "echo", refusal: []) { id, _ in
        ids.withLock { $0.append(id) }
        return LineEcho(id: id)
      }
    }
    defer { server.stop() }
    let loop = server.loops[0]
    let first = try server.connect()
    first.send("a\n")
    #expect(first.receiveText(2) == "a\n")
    let old = ids.withLock { $0[0] }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<8 { group.addTask { for _ in 0..<100 { loop.wake(old, "\(number)") } } }
    }
    #expect(
      Dictionary(grouping: first.receiveText(800), by: { $0 }).mapValues(\.count)
        == Dictionary(uniqueKeysWithValues: "01234567".map { ($0, 100) }))
    first.close()
    await server.wait { $0.open == 0 }
    await server.wait { _ in loop.loop.core.table.count == 0 }
    let second = try server.connect()
    second.send("b\n")
    #expect(second.receiveText(2) == "b\n")
    let new = ids.withLock { $0[1] }
    #expect(new.slot == old.slot && new.generation != old.generation)
    loop.wake(old, "for the dead")
    loop.wake(ConnectionID(loop: 0, slot: 4_000_000, generation: 1), "for nobody")
    loop.wake(new, "for the living")
    #expect(second.receiveText(14) == "for the living")
  }

  @Test("Timers fire in order, not early; cancelled ones do not")
  func timers() async throws {
    let loop = try EventLoop(index: 0)
    let thread = try LoopThread(loop)
    let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
    await loop.call {
      let start = MonotonicTime.now
      for number in [5, 1, 3, 2, 4] {
        let due = start.advanced(byNanoseconds: UInt64(number) * 10_000_000)
        loop.schedule(at: due) { continuation.yield(MonotonicTime.now < due ? -1 : number) }
      }
      let token = loop.schedule(at: start.advanced(byNanoseconds: 25_000_000)) { continuation.yield(-2) }
      #expect(loop.cancel(token))
      #expect(!loop.cancel(token))
      loop.schedule(at: start.advanced(byNanoseconds: 60_000_000)) { continuation.finish() }
    }
    var seen: [Int] = []
    for await number in stream { seen.append(number) }
    #expect(seen == [1, 2, 3, 4, 5])
    loop.stop()
    thread.join()
  }

  @Test("A timer that schedules itself at once does not keep the loop from its sockets")
  func timerChain() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    let loop = server.loops[0]
    await loop.call {
      @Sendable func again() { loop.schedule(at: loop.currentTime) { again() } }
      again()
    }
    let peer = try server.connect()
    peer.send("x\n")
    #expect(peer.receiveText(2) == "x\n")
    server.stop()
  }

  @Test("An idle loop sleeps")
  func idle() async throws {
    let server = try TestServer { _ in LineEcho.factory(deadlineSeconds: 60) }
    defer { server.stop() }
    let peer = try server.connect()
    peer.send("x\n")
    #expect(peer.receiveText(2) == "x\n")
    let loop = server.loops[0]
    let before = await loop.call { loop.statistics.turns }
    let other = try EventLoop(index: 1)
    other.schedule(afterSeconds: 0.3) { other.stop() }
    other.run()
    let after = await loop.call { loop.statistics.turns }
    #expect(after - before <= 4)
  }

  @Test("Drain accepts what waits, wakes every session, and ends the loop when the last has closed")
  func drain() async throws {
    let folder = try TemporaryFolder()
    let server = try TestServer(.unix(folder.path + "/s")) { _ in LineEcho.factory() }
    let idle = try server.connect()
    idle.send("x\n")
    #expect(idle.receiveText(2) == "x\n")
    // Connections made while the loop is busy wait in the kernel's queue when the drain begins.
    let loop = server.loops[0]
    let gate = Gate()
    loop.post { gate.wait() }
    let waiting = try (0..<10).map { _ in try server.connect() }
    loop.beginDrain()
    gate.open()
    server.join()
    for peer in waiting + [idle] { #expect(peer.receiveToEnd() == "") }
    #expect(loop.statistics.named("echo").closed(.drained) == 11)
    #expect(loop.statistics.accepted == 11)
    #expect(throws: UVError.self) { try server.connect() }
  }

  @Test("A session that is owed an answer finishes during the drain; stop cuts one that does not")
  func stopAfterDrain() async throws {
    let server = try TestServer { _ in
      ScriptedSession.factory(
        wake: { cause, output, id in
          if case .connected = cause { return .read(atLeast: 1) }
          if case .message = cause {
            output.append("late\n")
            return .close(.drained)
          }
          return .blocked
        },
        receive: { input, _, _ in (input.byteCount, .blocked) })
    }
    let loop = server.loops[0]
    let finishing = try server.connect()
    finishing.send("x")
    await server.wait { $0.bytesIn == 1 }
    let id = await loop.call { loop.loop.core.table.all()[0].id }
    let stuck = try server.connect()
    stuck.send("x")
    await server.wait { $0.bytesIn == 2 }
    loop.beginDrain()
    #expect(await loop.call { loop.isDraining })
    loop.wake(id, "go on")
    #expect(finishing.receiveToEnd() == "late\n")
    loop.stop()
    server.join()
    #expect(stuck.receive() ?? [] == [])
    #expect(loop.statistics.named("script").closed(.drained) == 1)
    #expect(loop.statistics.named("script").closed(.aborted) == 1)
  }

  @Test("A signal arrives as a call on the loop's thread")
  func signals() async throws {
    let loop = try EventLoop(index: 0)
    let heard = Counter()
    try loop.watchSignals([SIGWINCH]) { signal in  // ignored by default, so nobody else is disturbed
      heard.add(loop.isCurrent ? Int(signal) : -1)
      loop.stop()
    }
    let thread = try LoopThread(loop)
    _ = await loop.call { kill(getpid(), SIGWINCH) }
    thread.join()
    #expect(heard.value >= Int(SIGWINCH))
  }

  @Test("A signal that cannot be watched is an error that names it")
  func badSignal() throws {
    let loop = try EventLoop(index: 0)
    let error = #expect(throws: UVError.self) { try loop.watchSignals([SIGKILL]) { _ in } }
    #expect(error?.name == "EINVAL")
  }
}
