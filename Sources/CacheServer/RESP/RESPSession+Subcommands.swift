/// Commands that are containers: which of their subcommands is meant, HELP, and the way to each.

internal import MartletBytes
internal import MartletCacheProtocols

extension RESPSession {
  /// The subcommand of a container; nil for other commands, for HELP, and where none is given.
  static func subcommand(_ command: Command, _ args: borrowing RESPArguments) throws(CommandError) -> SubcommandRow? {
    if SubcommandRow.all(of: command).isEmpty || args.count == 1 { return nil }
    if args[1].equalsIgnoringCase("help") {
      if args.count != 2 { throw .arity("\(command.row.name)|help") }
      return nil
    }
    guard let row = SubcommandRow.find(args[1], of: command) else { throw .unknownSubcommand(args[1], of: command) }
    guard row.isArityRight(args.count) else { throw .arity(row.fullName) }
    return row
  }

  mutating func container(
    _ command: Command, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    guard let subcommand = try Self.subcommand(command, args)?.subcommand else {
      if args.count == 1 { return listCommands(&execution) }  // COMMAND is the only one that may be alone
      return help(command, &execution)
    }
    switch command {
    case .client: try client(subcommand, args, &execution)
    case .command: try commandCommand(subcommand, args, &execution)
    case .config: try config(subcommand, args, &execution)
    case .pubsub: try pubsubCommand(subcommand, args, &execution)
    case .slowlog: try slowlog(subcommand, args, &execution)
    case .latency: try latency(subcommand, args, &execution)
    case .cluster: throw .noCluster
    case .acl: try acl(subcommand, args, &execution)
    case .module: try module(subcommand, &execution)
    default: preconditionFailure("a command that is no container")
    }
  }

  private func help(_ command: Command, _ execution: inout CommandExecution) {
    if command == .cluster { return execution.fail(.noCluster) }
    let rows = SubcommandRow.all(of: command)
    execution.writer.array(rows.count * 2 + 3)
    execution.writer.simple(text: "\(command.row.name.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    for row in rows {
      execution.writer.simple(text: "\(row.name)".uppercased() + (row.usage.isEmpty ? "" : " \(row.usage)"))
      execution.writer.simple(text: "    \(row.summary).")
    }
    execution.writer.simple("HELP")
    execution.writer.simple("    Print this help.")
  }
}
