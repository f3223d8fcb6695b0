/// A thread that runs one loop.

import CLibuv

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package final class LoopThread: @unchecked Sendable {
  package let eventLoop: EventLoop
  private var thread = uv_thread_t()
  /// Nobody has to wait for the thread any more: it never started, or was joined.
  private var isOver = true

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
    let code = unsafe uv_thread_create(
      &thread,
      { argument in
        let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        start.eventLoop.run()
        start.ended()
      }, argument.toOpaque())
    if code < 0 { unsafe argument.release() }
    try UVError.check(code, "start a thread")
    isOver = false
  }

  /// A thread that nobody joined goes on until its loop ends, and then leaves nothing behind.
  deinit {
    if !isOver { _ = pthread_detach(thread) }
  }

  /// Waits until the loop has ended. Once, by one thread.
  package func join() {
    precondition(!isOver, "a thread is joined once")
    isOver = true
    unsafe _ = uv_thread_join(&thread)
  }
}
