/// A session made of closures, for tests that need one odd behaviour.

import MartletBytes

@testable import MartletLoop

struct ScriptedSession: ByteSession, ~Copyable {
  typealias Receive = @Sendable (RawSpan, inout ByteBuffer, ConnectionID) -> (consumed: Int, next: Progress.Next)
  typealias Woken = @Sendable (Wake, inout ByteBuffer, ConnectionID) -> Progress.Next

  let id: ConnectionID
  let onReceive: Receive
  let onWake: Woken
  let onEnd: @Sendable () -> Void

  deinit { onEnd() }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    let (consumed, next) = onReceive(input, &output, id)
    return Progress(consumed: consumed, next: next, deadline: .never)
  }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    Progress(consumed: 0, next: onWake(cause, &output, id), deadline: .never)
  }

  /// What most scripts do when woken: nothing but end when the peer does or the server drains.
  static let plainWake: Woken = { cause, output, _ in
    switch cause {
    case .connected: .read(atLeast: 1)
    case .deadline: .close(.idleTimeout)
    case .endOfInput: .close(.peerClosed)
    case .drain: .close(.drained)
    case .message(let message):
      {
        output.append(message as? String ?? "?")
        return .read(atLeast: 1)
      }()
    }
  }

  static func factory(
    wake: @escaping Woken = plainWake, end: @escaping @Sendable () -> Void = {}, receive: @escaping Receive
  ) -> SessionFactory {
    .make(name: "script", refusal: []) { id, _ in ScriptedSession(id: id, onReceive: receive, onWake: wake, onEnd: end) }
  }
}

/// Blocks at the first byte; goes on when woken by a message, closes when told of the end.
struct WatchingSession: ByteSession, ~Copyable {
  let id: ConnectionID
  let watches: Bool
  let begun: @Sendable (ConnectionID) -> Void
  let told: @Sendable () -> Void

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    output.append(UInt8(ascii: "!"))
    begun(id)
    var progress = Progress(consumed: input.byteCount, next: .blocked, deadline: .never)
    progress.watchesPeer = watches
    return progress
  }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    if case .endOfInput = cause {
      told()
      return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    }
    return Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
  }

  static func factory(
    watches: Bool, begun: @escaping @Sendable (ConnectionID) -> Void, told: @escaping @Sendable () -> Void
  ) -> SessionFactory {
    .make(name: "watching") { id, _ in WatchingSession(id: id, watches: watches, begun: begun, told: told) }
  }
}
