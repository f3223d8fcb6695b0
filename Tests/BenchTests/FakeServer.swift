// A server of a few lines that answers loads as a test tells it.

import MartletBytes
import Synchronization

@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A server that takes requests of one size, sets of four bytes with keys of four, or gets, and answers each as it is told.
final class FakeServer: Sendable {
  enum Answer: Sendable {
    case reply(String)
    case nothing
    case close
    /// Reads no more.
    case deaf
    /// The whole server stands still, then answers `+OK`.
    case stall(seconds: Double)
  }

  let address: SocketAddress
  private let thread: LoopThread
  private let counts = Counts()

  private final class Counts: Sendable {
    let requests = Atomic(0)
    let connections = Atomic(0)
  }

  var requests: Int { counts.requests.load(ordering: .relaxed) }
  var connections: Int { counts.connections.load(ordering: .relaxed) }

  /// `answer` is given the request's number, from 1.
  init(_ answer: @escaping @Sendable (Int) -> Answer) throws {
    let loop = try EventLoop(index: 0)
    let socket = try ListeningSocket.bind(.loopback(port: 0), loops: 1)
    address = socket.address
    thread = try LoopThread(loop)
    let factory = SessionFactory.make(name: "fake") { [counts] _, _ in
      counts.connections.add(1, ordering: .relaxed)
      return FakeSession(answer: answer) { counts.requests.add(1, ordering: .relaxed).newValue }
    }
    socket.start(on: [loop], budget: ConnectionBudget(max: 1 << 20)) { _ in factory }
  }

  func stop() {
    thread.eventLoop.stop()
    thread.join()
  }
}

private struct FakeSession: ByteSession, ~Copyable {
  let answer: @Sendable (Int) -> FakeServer.Answer
  let count: @Sendable () -> Int

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    var start = 0
    while let end = Self.requestEnd(input[start..<input.byteCount]) {
      start += end
      switch answer(count()) {
      case .reply(let text): output.append(text)
      case .nothing: break
      case .close: return Progress(consumed: start, next: .close(.finished), deadline: .never)
      case .deaf: return Progress(consumed: start, next: .blocked, deadline: .never)
      case .stall(let seconds):
        usleep(UInt32(seconds * 1e6))
        output.append("+OK\r\n")
      }
    }
    if input.byteCount > 100, case .deaf = answer(0) { return Progress(consumed: 0, next: .blocked, deadline: .never) }
    return Progress(consumed: start, next: .read(atLeast: 1), deadline: .never)
  }

  /// The end of a command: as many lines as its array has elements, twice, and one.
  private static func requestEnd(_ input: RawSpan) -> Int? {
    guard input.byteCount > 3 else { return nil }
    var lines = Int(input[1] - 0x30) * 2 + 1
    var index = 0
    while lines > 0 {
      guard let feed = input.firstIndex(of: ASCII.lineFeed, from: index) else { return nil }
      index = feed + 1
      lines -= 1
    }
    return index
  }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected, .message, .deadline: Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
    case .endOfInput, .drain: Progress(consumed: 0, next: .close(.finished), deadline: .never)
    }
  }
}
