/// The named bounds of one loop. Those that sessions must know too are in `SessionLimits`.

import MartletBytes

package struct LoopLimits: Sendable {
  /// A peer that has taken none of the output queued for it for so long is closed with `.writeTimeout`.
  package var writeTimeoutSeconds = 60.0
  /// A dialled connection that is not up after so long has failed (ETIMEDOUT).
  package var connectTimeoutSeconds = 10.0
  /// After a reply that ends a conversation which the peer may not have finished, input is discarded for so long…
  package var lingerSeconds = 5.0
  /// …and for so many bytes, so that the reply is not lost to a reset.
  package var lingerBytesMax = 128 << 20
  /// Refused connections that linger at one time; beyond, they are closed without waiting for the peer to read why.
  package var refusalsLingeringMax = 64
  /// How long a listener rests when no file descriptor is left even for refusing.
  package var acceptPauseSeconds = 0.1

  package init() {}

  // MARK: Bounds that nobody needs to change

  /// One read's size at most: the buffer that all connections of a loop read into while they owe nothing.
  static var scratchBytes: Int { 64 << 10 }
  /// A buffer with less room than this grows before it is read into, unless less is wanted.
  static var readBytesMin: Int { 4 << 10 }
  /// A new output buffer, and a new buffer for the rest of a read.
  static var bufferBytesMin: Int { 16 << 10 }
  /// A buffer that has grown beyond this is freed after use, not kept for the next.
  static var pooledBufferBytesMax: Int { 256 << 10 }
  /// Buffers kept for reuse by a loop, and their memory together.
  static var pooledBuffersMax: Int { 64 }
  static var pooledBytesMax: Int { 4 << 20 }
  /// Connections with output that are gathered before they are flushed: as many buffers are in use at a time at most.
  static var flushGatheredMax: Int { 64 }
  /// How often a session that answers `.full` is flushed and called again before others have their turn.
  static var roundsPerTurnMax: Int { 8 }
  /// Jobs, calls and wakes that run before the loop looks at its sockets again.
  static var jobsPerPhaseMax: Int { 1024 }
  /// Connections accepted by one listener before the loop looks at its other sockets again.
  static var acceptsPerEventMax: Int { 64 }
  /// Connections that the kernel holds for a listener until they are accepted (it may hold fewer: `somaxconn`).
  static var backlog: Int32 { 4096 }
}
