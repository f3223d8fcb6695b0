/// One HTTP/1.1 connection: the life of a request, from bytes to bytes. Pure: knows no socket and starts no thread.
///
/// `serve` holds the decisions: **parse → route → admit → frame the body → handle → finish**, again and again while there is input.
/// What it needs is below it and returns: `RequestParser`, `ChunkedDecoder`, `RouteTree`, the handler, `ResponseWriter`. Bodies
/// that arrive in pieces are in `HTTPSession+Body.swift`, timeouts in `HTTPSession+Deadlines.swift`, replies that come later in
/// `HTTPSession+Later.swift`.
///
/// Cost of a pipelined `GET /json`: no allocation, no lock, no copy of input; one parse (offsets into the read buffer, the field
/// section compared rather than parsed where it repeats, and who may come in judged once per section), one probe or walk in flat
/// route arrays, one indirect call that retains nothing, the reply written once in place. By callgrind at depth
/// 16, in instructions: parse 170, route 120, handler's calls of the writer 200, the rest of this file 190; 1,000 together with the
/// handler's own JSON and the loop. Per call of `receive`, not per request: two swaps of the output buffer, one clock reading for the
/// latencies.

package import MartletBytes

package struct HTTPSession: ByteSession, ~Copyable {
  enum Phase: Sendable {
    /// Between requests, in a head, or waiting until head and body are there together.
    case request
    /// A chunked body arrives; its head is in `savedRequest`.
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
  var unfinished = UnfinishedHead()
  /// Empty lines overlooked since the last request.
  var leadingLineBreaks = 0
  /// Of a body under way.
  var pace = BodyPace()

  /// A chunked request: its head and what has been decoded of its body.
  var savedRequest = ByteBuffer()
  var decoder = ChunkedDecoder()

  /// Of a reply that comes later.
  var owed: OwedReply?
  /// It waits without a task: not for a peer that is gone.
  var isParked = false
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
    return receive(input, into: &output, at: now, &service.loop.value)
  }

  private mutating func receive(
    _ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime, _ loop: inout HTTPLoop
  ) -> Progress {
    var position = 0
    loop.open(&output, of: service, at: now, for: id)
    if case .request = phase { loop.look(input) }
    let next = serve(input, &position, &loop, at: now)
    loop.close(&output, of: service)
    return promise(next, consumed: position, at: now)
  }

  /// The life of requests, one after another, until there is nothing more to do with `input`.
  private mutating func serve(
    _ input: RawSpan, _ position: inout Int, _ loop: inout HTTPLoop, at now: MonotonicTime
  ) -> Progress.Next {
    let limits = loop.limits  // once: where they are lent from, they are copied
    do throws(RequestFailure) {
      while true {
        if loop.writer.output.count >= limits.flushBytesMark && position < input.byteCount { return .full }
        switch phase {
        case .request: break
        case .chunks:
          guard try decodeChunks(input, &position, keeps: true, at: now) else { return wait() }
          if let next = try replyToChunkedRequest(&loop, at: now) { return next }
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
        guard try parseHead(rest, limits, &loop, at: now) else { return wait() }
        let headBytes = loop.scratch.value.head.byteCount

        // Route and admit, before a body is waited for: what no route wants, or who may not come in, is not kept.
        let isRouted = loop.route(rest)
        if loop.scratch.value.head.contentLength ?? 0 > limits.bodyBytesMax { throw .bodyTooLarge }
        if !loop.isAdmitted, let refusal = loop.refusal(of: service, head: rest[0..<headBytes]) {
          if let next = replyWithoutBody(rest, &position, &loop, at: now, refusal: refusal) { return next }
          continue
        }

        // Frame
        var requestBytes = headBytes
        if loop.scratch.value.head.hasBody {
          if !isRouted {
            if let next = replyWithoutBody(rest, &position, &loop, at: now) { return next }
            continue
          }
          if loop.scratch.value.head.isChunked {
            beginChunks(rest, &position, &loop, at: now)
            continue
          }
          requestBytes &+= loop.scratch.value.head.contentLength ?? 0
          if rest.byteCount < requestBytes { return waitForBody(requestBytes, of: rest.byteCount, &loop, at: now) }
        }

        // Handle
        handle(rest[0..<requestBytes], &loop)
        position &+= requestBytes

        // Finish
        if let next = finishReply(&loop, at: now) { return next }
      }
    } catch {
      return refuse(error, &loop)
    }
  }

  // MARK: Parse

  /// Parses the head in front of `rest`; false if it is unfinished.
  @inline(__always)
  private mutating func parseHead(
    _ rest: RawSpan, _ limits: borrowing HTTPLimits, _ loop: inout HTTPLoop, at now: MonotonicTime
  ) throws(RequestFailure) -> Bool {
    if rest.byteCount == 0 || rest.byteCount == 1 && rest[0] == ASCII.carriageReturn { return false }
    if unfinished.isUnderWay, !unfinished.isWorthParsing(rest, headBytesMax: limits.headBytesMax) { return false }
    guard try RequestParser.parse(rest, limits: limits, into: &loop.scratch.value.head) else {
      unfinished.note(rest.byteCount, at: now)
      return false
    }
    if unfinished.isUnderWay { unfinished.reset() }
    leadingLineBreaks = 0
    bytesNeeded = 1
    return true
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

  // MARK: Handle

  /// Calls the route's handler with a head and its body; whatever it throws becomes a reply here.
  @inline(__always)
  func handle(_ request: RawSpan, _ loop: inout HTTPLoop) {
    loop.beginReply()
    call(loop.routes, loop.scratch, request, &loop.writer)
  }

  @inline(__always)
  private func call(
    _ routes: borrowing RouteTree, _ scratch: borrowing UniqueBox<RequestScratch>, _ request: RawSpan, _ writer: inout ResponseWriter
  ) {
    let route = scratch.value.match.route
    do {
      try routes.endpoints[route].answer(Request(scratch, of: request), &writer)
      try writer.finish()
    } catch {
      writer.problem(service.reply(for: error, route: route))
    }
  }

  // MARK: Finish

  /// Counts the reply and says what follows; nil: the next request.
  @inline(__always)
  mutating func finishReply(_ loop: inout HTTPLoop, at now: MonotonicTime) -> Progress.Next? {
    if loop.writer.isLater { return startLater(&loop, at: now) }
    loop.noteReply(of: service)
    return loop.writer.persistence == .close ? closing(loop) : nil
  }

  func closing(_ loop: borrowing HTTPLoop) -> Progress.Next { .close(loop.isDraining ? .drained : .finished) }

  /// Nothing more can be done with the input there is.
  func wait() -> Progress.Next {
    inputHasEnded ? .close(.peerClosed) : .read(atLeast: bytesNeeded)
  }

  /// Answers broken framing, and closes. The reply has a body even if the request was a HEAD: framing is lost anyway.
  mutating func refuse(_ failure: RequestFailure, _ loop: inout HTTPLoop, reason: CloseReason = .protocolError) -> Progress.Next {
    loop.writer.begin(isHead: false, minorVersion: 1, persistence: .close)
    loop.writer.problem(failure.error(loop.limits))
    loop.scratch.value.match.route = loop.routes.unmatched
    loop.noteReply(of: service)
    return .close(reason)
  }

  /// Remembers what is answered, with the deadline that goes with it.
  @inline(__always)
  mutating func promise(_ next: Progress.Next, consumed: Int, at now: MonotonicTime) -> Progress {
    standing = Progress(consumed: 0, next: next, deadline: deadline(for: next, at: now))
    standing.watchesPeer = isParked
    var progress = standing
    progress.consumed = consumed
    return progress
  }
}

/// A head that arrives in pieces. It is parsed from its beginning each time, but only when a line of it has ended or it has doubled:
/// a head that drips in byte by byte costs one search for a line feed per byte, and a parse per line.
struct UnfinishedHead: Sendable {
  /// When its first byte came; `.never`: no head is under way.
  private(set) var start = MonotonicTime.never
  private var bytesParsed = 0
  private var bytesSearched = 0

  var isUnderWay: Bool { bytesParsed > 0 }

  @inline(__always)
  mutating func reset() {
    start = .never
    bytesParsed = 0
  }

  /// Parsing `count` bytes has shown that some are missing.
  mutating func note(_ count: Int, at now: MonotonicTime) {
    if start == .never { start = now }
    bytesParsed = count
    bytesSearched = count
  }

  mutating func isWorthParsing(_ head: RawSpan, headBytesMax: Int) -> Bool {
    if head.byteCount >= bytesParsed * 2 || head.byteCount >= headBytesMax { return true }
    if head.firstIndex(of: ASCII.lineFeed, from: bytesSearched) != nil { return true }
    bytesSearched = head.byteCount
    return false
  }
}
