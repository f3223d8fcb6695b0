/// One event loop: libuv's, with connections, listeners and timers on one thread.
///
/// `run` holds the whole life of a turn. What is not here: protocols (they are `ByteSession`s), threads (`LoopThread`), and the
/// state itself (`LoopCore`).
///
/// Thread rule: `post`, `wake`, `call`, `beginDrain` and `stop` are for any thread; everything else is for the loop's own, or for
/// whoever prepares the loop before `run`.

import CLibuv
package import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package final class EventLoop: Sendable {
  /// The number that its `ConnectionID`s carry.
  package let index: UInt32
  /// Runs tasks on this loop's thread.
  package let executor: LoopExecutor
  let load: LoopLoad
  let loop: LoopRef

  package init(index: UInt32, limits: LoopLimits = LoopLimits()) throws(UVError) {
    ignoreBrokenPipes
    self.index = index
    executor = LoopExecutor()
    load = LoopLoad()
    loop = try LoopRef.make(index: index, limits: limits, executor: executor, load: load)
  }

  deinit {
    if loop.core.life != .ended { end() }
    unsafe loop.pointer.deinitialize(count: 1)
    unsafe loop.pointer.deallocate()
  }

  /// Runs the loop on the calling thread until it has been drained or stopped. Once.
  package func run() {
    executor.begin()
    loop.core.hasBegun = true
    while true {
      loop.runQueued()  // jobs of tasks, calls, wakes
      loop.flushGathered()  // one write for each connection that has output
      if loop.isDone { break }  // asked now: either of them may have ended the last connection
      loop.setTimer()
      loop.core.clockIsStale = true
      loop.core.statistics.turns &+= 1
      // Waits for events, unless something is queued or this was the end; then reads and answers, accepts, fires what is due.
      let isDue = !executor.queue.value.isEmpty || loop.isDone
      unsafe _ = uv_run(loop.core.uv, isDue ? UV_RUN_NOWAIT : UV_RUN_ONCE)
    }
    end()
  }

  private func end() {
    executor.detach()
    loop.tearDown()
    executor.end()
  }

  // MARK: From any thread

  /// Runs `body` on the loop's thread, in a later step. In the order given by one thread.
  package func post(_ body: @escaping @Sendable () -> Void) { executor.deliver(.call(body)) }

  /// Wakes the session of that connection with a message, on the loop's thread; nothing happens if the connection is gone.
  package func wake(_ id: ConnectionID, _ message: any Sendable) { executor.deliver(.wake(id, message)) }

  /// Runs `body` on the loop's thread and gives what it returns.
  package func call<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    unsafe await withUnsafeContinuation { continuation in
      post { unsafe continuation.resume(returning: body()) }
    }
  }

  /// Closes the listeners after accepting what waits in their queues, and wakes every session with `.drain`. `run` returns once
  /// the last connection has closed.
  package func beginDrain() {
    post { self.loop.beginDrain() }
  }

  /// Cuts all connections (`.aborted`) and closes the listeners; `run` returns soon.
  package func stop() {
    post { self.loop.stop() }
  }

  // MARK: On the loop's thread

  /// Whether the caller is on this loop's thread.
  package var isCurrent: Bool { executor.isCurrent }

  /// The clock, read once per turn.
  package var currentTime: MonotonicTime { loop.now }

  /// Has this loop's thread give way to the other threads of the process: for a loop that serves nobody. Threads made by it do the same.
  /// Whether the system allows it; called on the loop's thread.
  @discardableResult
  package func giveWay() -> Bool {
    precondition(executor.isCurrent, "a thread lowers its own priority")
    return martlet_give_way() == 0
  }

  package var statistics: LoopStatistics { loop.core.statistics }

  /// Whether it takes no new connections any more.
  package var isDraining: Bool { loop.core.life != .running }

  /// Runs `action` on the loop once `time` has come; late by about a millisecond, or by the turn it falls in.
  @discardableResult
  package func schedule(at time: MonotonicTime, _ action: @escaping () -> Void) -> TimerToken {
    precondition(executor.isCurrentOrIdle, "a loop's timers belong to its thread")
    return loop.core.timers.schedule(at: time, action)
  }

  @discardableResult
  package func schedule(afterSeconds seconds: Double, _ action: @escaping () -> Void) -> TimerToken {
    schedule(at: currentTime.advanced(bySeconds: seconds), action)
  }

  /// Whether the timer was still waiting.
  @discardableResult
  package func cancel(_ token: TimerToken) -> Bool {
    precondition(executor.isCurrentOrIdle, "a loop's timers belong to its thread")
    return loop.core.timers.cancel(token)
  }

  /// Suspends a task that runs on this loop's executor, without another thread (`Task.sleep` costs 35 µs for that). Ends early,
  /// with the error, if the task is cancelled or the loop ends.
  package func sleep(for duration: Duration) async throws(CancellationError) {
    precondition(executor.isCurrent, "sleep is for tasks on this loop's executor")
    let (seconds, attoseconds) = duration.components
    let nanoseconds = seconds < 0 ? 0 : UInt64(seconds) &* 1_000_000_000 &+ UInt64(max(attoseconds, 0)) / 1_000_000_000
    let sleeper = Sleeper()
    await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        unsafe sleeper.continuation = continuation
        loop.core.sleepers[ObjectIdentifier(sleeper)] = sleeper
        sleeper.timer = schedule(at: MonotonicTime.now.advanced(byNanoseconds: nanoseconds)) { self.loop.awaken(sleeper) }
      }
    } onCancel: {
      post {  // by then the operation above has run: it runs on this thread without a pause
        if let timer = sleeper.timer, self.cancel(timer) { self.loop.awaken(sleeper) }
      }
    }
    if Task.isCancelled || loop.core.life == .ended { throw CancellationError() }
  }
}

/// A task asleep; touched on its loop's thread only.
@safe
final class Sleeper: @unchecked Sendable {
  var continuation: UnsafeContinuation<Void, Never>?
  var timer: TimerToken?

}

extension LoopRef {
  static func make(index: UInt32, limits: LoopLimits, executor: LoopExecutor, load: LoopLoad) throws(UVError) -> LoopRef {
    let attempted = "start an event loop"
    let uv = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    let code = unsafe uv_loop_init(uv)
    if code < 0 { unsafe uv.deallocate() }
    try UVError.check(code, attempted)
    var timer: Handle<uv_timer_t>?
    do throws(UVError) {
      let timerHandle = try unsafe Handle<uv_timer_t>.make(attempted) { unsafe uv_timer_init(uv, $0) }
      unsafe timer = unsafe timerHandle
      let async = try unsafe Handle<uv_async_t>.make(attempted) { unsafe uv_async_init(uv, $0, foreignCame) }
      let pointer = UnsafeMutablePointer<LoopCore>.allocate(capacity: 1)
      unsafe pointer.initialize(
        to: LoopCore(index: index, limits: limits, executor: executor, load: load, uv: uv, timer: timerHandle, async: async))
      unsafe timerHandle.setData(UnsafeMutableRawPointer(pointer))
      unsafe async.setData(UnsafeMutableRawPointer(pointer))
      unsafe executor.attach(async)
      return unsafe LoopRef(pointer: pointer)
    } catch {
      unsafe timer?.close()
      unsafe uv_run(uv, UV_RUN_DEFAULT)
      unsafe uv_loop_close(uv)
      unsafe uv.deallocate()
      throw error
    }
  }

  func awaken(_ sleeper: Sleeper) {
    guard core.sleepers.removeValue(forKey: ObjectIdentifier(sleeper)) != nil else { return }
    unsafe sleeper.continuation?.resume()
  }

  /// Closes every handle and waits for their callbacks (rule 5 in Handle.swift).
  func tearDown() {
    stop()
    for watcher in core.signals { watcher.close() }
    core.signals = []
    for timer in core.preciseTimers { timer.close() }
    core.preciseTimers = []
    for sleeper in core.sleepers.values { awaken(sleeper) }
    core.timers = TimerHeap()  // their actions may hold the loop
    flushGathered()
    unsafe core.timer.close()
    unsafe core.async.close()
    unsafe uv_run(core.uv, UV_RUN_DEFAULT)
    let code = unsafe uv_loop_close(core.uv)
    precondition(code == 0, "an event loop ended with open handles")
    unsafe core.uv.deallocate()
    if core.reserveDescriptor >= 0 { _ = close(core.reserveDescriptor) }
    core.life = .ended
  }
}

private func foreignCame(_ async: UnsafeMutablePointer<uv_async_t>?) {
  unsafe LoopRef(pointer: async!.pointee.data.assumingMemoryBound(to: LoopCore.self)).core.executor.takeForeign()
}

/// Writing to a socket whose peer is gone must be an error, not a signal: libuv writes with `write`, which has no flag for that.
private let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()
