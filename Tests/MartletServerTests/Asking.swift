/// A client for tests: asks over a connection of its own loop and keeps the answer.

import MartletBytes
import MartletLoop

/// A client's session that asks once and keeps what it is told.
struct AskingSession: ByteSession, ~Copyable {
  let request: String
  let reply: LoopLocal<String>
  let loop: EventLoop

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected:
      output.append(request)
      return Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
    default:
      loop.stop()
      return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    }
  }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    // Not `+=`: built with the thread sanitizer, Swift 6.3.1 makes invalid code of changing an addressed property in place here.
    reply.value = reply.value + input.text
    return Progress(consumed: input.byteCount, next: .read(atLeast: 1), deadline: .never)
  }
}

/// Sends `request` to `address` and gives everything that comes back until the server closes.
func ask(_ address: SocketAddress, _ request: String) throws -> String {
  let loop = try EventLoop(index: 0)
  let reply = LoopLocal("")
  let factory = SessionFactory.make(name: "test") { _, _ in AskingSession(request: request, reply: reply, loop: loop) }
  loop.connect(to: address, factory: factory) { _ in loop.stop() }
  loop.run()
  return reply.value
}
