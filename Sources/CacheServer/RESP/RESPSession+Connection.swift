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
    case .client, .command, .config, .pubsub, .slowlog, .latency, .cluster, .acl, .module: try container(command, args, &execution)
    case .info: info(args, &execution)
    case .time: time(&execution)
    case .swapdb: try swapdb(args, &execution)
    case .martletInvalidate: try execution.invalidate(args)
    case .subscribe, .unsubscribe, .psubscribe, .punsubscribe, .publish, .ssubscribe, .sunsubscribe, .spublish:
      try pubsub(command, args, &execution)
    case .multi: try multi(&execution)
    case .exec: try exec(&execution)
    case .discard: try discard(&execution)
    case .watch: try watch(args, &execution)
    case .unwatch:
      if transaction == nil { unwatch() }
      execution.writer.ok()
    case .role, .lastsave, .wait, .lolwut, .bgsave, .save, .shutdown, .readonly, .readwrite, .asking:
      try administer(command, args, &execution)
    case .debug: try debug(args, &execution)
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
    execution.database = execution.databases[database]
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

  private func time(_ execution: inout CommandExecution) {
    let milliseconds = execution.now.milliseconds
    execution.writer.array(2)
    execution.writer.bulk(text: String(milliseconds / 1000))
    execution.writer.bulk(text: String(milliseconds % 1000 * 1000))
  }
}
