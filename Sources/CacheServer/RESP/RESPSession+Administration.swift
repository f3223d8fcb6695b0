/// SLOWLOG, ACL, MODULE, and what is asked of a server that has replicas and files: well-formed answers of one that has none.

internal import MartletBytes
internal import MartletCacheProtocols
internal import Synchronization

extension CommandError {
  static let noCluster = CommandError("ERR This instance has cluster support disabled")
  static let noModules = CommandError("ERR MODULE command not allowed: this server has no modules")
  static let noUserFile = CommandError("ERR This server has one user and no file of users: its token is given at start")
  static let nothingToSave = CommandError("ERR this server keeps its entries in memory only: there is no file to save to")
}

extension RESPSession {
  mutating func administer(
    _ command: Command, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch command {
    case .role:
      execution.writer.array(3)
      execution.writer.bulk("master")
      execution.writer.integer(0)
      execution.writer.array(0)
    case .lastsave: execution.writer.integer(service.shared.startTime.milliseconds / 1000)
    case .wait: try wait(args, &execution)
    case .lolwut: try lolwut(args, &execution)
    case .bgsave:
      if args.count > 2 || args.count == 2 && !args[1].equalsIgnoringCase("schedule") { throw .syntax }
      throw .nothingToSave
    case .save: throw .nothingToSave
    case .shutdown: try shutdown(args)
    default: throw .noCluster
    }
  }

  /// There are no replicas, and there will not be any before the timeout: nobody has to wait for it.
  private func wait(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    _ = try CommandExecution.integer(args[1])
    _ = try Self.timeout(args[2])
    execution.writer.integer(0)
  }

  private func lolwut(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count > 2, args[1].equalsIgnoringCase("version") { _ = try CommandExecution.integer(args[2]) }
    execution.writer.verbatim("Redis ver. 7.0.15\n")
  }

  /// Begins to drain, as SIGTERM does; no reply, the connection is closed by it.
  private func shutdown(_ args: borrowing RESPArguments) throws(CommandError) {
    var saves = false
    var savesNot = false
    var isAbort = false
    for index in 1..<max(args.count, 1) {
      if args[index].equalsIgnoringCase("abort") {
        isAbort = true
      } else if args[index].equalsIgnoringCase("save") {
        saves = true
      } else if args[index].equalsIgnoringCase("nosave") {
        savesNot = true
      } else if !args[index].equalsIgnoringCase("now"), !args[index].equalsIgnoringCase("force") {
        throw .syntax
      }
    }
    if saves && savesNot || isAbort && args.count > 2 { throw .syntax }
    if isAbort {
      throw CommandError("ERR No shutdown in progress.")
    }
    if saves { throw .nothingToSave }
    service.shared.stop()
  }

  // MARK: SLOWLOG

  func slowlog(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .slowlogLen: execution.writer.integer(service.shared.slowlog.count)
    case .slowlogReset:
      service.shared.slowlog.removeAll()
      execution.writer.ok()
    default:
      if args.count > 3 {
        throw CommandError("ERR unknown subcommand or wrong number of arguments for '\(args[1].text)'. Try SLOWLOG HELP.")
      }
      var count = 10
      if args.count == 3 {
        guard let number = RESPNumber.integer(args[2]), number >= -1 else {
          throw CommandError("ERR count should be greater than or equal to -1")
        }
        count = number < 0 ? .max : Int(number)
      }
      let entries = service.shared.slowlog.latest(count)
      execution.writer.array(entries.count)
      for entry in entries { write(entry, &execution.writer) }
    }
  }

  private func write(_ entry: SlowLog.Entry, _ writer: inout RESPWriter) {
    writer.array(6)
    writer.integer(Int64(entry.id))
    writer.integer(entry.unixSeconds)
    writer.integer(Int64(entry.microseconds))
    writer.array(entry.arguments.count)
    for argument in entry.arguments { writer.bulk(argument.rawSpan) }
    writer.bulk(text: entry.address)
    writer.bulk(text: entry.name)
  }

  // MARK: ACL

  private static let categories = [
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream", "pubsub", "admin",
    "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
  ]

  /// One user, who may do all: `default`, with the server's token if there is one.
  func acl(_ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    switch subcommand {
    case .aclWhoami: execution.writer.bulk("default")
    case .aclUsers:
      execution.writer.array(1)
      execution.writer.bulk("default")
    case .aclList:
      execution.writer.array(1)
      execution.writer.bulk(text: "user default on \(service.shared.token == nil ? "nopass " : "")~* &* +@all")
    case .aclCat: try aclCategories(args, &execution)
    case .aclGetuser: aclUser(args[2], &execution)
    case .aclGenpass: try aclPassword(args, &execution)
    case .aclLog: try aclLog(args, &execution)
    case .aclDryrun: try aclDryrun(args, &execution)
    case .aclDeluser:
      for index in 2..<args.count where args[index].equals("default") { throw CommandError("ERR The 'default' user cannot be removed") }
      execution.writer.integer(0)
    default: throw .noUserFile
    }
  }

  private func aclCategories(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count > 3 { throw CommandError("ERR unknown subcommand or wrong number of arguments for '\(args[1].text)'. Try ACL HELP.") }
    if args.count == 2 {
      execution.writer.array(Self.categories.count)
      for category in Self.categories { execution.writer.bulk(text: category) }
      return
    }
    let wanted = args[2].text.lowercased()
    guard Self.categories.contains(wanted) else { throw CommandError("ERR Unknown category '\(args[2].text)'") }
    let names = Self.commandNames(inCategory: wanted)
    execution.writer.array(names.count)
    for name in names { execution.writer.bulk(text: name) }
  }

  private func aclUser(_ name: RawSpan, _ execution: inout CommandExecution) {
    guard name.equals("default") else { return execution.writer.null() }
    let flags = service.shared.token == nil ? ["on", "nopass"] : ["on"]
    execution.writer.map(6)
    execution.writer.bulk("flags")
    execution.writer.set(flags.count)
    for flag in flags { execution.writer.bulk(text: flag) }
    execution.writer.bulk("passwords")
    execution.writer.array(0)
    execution.writer.bulk("commands")
    execution.writer.bulk("+@all")
    execution.writer.bulk("keys")
    execution.writer.bulk("~*")
    execution.writer.bulk("channels")
    execution.writer.bulk("&*")
    execution.writer.bulk("selectors")
    execution.writer.array(0)
  }

  private func aclPassword(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var bits: Int64 = 256
    if args.count > 2 { bits = try CommandExecution.integer(args[2]) }
    guard 1...4096 ~= bits, args.count < 4 else {
      throw CommandError("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
    }
    execution.writer.bulk(text: String((0..<(Int(bits) + 3) / 4).map { _ in "0123456789abcdef".randomElement()! }))
  }

  private func aclLog(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if args.count == 3, args[2].equalsIgnoringCase("reset") { return execution.writer.ok() }
    if args.count > 2 { _ = try CommandExecution.integer(args[2]) }
    execution.writer.array(0)
  }

  private func aclDryrun(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    guard args[2].equals("default") else { throw CommandError("ERR User '\(args[2].text)' not found") }
    guard let found = execution.lookup.find(args[3], argumentCount: args.count - 3) else {
      throw CommandError("ERR Command '\(args[3].text)' not found")
    }
    guard found.isArityRight else { throw .arity(found.command.row.name) }
    execution.writer.ok()
  }

  // MARK: MODULE

  func module(_ subcommand: Subcommand, _ execution: inout CommandExecution) throws(CommandError) {
    guard subcommand == .moduleList else { throw .noModules }
    execution.writer.array(0)
  }
}
