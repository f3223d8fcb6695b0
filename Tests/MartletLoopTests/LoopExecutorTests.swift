import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

@Suite struct LoopExecutorTests {
  @Test("An async handler runs on its loop's thread and resumes there after it was elsewhere")
  func hops() async throws {
    let server = try TestServer(loops: 2) { loop in
      ScriptedSession.factory { input, _, id in
        let count = input.byteCount
        _ = Task.immediate(executorPreference: loop.executor) {
          var places = loop.isCurrent ? "l" : "-"
          for _ in 0..<3 {
            places += await Task.detached { loop.isCurrent ? "l" : "-" }.value
            places += loop.isCurrent ? "l" : "-"
            await Task.yield()
            places += loop.isCurrent ? "l" : "-"
          }
          loop.wake(id, places + "\n")
        }
        return (count, .blocked)
      }
    }
    defer { server.stop() }
    for _ in 0..<20 {
      let peer = try server.connect()
      peer.send("x")
      // Not on a thread of the pool: the handlers need one.
      #expect(await onOwnThread { peer.receiveText(11) } == "l-ll-ll-ll\n")
    }
  }

  @Test("Tasks that always have more to do do not keep the loop from its sockets")
  func noStarvation() async throws {
    let server = try TestServer { _ in LineEcho.factory() }
    let loop = server.loops[0]
    let isOver = Atomic(false)
    let busy = Task(executorPreference: loop.executor) { while !isOver.load(ordering: .relaxed) { await Task.yield() } }
    let peer = try server.connect()
    for _ in 0..<50 {
      peer.send("x\n")
      #expect(peer.receiveText(2) == "x\n")
    }
    isOver.store(true, ordering: .relaxed)
    await busy.value
    server.stop()
  }

  @Test("Sleep comes from the loop, is not short, and ends early when cancelled")
  func sleep() async throws {
    let loop = try EventLoop(index: 0)
    let thread = try LoopThread(loop)
    let elapsed = await Task(executorPreference: loop.executor) {
      let start = MonotonicTime.now
      try? await loop.sleep(for: .milliseconds(20))
      return MonotonicTime.now.nanoseconds(since: start)
    }.value
    #expect(elapsed >= 20_000_000)
    let sleeper = Task(executorPreference: loop.executor) { try await loop.sleep(for: .seconds(1000)) }
    await loop.call {}
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    let early = Task(executorPreference: loop.executor) {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      try await loop.sleep(for: .seconds(1000))
    }
    await #expect(throws: CancellationError.self) { try await early.value }
    loop.stop()
    thread.join()
  }

  @Test("A task that outlives its loop finishes; one that sleeps there is told")
  func afterTheEnd() async throws {
    let loop = try EventLoop(index: 0)
    let thread = try LoopThread(loop)
    let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
    let task = Task(executorPreference: loop.executor) {
      var sum = 0
      for await number in stream { sum += number }
      return sum
    }
    let sleeper = Task(executorPreference: loop.executor) { try await loop.sleep(for: .seconds(1000)) }
    await loop.call {}
    await loop.call {}
    loop.stop()
    thread.join()
    for number in 1...100 { continuation.yield(number) }
    continuation.finish()
    #expect(await task.value == 5050)
    await #expect(throws: CancellationError.self) { try await sleeper.value }
  }

  @Test("Many threads and the loop itself may bring work at once; all of it runs once, on the loop")
  func manyThreads() async throws {
    let loop = try EventLoop(index: 0)
    let thread = try LoopThread(loop)
    let count = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1000 {
            await Task(executorPreference: loop.executor) {
              if loop.isCurrent { count.add(1) }
              loop.post { if loop.isCurrent { count.add(1) } }
            }.value
          }
        }
      }
    }
    #expect(await loop.call { count.value } == 16_000)
    loop.stop()
    thread.join()
  }
}
