/// One stream, accepted or dialled, and the session it belongs to.
///
/// The life of a read, all decisions in `advance` and `act`:
///
///     libuv reads into the loop's scratch (or behind the rest that waits) → didRead → session.receive → act on its Progress
///     → gathered with the turn's other output → one write                      (Connection+Write.swift)
///     … until somebody says close                                              (Connection+Close.swift)
///
/// What to know before editing: state is a struct in memory that libuv's handle begins; `Connection` is a pointer to it, free to
/// copy, valid until the handle's close callback. A session may be destroyed by any `act`, so look at `phase` after one. A
/// connection without input that waits and without output that waits holds no buffer.

import CLibuv
import MartletBytes

@safe
struct ConnectionState: ~Copyable {
  enum Phase: UInt8 {
    /// Dialled, not up yet; no session.
    case connecting
    /// There is a session.
    case open
    /// The session is gone; its output is still to be written.
    case flushing
    /// All is written and our side shut; input is discarded until the peer has shut its own, or for a while.
    case lingering
    /// `uv_close` has begun.
    case closing
  }

  /// At the start of this state's memory; libuv's from `uv_*_init` to the close callback.
  let stream: UnsafeMutablePointer<uv_stream_t>
  let loop: LoopRef
  /// Retained by this state.
  let factory: Unmanaged<SessionFactory>
  /// Retained by this state; nil for a dialled or refused connection, which takes no place.
  var budget: Unmanaged<ConnectionBudget>?
  /// Made and destroyed by `factory`; not nil while `phase` is open.
  var session: UnsafeMutableRawPointer?

  var phase: Phase
  /// A reply is owed: `receive` is not called.
  var isBlocked = false
  /// Blocked, and the session wants to know at once that the peer is gone.
  var watchesPeer = false
  /// `receive` is to be called without new bytes, as soon as the output allows: the session answered `.full`, or was unblocked.
  var isDue = false
  var isReading = false
  /// In the loop's list of connections to flush.
  var isGathered = false
  /// The peer has sent its last byte; the session has been told.
  var endOfInput = false
  var endOfInputTold = false
  var isRefusal = false
  var closeReason = CloseReason.finished

  /// `receive` is called when so many unconsumed bytes are there.
  var wanted = 1
  /// What the session asked for last.
  var atLeast = 1
  /// Unconsumed bytes; no memory when there are none.
  var input = ByteBuffer()
  /// Bytes to be written behind those of `pendingWrite`; no memory when there are none.
  var output = ByteBuffer()
  var pendingWrite: UnsafeMutablePointer<PendingWrite>?
  var isWriting: Bool { unsafe pendingWrite != nil }

  /// The session's deadline; it stands still while a write is pending.
  var sessionDeadline = MonotonicTime.never
  var lingerBytes = 0
  let slot: UInt32
  let generation: UInt64
  let protocolIndex: Int
  /// Told when dialling fails.
  var dialFailed: ((UVError) -> Void)?
  var peer: SocketAddress
}

@safe
struct Connection {
  let pointer: UnsafeMutablePointer<ConnectionState>

  var hot: ConnectionState {
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }

  init(_ pointer: UnsafeMutablePointer<ConnectionState>) { unsafe self.pointer = pointer }

  /// The connection that a libuv callback is about.
  init(data: UnsafeMutableRawPointer?) { unsafe pointer = data!.assumingMemoryBound(to: ConnectionState.self) }

  var id: ConnectionID { ConnectionID(loop: hot.loop.core.index, slot: hot.slot, generation: hot.generation) }

  // MARK: Bytes have come

  /// `count` bytes are new, in the loop's scratch or behind the rest in `input`.
  func didRead(_ count: Int, inScratch: Bool) {
    hot.loop.core.statistics.bytesIn &+= UInt64(truncatingIfNeeded: count)
    guard hot.phase == .open else { return discard(count) }
    if !inScratch {
      hot.input._count &+= count  // libuv wrote them into the free part that `lendInput` gave it
      if !hot.isBlocked && !hot.isDue && hot.input.count >= hot.wanted { advance() }
    } else if hot.isBlocked || hot.isDue || count < hot.wanted {
      unsafe keep(RawSpan(_unsafeStart: hot.loop.core.scratch, byteCount: count))
    } else {
      advanceFromScratch(count)
    }
    settleInput()
  }

  /// Gives the session what is in the scratch, again while it wants; keeps the rest.
  private func advanceFromScratch(_ count: Int) {
    // The scratch is the loop's and outlives this call; nobody reads into it before this returns.
    let scratch = unsafe RawSpan(_unsafeStart: hot.loop.core.scratch, byteCount: count)
    var offset = 0
    var rounds = 0
    while true {
      let progress = receive(scratch[offset..<count])
      precondition(progress.consumed >= 0 && progress.consumed <= count &- offset, "a session consumed more than it was given")
      offset &+= progress.consumed
      rounds &+= 1
      if !act(on: progress, rounds: rounds) { break }
    }
    if offset < count && hot.phase == .open { keep(scratch[offset..<count]) }
  }

  /// Gives the session what waits in `input`, again while it wants.
  func advance() {
    var rounds = 0
    while true {
      let progress = receive(hot.input.bytes)
      hot.input.removeFirst(progress.consumed)
      rounds &+= 1
      if !act(on: progress, rounds: rounds) { break }
    }
    if hot.input.isEmpty { recycleInput() }
  }

  @inline(__always)
  private func receive(_ input: RawSpan) -> Progress {
    takeOutputBuffer()
    let now = hot.loop.now
    // The cell is this factory's and alive while the phase is open; the factory is retained by the state.
    return unsafe hot.factory._withUnsafeGuaranteedRef { unsafe $0.receive(hot.session!, input, &hot.output, now) }
  }

  /// Does what the session wants; whether it is to be called again at once.
  private func act(on progress: Progress, rounds: Int) -> Bool {
    setSessionDeadline(progress.deadline)
    switch progress.next {
    case .read(let atLeast):
      hot.atLeast = atLeast
      hot.isBlocked = false
      hot.isDue = false
      gather()
      return false
    case .blocked:
      hot.isBlocked = true
      hot.watchesPeer = progress.watchesPeer
      hot.isDue = false
      gather()
      return false
    case .full:
      hot.isBlocked = false
      hot.isDue = true
      guard flush() else { return false }  // goes on when the rest is written
      if rounds < LoopLimits.roundsPerTurnMax { return true }
      hot.loop.core.executor.queue.value.append(.resume(id))
      return false
    case .close(let reason):
      close(reason)
      return false
    }
  }

  /// After every call of the session: tells it of the end of input once all is presented, bounds what waits, reads or does not.
  func settleInput() {
    guard hot.phase == .open else { return }
    let isWaiting = !hot.isBlocked && !hot.isDue
    if isWaiting { hot.wanted = max(hot.atLeast, hot.input.count &+ 1) }
    if hot.endOfInput && (isWaiting || hot.isBlocked && hot.watchesPeer && !hot.endOfInputTold) && !hot.isWriting {
      if hot.endOfInputTold { return close(.peerClosed) }
      hot.endOfInputTold = true
      return wake(.endOfInput)
    }
    // More than the bound may wait only for a session that has named how much it needs.
    if isWaiting && hot.input.count >= SessionLimits.inputBytesMax && hot.atLeast <= hot.input.count { return close(.protocolError) }
    updateReading()
  }

  /// Goes on after a pause: output was written, a reply came, or others had their turn.
  func resume() {
    guard hot.phase == .open else { return }
    if hot.isDue && !hot.isWriting { advance() }
    settleInput()
  }

  // MARK: Something else has happened

  /// Wakes the session. Ignored when there is none any more.
  func wake(_ cause: Wake) {
    guard hot.phase == .open else { return }
    let wasBlocked = hot.isBlocked
    let wasDue = hot.isDue
    takeOutputBuffer()
    let now = hot.loop.now
    let progress = unsafe hot.factory._withUnsafeGuaranteedRef { unsafe $0.wake(hot.session!, cause, &hot.output, now) }
    precondition(progress.consumed == 0, "a session consumed input in a wake")
    let again = act(on: progress, rounds: 0)
    if again { return resume() }
    if hot.phase == .open && !hot.isBlocked && !hot.isDue && (wasDue || (wasBlocked && hot.input.count >= max(hot.atLeast, 1))) {
      hot.isDue = true  // unblocked: what is buffered is presented again
      return resume()
    }
    settleInput()
  }

  func setSessionDeadline(_ deadline: MonotonicTime) {
    if deadline == hot.sessionDeadline { return }
    hot.sessionDeadline = deadline
    if !hot.isWriting { hot.loop.core.wheel.set(hot.slot, to: deadline) }
  }

  /// The wheel's deadline for this slot has come; it has none until one is set again.
  func deadlineCame() {
    if hot.isWriting { return checkWriteStall() }
    switch hot.phase {
    case .open:
      hot.sessionDeadline = .never
      wake(.deadline(buffered: hot.input.count))
    case .connecting: failDial(UVError.timedOut)
    case .flushing, .lingering: finish()
    case .closing: break
    }
  }

  // MARK: Reading

  /// Reads exactly when bytes have somewhere to go. A peer that does not read its replies is not read either.
  func updateReading() {
    let wants: Bool
    switch hot.phase {
    case .open:
      wants =
        !hot.isWriting && !hot.endOfInput && !hot.isDue
        && !(hot.isBlocked && hot.input.count >= SessionLimits.inputBytesMax)
    case .lingering: wants = !hot.endOfInput
    case .connecting, .flushing, .closing: wants = false
    }
    if wants == hot.isReading { return }
    hot.isReading = wants
    if !wants {
      unsafe uv_read_stop(hot.stream)
    } else if unsafe uv_read_start(hot.stream, lendBuffer, readCame) < 0 {
      fail(.ioError)
    }
  }

  /// Where the next bytes go: the loop's scratch, or behind the rest that waits. A buffer grows with what has arrived, whatever
  /// has been claimed.
  fileprivate func lendInput() -> UnsafeMutableRawBufferPointer {
    let loop = hot.loop
    if hot.input.isEmpty || hot.phase != .open {
      return unsafe UnsafeMutableRawBufferPointer(start: loop.core.scratch, count: LoopLimits.scratchBytes)
    }
    let count = hot.input.count
    let bound = max(hot.isBlocked ? 0 : hot.wanted, SessionLimits.inputBytesMax)
    let room = bound &- count  // at least 1: `settleInput` and `updateReading` see to it
    if hot.input.capacity &- count < min(room, LoopLimits.readBytesMin) {
      hot.input.reserve(min(room, max(hot.input.capacity, LoopLimits.readBytesMin)))
    }
    return unsafe UnsafeMutableRawBufferPointer(start: hot.input.storage + count, count: min(hot.input.capacity &- count, room))
  }

  /// Copies what the session left in the scratch to a buffer of the connection's own.
  private func keep(_ rest: RawSpan) {
    if hot.input.capacity == 0 {
      var buffer = hot.loop.core.pool.take()
      swap(&hot.input, &buffer)
    }
    hot.input.append(rest)
  }

  func recycleInput() {
    if hot.input.capacity == 0 { return }
    var buffer = ByteBuffer()
    swap(&hot.input, &buffer)
    hot.loop.core.pool.give(buffer)
  }

  fileprivate func readFailed(_ code: Int32) {
    if code == UVError.endOfFile {
      hot.endOfInput = true
      hot.isReading = false  // libuv has stopped by itself
      if hot.phase == .open { settleInput() } else { finish() }
    } else {
      fail(code == UVError.connectionReset ? .peerReset : .ioError)
    }
  }
}

private func lendBuffer(_ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?) {
  let lent = unsafe Connection(data: handle!.pointee.data).lendInput()
  unsafe buffer!.pointee.base = lent.baseAddress!.assumingMemoryBound(to: CChar.self)
  unsafe buffer!.pointee.len = lent.count
}

private func readCame(_ stream: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?) {
  if count == 0 { return }  // EAGAIN
  let connection = unsafe Connection(data: stream!.pointee.data)
  if count < 0 { return connection.readFailed(Int32(truncatingIfNeeded: count)) }
  let isScratch = unsafe UnsafeMutableRawPointer(buffer!.pointee.base) == connection.hot.loop.core.scratch
  connection.didRead(count, inScratch: isScratch)
}
