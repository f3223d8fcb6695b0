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
  /// Set by a command that ends the conversation.
  var isQuitting = false
  private var inputHasEnded = false
  /// The name that the parser has noted.
  private var notedName = CommandName(nil)
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
    return receive(input, into: &output, at: now, service, &service.loop.value)
  }

  private mutating func receive(
    _ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime, _ service: RESPService, _ loop: inout RESPLoop
  ) -> Progress {
    loop.open(&output, version, client: id, at: now)
    let start = loop.execution.writer.output.count
    var position = 0
    var commands = 0
    let next = serve(input, &position, &commands, service, &loop, at: now)
    loop.close(commands, bytesIn: position, bytesOut: loop.execution.writer.output.count &- start)
    swap(&loop.execution.writer.output, &output)
    if commands > 0 { record.lastSeen.store(now.nanoseconds, ordering: .relaxed) }
    return promise(next, consumed: position, left: input.byteCount &- position, loop.rules, at: now)
  }

  private mutating func serve(
    _ input: RawSpan, _ position: inout Int, _ commands: inout Int, _ service: RESPService, _ loop: inout RESPLoop, at now: MonotonicTime
  ) -> Progress.Next {
    if let next = PendingReply.pour(&pending, into: &loop.execution.writer.output) { return next }
    if subscriptions != nil { releaseHeld(into: &loop.execution.writer.output) }
    while true {
      // Parse
      loop.batch.removeAll()
      let parsed = parse(input, from: position, &loop.batch, loop.limits)
      look(at: &loop.batch, from: position, input, loop.execution.lookup)

      // Run
      var index = 0
      while index < loop.batch.count {
        if loop.rules.isPaused, isPaused(loop.batch.names[index].found?.command, loop, at: now) {
          if index > 0 { position = loop.batch.commands[index - 1].end }
          commands &+= index
          return .blocked
        }
        if let next = run(&index, input, service, &loop) {
          position = loop.batch.commands[index - 1].end
          commands &+= index
          return next
        }
        if loop.execution.writer.output.count >= SessionLimits.outputBytesMax {
          // What is parsed beyond is parsed again, from its beginning.
          position = loop.batch.commands[index - 1].end
          commands &+= index
          parser = RESPParser()
          return .full
        }
      }
      commands &+= index

      // Finish
      switch parsed {
      case .more(let end): position = end
      case .incomplete(let end, let wanted):
        position = end
        if loop.isDraining, end == input.byteCount { return .close(.drained) }
        return inputHasEnded ? .close(.peerClosed) : .read(atLeast: wanted)
      case .line(let end):
        if loop.rules.isPaused, isLinePaused(loop, at: now) {
          if let end = loop.batch.end { position = end }
          return .blocked
        }
        position = end
        commands &+= 1
        if let next = runLine(service, &loop) { return next }
      case .broken(let error):
        position = input.byteCount
        loop.execution.writer.error(error.text)
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
  private mutating func parse(_ input: RawSpan, from start: Int, _ batch: inout RESPBatch, _ limits: borrowing RESPLimits) -> Parsed {
    var position = start
    do throws(RESPProtocolError) {
      while true {
        if isAuthenticated, !parser.isUnderWay {
          position = parser.parseUsual(
            input, from: position, limits: limits, into: &batch.slices, &batch.commands, argumentsMax: RESPBatch.slicesMax,
            commandsMax: RESPBatch.commandsMax)
        }
        if batch.commands.count >= RESPBatch.commandsMax || batch.slices.count >= RESPBatch.slicesMax { return .more(end: position) }
        let first = batch.slices.count
        switch try parser.parse(input, from: position, isAuthenticated: isAuthenticated, limits: limits, into: &batch.slices) {
        case .command(let end):
          let count = batch.slices.count &- first
          if count > 0 { batch.commands.append(RESPCommand(first: first, count: count, end: end)) }
          position = end
          // What follows is read by the rules of who has shown a token, once this has been run.
          if !isAuthenticated { return .more(end: position) }
        case .inlineCommand(let end): return .line(end: end)
        case .incomplete(let bytesWanted): return .incomplete(end: position, bytesWanted: bytesWanted)
        }
      }
    } catch {
      return .broken(error)
    }
  }

  /// Looks the names of a batch up that begins at `start`.
  @inline(__always)
  private mutating func look(at batch: inout RESPBatch, from start: Int, _ input: RawSpan, _ lookup: borrowing CommandLookup) {
    var start = start
    for index in 0..<batch.commands.count {
      let command = batch.commands[index]
      var name = notedName
      if command.name != .same {
        let slice = batch.slices[Int(command.first)]
        name = CommandName(lookup.find(input, from: Int(slice.start), to: slice.end, argumentCount: Int(command.count)))
        if command.name == .noted { notedName = name }
      }
      if command.end &- start >= CacheLimits.largeValueBytesMin { name.keyed = nil }
      batch.names.append(name)
      start = command.end
    }
  }

  // MARK: Running

  /// Runs the commands at `index` that may be run together, or one that may not. Not nil: what to do instead of going on.
  @inline(__always)
  private mutating func run(
    _ index: inout Int, _ input: RawSpan, _ service: RESPService, _ loop: inout RESPLoop
  ) -> Progress.Next? {
    if loop.batch.names[index].keyed != nil, isPlain, !loop.rules.isPaused {
      let first = index
      let run = announce(from: first, of: loop.batch, input, &loop.execution, loop.rules.databases)
      loop.beginTimer(quick: run.isQuick)
      runKeyed(first..<run.end, of: loop.batch, &index, input, &loop.execution)
      if let last = loop.batch.names[index &- 1].keyed { record.lastCommand.store(UInt16(last.rawValue), ordering: .relaxed) }
      endTimer(first..<index, input, &loop)
      return pauseIfNeeded(&loop.execution)
    }
    return runOne(&index, input, service, &loop)
  }

  /// Commands on keys need nothing around them.
  @inline(__always)
  private var isPlain: Bool { transaction == nil && isAuthenticated && replyMode == .on && !isSubscriberOnly }

  @inline(never)
  private mutating func runOne(
    _ index: inout Int, _ input: RawSpan, _ service: RESPService, _ loop: inout RESPLoop
  ) -> Progress.Next? {
    let number = index
    index &+= 1
    loop.beginTimer(quick: false)
    let next = runAlone(number, of: loop.batch, input, &loop.execution, loop.rules.databases)
    // It may have changed what holds for all that comes after it.
    loop.rules = service.shared.rules
    endTimer(number..<index, input, &loop)
    return next
  }

  /// Notes the keys of the commands from `first` on that may be run together: where these end, and whether none of them takes long.
  @inline(__always)
  private func announce(
    from first: Int, of batch: borrowing RESPBatch, _ input: RawSpan, _ execution: inout CommandExecution, _ databases: DatabaseMap
  ) -> (end: Int, isQuick: Bool) {
    execution.enter(database, of: databases)
    execution.removeKeys()
    var end = first
    var isQuick = true
    while end < batch.count, let command = batch.names[end].keyed {
      if command.hasItsKeyFirst {
        execution.appendKey(batch.key(end, of: input))
      } else {
        execution.appendKeys(of: command, batch.arguments(end, of: input))
      }
      if !command.isQuick { isQuick = false }
      end &+= 1
    }
    return (end, isQuick)
  }

  /// A run of commands on keys that were noted: all their memory is asked for, then each is executed, under one taking of locks.
  @inline(__always)
  private func runKeyed(
    _ run: Range<Int>, of batch: borrowing RESPBatch, _ index: inout Int, _ input: RawSpan, _ execution: inout CommandExecution
  ) {
    let first = run.lowerBound
    var done = first
    execution.store.withLockedShards(of: execution.keys.shards) { shards in
      if execution.keys.count > 1 { shards.prefetch(&execution.keys) }
      while done < run.upperBound, let command = batch.names[done].keyed {
        if command == .get {
          execution.get(batch.key(done, of: input), number: done &- first, &shards)
        } else {
          execution.execute(command, number: done &- first, batch.arguments(done, of: input), &shards)
        }
        done &+= 1
        if execution.writer.output.count >= SessionLimits.outputBytesMax || execution.isPaused { break }
      }
    }
    execution.settle()
    index = done
  }

  /// The inline command whose words the parser holds.
  private mutating func runLine(_ service: RESPService, _ loop: inout RESPLoop) -> Progress.Next? {
    let slices = loop.batch.lineSlices.map { loop.batch.slices[$0] }
    if slices.isEmpty { return nil }
    var words = ByteBuffer()
    swap(&words, &parser.unquoted)
    let args = RESPArguments(slices.span, of: words.bytes)
    let found = loop.execution.lookup.find(args[0], argumentCount: slices.count)
    loop.beginTimer(quick: false)
    let next = runAlone(found, args, &loop.execution, loop.rules.databases)
    loop.rules = service.shared.rules
    guard let found, let elapsed = loop.endTimer() else { return next }
    loop.counts.time(found.command, elapsed)
    if elapsed >= loop.rules.slowNanoseconds { noteSlow(found.command, args, more: 0, nanoseconds: elapsed, loop.execution.now) }
    return next
  }

  /// The commands at `indices` were run together, and share the time since `beginTimer`, if that was taken.
  @inline(__always)
  private mutating func endTimer(_ indices: Range<Int>, _ input: RawSpan, _ loop: inout RESPLoop) {
    if let elapsed = loop.endTimer() { share(elapsed, among: indices, input, &loop) }
  }

  @inline(never)
  private func share(_ elapsed: UInt64, among indices: Range<Int>, _ input: RawSpan, _ loop: inout RESPLoop) {
    for index in indices {
      if let found = loop.batch.names[index].found { loop.counts.time(found.command, elapsed / UInt64(indices.count)) }
    }
    let first = indices.lowerBound
    guard elapsed >= loop.rules.slowNanoseconds, let found = loop.batch.names[first].found else { return }
    let args = loop.batch.arguments(first, of: input)
    noteSlow(found.command, args, more: indices.count - 1, nanoseconds: elapsed, loop.execution.now)
  }

  private mutating func runAlone(
    _ number: Int, of batch: borrowing RESPBatch, _ input: RawSpan, _ execution: inout CommandExecution, _ databases: DatabaseMap
  ) -> Progress.Next? {
    runAlone(batch.names[number].found, batch.arguments(number, of: input), &execution, databases)
  }

  /// One command by itself, with all that surrounds it: who may ask, transactions, replies that nobody wants.
  private mutating func runAlone(
    _ found: CommandLookup.Found?, _ args: borrowing RESPArguments, _ execution: inout CommandExecution, _ databases: DatabaseMap
  ) -> Progress.Next? {
    execution.enter(database, of: databases)
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
        if isCalled { execution.counts[found.command].failed.count() } else { execution.counts[found.command].rejected.count() }
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
    case .connected: return resume(.read(atLeast: 1), at: now)
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
    promise(next, consumed: 0, left: 0, service.shared.rules, at: now)
  }

  /// A message for a subscriber.
  private mutating func take(_ message: PublishedMessage, into output: inout ByteBuffer, at now: MonotonicTime) {
    guard let next = deliver(message, into: &output, at: now) else { return }
    if case (.full, .blocked) = (next, patience.standing.next) { return }
    patience.standing.next = next
  }

  private mutating func promise(
    _ next: Progress.Next, consumed: Int, left: Int, _ rules: RESPRules, at now: MonotonicTime
  ) -> Progress {
    _ = patience.promise(next, left: left, idleSeconds: subscriptions == nil ? rules.idleSeconds : 0, at: now)
    // Of one that waits, whoever has it wait ends that.
    if case .blocked = next { patience.standing.deadline = pausedUntil ?? .never }
    patience.standing.watchesPeer = waiting != nil
    var progress = patience.standing
    progress.consumed = consumed
    return progress
  }
}
