/// Bodies that arrive after their head. One with a length waits in the connection's buffer together with its head and is handed on
/// as a span of it, without a copy; a chunked one is decoded as it comes, into memory of the session that is freed after the
/// request; one that no route wants is dropped as it comes.

internal import MartletBytes

extension HTTPSession {
  // MARK: With a length

  /// Head and body are presented again when they are there together, and parsed again: that costs less than keeping a parsed head
  /// for each connection.
  mutating func waitForBody(_ requestBytes: Int, of count: Int, _ loop: inout HTTPLoop, at now: MonotonicTime) -> Progress.Next {
    let headBytes = loop.scratch.value.head.byteCount
    if loop.scratch.value.head.expectsContinue && count == headBytes { loop.writer.sendContinue() }
    pace = BodyPace(at: now, counted: -headBytes, received: count - headBytes)
    bytesNeeded = requestBytes
    return wait()
  }

  // MARK: Chunked

  mutating func beginChunks(_ rest: RawSpan, _ position: inout Int, _ loop: inout HTTPLoop, at now: MonotonicTime) {
    let headBytes = loop.scratch.value.head.byteCount
    if loop.scratch.value.head.expectsContinue && rest.byteCount == headBytes { loop.writer.sendContinue() }
    savedRequest.append(rest[0..<headBytes])
    position += headBytes
    decoder = ChunkedDecoder()
    pace = BodyPace(at: now, counted: 0, received: 0)
    phase = .chunks
  }

  /// Decodes what there is of a chunked body; true at its end.
  mutating func decodeChunks(
    _ input: RawSpan, _ position: inout Int, keeps: Bool, at now: MonotonicTime
  ) throws(RequestFailure) -> Bool {
    let before = position
    defer { pace.consume(position - before, buffered: input.byteCount - position, at: now) }
    return try decoder.decode(
      input[position..<input.byteCount], limits: service.limits, keeps: keeps, into: &savedRequest, consumed: &position)
  }

  mutating func replyToChunkedRequest(_ loop: inout HTTPLoop, at now: MonotonicTime) throws(RequestFailure) -> Progress.Next? {
    phase = .request
    try handleSaved(savedRequest, &loop)
    savedRequest = ByteBuffer()
    return finishReply(&loop, at: now)
  }

  private func handleSaved(_ request: borrowing ByteBuffer, _ loop: inout HTTPLoop) throws(RequestFailure) {
    guard try RequestParser.parse(request.bytes, limits: loop.limits, into: &loop.scratch.value.head), loop.route(request.bytes) else {
      preconditionFailure("a head that was parsed and routed before is not any more")
    }
    handle(request.bytes, &loop)
  }

  // MARK: Unwanted

  /// Answers a request that no route wants, or that is refused, at once. Its body is dropped as it comes; but a client that waits for `100 Continue`
  /// may or may not send it now, so that connection closes.
  mutating func replyWithoutBody(
    _ rest: RawSpan, _ position: inout Int, _ loop: inout HTTPLoop, at now: MonotonicTime, refusal: HTTPError? = nil
  ) -> Progress.Next? {
    let headBytes = loop.scratch.value.head.byteCount
    phase = loop.scratch.value.head.isChunked ? .unwantedChunks : .unwantedBytes(loop.scratch.value.head.contentLength ?? 0)
    decoder = ChunkedDecoder()
    pace = BodyPace(at: now, counted: 0, received: 0)
    if loop.scratch.value.head.expectsContinue && rest.byteCount == headBytes { loop.scratch.value.head.closeAfterReply() }
    if let refusal {
      loop.beginReply()
      loop.writer.problem(refusal)
    } else {
      handle(rest[0..<headBytes], &loop)
    }
    position += headBytes
    return finishReply(&loop, at: now)
  }

  mutating func dropBody(_ input: RawSpan, _ position: inout Int, at now: MonotonicTime) throws(RequestFailure) -> Bool {
    if case .unwantedBytes(let length) = phase {
      let count = min(length, input.byteCount - position)
      position += count
      pace.consume(count, buffered: 0, at: now)
      phase = .unwantedBytes(length - count)
      if count < length { return false }
    } else if try !decodeChunks(input, &position, keeps: false, at: now) {
      return false
    }
    phase = .request
    return true
  }
}
