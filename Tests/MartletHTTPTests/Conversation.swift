/// A conversation with a session, without a socket: bytes in, bytes out, time in hand. Plays the connection as
/// `ByteSession` describes it.

import MartletBytes
import Synchronization

@testable import MartletHTTP

struct Conversation: ~Copyable {
  var session: HTTPSession
  let service: HTTPService
  let pending: PendingWork
  /// Sent by the peer and not consumed yet.
  var unconsumed: [UInt8] = []
  var output = ByteBuffer()
  /// Output that was taken away because the session was full of it.
  var flushed = ByteBuffer()
  var progress = Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
  var now = MonotonicTime(nanoseconds: 1_000_000_000)
  /// Calls of `receive`.
  var calls = 0

  init(_ routes: RouteTree, limits: HTTPLimits = HTTPLimits()) {
    let pending = PendingWork()
    let service = HTTPService(routes: routes, limits: limits, startAsync: { id, work in pending.add(id, work) })
    self.init(service, pending)
  }

  init(_ service: HTTPService, _ pending: PendingWork) {
    self.service = service
    self.pending = pending
    session = HTTPSession(id: ConnectionID(loop: 0, slot: 1, generation: 1), service: service)
    progress = session.wake(.connected, into: &output, at: now)
  }

  /// Nil while open.
  var closeReason: CloseReason? {
    if case .close(let reason) = progress.next { reason } else { nil }
  }

  var isBlocked: Bool {
    if case .blocked = progress.next { true } else { false }
  }

  /// Sends bytes and lets the session work until it wants more.
  mutating func send(_ bytes: [UInt8]) {
    unconsumed += bytes
    run(hasNews: true)
  }

  mutating func send(_ text: String) { send(Array(text.utf8)) }

  private mutating func run(hasNews: Bool) {
    var hasNews = hasNews
    while true {
      switch progress.next {
      case .read(let atLeast): if !hasNews || unconsumed.count < atLeast { return }
      case .full:
        flushed.append(output)
        output.removeAll()
      case .blocked, .close: return
      }
      hasNews = false
      calls += 1
      let input = unconsumed
      progress = session.receive(input.rawSpan, into: &output, at: now)
      unconsumed.removeFirst(progress.consumed)
    }
  }

  mutating func wake(_ cause: Wake) {
    progress = session.wake(cause, into: &output, at: now)
    run(hasNews: true)
  }

  /// Moves time to the session's deadline and wakes it.
  mutating func meetDeadline() {
    now = progress.deadline
    wake(.deadline(buffered: unconsumed.count))
  }

  mutating func advance(seconds: Double) { now = now.advanced(bySeconds: seconds) }

  /// Runs what `async` handlers have started, until nothing is left.
  mutating func settle() async {
    while let work = pending.next() {
      let message = await work()
      wake(.message(message))
    }
  }

  /// What was answered since the last call.
  mutating func takeOutput() -> String {
    flushed.append(output)
    output.removeAll()
    let text = flushed.text
    flushed.removeAll()
    return text
  }

  mutating func exchange(_ text: String) -> String {
    send(text)
    return takeOutput()
  }
}

/// Operations that sessions have started and that nobody has run yet.
final class PendingWork: Sendable {
  typealias Work = @Sendable () async -> any Sendable
  private let queue = Mutex<[Work]>([])

  func add(_ id: ConnectionID, _ work: @escaping Work) { queue.withLock { $0.append(work) } }
  func next() -> Work? { queue.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
  var count: Int { queue.withLock { $0.count } }
}

/// Replies without their Date lines, which change. By bytes, since the string algorithms take minutes over long replies in debug
/// builds.
func withoutDate(_ replies: String) -> String {
  let bytes = Array(replies.utf8)
  let mark = Array("\r\nDate: ".utf8)
  var kept: [UInt8] = []
  kept.reserveCapacity(bytes.count)
  var index = 0
  while index < bytes.count {
    if bytes[index] == mark[0] && bytes[index...].starts(with: mark) { index += mark.count + "Thu, 01 Jan 1970 00:00:00 GMT".utf8.count }
    kept.append(bytes[index])
    index += 1
  }
  return String(decoding: kept, as: UTF8.self)
}

/// The statuses of a sequence of replies.
func statuses(_ replies: String) -> [Int] {
  let bytes = Array(replies.utf8)
  let mark = Array("HTTP/1.1 ".utf8)
  var found: [Int] = []
  var index = 0
  while index + mark.count + 3 <= bytes.count {
    if bytes[index] == mark[0] && bytes[index...].starts(with: mark), (0x31...0x35).contains(bytes[index + mark.count]) {
      found.append(bytes[(index + mark.count)..<(index + mark.count + 3)].reduce(0) { $0 * 10 + Int($1 & 15) })
      index += mark.count
    }
    index += 1
  }
  return found
}

enum Routes {
  /// Routes that the tests of sessions share.
  static let sample: RouteTree = {
    var router = Router()
    router.get("/json") { _, response in
      response.head(.ok)
      response.field("Content-Type", "application/json")
      response.body { $0.append(#"{"message":"Hello, World!"}"#) }
    }
    router.get("/items/{key}") { request, response in response.body(request.parameter(0)) }
    router.put("/items/{key}") { request, response in
      response.head(.created)
      response.body(request.body)
    }
    router.post("/echo") { request, response in response.body(request.body) }
    router.get("/files/{path...}") { request, response in response.body(request.parameter(0)) }
    router.get("/throws") { _, _ in throw HTTPError(.conflict, "It is taken.", offset: 3, pointer: "/a", limit: 7) }
    router.get("/chunks") { _, response in
      response.beginChunks()
      response.chunk(Array("hello".utf8).rawSpan)
      response.chunk(Array(" world".utf8).rawSpan)
      response.endChunks()
    }
    router.get("/later") { request in OwnedResponse("later \(String(decoding: request.query, as: UTF8.self))") }
    return RouteTree(router)
  }()
}
