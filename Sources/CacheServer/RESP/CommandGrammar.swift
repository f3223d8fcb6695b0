/// The grammar of a command's arguments, as COMMAND DOCS tells it: what clients hint at while a command is typed. `CommandSyntax.swift` has
/// them all, in this notation: arguments parted by blanks, each a name and then, in this order,
///
///     #int #double #time #pattern #key #key1   its type, else it is a string; a key's number is that of its key specification.
///                                              `key` is a key by its name alone
///     !          a word that stands for itself, its name in capitals
///     =WORD      it stands behind that word; behind `!` the word itself
///     ?          it may be left out
///     *          it may be repeated; `**` together with its word
///     (a|b)      one of these
///     {a b}      all of these

internal import MartletCacheProtocols

struct CommandArgument: Equatable {
  enum Kind: String {
    case string, integer, double, key, pattern, oneof, block
    case unixTime = "unix-time"
    case pureToken = "pure-token"
  }

  let name: String
  fileprivate(set) var kind = Kind.string
  fileprivate(set) var keySpec = 0
  fileprivate(set) var token: String?
  fileprivate(set) var isOptional = false
  fileprivate(set) var isMultiple = false
  fileprivate(set) var repeatsToken = false
  fileprivate(set) var arguments: [CommandArgument] = []

  fileprivate init(_ name: String) { self.name = name }

  var flags: [String] {
    (isOptional ? ["optional"] : []) + (isMultiple ? ["multiple"] : []) + (repeatsToken ? ["multiple_token"] : [])
  }

  func write(to writer: inout RESPWriter) {
    writer.map(2 + (kind == .key ? 1 : 0) + (token == nil ? 0 : 1) + (flags.isEmpty ? 0 : 1) + (arguments.isEmpty ? 0 : 1))
    writer.bulk("name")
    writer.bulk(text: name)
    writer.bulk("type")
    writer.bulk(text: kind.rawValue)
    if kind == .key {
      writer.bulk("key_spec_index")
      writer.integer(keySpec)
    }
    if let token {
      writer.bulk("token")
      writer.bulk(text: token)
    }
    if !flags.isEmpty {
      writer.bulk("flags")
      writer.set(flags.count)
      for flag in flags { writer.simple(text: flag) }
    }
    if !arguments.isEmpty {
      writer.bulk("arguments")
      Self.write(arguments, to: &writer)
    }
  }

  static func write(_ arguments: [CommandArgument], to writer: inout RESPWriter) {
    writer.array(arguments.count)
    for argument in arguments { argument.write(to: &writer) }
  }
}

/// Reads the notation. The table is ours: a mistake in it stops the process, which a test would see.
struct CommandGrammar {
  private var rest: Substring

  static func arguments(_ text: String) -> [CommandArgument] {
    var grammar = CommandGrammar(rest: text[...])
    let arguments = grammar.list(partedBy: " ")
    precondition(grammar.rest.isEmpty, "more than a grammar: \(text)")
    return arguments
  }

  private mutating func list(partedBy separator: Character) -> [CommandArgument] {
    var arguments: [CommandArgument] = []
    repeat { arguments.append(argument()) } while skip(separator)
    return arguments
  }

  private mutating func argument() -> CommandArgument {
    var argument = CommandArgument(word())
    if argument.name == "key" { argument.kind = .key }
    if skip("#") { setType(word(), of: &argument) }
    if skip("!") {
      argument.kind = .pureToken
      argument.token = argument.name.uppercased()
    }
    if skip("=") { argument.token = word() }
    argument.isOptional = skip("?")
    argument.isMultiple = skip("*")
    argument.repeatsToken = argument.isMultiple && skip("*")
    if skip("(") {
      argument.kind = .oneof
      argument.arguments = list(partedBy: "|")
      precondition(skip(")"), "a choice ends")
    } else if skip("{") {
      argument.kind = .block
      argument.arguments = list(partedBy: " ")
      precondition(skip("}"), "a block ends")
    }
    return argument
  }

  private func setType(_ type: String, of argument: inout CommandArgument) {
    switch type {
    case "int": argument.kind = .integer
    case "time": argument.kind = .unixTime
    case "key1": (argument.kind, argument.keySpec) = (.key, 1)
    default:
      guard let kind = CommandArgument.Kind(rawValue: type) else { preconditionFailure("no type of an argument: \(type)") }
      argument.kind = kind
    }
  }

  private mutating func word() -> String {
    let word = rest.prefix { !" #!=?*(|){}".contains($0) }
    precondition(!word.isEmpty, "an argument has a name")
    rest = rest.dropFirst(word.count)
    return String(word)
  }

  private mutating func skip(_ mark: Character) -> Bool {
    guard rest.first == mark else { return false }
    rest = rest.dropFirst()
    return true
  }
}
