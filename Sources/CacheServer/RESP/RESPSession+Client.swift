/// CLIENT: who is connected, what this connection is called, and what may be done to others.

internal import MartletBytes
internal import MartletCacheProtocols
internal import Synchronization

extension RESPSession {
  mutating func client(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .clientID: execution.writer.integer(Int64(record.id))
    case .clientGetname:
      let name = record.named.name
      if name.isEmpty { execution.writer.null() } else { execution.writer.bulk(text: name) }
    case .clientSetname:
      record.named.name = try Self.clientName(args[2])
      execution.writer.ok()
    case .clientSetinfo: try setInfo(args, &execution)
    case .clientInfo: execution.writer.verbatim(record.line(at: .now) + "\n")
    case .clientList:
      let filter = try ClientFilter(listing: args)
      let now = MonotonicTime.now
      execution.writer.verbatim(service.shared.clients.all.filter(filter.admits).map { $0.line(at: now) + "\n" }.joined())
    case .clientKill: try kill(args, &execution)
    case .clientPause: try pause(args, &execution)
    case .clientUnpause:
      for id in service.shared.pause.end() { service.shared.wake.send(PauseIsOver(), to: id) }
      execution.writer.ok()
    case .clientUnblock: try unblock(args, &execution)
    case .clientReply: try setReplyMode(args[2], &execution)
    case .clientNoEvict:
      record.named.isNoEvict = try Self.onOff(args[2])
      execution.writer.ok()
    case .clientNoTouch:
      record.named.isNoTouch = try Self.onOff(args[2])
      execution.writer.ok()
    default: try tracking(subcommand, args, &execution)
    }
  }

  // MARK: Itself

  static func clientName(_ text: RawSpan) throws(CommandError) -> String {
    guard isWord(text) else { throw CommandError("ERR Client names cannot contain spaces, newlines or special characters.") }
    return text.text
  }

  /// Visible ASCII without spaces.
  private static func isWord(_ text: RawSpan) -> Bool {
    for index in 0..<text.byteCount where text[index] < 0x21 || text[index] > 0x7E { return false }
    return true
  }

  private static func onOff(_ text: RawSpan) throws(CommandError) -> Bool {
    if text.equalsIgnoringCase("on") { return true }
    if text.equalsIgnoringCase("off") { return false }
    throw .syntax
  }

  private func setInfo(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    let attribute = args[2]
    guard Self.isWord(args[3]) else {
      throw CommandError("ERR \(attribute.text.lowercased()) cannot contain spaces, newlines or special characters.")
    }
    if attribute.equalsIgnoringCase("lib-name") {
      record.named.library = args[3].text
    } else if attribute.equalsIgnoringCase("lib-ver") {
      record.named.libraryVersion = args[3].text
    } else {
      throw CommandError("ERR Unrecognized option '\(attribute.text)'")
    }
    execution.writer.ok()
  }

  private mutating func setReplyMode(_ mode: RawSpan, _ execution: inout CommandExecution) throws(CommandError) {
    if mode.equalsIgnoringCase("on") {
      replyMode = .on
      execution.writer.ok()
    } else if mode.equalsIgnoringCase("off") {
      replyMode = .off
    } else if mode.equalsIgnoringCase("skip") {
      if replyMode == .on { replyMode = .skipNext }
    } else {
      throw .syntax
    }
  }

  /// What there is to say without CLIENT TRACKING: that it is off.
  private func tracking(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .clientGetredir: execution.writer.integer(-1)
    case .clientTracking:
      if try Self.onOff(args[2]) { throw CommandError("ERR CLIENT TRACKING is not offered by this server") }
      execution.writer.ok()
    case .clientCaching:
      throw CommandError(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
    default:
      execution.writer.map(3)
      execution.writer.bulk("flags")
      execution.writer.set(1)
      execution.writer.bulk("off")
      execution.writer.bulk("redirect")
      execution.writer.integer(-1)
      execution.writer.bulk("prefixes")
      execution.writer.array(0)
    }
  }

  // MARK: Others

  private mutating func kill(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count == 3 {
      let address = args[2].text
      guard let victim = service.shared.clients.all.first(where: { $0.address == address }) else {
        throw CommandError("ERR No such client")
      }
      kill(victim)
      return execution.writer.ok()
    }
    let filter = try ClientFilter(killing: args, by: record.id)
    let victims = service.shared.clients.all.filter(filter.admits)
    for victim in victims { kill(victim) }
    execution.writer.integer(victims.count)
  }

  /// This one goes once it has its reply, the others at once.
  private mutating func kill(_ victim: ClientRecord) {
    if victim.id == record.id { isQuitting = true } else { service.shared.wake.send(ConnectionKilled(), to: victim.connection) }
  }

  private func unblock(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var asError = false
    if args.count == 4, args[3].equalsIgnoringCase("error") {
      asError = true
    } else if args.count > 4 || args.count == 4 && !args[3].equalsIgnoringCase("timeout") {
      throw CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    }
    let id = try CommandExecution.integer(args[2])
    let blocked = service.shared.clients.all.first { $0.id == UInt64(bitPattern: id) && $0.isBlocked.load(ordering: .relaxed) }
    if let blocked { service.shared.wake.send(WaitEnded(asError: asError), to: blocked.connection) }
    execution.writer.flag(blocked != nil)
  }

  // MARK: Pauses

  private func pause(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var kind = ClientPause.Kind.all
    if args.count == 4, args[3].equalsIgnoringCase("write") {
      kind = .writes
    } else if args.count > 4 || args.count == 4 && !args[3].equalsIgnoringCase("all") {
      throw CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL")
    }
    let milliseconds = try Self.timeout(args[2])
    let now = MonotonicTime.now
    service.shared.pause.begin(kind, until: now.advanced(bySeconds: Double(milliseconds) / 1000), at: now)
    execution.writer.ok()
  }

  static func timeout(_ text: RawSpan) throws(CommandError) -> Int64 {
    guard let milliseconds = RESPNumber.integer(text) else { throw CommandError("ERR timeout is not an integer or out of range") }
    if milliseconds < 0 { throw CommandError("ERR timeout is negative") }
    return milliseconds
  }

  /// Whether a command has to wait. It is not run then: the connection is blocked in front of it.
  mutating func isPaused(_ command: Command?, _ loop: borrowing RESPLoop, at now: MonotonicTime) -> Bool {
    guard !loop.isDraining else { return false }
    let (kind, until) = service.shared.pause.state(at: now)
    switch kind {
    case .none: return false
    case .writes: guard let command, writes(command) else { return false }
    case .all: break
    }
    pausedUntil = until
    service.shared.pause.wait(id)
    parser = RESPParser()
    return true
  }

  /// As `isPaused`, of the inline command whose words the parser holds.
  mutating func isLinePaused(_ loop: borrowing RESPLoop, at now: MonotonicTime) -> Bool {
    let words = loop.batch.lineSlices
    if words.isEmpty { return false }
    let name = loop.batch.slices[words.lowerBound]
    let command = loop.execution.lookup.find(name.of(parser.unquoted.bytes), argumentCount: words.count)?.command
    return isPaused(command, loop, at: now)
  }

  private mutating func writes(_ command: Command) -> Bool {
    switch command {
    case .publish, .spublish: true
    case .exec: transaction?.writes ?? false
    default: command.isWrite
    }
  }
}
