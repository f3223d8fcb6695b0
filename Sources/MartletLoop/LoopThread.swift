/// A thread that runs one loop.

import CLibuv

package final class LoopThread: @unchecked Sendable {
  package let eventLoop: EventLoop
  private var thread = uv_thread_t()
  private var isJoined = false

  /// Starts the thread; the loop runs until it is drained or stopped.
  package init(_ eventLoop: EventLoop) throws(UVError) {
    self.eventLoop = eventLoop
    // The thread takes over this reference.
    let argument = unsafe Unmanaged.passRetained(eventLoop)
    let code = unsafe uv_thread_create(
      &thread,
      { argument in
        unsafe Unmanaged<EventLoop>.fromOpaque(argument!).takeRetainedValue().run()
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
