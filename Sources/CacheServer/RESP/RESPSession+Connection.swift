/// Commands about the connection itself.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

extension RESPSession {
  /// Commands that are not about keys. `execution.database` may be that of an earlier SELECT in a transaction.
  mutating func call(
    _ command: Command, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch command {
    case .ping: try ping(args, &execution)
    case .echo: execution.writer.bulk(args[1])
    case .select: try select(args, &execution)
    case .auth: try auth(args, &execution)
    case .hello: try hello(args, &execution)
    case .quit:
      isQuitting = true
      execution.writer.ok()
    case .reset: reset(&execution)
    case .client: try client(args, &execution)
    case .command: try commandCommand(args, &execution)
    case .info: info(args, &execution)
    case .config: try config(args, &execution)
    case .time: time(&execution)
    case .martletInvalidate: try execution.invalidate(args)
    case .pubsub: try pubsubCommand(args, &execution)
    case .subscribe, .unsubscribe, .psubscribe, .punsubscribe, .publish, .ssubscribe, .sunsubscribe, .spublish:
      try pubsub(command, args, &execution)
    case .multi: try multi(&execution)
    case .exec: try exec(&execution)
    case .discard: try discard(&execution)
    case .watch: try watch(args, &execution)
    case .unwatch:
      if transaction == nil { unwatch() }
      execution.writer.ok()
    default: try execution.keyspace(command, args)
    }
  }

  private func ping(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count > 2 { throw .arity("ping") }
    if isSubscriberOnly {
      execution.writer.array(2)
      execution.writer.bulk("pong")
      return execution.writer.bulk(args.count == 2 ? args[1] : RawSpan())
    }
    if args.count == 2 { execution.writer.bulk(args[1]) } else { execution.writer.simple("PONG") }
  }

  private mutating func select(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    database = try CommandExecution.database(args[1])
    execution.database = database
    record.database.store(database, ordering: .relaxed)
    execution.writer.ok()
  }

  // MARK: Who it is

  private mutating func auth(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count > 3 { throw .syntax }
    if service.shared.token == nil, args.count == 2 {
      throw CommandError(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
    }
    try authenticate(user: args.count == 3 ? args[1] : RawSpan(), token: args[args.count - 1])
    execution.writer.ok()
  }

  /// `user` empty: the default one.
  private mutating func authenticate(user: RawSpan, token: RawSpan) throws(CommandError) {
    guard user.byteCount == 0 || user.equals("default") else { throw .wrongPassword }
    // Without a token the default user needs no password: any will do.
    if let expected = service.shared.token, !expected.rawSpan.equalsInConstantTime(token) { throw .wrongPassword }
    isAuthenticated = true
  }

  private mutating func hello(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var wanted = version
    if args.count > 1 {
      guard let number = RESPNumber.integer(args[1]) else {
        throw CommandError("ERR Protocol version is not an integer or out of range")
      }
      guard let known = UInt8(exactly: number).flatMap(RESPWriter.Version.init(rawValue:)) else {
        throw CommandError("NOPROTO unsupported protocol version")
      }
      wanted = known
    }
    var index = 2
    var name: String?
    while index < args.count {
      if args[index].equalsIgnoringCase("auth"), index + 2 < args.count {
        try authenticate(user: args[index + 1], token: args[index + 2])
        index += 3
      } else if args[index].equalsIgnoringCase("setname"), index + 1 < args.count {
        name = try Self.clientName(args[index + 1])
        index += 2
      } else {
        throw CommandError("ERR Syntax error in HELLO option '\(args[index].text)'")
      }
    }
    guard isAuthenticated else {
      throw CommandError(
        """
        NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be \
        used to authenticate the client and select the RESP protocol version at the same time
        """)
    }
    if let name { record.named.name = name }
    version = wanted
    record.version.store(wanted.rawValue, ordering: .relaxed)
    execution.writer.version = wanted
    writeHello(&execution.writer)
  }

  private func writeHello(_ writer: inout RESPWriter) {
    writer.map(8)
    writer.bulk("server")
    writer.bulk("redis")
    writer.bulk("version")
    writer.bulk("7.0.15")
    writer.bulk("proto")
    writer.integer(Int(version.rawValue))
    writer.bulk("id")
    writer.integer(Int64(record.id))
    writer.bulk("mode")
    writer.bulk("standalone")
    writer.bulk("role")
    writer.bulk("master")
    writer.bulk("modules")
    writer.array(0)
    writer.bulk("martlet_version")
    writer.bulk(text: MartletVersion.text)
  }

  private mutating func reset(_ execution: inout CommandExecution) {
    endTransaction()
    endSubscriptions()
    database = 0
    record.database.store(0, ordering: .relaxed)
    version = .two
    record.version.store(2, ordering: .relaxed)
    execution.writer.version = .two
    replyMode = .on
    record.named = ClientRecord.Names()
    isAuthenticated = service.shared.token == nil
    execution.writer.simple("RESET")
  }

  // MARK: CLIENT

  private static func clientName(_ text: RawSpan) throws(CommandError) -> String {
    for index in 0..<text.byteCount where text[index] < 0x21 || text[index] > 0x7E {
      throw CommandError("ERR Client names cannot contain spaces, newlines or special characters.")
    }
    return text.text
  }

  private mutating func client(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    let sub = args[1]
    if sub.equalsIgnoringCase("id") {
      try arity(args, 2, "client|id")
      execution.writer.integer(Int64(record.id))
    } else if sub.equalsIgnoringCase("getname") {
      try arity(args, 2, "client|getname")
      let name = record.named.name
      if name.isEmpty { execution.writer.null() } else { execution.writer.bulk(text: name) }
    } else if sub.equalsIgnoringCase("setname") {
      try arity(args, 3, "client|setname")
      record.named.name = try Self.clientName(args[2])
      execution.writer.ok()
    } else if sub.equalsIgnoringCase("info") {
      try arity(args, 2, "client|info")
      execution.writer.verbatim(record.line(at: .now) + "\n")
    } else if sub.equalsIgnoringCase("list") {
      try clientList(args, &execution)
    } else if sub.equalsIgnoringCase("setinfo") {
      try setInfo(args, &execution)
    } else if sub.equalsIgnoringCase("reply") {
      try arity(args, 3, "client|reply")
      try setReplyMode(args[2], &execution)
    } else if sub.equalsIgnoringCase("no-evict") {
      try arity(args, 3, "client|no-evict")
      record.named.isNoEvict = try Self.onOff(args[2])
      execution.writer.ok()
    } else if sub.equalsIgnoringCase("no-touch") {
      try arity(args, 3, "client|no-touch")
      record.named.isNoTouch = try Self.onOff(args[2])
      execution.writer.ok()
    } else {
      throw .unknownSubcommand(sub, of: .client)
    }
  }

  func arity(_ args: borrowing RESPArguments, _ count: Int, _ name: String) throws(CommandError) {
    if args.count != count { throw .arity(name) }
  }

  private static func onOff(_ text: RawSpan) throws(CommandError) -> Bool {
    if text.equalsIgnoringCase("on") { return true }
    if text.equalsIgnoringCase("off") { return false }
    throw .syntax
  }

  private func clientList(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var clients = service.shared.clients.all
    if args.count > 3, args[2].equalsIgnoringCase("id") {
      var wanted: Set<UInt64> = []
      for index in 3..<args.count {
        guard let id = RESPNumber.integer(args[index]), id > 0 else { throw CommandError("ERR Invalid client ID") }
        wanted.insert(UInt64(id))
      }
      clients = clients.filter { wanted.contains($0.id) }
    } else if args.count == 4, args[2].equalsIgnoringCase("type") {
      let isKnown = ["normal", "master", "replica", "pubsub", "slave"].contains(args[3].text.lowercased())
      if !isKnown { throw CommandError("ERR Unknown client type '\(args[3].text)'") }
      if !args[3].equalsIgnoringCase("normal") { clients = [] }
    } else if args.count != 2 {
      throw .syntax
    }
    let now = MonotonicTime.now
    execution.writer.verbatim(clients.map { $0.line(at: now) + "\n" }.joined())
  }

  private func setInfo(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    try arity(args, 4, "client|setinfo")
    let attribute = args[2]
    for index in 0..<args[3].byteCount where args[3][index] < 0x21 || args[3][index] > 0x7E {
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

  private func time(_ execution: inout CommandExecution) {
    let milliseconds = execution.now.milliseconds
    execution.writer.array(2)
    execution.writer.bulk(text: String(milliseconds / 1000))
    execution.writer.bulk(text: String(milliseconds % 1000 * 1000))
  }
}
