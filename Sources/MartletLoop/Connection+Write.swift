/// Output: gathered during a turn, written together, queued only when the kernel takes no more.
///
/// `uv_try_write` first: with libuv 1.44 every `uv_write` costs an `epoll_ctl`. While a `uv_write` is pending the connection neither
/// reads nor parses: a peer that does not take its replies gets no more of our memory than one output buffer and one value.

import CLibuv
import MartletBytes

/// A write that the kernel has not taken whole. libuv's from `uv_write` to its callback, which frees it (rule 4 in Handle.swift).
@safe
struct PendingWrite: ~Copyable {
  var request = unsafe uv_write_t()
  let bytes: ByteBuffer
  let start: MonotonicTime
  /// Bytes that the peer had not taken when last looked at, and when that was last less than before.
  var remaining: Int = .max
  var progressed: MonotonicTime
}

extension Connection {
  /// Gives the session's output memory, if it has none.
  @inline(__always)
  func takeOutputBuffer() {
    if hot.output.capacity == 0 {
      var buffer = hot.loop.core.pool.take()
      swap(&hot.output, &buffer)
    }
  }

  /// Gives the output's memory back; its bytes are written, or nobody is left to read them.
  func recycleOutput() {
    var buffer = ByteBuffer()
    swap(&hot.output, &buffer)
    hot.loop.core.pool.give(buffer)
  }

  /// Puts the connection on the list to be flushed in this turn, if there is anything to flush.
  func gather() {
    if hot.isGathered { return }
    if hot.output.isEmpty { return recycleOutput() }
    if hot.isWriting { return }  // flushed when that is done
    hot.isGathered = true
    let loop = hot.loop
    if loop.core.gatheredCount == LoopLimits.flushGatheredMax { loop.flushGathered() }
    unsafe (loop.core.gathered + loop.core.gatheredCount).initialize(to: self)
    loop.core.gatheredCount &+= 1
  }

  func ungather() {
    guard hot.isGathered else { return }
    hot.isGathered = false
    let loop = hot.loop
    for index in 0..<loop.core.gatheredCount where unsafe loop.core.gathered[index].pointer == pointer {
      loop.core.gatheredCount &-= 1
      unsafe loop.core.gathered[index] = loop.core.gathered[loop.core.gatheredCount]
      return
    }
  }

  /// Flushes; a connection that is to close goes on to do so.
  func flushAndSettle() {
    if flush() && hot.phase == .flushing { settleClose() }
  }

  /// Writes the output; true if nothing remains to be written. May close the connection.
  func flush() -> Bool {
    guard !hot.isWriting else { return false }
    let count = hot.output.count
    if count == 0 { return hot.phase != .closing }
    var buffer = unsafe uv_buf_t(base: hot.output.storage.assumingMemoryBound(to: CChar.self), len: count)
    let written = unsafe Int(uv_try_write(hot.stream, &buffer, 1))
    if written == count {
      hot.loop.core.statistics.bytesOut &+= UInt64(truncatingIfNeeded: count)
      recycleOutput()
      return true
    }
    if written < 0 && written != Int(UVError.again) {
      writeFailed(Int32(truncatingIfNeeded: written))
    } else {
      queue(from: max(written, 0))
    }
    return false
  }

  /// Leaves the output from `offset` on to libuv.
  private func queue(from offset: Int) {
    let loop = hot.loop
    let now = loop.now
    var bytes = ByteBuffer()
    swap(&hot.output, &bytes)
    let count = bytes.count - offset
    var buffer = unsafe uv_buf_t(base: (bytes.storage + offset).assumingMemoryBound(to: CChar.self), len: count)
    loop.core.statistics.bytesOut &+= UInt64(truncatingIfNeeded: offset)
    let pending = UnsafeMutablePointer<PendingWrite>.allocate(capacity: 1)
    unsafe pending.initialize(to: PendingWrite(bytes: bytes, start: now, progressed: now))
    let request = unsafe UnsafeMutableRawPointer(pending).assumingMemoryBound(to: uv_write_t.self)
    let code = unsafe uv_write(request, hot.stream, &buffer, 1, writeCame)
    if code < 0 {
      unsafe pending.deinitialize(count: 1)
      unsafe pending.deallocate()
      return writeFailed(code)
    }
    unsafe hot.pendingWrite = pending
    unsafe pending.pointee.remaining = uv_stream_get_write_queue_size(hot.stream) + max(martlet_bytes_unsent(descriptor), 0)
    setWriteDeadline(now)
    updateReading()
  }

  /// libuv is done with the pending write.
  fileprivate func didWrite(_ status: Int32) {
    guard let pending = unsafe hot.pendingWrite else { return }
    let loop = hot.loop
    let elapsed = unsafe loop.now.nanoseconds(since: pending.pointee.start)
    if status == 0 { loop.core.statistics.bytesOut &+= unsafe UInt64(pending.pointee.bytes.count) }
    unsafe pending.deinitialize(count: 1)
    unsafe pending.deallocate()
    unsafe hot.pendingWrite = nil
    if hot.phase == .closing { return }
    if status < 0 { return writeFailed(status) }
    // The session's clock stood still: an idle timeout counts from when the peer has the reply.
    if hot.sessionDeadline != .never { hot.sessionDeadline = hot.sessionDeadline.advanced(byNanoseconds: elapsed) }
    loop.core.wheel.set(hot.slot, to: hot.sessionDeadline)
    guard flush() else { return }
    if hot.phase == .flushing { settleClose() } else { resume() }
  }

  private func writeFailed(_ code: Int32) {
    fail(code == UVError.brokenPipe || code == UVError.connectionReset ? .peerReset : .ioError)
  }

  /// Four looks in the time allowed, so that a stall is noticed at most a quarter late.
  private func setWriteDeadline(_ now: MonotonicTime) {
    hot.loop.core.wheel.set(hot.slot, to: now.advanced(bySeconds: hot.loop.core.limits.writeTimeoutSeconds / 4))
  }

  /// Closes a connection whose peer has taken nothing for too long; a slow one is kept.
  func checkWriteStall() {
    guard let pending = unsafe hot.pendingWrite else { return }
    let now = hot.loop.now
    let remaining = unsafe uv_stream_get_write_queue_size(hot.stream) + max(martlet_bytes_unsent(descriptor), 0)
    if unsafe remaining < pending.pointee.remaining {
      unsafe pending.pointee.remaining = remaining
      unsafe pending.pointee.progressed = now
    }
    let stalled = unsafe now.nanoseconds(since: pending.pointee.progressed)
    if Double(stalled) >= hot.loop.core.limits.writeTimeoutSeconds * 1e9 { return fail(.writeTimeout) }
    setWriteDeadline(now)
  }

  var descriptor: Int32 {
    var descriptor: uv_os_fd_t = -1
    unsafe _ = uv_fileno(UnsafeMutableRawPointer(hot.stream).assumingMemoryBound(to: uv_handle_t.self), &descriptor)
    return descriptor
  }
}

private func writeCame(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
  unsafe Connection(data: request!.pointee.handle.pointee.data).didWrite(status)
}
