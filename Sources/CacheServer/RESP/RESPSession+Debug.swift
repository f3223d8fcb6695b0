/// DEBUG, for tests of clients, and only where `--enable-debug` allows it. It holds up nobody but the connection that asks.

internal import Logging
internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension RESPSession {
  mutating func debug(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    guard service.shared.enableDebug else {
      throw CommandError("ERR DEBUG command not allowed. Start the server with --enable-debug if you want to use it.")
    }
    let sub = args[1].text.lowercased()
    switch (sub, args.count) {
    case ("sleep", 3): try sleep(args[2], &execution)
    case ("object", 3): try describe(args[2], &execution)
    case ("error", 3): throw CommandError(args[2].text)
    case ("log", 3):
      service.shared.logger.warning("DEBUG LOG", metadata: ["text": "\(args[2].text)", "id": "\(record.id)"])
      execution.writer.ok()
    case ("protocol", 3): try show(args[2].text.lowercased(), &execution.writer)
    case ("set-active-expire", 3), ("jmap", 2), ("reload", _), ("loadaof", 2), ("change-repl-id", 2), ("quicklist-packed-threshold", 3):
      // What they change in Redis, this server does not have; test tools call them on the way.
      execution.writer.ok()
    case ("help", 2): help(&execution.writer)
    default:
      throw CommandError(
        "ERR unknown subcommand or wrong number of arguments for '\(args[1][0..<min(args[1].byteCount, 128)].text)'. Try DEBUG HELP.")
    }
  }

  /// The connection is blocked until its deadline; within a transaction nobody sleeps, since shards are held.
  private mutating func sleep(_ seconds: RawSpan, _ execution: inout CommandExecution) throws(CommandError) {
    guard let seconds = Double(seconds.text), seconds >= 0 else { throw .notAFloat }
    if execution.statistics != nil || seconds == 0 { return execution.writer.ok() }
    pausedUntil = MonotonicTime.now.advanced(bySeconds: seconds)
    isAsleep = true
  }

  private func describe(_ key: RawSpan, _ execution: inout CommandExecution) throws(CommandError) {
    if execution.statistics != nil { throw CommandError("ERR DEBUG OBJECT is not possible within a transaction") }
    let (database, now) = (execution.database, execution.now)
    let line: String? = store.withLockedShards(of: store.shards(of: key, database: database)) { shards in
      shards.peek(key, database: database, at: now) { entry in
        "Value at:0x0 refcount:1 encoding:\(CommandExecution.encoding(entry.value)) serializedlength:\(entry.value.byteCount) lru:0 lru_seconds_idle:0"
      }
    }
    guard let line else { throw .noSuchKey }
    execution.writer.simple(text: line)
  }

  /// One reply of each type, for those who test their parsers.
  private func show(_ type: String, _ writer: inout RESPWriter) throws(CommandError) {
    switch type {
    case "string": writer.bulk("Hello World")
    case "integer": writer.integer(12345)
    case "null": writer.null()
    case "true": writer.boolean(true)
    case "false": writer.boolean(false)
    case "verbatim": writer.verbatim("This is a verbatim\nstring")
    case "array":
      writer.array(3)
      for number in 0..<3 { writer.integer(number) }
    case "set":
      writer.set(3)
      for number in 0..<3 { writer.integer(number) }
    case "map":
      writer.map(3)
      for number in 0..<3 {
        writer.integer(number)
        writer.boolean(number == 1)
      }
    case "push":
      guard writer.version == .three else { throw CommandError("ERR RESP2 is not supported by this command") }
      writer.push(2)
      writer.bulk("server-cpu-usage")
      writer.integer(42)
    default:
      throw CommandError(
        "ERR Wrong protocol type name. Please use one of the following: string|integer|null|array|set|map|push|verbatim|true|false")
    }
  }

  private func help(_ writer: inout RESPWriter) {
    let lines = [
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", "ERROR <text>", "    Answer with that error.", "LOG <text>",
      "    Write it to the server's log.", "OBJECT <key>", "    Facts about a key's value.", "PROTOCOL <type>", "    A reply of that type.",
      "SLEEP <seconds>", "    Let this connection wait.", "HELP", "    Print this help.",
    ]
    writer.array(lines.count)
    for line in lines { writer.simple(text: line) }
  }
}
