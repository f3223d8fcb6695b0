/// libuv's rules for the lifetime of handles and requests (its design.rst and handle.rst), kept in one place:
///
/// 1. A handle's memory must not move from `uv_*_init` until its close callback has run.
/// 2. Every handle that was initialised must be closed, once.
/// 3. Its memory is freed in the close callback, not before: `uv_close` only begins the closing.
/// 4. A request's memory belongs to libuv until the request's callback has run; closing the handle runs it with ECANCELED,
///    before the close callback.
/// 5. A loop can be closed only when all handles' close callbacks have run.
/// 6. Everything happens on the loop's thread, except `uv_async_send`.
/// 7. `uv_async_send` must not be called once `uv_close` of its handle has begun: `LoopInbox` holds a lock for that.
///
/// `Handle` keeps 1 to 3 for the loop's own small handles, `Connection` for the streams (their memory holds more than the handle).

import CLibuv

@safe
struct Handle<Kind> {
  /// Valid from `make` until `close`, which may be called once; libuv owns the memory from then on.
  let pointer: UnsafeMutablePointer<Kind>

  /// Memory for a handle that `initialise` hands to libuv; freed at once if that fails.
  static func make(_ attempted: String, _ initialise: (UnsafeMutablePointer<Kind>) -> Int32) throws(UVError) -> Handle {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Kind>.size, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Kind>.size)
    let pointer = unsafe memory.assumingMemoryBound(to: Kind.self)
    let code = unsafe initialise(pointer)
    if code < 0 {
      unsafe memory.deallocate()
      throw UVError(code: code, attempted: attempted)
    }
    return unsafe Handle(pointer: pointer)
  }

  /// The handle as libuv's base type: every handle begins with the base's fields.
  var base: UnsafeMutablePointer<uv_handle_t> { unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self) }

  /// What callbacks find in `data`.
  func setData(_ data: UnsafeMutableRawPointer?) { unsafe base.pointee.data = data }

  /// Lets the loop end while this handle is active.
  func unreference() { unsafe uv_unref(base) }

  /// Closes the handle; its memory is freed by the close callback.
  func close() {
    unsafe uv_close(base) { handle in
      unsafe UnsafeMutableRawPointer(handle)?.deallocate()
    }
  }
}
