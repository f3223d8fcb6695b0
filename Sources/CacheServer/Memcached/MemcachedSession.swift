/// One connection of a memcached client: the life of its commands, from bytes to bytes. Pure: knows no socket and starts no thread.
///
/// `receive` holds the decisions: **parse every complete request → those in a row that work on keys alone: hash, lock, read ahead, run →
/// the others one by one → one write.** What commands do is in `MemcachedExecution`. The text and the meta protocol are one: a
/// connection may mix them.
///
/// Cost of a batch of `get`s: a parse each; one taking of the locks of their shards, one pass of loads that brings their memory, then a
/// copy of each value into the output. No allocation.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop

struct MemcachedSession: ByteSession, ~Copyable {
  let id: ConnectionID
  let service: MemcachedService
  private var parser = MemcachedParser()
  private var isAuthenticated: Bool
  /// Keys of the `get` at the front of the input that are answered already: its reply is more than the output takes at once.
  private var keysDone = 0
  /// Of the last reply, what the output had no room for.
  private var pending: PendingReply?
  /// Where a list of all items goes on that is on its way out.
  private var dump: ScanCursor?
  private var inputHasEnded = false
  private var patience = Patience()

  init(id: ConnectionID, service: MemcachedService) {
    self.id = id
    self.service = service
    isAuthenticated = service.shared.token == nil
  }

  // MARK: Receiving

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    receive(input, into: &output, at: now, service, &service.loop.value)
  }

  private mutating func receive(
    _ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime, _ service: MemcachedService, _ loop: inout MemcachedLoop
  ) -> Progress {
    loop.open(&output, at: now)
    let start = loop.execution.writer.output.count
    var position = 0
    var commands = 0
    let next = serve(input, &position, &commands, service, &loop)
    loop.close(commands, bytesIn: position, bytesOut: loop.execution.writer.output.count &- start, since: now)
    swap(&loop.execution.writer.output, &output)
    let left = parser.isUnderWay ? max(input.byteCount &- position, 1) : input.byteCount &- position
    return patience.promise(next, consumed: position, left: left, at: now)
  }

  private mutating func serve(
    _ input: RawSpan, _ position: inout Int, _ commands: inout Int, _ service: MemcachedService, _ loop: inout MemcachedLoop
  ) -> Progress.Next {
    if let next = PendingReply.pour(&pending, into: &loop.execution.writer.output) { return next }
    if let next = pourDump(&loop.execution) { return next }
    while true {
      // Parse
      loop.batch.removeAll(from: position)
      let wanted = parse(input, &loop.batch, loop.limits)

      // Run
      var index = 0
      var next: Progress.Next?
      while index < loop.batch.requests.count, next == nil {
        next = run(loop.batch, &index, input, service, &loop.execution)
        if next == nil, loop.execution.writer.output.count >= SessionLimits.outputBytesMax { next = .full }
      }
      commands &+= index

      // Finish
      if let next {
        // What is parsed beyond is parsed again, from its beginning.
        if index < loop.batch.requests.count { parser = MemcachedParser() }
        position = index < loop.batch.requests.count ? loop.batch.start(of: index) : loop.batch.end
        return next
      }
      position = loop.batch.end
      if let wanted {
        if loop.isDraining, position == input.byteCount { return .close(.drained) }
        return inputHasEnded ? .close(.peerClosed) : .read(atLeast: wanted)
      }
    }
  }

  /// Takes apart what is complete, up to a bound. Not nil: that was all, and so many bytes are wanted of the next.
  @inline(__always)
  private mutating func parse(_ input: RawSpan, _ batch: inout MemcachedBatch, _ limits: borrowing MemcachedLimits) -> Int? {
    while batch.requests.count < MemcachedBatch.requestsMax, batch.words.count < MemcachedBatch.wordsMax {
      switch parser.parse(input, from: batch.end, isAuthenticated: isAuthenticated, limits: limits, into: &batch.words) {
      case .request(let request):
        batch.append(request)
        // What follows is read by the rules of who has shown a token.
        if !isAuthenticated { return nil }
      case .skipped(let end): batch.skip(to: end)
      case .incomplete(let bytesWanted): return bytesWanted
      }
    }
    return nil
  }

  // MARK: Running

  /// Runs the requests at `index` that may be run together, or one that may not. Not nil: what to do instead of going on.
  private mutating func run(
    _ batch: borrowing MemcachedBatch, _ index: inout Int, _ input: RawSpan, _ service: MemcachedService,
    _ execution: inout MemcachedExecution
  ) -> Progress.Next? {
    let request = batch.requests[index]
    if request.mayJoin {
      runTogether(batch, &index, input, &execution)
      if execution.large.isEmpty { return nil }
      pending = PendingReply(takingFrom: &execution.writer.output, execution.large)
      execution.large.removeAll()
      return PendingReply.pour(&pending, into: &execution.writer.output)
    }
    index += 1
    return runAlone(request, batch.words(of: request, in: input), input, service, &execution)
  }

  /// A run of requests on keys: all their memory is asked for, then each is executed, under one taking of locks.
  private mutating func runTogether(
    _ batch: borrowing MemcachedBatch, _ index: inout Int, _ input: RawSpan, _ execution: inout MemcachedExecution
  ) {
    execution.removeKeys()
    var end = index
    while end < batch.requests.count, batch.requests[end].mayJoin, execution.keys.count < MemcachedBatch.keysMax {
      let request = batch.requests[end]
      execution.noteKeys(of: request, batch.words(of: request, in: input), input, from: end == index ? keysDone : 0)
      end &+= 1
    }
    let first = index
    var done = first
    var keysDone = keysDone
    execution.store.withLockedShards(of: execution.keys.shards) { shards in
      execution.readAhead(shards)
      while done < end {
        let request = batch.requests[done]
        keysDone = execution.execute(
          request, number: done &- first, batch.words(of: request, in: input), input, from: keysDone, &shards)
        if keysDone > 0 { break }  // the rest of its keys in the next run
        done &+= 1
        if execution.isFull { break }
      }
    }
    self.keysDone = keysDone
    index = done
  }

  /// One request by itself.
  private mutating func runAlone(
    _ request: MemcachedRequest, _ words: borrowing ArgumentList, _ input: RawSpan, _ service: MemcachedService,
    _ execution: inout MemcachedExecution
  ) -> Progress.Next? {
    execution.statistics.calls[Int(request.command.rawValue)] &+= 1
    if let error = request.error {
      execution.writer.error(error)
      return error.closes ? .close(.protocolError) : nil
    }
    switch request.command {
    case .authenticate: isAuthenticated = execution.authenticate(request.data.of(input), service.shared.token)
    case .quit: return .close(.finished)
    case .flushAll: flushAll(request, service, &execution)
    case .stats: return stats(words, service, &execution)
    case .metadump:
      dump = .start
      return pourDump(&execution)
    default: execution.runLarge(request, words, input)
    }
    return nil
  }

  private func flushAll(_ request: MemcachedRequest, _ service: MemcachedService, _ execution: inout MemcachedExecution) {
    execution.statistics.flushes &+= 1
    let due = request.time <= 0 ? execution.now : execution.expiry(request.time)
    service.shared.flush(at: due, now: execution.now)
    if !request.isQuiet { execution.writer.line("OK\r\n") }
  }

  /// Lists items, a portion at a time: others have their turn in between, and what the peer does not read is not made. Nil: all of them.
  private mutating func pourDump(_ execution: inout MemcachedExecution) -> Progress.Next? {
    while let cursor = dump {
      if execution.writer.output.count >= Self.dumpBytes { return .full }
      dump = execution.list(from: cursor)
    }
    return nil
  }

  /// Of a list of items, what is written at once.
  private static var dumpBytes: Int { 64 << 10 }

  /// Statistics are of all loops, which are asked one after the other: the reply is owed until then.
  private func stats(
    _ words: borrowing ArgumentList, _ service: MemcachedService, _ execution: inout MemcachedExecution
  ) -> Progress.Next? {
    guard let topic = MemcachedReport.Topic(words) else {
      execution.writer.error(.unknownCommand)
      return nil
    }
    service.shared.report(topic, to: id)
    return .blocked
  }

  // MARK: Waking

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected: return patience.promise(.read(atLeast: 1), at: now)
    case .deadline(let count): patience.deadlineCame(buffered: count, at: now)
    case .endOfInput:
      inputHasEnded = true
      patience.standing.next = .close(.peerClosed)
    case .drain:
      // A request that is half here may finish, within the time that draining has; a reply that is owed is given: `serve` closes then.
      switch patience.standing.next {
      case .full, .blocked: break
      case .read, .close: if !parser.isUnderWay { patience.standing.next = .close(.drained) }
      }
    case .message(let message):
      guard case .blocked = patience.standing.next, let report = message as? MemcachedReport else { break }
      output.append(report.text)
      return patience.promise(.full, at: now)
    }
    return patience.standing
  }
}

extension MemcachedRequest {
  /// Whether it may be run with others under one taking of locks.
  fileprivate var mayJoin: Bool {
    if let error {
      if case .authenticate = command { return false }
      return !error.closes
    }
    switch command {
    case .flushAll, .stats, .metadump, .quit, .authenticate, .unknown, .prepend: return false
    default: return data.count < UInt32(CacheLimits.largeValueBytesMin)
    }
  }
}
