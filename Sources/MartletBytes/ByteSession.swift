/// The contract between a connection and a protocol: bytes in, bytes out, and what to do next as a return value.
///
/// A session knows a protocol and no socket; a connection (MartletLoop) knows a socket and no protocol. The session goes down by
/// calling and up by returning: it never calls its connection. Everything happens on the connection's own loop; other threads
/// reach a session by `ConnectionID` and a message, through its loop.

/// One side of a conversation in bytes.
package protocol ByteSession: ~Copyable {
  /// Consumes what it can from `input`, appends replies to `output`, says what to do next.
  ///
  /// `input` begins at the first byte not yet consumed, and holds all that has arrived since. It may be empty after `.full`.
  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress

  /// Something that it waited for has happened. `consumed` of the result is 0: after a wake that unblocks, `receive` is called
  /// again with what is buffered.
  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress
}

/// What a session wants from its connection.
@usableFromInline
package struct Progress: Sendable {
  /// Bytes of `input` that are done with; the rest is presented again, in front of what arrives next.
  @usableFromInline package var consumed: Int
  @usableFromInline package var next: Next
  /// When to `wake(.deadline)` unless the session has said another deadline by then. `.never`: not at all.
  @usableFromInline package var deadline: MonotonicTime
  /// With `.blocked`: tell `.endOfInput` at once, not only when input is wanted again. For whoever waits for something that nobody
  /// should go to the length of once the peer has gone; a peer that only shuts its sending side counts as gone then.
  @usableFromInline package var watchesPeer = false

  @usableFromInline
  package enum Next: Sendable {
    /// Call `receive` once at least `atLeast` unconsumed bytes are there (1: as soon as anything new arrives). The connection
    /// sizes its buffer by it, so that a body arrives in one piece of memory without a further copy.
    case read(atLeast: Int)
    /// A reply is owed: do not call `receive` until a `wake` returns something else.
    case blocked
    /// The output is full: flush it, then call `receive` again, with or without new bytes.
    case full
    /// Flush the output, then close.
    case close(CloseReason)
  }

  @inlinable
  package init(consumed: Int, next: Next, deadline: MonotonicTime) {
    self.consumed = consumed
    self.next = next
    self.deadline = deadline
  }
}

/// Why a session is woken.
package enum Wake: Sendable {
  /// The connection is accepted or dialled: once, first of all. A client's session writes its first bytes here.
  case connected
  /// The session's deadline has come. `buffered` unconsumed bytes are waiting (a body in arrival, for one).
  case deadline(buffered: Int)
  /// The peer has sent its last byte; `receive` has seen all complete input before. It may still read.
  case endOfInput
  /// The server is stopping: finish what is owed, then close.
  case drain
  /// From another thread or a later turn: an async reply, a filled lease, a published message.
  case message(any Sendable)
}

/// Names a connection from any thread. A stale one (the connection is gone, its slot reused) is recognised and ignored.
@usableFromInline
package struct ConnectionID: Hashable, Sendable {
  @usableFromInline package var loop: UInt32
  @usableFromInline package var slot: UInt32
  @usableFromInline package var generation: UInt64

  @inlinable
  package init(loop: UInt32, slot: UInt32, generation: UInt64) {
    self.loop = loop
    self.slot = slot
    self.generation = generation
  }
}

/// Why a connection closed: given to the one function that closes, and counted there.
@usableFromInline
package enum CloseReason: UInt8, CaseIterable, Sendable {
  /// The peer closed in good order.
  case peerClosed
  /// The peer reset the connection.
  case peerReset
  /// The conversation is over by the protocol's rules (`Connection: close`, HTTP/1.0, QUIT).
  case finished
  /// The peer broke the protocol or a limit of it; an error reply was sent.
  case protocolError
  case idleTimeout
  case headTimeout
  case bodyTimeout
  /// The peer did not read its replies in time.
  case writeTimeout
  /// What waits for the peer to read it has passed a bound: messages that nobody asked for one by one.
  case outputLimit
  /// More connections than allowed, or no file descriptor left.
  case refused
  /// The server is stopping.
  case drained
  /// The server has stopped waiting.
  case aborted
  /// An operator has asked for it.
  case killed
  /// Reading or writing failed otherwise.
  case ioError

  /// The name in logs and metrics.
  package var name: String {
    switch self {
    case .peerClosed: "peer_closed"
    case .peerReset: "peer_reset"
    case .finished: "finished"
    case .protocolError: "protocol_error"
    case .idleTimeout: "idle_timeout"
    case .headTimeout: "head_timeout"
    case .bodyTimeout: "body_timeout"
    case .writeTimeout: "write_timeout"
    case .outputLimit: "output_limit"
    case .refused: "refused"
    case .drained: "drained"
    case .aborted: "aborted"
    case .killed: "killed"
    case .ioError: "io_error"
    }
  }
}

/// The bounds that sessions of every protocol share.
public enum SessionLimits {
  /// A session answers `.full` once its output holds this many bytes, so what is queued for one connection is at most this
  /// plus one value.
  @inlinable public static var outputBytesMax: Int { 1 << 20 }
  /// Unconsumed bytes that a connection takes in for a session that is blocked, or that asked for no certain number.
  @inlinable public static var inputBytesMax: Int { 64 << 10 }
}
