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
      case .full: break
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
    let text = output.text
    output.removeAll()
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

/// Replies without their Date line, which changes.
func withoutDate(_ replies: String) -> String {
  replies.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
}

/// The statuses of a sequence of replies.
func statuses(_ replies: String) -> [Int] {
  replies.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst().compactMap { Int($0.prefix(3)) }
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
