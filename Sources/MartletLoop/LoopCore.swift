/// The state of one loop: a struct behind an owned pointer, so that reaching a field costs a load, not an exclusivity check.
///
/// Thread rule: only the loop's thread, or whoever prepares the loop before it runs. `LoopRef` is that pointer; copying it is free.

import CLibuv
import MartletBytes

@safe
struct LoopCore: ~Copyable {
  enum Life { case running, draining, stopping, ended }

  let index: UInt32
  let limits: LoopLimits
  let executor: LoopExecutor
  let load: LoopLoad
  /// libuv's loop: initialised in `EventLoop.init`, closed at its end.
  let uv: UnsafeMutablePointer<uv_loop_t>
  let timer: Handle<uv_timer_t>
  let async: Handle<uv_async_t>
  /// `LoopLimits.scratchBytes` that every read of a connection without a rest goes to.
  let scratch: UnsafeMutableRawPointer

  var life = Life.running
  var statistics = LoopStatistics()

  var clock: MonotonicTime
  /// Read again when asked: once per turn, and always before the first.
  var clockIsStale = true
  var hasBegun = false
  /// What the timer is set to; `.never` if it is not.
  var timerSetTo = MonotonicTime.never
  var timers = TimerHeap()
  /// Tasks asleep, to be awakened when the loop ends.
  var sleepers: [ObjectIdentifier: Sleeper] = [:]
  /// By slot.
  var wheel: DeadlineWheel

  var table = ConnectionTable()
  var pool = BufferPool()
  /// Connections with output to flush: the first `gatheredCount` of `LoopLimits.flushGatheredMax` places.
  let gathered: UnsafeMutablePointer<Connection>
  var gatheredCount = 0

  var listeners: [Listener] = []
  var signals: [SignalWatcher] = []
  var preciseTimers: [PreciseTimer] = []
  var refusalsLingering = 0
  /// A descriptor to give up when none is left, so that a waiting connection can be refused; negative: none.
  var reserveDescriptor: Int32 = -1

  init(
    index: UInt32, limits: LoopLimits, executor: LoopExecutor, load: LoopLoad, uv: UnsafeMutablePointer<uv_loop_t>,
    timer: Handle<uv_timer_t>, async: Handle<uv_async_t>
  ) {
    self.index = index
    self.limits = limits
    self.executor = executor
    self.load = load
    unsafe self.uv = uv
    unsafe self.timer = unsafe timer
    unsafe self.async = unsafe async
    unsafe scratch = .allocate(byteCount: LoopLimits.scratchBytes, alignment: 64)
    unsafe gathered = .allocate(capacity: LoopLimits.flushGatheredMax)
    clock = .now
    wheel = DeadlineWheel(start: clock)
  }

  deinit {
    unsafe scratch.deallocate()
    unsafe gathered.deallocate()
  }
}

@safe
struct LoopRef: @unchecked Sendable {
  /// Owned by the `EventLoop`, which outlives every connection and listener of the loop.
  let pointer: UnsafeMutablePointer<LoopCore>

  var core: LoopCore {
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// The clock, read once per turn.
  var now: MonotonicTime {
    if core.clockIsStale { readClock() }
    return core.clock
  }

  @inline(never)
  func readClock() {
    core.clock = .now
    core.clockIsStale = !core.hasBegun
  }

  // MARK: The parts of a turn

  /// Runs what is queued, and what that queues, up to a bound.
  func runQueued() {
    let executor = core.executor
    var budget = LoopLimits.jobsPerPhaseMax
    while budget > 0, let item = executor.queue.value.popFirst() {
      budget &-= 1
      switch item {
      case .job(let job): unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor())
      case .call(let body): body()
      case .wake(let id, let message): core.table.find(id)?.wake(.message(message))
      case .resume(let id): core.table.find(id)?.resume()
      }
    }
  }

  /// Writes the output of all connections that have some.
  func flushGathered() {
    while core.gatheredCount > 0 {
      core.gatheredCount &-= 1
      let connection = unsafe core.gathered[core.gatheredCount]
      connection.hot.isGathered = false
      connection.flushAndSettle()
    }
  }

  /// Sees to it that the wait for events ends when the next deadline or timer comes.
  func setTimer() {
    let due = min(core.wheel.earliest, core.timers.nextDue)
    guard due < core.timerSetTo else { return }
    core.timerSetTo = due
    let milliseconds = (due.nanoseconds(since: now) &+ 999_999) / 1_000_000
    unsafe uv_timer_start(core.timer.pointer, timerCame, milliseconds, 0)
  }

  /// Fires what is due. A deadline that was put off leaves its tick without firing.
  func fireTimers() {
    core.timerSetTo = .never
    readClock()
    while let slot = core.wheel.popDue(at: core.clock) { core.table[slot]?.deadlineCame() }
    _ = core.wheel.nextDue()
    let latest = core.timers.latest  // those that an action adds wait for the next turn
    while let action = core.timers.popDue(at: core.clock, upTo: latest) { action() }
  }

  // MARK: The end

  /// Takes in what waits in the kernel's queues, closes the listeners, tells every session.
  func beginDrain() {
    guard core.life == .running else { return }
    core.life = .draining
    for listener in core.listeners { listener.drain() }
    core.listeners = []
    for connection in core.table.all() { connection.drain() }
  }

  /// Cuts everything.
  func stop() {
    guard core.life == .running || core.life == .draining else { return }
    core.life = .stopping
    for listener in core.listeners { listener.close() }
    core.listeners = []
    for connection in core.table.all() { connection.cut() }
  }

  /// Whether a loop that is to end has nothing left, connections on their way to it included.
  var isDone: Bool { core.life != .running && core.load.count == 0 }
}

/// libuv runs timers before it waits as well as after; `uv_stop` keeps it from waiting with output unsent.
private func timerCame(_ timer: UnsafeMutablePointer<uv_timer_t>?) {
  unsafe uv_stop(timer!.pointee.loop)
  unsafe LoopRef(pointer: timer!.pointee.data.assumingMemoryBound(to: LoopCore.self)).fireTimers()
}
