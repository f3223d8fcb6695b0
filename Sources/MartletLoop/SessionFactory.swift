/// How a listener makes sessions, and how a connection calls one without knowing its type.
///
/// A generic connection class would run unspecialised where it matters, and `any ByteSession` costs an existential per read. So the
/// type is captured once, at start: `make` is inlined where the session's type is known, its closures are specialised there, and a
/// read costs one indirect call. The session lives in a cell that its connection owns.

package import MartletBytes

/// Who is at the other end.
package struct PeerInfo: Sendable {
  /// The peer's address; for a Unix socket the socket's path.
  package let address: SocketAddress
  /// Whether we dialled.
  package let isDialled: Bool

  package init(address: SocketAddress, isDialled: Bool) {
    self.address = address
    self.isDialled = isDialled
  }
}

@safe
package final class SessionFactory: Sendable {
  /// The protocol's name in statistics: `http`.
  package let name: String
  /// What a connection is told that cannot be served, before it is closed; may be empty.
  package let refusal: [UInt8]
  /// Told of each connection that is refused for want of room, on the thread that accepts.
  package let refused: @Sendable () -> Void

  @usableFromInline let create: @Sendable (ConnectionID, PeerInfo) -> UnsafeMutableRawPointer
  @usableFromInline let receive: @Sendable (UnsafeMutableRawPointer, RawSpan, inout ByteBuffer, MonotonicTime) -> Progress
  @usableFromInline let wake: @Sendable (UnsafeMutableRawPointer, Wake, inout ByteBuffer, MonotonicTime) -> Progress
  @usableFromInline let destroy: @Sendable (UnsafeMutableRawPointer) -> Void

  /// The closures trust that a cell made by `create` is given to the others of the same factory until `destroy`, and by one
  /// thread: `Connection` keeps that.
  @usableFromInline
  init(
    name: String, refusal: [UInt8], refused: @escaping @Sendable () -> Void,
    create: @escaping @Sendable (ConnectionID, PeerInfo) -> UnsafeMutableRawPointer,
    receive: @escaping @Sendable (UnsafeMutableRawPointer, RawSpan, inout ByteBuffer, MonotonicTime) -> Progress,
    wake: @escaping @Sendable (UnsafeMutableRawPointer, Wake, inout ByteBuffer, MonotonicTime) -> Progress,
    destroy: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.name = name
    self.refusal = refusal
    self.refused = refused
    unsafe self.create = create
    unsafe self.receive = receive
    unsafe self.wake = wake
    unsafe self.destroy = destroy
  }

  /// A factory for sessions of type `S`. `session` runs on the connection's own loop (`ConnectionID.loop` says which).
  @inlinable
  package static func make<S: ByteSession & SendableMetatype & ~Copyable>(
    name: String, refusal: [UInt8] = [], refused: @escaping @Sendable () -> Void = {},
    session: @escaping @Sendable (ConnectionID, PeerInfo) -> S
  ) -> SessionFactory {
    unsafe SessionFactory(
      name: name, refusal: refusal, refused: refused,
      create: { id, peer in
        let cell = UnsafeMutablePointer<S>.allocate(capacity: 1)
        unsafe cell.initialize(to: session(id, peer))
        return UnsafeMutableRawPointer(cell)
      },
      receive: { cell, input, output, now in
        unsafe cell.assumingMemoryBound(to: S.self).pointee.receive(input, into: &output, at: now)
      },
      wake: { cell, cause, output, now in
        unsafe cell.assumingMemoryBound(to: S.self).pointee.wake(cause, into: &output, at: now)
      },
      destroy: { cell in
        let session = unsafe cell.assumingMemoryBound(to: S.self)
        unsafe session.deinitialize(count: 1)
        unsafe session.deallocate()
      })
  }
}
