/// COMMAND: what the tables of commands and subcommands say, for clients that ask.

internal import MartletBytes
internal import MartletCacheProtocols

extension RESPSession {
  mutating func commandCommand(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .commandCount: execution.writer.integer(CommandRow.all.count)
    case .commandInfo: writeInfo(args, &execution)
    case .commandDocs: writeDocs(args, &execution)
    case .commandList: try writeNames(args, &execution)
    case .commandGetkeys: try writeKeys(args, withFlags: false, &execution)
    default: try writeKeys(args, withFlags: true, &execution)
    }
  }

  func listCommands(_ execution: inout CommandExecution) {
    execution.writer.array(CommandRow.all.count)
    for row in CommandRow.all { write(row, &execution.writer) }
  }

  private enum Named {
    case command(CommandRow)
    case subcommand(SubcommandRow)
  }

  /// `get`, or `client|list`.
  private func named(_ name: RawSpan, _ lookup: borrowing CommandLookup) -> Named? {
    if let bar = name.firstIndex(of: UInt8(ascii: "|")) {
      guard let container = lookup.find(name[0..<bar], argumentCount: 1)?.command else { return nil }
      return SubcommandRow.find(name[(bar + 1)..<name.byteCount], of: container).map(Named.subcommand)
    }
    return lookup.find(name, argumentCount: 1).map { Named.command($0.command.row) }
  }

  // MARK: COMMAND INFO

  private func writeInfo(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    if args.count == 2 { return listCommands(&execution) }
    execution.writer.array(args.count - 2)
    for index in 2..<args.count {
      switch named(args[index], execution.lookup) {
      case .command(let row): write(row, &execution.writer)
      case .subcommand(let row): write(row, &execution.writer)
      case nil: execution.writer.null()
      }
    }
  }

  private func write(_ row: CommandRow, _ writer: inout RESPWriter) {
    writeTraits(row.name, row.arity, row.flags, keys: row.keys, row.categories, tips: row.tips, &writer)
    let subcommands = SubcommandRow.all(of: row.command)
    writer.set(subcommands.count)
    for subcommand in subcommands { write(subcommand, &writer) }
  }

  private func write(_ row: SubcommandRow, _ writer: inout RESPWriter) {
    writeTraits(row.fullName, row.arity, row.flags, keys: row.keys, row.categories, tips: row.tips, &writer)
    writer.set(0)
  }

  /// All but the last of the ten parts: the subcommands.
  private func writeTraits(
    _ name: String, _ arity: Int, _ flags: String, keys: String, _ categories: String, tips: String, _ writer: inout RESPWriter
  ) {
    let specs = KeySpec.all(keys)
    writer.array(10)
    writer.bulk(text: name)
    writer.integer(arity)
    write(status: flags, &writer)
    write(places: specs, &writer)
    write(status: categories, &writer)
    write(words: tips, &writer)
    writer.set(specs.count)
    for spec in specs { write(spec, &writer) }
  }

  /// First key, last key, step: what clients of before 7.0 go by.
  private func write(places specs: [KeySpec], _ writer: inout RESPWriter) {
    writer.integer(specs.first?.first ?? 0)
    writer.integer(specs.map { $0.last < 0 ? $0.last : $0.first + $0.last }.max() ?? 0)
    writer.integer(specs.first?.step ?? 0)
  }

  private func write(status words: String, _ writer: inout RESPWriter) {
    let words = words.split(separator: " ")
    writer.set(words.count)
    for word in words { writer.simple(text: String(word)) }
  }

  private func write(words: String, _ writer: inout RESPWriter) {
    let words = words.split(separator: " ")
    writer.set(words.count)
    for word in words { writer.bulk(text: String(word)) }
  }

  private func write(_ spec: KeySpec, _ writer: inout RESPWriter) {
    writer.map(3)
    writer.bulk("flags")
    write(status: spec.flags, &writer)
    writer.bulk("begin_search")
    writer.map(2)
    writer.bulk("type")
    writer.bulk("index")
    writer.bulk("spec")
    writer.map(1)
    writer.bulk("index")
    writer.integer(spec.first)
    writer.bulk("find_keys")
    writer.map(2)
    writer.bulk("type")
    writer.bulk("range")
    writer.bulk("spec")
    writer.map(3)
    writer.bulk("lastkey")
    writer.integer(spec.last)
    writer.bulk("keystep")
    writer.integer(spec.step)
    writer.bulk("limit")
    writer.integer(0)
  }

  // MARK: COMMAND DOCS

  private func writeDocs(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    var found: [Named] = []
    if args.count == 2 { found = CommandRow.all.map(Named.command) }
    for index in 2..<max(args.count, 2) { if let one = named(args[index], execution.lookup) { found.append(one) } }
    execution.writer.map(found.count)
    for one in found {
      switch one {
      case .command(let row): writeDocs(row, &execution.writer)
      case .subcommand(let row): writeDocs(row, &execution.writer)
      }
    }
  }

  private func writeDocs(_ row: CommandRow, _ writer: inout RESPWriter) {
    let subcommands = SubcommandRow.all(of: row.command)
    let facts = [("summary", row.summary), ("since", row.since), ("group", row.group), ("complexity", row.complexity)].filter {
      !$0.1.isEmpty
    }
    let arguments = CommandSyntax.arguments(of: row.name)
    writer.bulk(text: row.name)
    writer.map(facts.count + (arguments.isEmpty ? 0 : 1) + (subcommands.isEmpty ? 0 : 1))
    write(facts, &writer)
    write(arguments, &writer)
    if subcommands.isEmpty { return }
    writer.bulk("subcommands")
    writer.map(subcommands.count)
    for subcommand in subcommands { writeDocs(subcommand, &writer) }
  }

  private func writeDocs(_ row: SubcommandRow, _ writer: inout RESPWriter) {
    let arguments = CommandSyntax.arguments(of: row.fullName)
    writer.bulk(text: row.fullName)
    writer.map(arguments.isEmpty ? 3 : 4)
    write([("summary", row.summary), ("since", row.since), ("group", row.container.row.group)], &writer)
    write(arguments, &writer)
  }

  private func write(_ arguments: [CommandArgument], _ writer: inout RESPWriter) {
    if arguments.isEmpty { return }
    writer.bulk("arguments")
    CommandArgument.write(arguments, to: &writer)
  }

  private func write(_ facts: [(String, String)], _ writer: inout RESPWriter) {
    for (name, text) in facts {
      writer.bulk(text: name)
      writer.bulk(text: text)
    }
  }

  // MARK: COMMAND LIST

  /// Of commands and subcommands: those in a category of ACL.
  static func commandNames(inCategory category: String) -> [String] {
    let belongs = { (categories: String) in categories.split(separator: " ").contains { $0.dropFirst() == category } }
    return CommandRow.all.filter { belongs($0.categories) }.map(\.name)
      + SubcommandRow.all.filter { belongs($0.categories) }.map(\.fullName)
  }

  private func writeNames(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    var names = CommandRow.all.map(\.name)
    if args.count == 5, args[2].equalsIgnoringCase("filterby") {
      if args[3].equalsIgnoringCase("module") {
        names = []
      } else if args[3].equalsIgnoringCase("aclcat") {
        names = Self.commandNames(inCategory: args[4].text.lowercased())
      } else if args[3].equalsIgnoringCase("pattern") {
        let pattern = args[4].copied()
        names = (names + SubcommandRow.all.map(\.fullName)).filter {
          GlobPattern.matches(Array($0.utf8).rawSpan, pattern.rawSpan, ignoringCase: true)
        }
      } else {
        throw .syntax
      }
    } else if args.count != 2 {
      throw .syntax
    }
    execution.writer.array(names.count)
    for name in names { execution.writer.bulk(text: name) }
  }

  // MARK: COMMAND GETKEYS

  private func writeKeys(
    _ args: borrowing RESPArguments, withFlags: Bool, _ execution: inout CommandExecution
  ) throws(CommandError) {
    let count = args.count - 2
    guard let found = execution.lookup.find(args[2], argumentCount: count) else { throw CommandError("ERR Invalid command specified") }
    guard found.isArityRight else { throw CommandError("ERR Invalid number of arguments specified for command") }
    var places: [(Int, String)] = []
    let subcommand = count > 1 ? SubcommandRow.find(args[3], of: found.command) : nil
    for spec in KeySpec.all(subcommand?.keys ?? found.command.row.keys) where spec.flags != "not_key" {
      let last = spec.last < 0 ? count + spec.last : spec.first + spec.last
      for place in stride(from: spec.first, through: last, by: spec.step) { places.append((place, Self.flags(spec, found.command, args))) }
    }
    if places.isEmpty { throw CommandError("ERR The command has no key arguments") }
    execution.writer.array(places.count)
    for (place, flags) in places {
      if withFlags { execution.writer.array(2) }
      execution.writer.bulk(args[place + 2])
      if withFlags { write(status: flags, &execution.writer) }
    }
  }

  /// Of commands that say `variable_flags`, what holds for this command line.
  private static func flags(_ spec: KeySpec, _ command: Command, _ args: borrowing RESPArguments) -> String {
    guard spec.flags.hasSuffix("variable_flags") else { return spec.flags }
    if command == .set {
      for index in min(5, args.count)..<args.count where args[index].equalsIgnoringCase("get") { return "RW access update" }
      return "OW update"
    }
    for index in min(4, args.count)..<args.count {
      if args[index].equalsIgnoringCase("set") || args[index].equalsIgnoringCase("incrby") { return "RW access update" }
    }
    return "RO access"
  }
}

/// Where keys of a command line are, and what is done to them.
struct KeySpec {
  let first: Int
  let last: Int
  let step: Int
  let flags: String

  /// From the text in a table: `1 -1 2 OW update;…`.
  static func all(_ text: String) -> [KeySpec] {
    text.split(separator: ";").map { part in
      let words = part.split(separator: " ", maxSplits: 3)
      return KeySpec(first: Int(words[0]) ?? 0, last: Int(words[1]) ?? 0, step: Int(words[2]) ?? 1, flags: String(words[3]))
    }
  }
}
