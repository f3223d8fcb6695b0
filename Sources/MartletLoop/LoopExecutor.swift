/// The door of a loop: what is to run on its thread comes in here, from the thread itself or from others.
///
///     own thread:     Ring ────────────────────────────────┐
///     other threads:  lock, array, uv_async_send once ──> Ring ──> EventLoop.run, between two looks at the sockets
///
/// It is a `TaskExecutor`, so that an `async` handler started with `Task.immediate(executorPreference:)` resumes on its loop's
/// thread: a hop on the own thread is one append. It outlives the loop, since tasks may: after the loop's end what comes in runs
/// one at a time on whichever thread brings it, so that every task can finish.

import CLibuv
import MartletBytes
import Synchronization

/// One thing to do on the loop's thread.
enum LoopItem {
  case job(UnownedJob)
  case call(() -> Void)
  case wake(ConnectionID, any Sendable)
  /// A session answered `.full` so often in one turn that others go first.
  case resume(ConnectionID)
}

@safe
package final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  /// Touched by the loop's thread only, while there is one.
  let queue = LoopLocal(Ring<LoopItem>())

  private let lock = ShardLock()
  // The rest is under the lock.
  private var foreign: [LoopItem] = []
  private var async: Handle<uv_async_t>?
  private var isSignalled = false
  private var hasEnded = false
  private var isRunningAfterEnd = false

  /// The loop's thread while it runs, else 0.
  private let thread = Atomic<UInt>(0)

  init() {}

  package func enqueue(_ job: consuming ExecutorJob) { deliver(.job(UnownedJob(job))) }

  /// Whether the caller is on the loop's thread.
  var isCurrent: Bool { thread.load(ordering: .relaxed) == martlet_thread() }

  /// Whether the caller may touch the loop: on its thread, or while nobody runs it (before the start).
  var isCurrentOrIdle: Bool {
    let owner = thread.load(ordering: .relaxed)
    return owner == 0 || owner == martlet_thread()
  }

  /// Takes in one thing to do. From any thread; it runs later, never inside this call while the loop lives.
  func deliver(_ item: consuming LoopItem) {
    if isCurrent {
      queue.value.append(item)
    } else {
      deliverForeign(item)
    }
  }

  private func deliverForeign(_ item: consuming LoopItem) {
    lock.lock()
    foreign.append(item)
    if hasEnded { return runAfterEnd() }
    // Under the lock, so that the handle is not closed meanwhile (rule 7 in Handle.swift). One signal serves all until it is heard.
    if !isSignalled, let async = unsafe async {
      isSignalled = true
      unsafe uv_async_send(async.pointer)
    }
    lock.unlock()
  }

  // MARK: The loop's side

  /// The calling thread becomes the loop's.
  func begin() {
    let (won, _) = thread.compareExchange(expected: 0, desired: martlet_thread(), ordering: .relaxed)
    precondition(won, "an event loop runs on one thread")
  }

  /// From here on foreign items signal this handle, whose callback is to call `takeForeign`.
  func attach(_ handle: Handle<uv_async_t>) {
    lock.withLock {
      unsafe async = unsafe handle
      if !foreign.isEmpty {
        isSignalled = true
        unsafe uv_async_send(handle.pointer)
      }
    }
  }

  /// No signal after this; the handle may be closed.
  func detach() { lock.withLock { unsafe async = nil } }

  /// Moves what others have brought to the own queue.
  func takeForeign() {
    lock.lock()
    isSignalled = false
    for item in foreign { queue.value.append(item) }
    foreign.removeAll(keepingCapacity: foreign.capacity <= LoopLimits.jobsPerPhaseMax)
    lock.unlock()
  }

  /// The loop is over and its thread touches it no more.
  func end() {
    thread.store(0, ordering: .relaxed)
    lock.lock()
    var rest: [LoopItem] = []
    while let item = queue.value.popFirst() { rest.append(item) }
    foreign.insert(contentsOf: rest, at: 0)
    hasEnded = true
    runAfterEnd()
  }

  /// Runs what is there, one thread at a time, without holding the lock meanwhile. Called with the lock held; gives it up.
  private func runAfterEnd() {
    if isRunningAfterEnd { return lock.unlock() }
    isRunningAfterEnd = true
    while !foreign.isEmpty {
      let items = foreign
      foreign = []
      lock.unlock()
      for item in items {
        switch item {
        case .job(let job): unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        case .call(let body): body()
        case .wake, .resume: break  // its connection is gone
        }
      }
      lock.lock()
    }
    isRunningAfterEnd = false
    lock.unlock()
  }
}

/// Streams of a loop, those on their way to it included: other loops read it to deal fairly.
final class LoopLoad: Sendable {
  private let streams = Atomic<Int>(0)
  var count: Int { streams.load(ordering: .relaxed) }
  func add() { streams.wrappingAdd(1, ordering: .relaxed) }
  func remove() { streams.wrappingSubtract(1, ordering: .relaxed) }
}
