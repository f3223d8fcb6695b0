/// The end of a connection: one function closes, takes a reason, and counts it. What follows depends on the peer.
///
///     close(reason) ─ nothing to say, or nobody to hear ────────────────────────────> finish: uv_close
///          └─ flushing: output goes out ─ the peer may be sending ─ lingering ─────────┘
///
/// Why lingering: a socket that is closed with unread input resets the connection, and a reset may overtake the reply in the
/// peer's buffers. So our side is shut, and what still arrives is discarded, for a bounded time and number of bytes.

import CLibuv
import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Connection {
  /// Ends the conversation: destroys the session, counts the reason, and closes the socket once the output is written.
  func close(_ reason: CloseReason) {
    guard hot.phase == .open else { return }
    let loop = hot.loop
    loop.core.statistics.protocols[hot.protocolIndex].open -= 1
    loop.core.statistics.protocols[hot.protocolIndex].closes[Int(reason.rawValue)] &+= 1
    unsafe hot.factory._withUnsafeGuaranteedRef { unsafe $0.destroy(hot.session!) }
    unsafe hot.session = nil
    hot.closeReason = reason
    hot.phase = .flushing
    switch reason {
    case .peerReset, .ioError, .writeTimeout, .outputLimit, .aborted, .killed: return finish()
    case .peerClosed, .finished, .protocolError, .idleTimeout, .headTimeout, .bodyTimeout, .refused, .drained: break
    }
    hot.sessionDeadline = .never
    if hot.isWriting { return updateReading() }  // goes on when that is done
    loop.core.wheel.set(hot.slot, to: .never)
    if hot.output.isEmpty { settleClose() } else { gather() }
  }

  /// The connection cannot go on, in whatever phase it is.
  func fail(_ reason: CloseReason) {
    if hot.phase == .open { close(reason) } else { finish() }
  }

  /// The server is stopping. The session is told once what has arrived is read: a request that waits in the kernel is answered, not
  /// dropped with an idle connection.
  func drain() {
    guard hot.phase == .open else { return }
    guard hot.isReading, martlet_bytes_unread(descriptor) > 0 else { return wake(.drain) }
    let loop = hot.loop
    loop.core.executor.deliver(.call { [id] in loop.core.table.find(id)?.drain() })  // next turn
  }

  /// The server waits no longer.
  func cut() {
    if hot.phase == .connecting { failDial(UVError.canceled) } else { fail(.aborted) }
  }

  /// All is written.
  func settleClose() {
    guard mustLinger else { return finish() }
    hot.phase = .lingering
    let loop = hot.loop
    shutdown(descriptor, Int32(SHUT_WR))
    loop.core.wheel.set(hot.slot, to: loop.now.advanced(bySeconds: loop.core.limits.lingerSeconds))
    recycleInput()
    updateReading()
  }

  /// Whether bytes may be unread, now or soon, that would make the close a reset.
  private var mustLinger: Bool {
    if hot.endOfInput { return false }
    switch hot.closeReason {
    case .protocolError, .headTimeout, .bodyTimeout, .refused: return true
    case .finished, .idleTimeout, .drained: return !hot.input.isEmpty || martlet_bytes_unread(descriptor) > 0
    case .peerClosed, .peerReset, .writeTimeout, .outputLimit, .aborted, .killed, .ioError: return false
    }
  }

  /// Input after the end.
  func discard(_ count: Int) {
    hot.lingerBytes += count
    if hot.lingerBytes > hot.loop.core.limits.lingerBytesMax { finish() }
  }

  /// Gives the slot and the buffers back and begins to close the handle; its callback frees this state.
  func finish() {
    guard hot.phase != .closing else { return }
    hot.phase = .closing
    ungather()
    recycleInput()
    recycleOutput()
    let loop = hot.loop
    loop.core.wheel.remove(hot.slot)
    loop.core.table.remove(hot.slot)
    unsafe uv_close(UnsafeMutableRawPointer(hot.stream).assumingMemoryBound(to: uv_handle_t.self), closeCame)
  }

  /// libuv is done with the handle.
  fileprivate func free() {
    let loop = hot.loop
    loop.load.remove()
    if hot.isRefusal { loop.core.refusalsLingering -= 1 }
    unsafe hot.factory.release()
    if let budget = unsafe hot.budget {
      unsafe budget._withUnsafeGuaranteedRef { $0.giveBack() }
      unsafe budget.release()
    }
    let memory = unsafe UnsafeMutableRawPointer(hot.stream)
    unsafe pointer.deinitialize(count: 1)
    unsafe memory.deallocate()
  }
}

extension LoopRef {
  var load: LoopLoad { core.load }
}

private func closeCame(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
  unsafe Connection(data: handle!.pointee.data).free()
}
