/// One timer of a loop that is punctual to some ten microseconds, where the loop's others are to a millisecond: for whoever sends at a
/// fixed rate. Setting it costs a system call (Linux: a timerfd); where the system has none, it is as late as the others.
///
/// Thread rule: the loop's own thread, or whoever prepares the loop before it runs. The loop closes it at its end.

import CLibuv
package import MartletBytes

@safe
package final class PreciseTimer: @unchecked Sendable {
  private let loop: LoopRef
  private let body: () -> Void
  /// Where the system has no such timer: nil, and the loop's own timers serve.
  private let poll: Handle<uv_poll_t>?
  private let descriptor: Int32
  private var isClosed = false
  /// What it is set to; `.never` once it has fired.
  package private(set) var due = MonotonicTime.never

  fileprivate init(_ loop: LoopRef, _ body: @escaping () -> Void) throws(UVError) {
    self.loop = loop
    self.body = body
    let attempted = "make a precise timer"
    let opened = martlet_timer_open()
    descriptor = opened
    if opened == UVError.notSupported {
      unsafe poll = nil
      return
    }
    try UVError.check(opened, attempted)
    let uv = unsafe loop.core.uv
    do throws(UVError) {
      unsafe poll = try unsafe Handle<uv_poll_t>.make(attempted) { unsafe uv_poll_init(uv, $0, opened) }
    } catch {
      closeDescriptor(opened)
      throw error
    }
  }

  fileprivate func start() {
    guard let poll = unsafe poll else { return }
    // Unretained: the loop's list keeps this object until `close`, after which libuv calls back no more.
    unsafe poll.setData(Unmanaged.passUnretained(self).toOpaque())
    unsafe _ = uv_poll_start(poll.pointer, Int32(UV_READABLE.rawValue)) { poll, _, _ in
      unsafe Unmanaged<PreciseTimer>.fromOpaque(poll!.pointee.data).takeUnretainedValue().fire()
    }
  }

  /// Calls the body at `time`, instead of when it was set to before; `.never`: not at all.
  package func set(to time: MonotonicTime) {
    guard !isClosed else { return }
    due = time
    if unsafe poll != nil {
      _ = martlet_timer_set(descriptor, time == .never ? 0 : max(time.nanoseconds, 1))
    } else if time != .never {
      _ = loop.core.timers.schedule(at: time) { [self] in if due <= loop.now { fire() } }
    }
  }

  private func fire() {
    if due == .never { return }
    due = .never
    if unsafe poll != nil { _ = martlet_timer_set(descriptor, 0) }  // or it stays readable
    body()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    guard let poll = unsafe poll else { return }
    unsafe poll.close()
    closeDescriptor(descriptor)
  }
}

extension EventLoop {
  /// A timer that calls `body` on this loop's thread; not set yet.
  package func makePreciseTimer(_ body: @escaping () -> Void) throws(UVError) -> PreciseTimer {
    precondition(executor.isCurrentOrIdle, "a loop's timers belong to its thread")
    let timer = try PreciseTimer(loop, body)
    timer.start()
    loop.core.preciseTimers.append(timer)
    return timer
  }
}
