/// Signals of the process as calls on a loop's thread (`uv_signal`), where anything may be done: not a signal handler.

import CLibuv

@safe
package final class SignalWatcher: @unchecked Sendable {
  private let handle: Handle<uv_signal_t>
  private let body: (Int32) -> Void
  private var isClosed = false

  fileprivate init(_ handle: Handle<uv_signal_t>, _ body: @escaping (Int32) -> Void) {
    unsafe self.handle = unsafe handle
    self.body = body
  }

  fileprivate func start(_ signal: Int32) -> Int32 {
    // Unretained: the loop's list keeps this object until the handle is closed.
    unsafe handle.setData(Unmanaged.passUnretained(self).toOpaque())
    return unsafe uv_signal_start(
      handle.pointer,
      { handle, signal in
        unsafe Unmanaged<SignalWatcher>.fromOpaque(handle!.pointee.data).takeUnretainedValue().body(signal)
      }, signal)
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe handle.close()
  }
}

extension EventLoop {
  /// Calls `body` on this loop's thread whenever the process gets one of `signals`, until the loop ends. On the loop's thread, or
  /// before it runs.
  package func watchSignals(_ signals: [Int32], _ body: @escaping (Int32) -> Void) throws(UVError) {
    precondition(executor.isCurrentOrIdle, "a loop's signals belong to its thread")
    let uv = unsafe loop.core.uv
    for signal in signals {
      let handle = try unsafe Handle<uv_signal_t>.make("watch signal \(signal)") { unsafe uv_signal_init(uv, $0) }
      let watcher = unsafe SignalWatcher(handle, body)
      let code = watcher.start(signal)
      if code < 0 { watcher.close() } else { loop.core.signals.append(watcher) }
      try UVError.check(code, "watch signal \(signal)")
    }
  }
}
