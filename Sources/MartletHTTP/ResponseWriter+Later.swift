/// Replies that come later: the door from a synchronous handler to an `async` one.

package import MartletBytes

/// Answers from borrowed bytes at once, on the loop's thread. May throw `HTTPError`, or anything else for a 500.
public typealias Handler = @Sendable (borrowing Request, inout ResponseWriter) throws -> Void
/// Answers after waiting. Runs on the loop's thread; its connection reads on when the reply is there, so replies stay in order.
public typealias AsyncHandler = @Sendable (OwnedRequest) async throws -> OwnedResponse
/// Wraps a handler. Composed when a route is registered; around an `async` route it runs around the start: fields set before
/// `next` are kept for the reply.
public typealias Middleware = @Sendable (@escaping Handler) -> Handler

/// Lets a request in by returning, or refuses it by throwing an `HTTPError`. Asked when the head is there: before a body is waited
/// for and `100 Continue` is sent. `body` is empty then; `hasBody` says whether one comes.
///
/// Its verdict is a function of the method, the host and the fields alone, milder at most where there is no route (`isRouted`): whoever
/// was let in to one route comes in again with the same method and fields, to any, without being asked. It may be called on any loop's
/// thread.
public typealias Admission = @Sendable (borrowing Request) throws -> Void

/// Who is to answer when the synchronous part has returned.
enum LaterReply: Sendable {
  /// An `async` handler, to be started.
  case handler(AsyncHandler, OwnedRequest)
  /// Somebody who will say when.
  case parked(any ParkedReply)
}

/// A reply that waits for something to happen elsewhere, without a task and without a copy of the request: what it needs it has kept.
///
/// Whoever makes it happen sends `ParkedReplyDue` to the connection, from any thread (`EventLoop.wake`); the connection's loop then calls
/// `write`. If the peer goes away before, or shuts its sending side, nothing is written; if the server stops, 503 is.
package protocol ParkedReply: AnyObject, Sendable {
  /// Writes the reply; what it throws becomes one. On the loop's thread, at most once.
  func write(to response: inout ResponseWriter, at now: MonotonicTime) throws
  /// The connection wants nothing more of it: the reply is written, or the peer is gone. On the loop's thread, once.
  func leave()
}

/// The message that a parked reply can be written now.
package struct ParkedReplyDue: Sendable {
  let reply: any ParkedReply
  package init(_ reply: any ParkedReply) { self.reply = reply }
}

extension ResponseWriter {
  /// Leaves the reply to `handler`, started with a copy of `request` once this handler has returned. What was written of this
  /// reply is dropped; fields set before `head` are kept.
  public mutating func reply(to request: borrowing Request, later handler: @escaping AsyncHandler) {
    output.truncate(to: start)
    state = .fresh
    later = .handler(handler, OwnedRequest(request))
  }

  /// Leaves the reply to `reply`, which may be due before this handler has returned. What was written of this reply is dropped; fields set
  /// before `head` are kept.
  package mutating func park(_ reply: any ParkedReply) {
    output.truncate(to: start)
    state = .fresh
    later = .parked(reply)
  }

  /// Writes what an `async` handler answered; a stream's chunks follow through `resumeChunks`.
  mutating func write(_ response: OwnedResponse) {
    head(response.status)
    for line in response.fields { field(line) }
    switch response.body {
    case .none: empty()
    case .bytes(let bytes): body(bytes.rawSpan)
    case .stream: beginChunks()
    }
  }

  /// Goes on with chunks that were begun in an earlier turn.
  mutating func resumeChunks(minorVersion: UInt8) {
    start = output.count
    state = .chunks
    isHead = false
    self.minorVersion = minorVersion
  }
}
