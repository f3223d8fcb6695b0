/// One HTTP/1.1 connection: the life of a request, from bytes to bytes. Pure: knows no socket and starts no thread.
///
/// `receive` holds the decisions: **parse → frame the body → route → handle → finish**, again and again while there is input.
/// What it needs is below it and returns: `RequestParser`, `ChunkedDecoder`, `RouteTree`, the handler, `ResponseWriter`. Timeouts
/// are in `HTTPSession+Deadlines.swift`, replies that come later in `HTTPSession+Later.swift`.
///
/// Cost of a pipelined `GET /json`: no allocation, no lock, no reference counted, no copy of input. One parse (offsets into the
/// read buffer), one walk over flat route arrays, one indirect call, the reply written once in place. Per call of `receive`, not
/// per request: two swaps of the output buffer, one clock reading for the latencies.
///
/// A body with a length waits in the connection's buffer together with its head and is handed on as a span of it; only chunked
/// bodies are copied (decoded), into memory of the session that is freed after the request.

package import MartletBytes

package struct HTTPSession: ByteSession, ~Copyable {
  enum Phase: Sendable {
    /// Between requests, in a head, or waiting until head and body are there together.
    case request
    /// A chunked body arrives; its head is in `savedHead`.
    case chunks
    /// The rest of a body that nobody wants, of this length.
    case unwantedBytes(Int)
    case unwantedChunks
    /// An `async` handler owes the reply, or the next chunk of it.
    case owed
    /// A chunk of a streamed reply was written: once it is flushed the next one is asked for.
    case streaming
  }

  let id: ConnectionID
  let service: HTTPService
  var phase = Phase.request

  /// Bytes of input that are needed before parsing makes sense again: a head with its body.
  var bytesNeeded = 1
  /// Of an unfinished head: when its first byte came (`.never`: no head is under way), how much was parsed in vain, how much
  /// searched for the end of a line.
  var headStart = MonotonicTime.never
  var headBytesParsed = 0
  var headBytesSearched = 0
  var leadingLineBreaks = 0
  /// Of a body under way.
  var pace = BodyPace()

  /// Of a chunked request.
  var savedHead = ByteBuffer()
  var decoder = ChunkedDecoder()
  var decodedBody = ByteBuffer()

  /// Of a reply that comes later.
  var owed: OwedReply?
  /// Tells apart the messages for different replies; a stale one is ignored.
  var sequence: UInt64 = 0

  /// The peer has sent its last byte.
  var inputHasEnded = false
  /// What was answered last, for wakes that change nothing.
  var standing = Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)

  package init(id: ConnectionID, service: HTTPService) {
    self.id = id
    self.service = service
  }

  package mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    if bytesNeeded > 1 && input.byteCount < bytesNeeded && !inputHasEnded { return standing }
    service.open(&output, at: now)
    var position = 0
    let next = serve(input, &position, at: now)
    service.close(&output)
    return promise(next, consumed: position, at: now)
  }

  /// The life of requests, one after another, until there is nothing more to do with `input`.
  private mutating func serve(_ input: RawSpan, _ position: inout Int, at now: MonotonicTime) -> Progress.Next {
    do throws(RequestFailure) {
      while true {
        if isFull(input, position) { return .full }
        switch phase {
        case .request: break
        case .chunks:
          guard try decodeChunks(input, &position, keeps: true, at: now) else { return wait() }
          if let next = try replyToChunkedRequest(at: now) { return next }
          continue
        case .unwantedBytes, .unwantedChunks:
          guard try dropBody(input, &position, at: now) else { return wait() }
          continue
        case .owed: return .blocked
        case .streaming: return pullChunk()
        }

        // Parse
        let rest = input[position..<input.byteCount]
        if try skipLineBreak(rest, &position) { continue }
        guard try parseHead(rest, at: now) else { return wait() }
        let headBytes = service.scratch.value.head.byteCount

        // Route, before a body is waited for: what no route wants is not kept.
        let isRouted = service.routes.match(&service.scratch.value, of: rest)

        // Frame
        var requestBytes = headBytes
        if service.scratch.value.head.hasBody {
          guard isRouted else {
            if let next = try replyWithoutBody(rest, &position, at: now) { return next }
            continue
          }
          if service.scratch.value.head.isChunked {
            beginChunks(rest[0..<headBytes], &position, hasMore: rest.byteCount > headBytes, at: now)
            continue
          }
          requestBytes = try requestLength()
          if rest.byteCount < requestBytes { return waitForBody(requestBytes, of: rest.byteCount, at: now) }
        }

        // Handle
        handle(head: rest, body: rest[headBytes..<requestBytes], at: now)
        position &+= requestBytes

        // Finish
        if let next = finishReply(at: now) { return next }
      }
    } catch {
      return refuse(error)
    }
  }

  // MARK: Parse

  /// Parses the head in front of `rest`; false if it is unfinished. One that drips in is looked at again when a line of it has
  /// ended or it has doubled, so the cost of a head stays linear in its lines.
  @inline(__always)
  private mutating func parseHead(_ rest: RawSpan, at now: MonotonicTime) throws(RequestFailure) -> Bool {
    if rest.byteCount == 0 || rest.byteCount == 1 && rest[0] == ASCII.carriageReturn { return false }
    if headBytesParsed > 0 && !isWorthParsing(rest) { return false }
    if try RequestParser.parse(rest, limits: service.limits, into: &service.scratch.value.head) {
      headBytesParsed = 0
      headStart = .never
      leadingLineBreaks = 0
      bytesNeeded = 1
      return true
    }
    if headStart == .never { headStart = now }
    headBytesParsed = rest.byteCount
    headBytesSearched = rest.byteCount
    return false
  }

  private mutating func isWorthParsing(_ rest: RawSpan) -> Bool {
    let limits = service.limits
    if rest.byteCount >= min(headBytesParsed * 2, limits.headBytesMax) { return true }
    if rest.firstIndex(of: ASCII.lineFeed, from: headBytesSearched) != nil { return true }
    headBytesSearched = rest.byteCount
    return false
  }

  /// Overlooks an empty line before a request (RFC 9112 section 2.2).
  @inline(__always)
  private mutating func skipLineBreak(_ rest: RawSpan, _ position: inout Int) throws(RequestFailure) -> Bool {
    if rest.byteCount < 2 || rest[0] != ASCII.carriageReturn { return false }
    if rest[1] != ASCII.lineFeed { throw .lineEnd }
    position &+= 2
    leadingLineBreaks += 1
    if leadingLineBreaks > service.limits.leadingLineBreaksMax { throw .leadingLineBreaks }
    return true
  }

  // MARK: Frame

  /// The length of a request with Content-Length, head included.
  private func requestLength() throws(RequestFailure) -> Int {
    let length = service.scratch.value.head.contentLength ?? 0
    if length > service.limits.bodyBytesMax { throw .bodyTooLarge }
    return service.scratch.value.head.byteCount + length
  }

  /// Head and body stay in the connection's buffer until they are there together; then they are parsed again, which costs less than
  /// keeping a parsed head for each connection.
  private mutating func waitForBody(_ requestBytes: Int, of count: Int, at now: MonotonicTime) -> Progress.Next {
    let headBytes = service.scratch.value.head.byteCount
    if service.scratch.value.head.expectsContinue && count == headBytes { sendContinue() }
    pace = BodyPace(at: now, counted: -headBytes, received: count - headBytes)
    bytesNeeded = requestBytes
    return wait()
  }

  private mutating func beginChunks(_ head: RawSpan, _ position: inout Int, hasMore: Bool, at now: MonotonicTime) {
    if service.scratch.value.head.expectsContinue && !hasMore { sendContinue() }
    savedHead.append(head)
    position += head.byteCount
    decoder = ChunkedDecoder()
    pace = BodyPace(at: now, counted: 0, received: 0)
    phase = .chunks
  }

  private func sendContinue() { service.writer.value.output.append("HTTP/1.1 100 Continue\r\n\r\n") }

  /// Decodes what there is of a chunked body; true at its end.
  private mutating func decodeChunks(
    _ input: RawSpan, _ position: inout Int, keeps: Bool, at now: MonotonicTime
  ) throws(RequestFailure) -> Bool {
    let before = position
    defer { pace.consume(position - before, buffered: input.byteCount - position, at: now) }
    return try decoder.decode(
      input[position..<input.byteCount], limits: service.limits, keeps: keeps, into: &decodedBody, consumed: &position)
  }

  private mutating func replyToChunkedRequest(at now: MonotonicTime) throws(RequestFailure) -> Progress.Next? {
    phase = .request
    try handleSaved(savedHead, decodedBody, at: now)
    savedHead = ByteBuffer()
    decodedBody = ByteBuffer()
    return finishReply(at: now)
  }

  /// Routes and handles a request whose head was saved while its body was decoded.
  private func handleSaved(
    _ head: borrowing ByteBuffer, _ body: borrowing ByteBuffer, at now: MonotonicTime
  ) throws(RequestFailure) {
    guard try RequestParser.parse(head.bytes, limits: service.limits, into: &service.scratch.value.head),
      service.routes.match(&service.scratch.value, of: head.bytes)
    else { preconditionFailure("a head that was parsed before does not parse again") }
    handle(head: head.bytes, body: body.bytes, at: now)
  }

  /// Answers a request that no route wants at once, and drops its body as it comes; one that waits for `100 Continue` may not send
  /// the body at all, so its connection closes.
  private mutating func replyWithoutBody(
    _ rest: RawSpan, _ position: inout Int, at now: MonotonicTime
  ) throws(RequestFailure) -> Progress.Next? {
    let headBytes = service.scratch.value.head.byteCount
    let length = service.scratch.value.head.contentLength ?? 0
    if length > service.limits.bodyBytesMax { throw .bodyTooLarge }
    phase = service.scratch.value.head.isChunked ? .unwantedChunks : .unwantedBytes(length)
    decoder = ChunkedDecoder()
    pace = BodyPace(at: now, counted: 0, received: 0)
    if service.scratch.value.head.expectsContinue && rest.byteCount == headBytes { service.scratch.value.head.closeAfterReply() }
    handle(head: rest, body: rest[0..<0], at: now)
    position += headBytes
    return finishReply(at: now)
  }

  private mutating func dropBody(_ input: RawSpan, _ position: inout Int, at now: MonotonicTime) throws(RequestFailure) -> Bool {
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

  // MARK: Handle

  /// Calls the route's handler; whatever it throws becomes a reply here.
  @inline(__always)
  private func handle(head: RawSpan, body: RawSpan, at now: MonotonicTime) {
    call(service.scratch.value, head: head, body: body, &service.writer.value, at: now)
  }

  @inline(__always)
  private func call(
    _ scratch: borrowing RequestScratch, head: RawSpan, body: RawSpan, _ writer: inout ResponseWriter, at now: MonotonicTime
  ) {
    writer.begin(
      isHead: scratch.head.method == .head, minorVersion: scratch.head.minorVersion, persistence: persistence(after: scratch.head))
    let request = Request(scratch, of: head, body: body, at: now, from: id)
    do {
      if scratch.match.isMalformed { throw HTTPError(.badRequest, "The path holds a % that is not followed by two hexadecimal digits.") }
      try service.routes.handlers[scratch.match.route](request, &writer)
      try writer.finish()
    } catch {
      writer.problem(service.reply(for: error, route: scratch.match.route))
    }
  }

  @inline(__always)
  private func persistence(after head: borrowing RequestHead) -> ResponseWriter.Persistence {
    if !head.keepsAlive || service.isDraining.value { return .close }
    return head.minorVersion == 0 ? .keepAlive : .implicit
  }

  // MARK: Finish

  /// Counts the reply and says what follows; nil: the next request.
  @inline(__always)
  private mutating func finishReply(at now: MonotonicTime) -> Progress.Next? {
    if service.writer.value.later != nil { return startLater(at: now) }
    service.note(route: service.scratch.value.match.route, status: service.writer.value.status)
    return service.writer.value.persistence == .close ? closing() : nil
  }

  func closing() -> Progress.Next { .close(service.isDraining.value ? .drained : .finished) }

  /// Whether replies are flushed before more input is used.
  @inline(__always)
  private func isFull(_ input: RawSpan, _ position: Int) -> Bool {
    service.writer.value.output.count >= service.limits.flushBytesMark && position < input.byteCount
  }

  /// Nothing more can be done with the input there is.
  private func wait() -> Progress.Next {
    inputHasEnded ? .close(.peerClosed) : .read(atLeast: bytesNeeded)
  }

  /// Answers broken framing, and closes.
  mutating func refuse(_ failure: RequestFailure, reason: CloseReason = .protocolError) -> Progress.Next {
    // HEAD is only known to be one if the whole head was sound; a body of a reply to a broken request harms nobody, for the connection closes.
    service.writer.value.begin(isHead: false, minorVersion: 1, persistence: .close)
    service.writer.value.problem(failure.error(service.limits))
    service.note(route: service.routes.unmatched, status: service.writer.value.status)
    return .close(reason)
  }

  /// Remembers what is answered, with the deadline that goes with it.
  @inline(__always)
  mutating func promise(_ next: Progress.Next, consumed: Int, at now: MonotonicTime) -> Progress {
    standing = Progress(consumed: 0, next: next, deadline: deadline(for: next, at: now))
    return standing.consuming(consumed)
  }
}

extension Progress {
  @inline(__always)
  func consuming(_ count: Int) -> Progress { Progress(consumed: count, next: next, deadline: deadline) }
}

extension HTTPService {
  /// The reply for what a handler threw. Unknown errors go to the operator, not to the client.
  func reply(for error: any Error, route: Int) -> HTTPError {
    if let known = error as? HTTPError { return known }
    report(error, label(ofRoute: route))
    return HTTPError(.internalServerError, "The server failed to answer this request.")
  }
}
