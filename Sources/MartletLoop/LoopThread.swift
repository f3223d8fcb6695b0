/// A thread that runs one loop.

import CLibuv

package final class LoopThread: @unchecked Sendable {
  package let eventLoop: EventLoop
  private var thread = uv_thread_t()
  private var isJoined = false

  /// What the new thread needs.
  private final class Start: Sendable {
    let eventLoop: EventLoop
    let ended: @Sendable () -> Void

    init(_ eventLoop: EventLoop, _ ended: @escaping @Sendable () -> Void) {
      self.eventLoop = eventLoop
      self.ended = ended
    }
  }

  /// Starts the thread; the loop runs until it is drained or stopped, and then `ended` is called, there.
  package init(_ eventLoop: EventLoop, ended: @escaping @Sendable () -> Void = {}) throws(UVError) {
    self.eventLoop = eventLoop
    // The thread takes over this reference.
    let argument = unsafe Unmanaged.passRetained(Start(eventLoop, ended))
    let code = unsafe uv_thread_create(&thread, { argument in
      let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
      start.eventLoop.run()
      start.ended()
    }, argument.toOpaque())
    if code < 0 { unsafe argument.release() }
    try UVError.check(code, "start a thread")
  }

  /// Waits until the loop has ended. Once, by one thread.
  package func join() {
    precondition(!isJoined, "a thread is joined once")
    isJoined = true
    unsafe _ = uv_thread_join(&thread)
  }
}
