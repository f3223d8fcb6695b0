/// One connection of a Redis client: the life of its commands, from bytes to bytes. Pure: knows no socket and starts no thread.
///
/// `receive` holds the decisions: **parse every complete command → those in a row that work on keys alone: hash, lock, touch, run → the
/// others one by one → one write.** What commands do is in `CommandExecution` (keys) and in the extensions of this (the connection,
/// transactions, the keyspace).
///
/// Cost of a batch of GETs: a parse and a look-up of the name each; one taking of the locks of their shards, one pass of loads that
/// brings their memory, then a copy of each value into the output. No allocation.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop
internal import Synchronization

struct RESPSession: ByteSession, ~Copyable {
  enum ReplyMode { case on, off, skipNext, skip }

  let id: ConnectionID
  let service: RESPService
  let record: ClientRecord
  var parser = RESPParser()
  var database: UInt8 = 0
  var version = RESPWriter.Version.two
  var isAuthenticated: Bool
  var replyMode = ReplyMode.on
  var transaction: Transaction?
  var watches: WatchList?
  /// Of `watches`.
  var watchedShards = ShardSet()
  /// As it was when the first of them was watched: after a SWAPDB they all count as changed.
  var watchedDatabases = DatabaseMap.identity
  /// The rest of replies that did not fit into the output.
  var pending: PendingReply?
  /// A command waits, and its reply is owed.
  var waiting: WaitingLease?
  /// Nil: to nothing.
  var subscriptions: LoopLocal<Subscriptions>?
  /// Of the command under way: output up to here is told whatever CLIENT REPLY says.
  var keptOutput = 0
  /// It has published faster than can be delivered: it is not read on until that is done.
  var isWaitingForRoom = false
  /// It is blocked until then, by CLIENT PAUSE or DEBUG SLEEP.
  var pausedUntil: MonotonicTime?
  var isAsleep = false
  /// When the command run last was done.
  private var ticked = MonotonicTime(nanoseconds: 0)
  /// Set by a command that ends the conversation.
  var isQuitting = false
  private var inputHasEnded = false
  private var patience = Patience()

  init(id: ConnectionID, service: RESPService, peer: String, at now: MonotonicTime) {
    self.id = id
    self.service = service
    record = service.shared.clients.add(id, address: peer, localAddress: service.shared.localAddress, at: now)
    isAuthenticated = service.shared.token == nil
  }

  deinit {
    waiting?.forget()
    if subscriptions != nil { leaveTopics() }
    service.shared.clients.remove(record)
  }

  var store: CacheStore { service.shared.store }

  // MARK: Receiving

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    if subscriptions != nil { settleBacklog() }
    ticked = .now
    swap(&service.execution.value.writer.output, &output)
    let start = service.execution.value.writer.output.count
    var position = 0
    var commands = 0
    let next = serve(input, &position, &commands, service, &service.execution.value, &service.batch.value, at: now)
    swap(&service.execution.value.writer.output, &output)
    count(commands, bytesIn: position, bytesOut: output.count - start, since: now)
    return promise(next, consumed: position, left: input.byteCount - position, at: now)
  }

  private mutating func serve(
    _ input: RawSpan, _ position: inout Int, _ commands: inout Int, _ service: RESPService, _ execution: inout CommandExecution,
    _ batch: inout RESPBatch, at now: MonotonicTime
  ) -> Progress.Next {
    execution.now = service.shared.clock.unixTime(at: now)
    execution.writer.version = version
    execution.client = service.isDraining.value ? nil : id
    let limits = service.limits
    if let next = PendingReply.pour(&pending, into: &execution.writer.output) { return next }
    while true {
      // Parse
      batch.removeAll()
      let parsed = parse(input, from: position, &batch, service.lookup.value, limits)

      // Run
      var index = 0
      while index < batch.items.count {
        if service.shared.pause.isOn, isPaused(batch.items[index].found?.command, at: now) {
          if index > 0 { position = batch.items[index - 1].end }
          commands += index
          return .blocked
        }
        let first = index
        let next = run(batch, &index, input, service, &execution)
        tick(batch.items[index - 1].found?.command, batch.arguments(batch.items[first], of: input), count: index - first, &execution)
        if let next {
          position = batch.items[index - 1].end
          commands += index
          return next
        }
        if execution.writer.output.count >= SessionLimits.outputBytesMax {
          // What is parsed beyond is parsed again, from its beginning.
          position = batch.items[index - 1].end
          commands += index
          parser = RESPParser()
          return .full
        }
      }
      commands += index

      // Finish
      switch parsed {
      case .more(let end): position = end
      case .incomplete(let end, let wanted):
        position = end
        if service.isDraining.value, end == input.byteCount { return .close(.drained) }
        return inputHasEnded ? .close(.peerClosed) : .read(atLeast: wanted)
      case .line(let end):
        if service.shared.pause.isOn, isLinePaused(batch, service, at: now) {
          if let last = batch.items.last { position = last.end }
          return .blocked
        }
        position = end
        commands += 1
        if let next = runLine(service, &execution, batch) { return next }
      case .broken(let error):
        position = input.byteCount
        execution.writer.error(error.text)
        return .close(.protocolError)
      }
    }
  }

  private enum Parsed {
    case more(end: Int)
    case incomplete(end: Int, bytesWanted: Int)
    /// An inline command, which is run by itself: its words are the parser's, their places the last slices of the batch.
    case line(end: Int)
    case broken(RESPProtocolError)
  }

  /// Takes apart what is complete, up to a bound.
  @inline(__always)
  private mutating func parse(
    _ input: RawSpan, from start: Int, _ batch: inout RESPBatch, _ lookup: borrowing CommandLookup, _ limits: borrowing RESPLimits
  ) -> Parsed {
    var position = start
    do throws(RESPProtocolError) {
      while batch.items.count < RESPBatch.itemsMax, batch.slices.count < RESPBatch.slicesMax {
        let first = batch.slices.count
        switch try parser.parse(
          input, from: position, isAuthenticated: isAuthenticated, limits: limits, into: &batch.slices)
        {
        case .command(let end):
          let count = batch.slices.count &- first
          if count > 0 { add(first, count, end: end, input, &batch, lookup) }
          position = end
          // What follows is read by the rules of who has shown a token, once this has been run.
          if !isAuthenticated { return .more(end: position) }
        case .inlineCommand(let end): return .line(end: end)
        case .incomplete(let bytesWanted): return .incomplete(end: position, bytesWanted: bytesWanted)
        }
      }
      return .more(end: position)
    } catch {
      return .broken(error)
    }
  }

  @inline(__always)
  private func add(
    _ first: Int, _ count: Int, end: Int, _ input: RawSpan, _ batch: inout RESPBatch, _ lookup: borrowing CommandLookup
  ) {
    let name = batch.slices[first]
    let start = Int(name.start)
    let found = lookup.find(input, from: start, to: start &+ Int(name.count), argumentCount: count)
    let isShort = end &- start < CacheLimits.largeValueBytesMin
    let isKeyed = found.map { $0.isKeyed && $0.isArityRight && isShort && $0.command != .memory } ?? false
    batch.items.append(RESPBatch.Item(first: first, count: count, end: end, found: found, isKeyed: isKeyed))
  }

  // MARK: Running

  /// Runs the commands at `index` that may be run together, or one that may not. Not nil: what to do instead of going on.
  private mutating func run(
    _ batch: borrowing RESPBatch, _ index: inout Int, _ input: RawSpan, _ service: RESPService, _ execution: inout CommandExecution
  ) -> Progress.Next? {
    let isPlain =
      transaction == nil && isAuthenticated && replyMode == .on && !isSubscriberOnly && !service.shared.pause.isOn
    if isPlain, batch.items[index].isKeyed {
      runKeyed(batch, &index, input, &execution)
      return pauseIfNeeded(&execution)
    }
    let item = batch.items[index]
    index += 1
    return runAlone(item.found, batch.arguments(item, of: input), service, &execution)
  }

  /// A run of commands on keys: all their memory is asked for, then each is executed, under one taking of locks.
  private mutating func runKeyed(
    _ batch: borrowing RESPBatch, _ index: inout Int, _ input: RawSpan, _ execution: inout CommandExecution
  ) {
    enterDatabase(&execution)
    execution.removeKeys()
    var end = index
    while end < batch.items.count, batch.items[end].isKeyed {
      if let found = batch.items[end].found { execution.appendKeys(of: found.command, batch.arguments(batch.items[end], of: input)) }
      end += 1
    }
    let first = index
    var done = first
    execution.store.withLockedShards(of: execution.keys.shards) { shards in
      if execution.keys.count > 1 { shards.prefetch(&execution.keys) }
      while done < end {
        let item = batch.items[done]
        if let found = item.found { execution.execute(found.command, number: done - first, batch.arguments(item, of: input), &shards) }
        done += 1
        if execution.writer.output.count >= SessionLimits.outputBytesMax || execution.isPaused { break }
      }
    }
    execution.settle()
    index = done
    if let last = batch.items[done - 1].found { record.lastCommand.store(UInt16(last.command.rawValue), ordering: .relaxed) }
  }

  /// The inline command whose words the parser holds.
  private mutating func runLine(
    _ service: RESPService, _ execution: inout CommandExecution, _ batch: borrowing RESPBatch
  ) -> Progress.Next? {
    let first = batch.items.last.map { $0.first + $0.count } ?? 0
    let count = batch.slices.count - first
    if count == 0 { return nil }
    var words = ByteBuffer()
    swap(&words, &parser.unquoted)
    let args = RESPArguments(batch.slices.span.extracting(first..<(first + count)), of: words.bytes)
    let found = service.lookup.value.find(args[0], argumentCount: count)
    let next = runAlone(found, args, service, &execution)
    tick(found?.command, args, count: 1, &execution)
    return next
  }

  /// The time since the last tick is that of `command`, and of those run together with it: `count` of them, the first with `args`.
  @inline(__always)
  private mutating func tick(
    _ command: Command?, _ args: borrowing RESPArguments, count: Int, _ execution: inout CommandExecution
  ) {
    let now = MonotonicTime.now
    let elapsed = now.nanoseconds(since: ticked)
    ticked = now
    guard let command else { return }
    execution.counts[command].nanoseconds.count(elapsed)
    if service.shared.slowlog.isSlow(elapsed) { noteSlow(command, args, more: count - 1, nanoseconds: elapsed, execution.now) }
  }

  /// One command by itself, with all that surrounds it: who may ask, transactions, replies that nobody wants.
  private mutating func runAlone(
    _ found: CommandLookup.Found?, _ args: borrowing RESPArguments, _ service: RESPService, _ execution: inout CommandExecution
  ) -> Progress.Next? {
    enterDatabase(&execution)
    let mark = execution.writer.output.count
    keptOutput = mark
    var isCalled = false
    if replyMode == .skipNext { replyMode = .skip }
    do throws(CommandError) {
      guard let found else {
        // What a browser sends to a port that speaks no HTTP: hang up before its body is taken for commands.
        if args[0].equalsIgnoringCase("post") || args[0].equalsIgnoringCase("host:") { return .close(.protocolError) }
        throw unknown(args)
      }
      guard found.isArityRight else { throw wrongArity(found.command) }
      let subcommand = try Self.subcommand(found.command, args)
      if !isAuthenticated, !Self.needsNoToken(found.command) { throw .notAuthenticated }
      if isSubscriberOnly, !Self.isForSubscribers(found.command) { throw .subscriber(subcommand?.fullName ?? found.command.row.name) }
      record.note(found.command, subcommand)
      if transaction != nil, found.command == .shutdown || found.command == .save {
        throw CommandError("ERR Command not allowed inside a transaction")
      }
      try execution.checkKeys(of: found.command, args)
      if transaction != nil, !Self.runsInTransaction(found.command) {
        try queue(found.command, args, &execution)
      } else if found.isKeyed {
        try execution.executeAlone(found.command, args)
      } else {
        execution.counts[found.command].calls.count()
        isCalled = true
        try call(found.command, args, &execution)
      }
    } catch {
      execution.writer.output.truncate(to: mark)
      if let found {
        let count = execution.counts[found.command]
        if isCalled { count.failed.count() } else { count.rejected.count() }
      }
      execution.fail(error)
      if transaction != nil, !(found.map { Self.runsInTransaction($0.command) } ?? false) { transaction?.isSpoilt = true }
    }
    let waits = pauseIfNeeded(&execution)
    settleReply(&execution)
    return isQuitting ? .close(.finished) : waits
  }

  private mutating func settleReply(_ execution: inout CommandExecution) {
    switch replyMode {
    case .on, .skipNext: return
    case .off: break
    case .skip: replyMode = .on
    }
    execution.writer.output.truncate(to: keptOutput)
    pending = nil
  }

  private static func needsNoToken(_ command: Command) -> Bool {
    switch command {
    case .auth, .hello, .quit, .reset: true
    default: false
    }
  }

  private static func runsInTransaction(_ command: Command) -> Bool {
    switch command {
    case .exec, .discard, .multi, .watch, .quit, .reset: true
    default: false
    }
  }

  private mutating func wrongArity(_ command: Command) -> CommandError {
    if command != .exec { return .arity(command.row.name) }
    endTransaction()
    return CommandError("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command")
  }

  private func unknown(_ args: borrowing RESPArguments) -> CommandError {
    var text = Array("ERR unknown command '".utf8) + Self.quoted(args[0], 128) + Array("', with args beginning with: ".utf8)
    var room = 128
    for index in 1..<max(args.count, 1) where room > 0 {
      let word = Self.quoted(args[index], room)
      text += [UInt8(ascii: "'")] + word + Array("' ".utf8)
      room -= word.count + 3
    }
    return CommandError(text)
  }

  /// What an error shows of an argument: its bytes, up to a bound and, as in Redis, to the first NUL.
  private static func quoted(_ argument: RawSpan, _ bound: Int) -> [UInt8] {
    let shown = argument[0..<min(argument.byteCount, bound)]
    return shown[0..<(shown.firstIndex(of: 0) ?? shown.byteCount)].copied()
  }

  // MARK: Waking

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    patience.standing.consumed = 0
    switch cause {
    case .connected: return promise(.read(atLeast: 1), consumed: 0, left: 0, at: now)
    case .deadline(let count):
      if endPause(into: &output) { return resume(.read(atLeast: 1), at: now) }
      patience.deadlineCame(buffered: count, at: now)
    case .endOfInput:
      inputHasEnded = true
      patience.standing.next = .close(.peerClosed)
    case .drain:
      // A command that is half here may finish, within the time that draining has.
      // Commands that wait for the output to be written are answered first: `serve` closes after them.
      if case .full = patience.standing.next { break }
      if refuseWaiting(into: &output, at: now) { return resume(.full, at: now) }
      if isWaitingForRoom { break }
      if endPause(into: &output) { return resume(.full, at: now) }
      if !parser.isUnderWay { patience.standing.next = .close(.drained) }
    case .message(let message):
      if let published = message as? PublishedMessage {
        take(published, into: &output, at: now)
      } else if message is ConnectionKilled {
        patience.standing.next = .close(.killed)
      } else if endWaiting(message, into: &output, at: now) {
        return resume(.read(atLeast: 1), at: now)
      }
    }
    return patience.standing
  }

  /// After a wait.
  private mutating func resume(_ next: Progress.Next, at now: MonotonicTime) -> Progress {
    promise(next, consumed: 0, left: 0, at: now)
  }

  /// A message for a subscriber.
  private mutating func take(_ message: PublishedMessage, into output: inout ByteBuffer, at now: MonotonicTime) {
    guard let next = deliver(message, into: &output, at: now) else { return }
    if case (.full, .blocked) = (next, patience.standing.next) { return }
    patience.standing.next = next
  }

  private mutating func promise(_ next: Progress.Next, consumed: Int, left: Int, at now: MonotonicTime) -> Progress {
    let idleSeconds = subscriptions == nil ? service.shared.idleSeconds.load(ordering: .relaxed) : 0
    _ = patience.promise(next, left: left, idleSeconds: idleSeconds, at: now)
    // Of one that waits, whoever has it wait ends that.
    if case .blocked = next { patience.standing.deadline = pausedUntil ?? .never }
    patience.standing.watchesPeer = waiting != nil
    var progress = patience.standing
    progress.consumed = consumed
    return progress
  }

  private func count(_ commands: Int, bytesIn: Int, bytesOut: Int, since now: MonotonicTime) {
    if commands == 0 { return }
    record.lastSeen.store(now.nanoseconds, ordering: .relaxed)
    let totals = service.shared.totals[service.index]
    totals.commands.store(totals.commands.load(ordering: .relaxed) &+ UInt64(commands), ordering: .relaxed)
    totals.bytesIn.store(totals.bytesIn.load(ordering: .relaxed) &+ UInt64(bytesIn), ordering: .relaxed)
    totals.bytesOut.store(totals.bytesOut.load(ordering: .relaxed) &+ UInt64(max(bytesOut, 0)), ordering: .relaxed)
    service.latency.value.record(nanoseconds: ticked.nanoseconds(since: now), times: commands)
  }
}
