/// Replies by `async` handlers. The session starts the handler with a copy of the request, answers `.blocked`, and goes on reading
/// when the reply has come as a message: in order by construction, one at a time. Streams are pulled: the next chunk is asked for
/// when the one before has been flushed. A parked reply has no task: it is written when it is said to be due.

internal import MartletBytes

/// What is known of a request while its reply is owed.
struct OwedReply: ~Copyable {
  var sequence: UInt64
  var route: Int
  var start: MonotonicTime
  var isHead: Bool
  var minorVersion: UInt8
  var persistence: ResponseWriter.Persistence
  /// Of the head of a streamed reply.
  var status = 0
  /// Fields that middleware set before the handler began.
  var held: ByteBuffer
  /// The rest of a streamed reply.
  var pull: (@Sendable () async throws -> [UInt8]?)?
  var parked: (any ParkedReply)?

  deinit { parked?.leave() }
}

/// What arrives from an `async` handler.
struct LaterMessage: Sendable {
  enum Content: Sendable {
    case response(OwnedResponse)
    case chunk([UInt8]?)
    case failed(any Error)
  }

  var sequence: UInt64
  var content: Content
}

extension HTTPSession {
  /// Starts the handler that the writer was given.
  mutating func startLater(_ loop: inout HTTPLoop, at now: MonotonicTime) -> Progress.Next {
    guard let later = loop.writer.later.take() else { preconditionFailure("no later reply to start") }
    sequence += 1
    var held = ByteBuffer()
    held.append(loop.writer.held)
    owed = OwedReply(
      sequence: sequence, route: loop.scratch.value.match.route, start: now, isHead: loop.writer.isHead,
      minorVersion: loop.writer.minorVersion, persistence: loop.writer.persistence, held: held, pull: nil)
    phase = .owed
    switch later {
    case .parked(let reply):
      owed?.parked = reply
      isParked = true
      if loop.isDraining { return refuseParked(&loop) }  // nobody will say so later
    case .handler(let handler, let request):
      service.startAsync(id) { [sequence] in
        do {
          return LaterMessage(sequence: sequence, content: .response(try await handler(request)))
        } catch {
          return LaterMessage(sequence: sequence, content: .failed(error))
        }
      }
    }
    return .blocked
  }

  /// Writes a parked reply that is due; a stale message changes nothing.
  mutating func take(_ due: ParkedReplyDue, _ loop: inout HTTPLoop, at now: MonotonicTime) -> Progress.Next? {
    guard case .owed = phase, let reply = owed?.parked, reply === due.reply else { return nil }
    beginOwed(&loop)
    do {
      try reply.write(to: &loop.writer, at: now)
      precondition(loop.writer.later == nil, "a parked reply is written, not left to another")
      try loop.writer.finish()
    } catch {
      loop.writer.problem(service.reply(for: error, route: owed?.route ?? service.routes.unmatched))
    }
    return endOwed(&loop)
  }

  /// The server stops: who waits is told so.
  mutating func refuseParked(_ loop: inout HTTPLoop) -> Progress.Next {
    beginOwed(&loop)
    loop.writer.problem(HTTPError(.serviceUnavailable, "the server is stopping", fields: [HTTPField("Retry-After", "1")]))
    return endOwed(&loop)
  }

  /// Asks for the next chunk of a streamed reply.
  mutating func pullChunk() -> Progress.Next {
    guard let pull = owed?.pull else { preconditionFailure("no stream to go on with") }
    phase = .owed
    service.startAsync(id) { [sequence] in
      do {
        return LaterMessage(sequence: sequence, content: .chunk(try await pull()))
      } catch {
        return LaterMessage(sequence: sequence, content: .failed(error))
      }
    }
    return .blocked
  }

  /// Takes a message; a stale one changes nothing.
  mutating func take(_ message: LaterMessage, _ loop: inout HTTPLoop) -> Progress.Next? {
    guard case .owed = phase, message.sequence == sequence, owed != nil else { return nil }
    switch message.content {
    case .response(let response): return takeResponse(response, &loop)
    case .chunk(let bytes?): return takeChunk(bytes, &loop)
    case .chunk(nil): return endStream(&loop)
    case .failed(let error): return takeFailure(error, &loop)
    }
  }

  private mutating func takeResponse(_ response: OwnedResponse, _ loop: inout HTTPLoop) -> Progress.Next {
    beginOwed(&loop)
    loop.writer.write(response)
    if loop.writer.isFaulty {
      loop.writer.problem(.unsendable)
      return endOwed(&loop)
    }
    if case .stream(let pull) = response.body, loop.writer.state == .chunks, !loop.writer.isHead {
      owed?.pull = pull
      owed?.persistence = loop.writer.persistence
      owed?.status = loop.writer.status
      phase = .streaming
      return .full
    }
    return endOwed(&loop)
  }

  /// An error before the head becomes a reply; one in the middle of a stream cuts it, which is how HTTP says it.
  private mutating func takeFailure(_ error: any Error, _ loop: inout HTTPLoop) -> Progress.Next {
    let reply = service.reply(for: error, route: owed?.route ?? service.routes.unmatched)
    if owed?.pull != nil { return .close(.aborted) }
    beginOwed(&loop)
    loop.writer.problem(reply)
    return endOwed(&loop)
  }

  private mutating func takeChunk(_ bytes: [UInt8], _ loop: inout HTTPLoop) -> Progress.Next {
    loop.writer.resumeChunks(minorVersion: owed?.minorVersion ?? 1)
    loop.writer.chunk(bytes.rawSpan)
    phase = .streaming
    return .full
  }

  private mutating func endStream(_ loop: inout HTTPLoop) -> Progress.Next {
    loop.writer.resumeChunks(minorVersion: owed?.minorVersion ?? 1)
    loop.writer.endChunks()
    loop.writer.persistence = owed?.persistence ?? .close
    loop.writer.status = owed?.status ?? 200
    return endOwed(&loop)
  }

  /// Prepares the writer for the reply that is owed.
  private mutating func beginOwed(_ loop: inout HTTPLoop) {
    guard let reply = owed.take() else { return }
    // The server may have begun to stop in the meantime.
    let persistence: ResponseWriter.Persistence = loop.isDraining ? .close : reply.persistence
    loop.writer.begin(isHead: reply.isHead, minorVersion: reply.minorVersion, persistence: persistence)
    loop.writer.held.append(reply.held)
    owed = consume reply
  }

  /// Counts the reply; the next request may come. The clock is read anew: the loop's stands still for a turn, in which a handler
  /// that need not wait begins and ends.
  private mutating func endOwed(_ loop: inout HTTPLoop) -> Progress.Next {
    if let reply = owed.take() {
      service.statistics.value.record(
        route: reply.route, status: loop.writer.status, times: 1, nanoseconds: MonotonicTime.now.nanoseconds(since: reply.start))
    }
    phase = .request
    isParked = false
    if loop.writer.persistence == .close { return closing(loop) }
    return .full  // not `.read`: further requests may be buffered, and the peer may have stopped sending
  }
}
