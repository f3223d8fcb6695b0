import MartletBytes
import MartletCacheProtocols
import Testing

@testable import CacheServer

@Suite("The grammar of commands' arguments")
struct CommandGrammarTests {
  @Test("Every grammar reads, and is of a command or subcommand that there is; whatever takes arguments has one")
  func table() {
    let names = CommandRow.all.map(\.name) + SubcommandRow.all.map(\.fullName)
    for name in CommandSyntax.table.keys { #expect(names.contains(name) && !CommandSyntax.arguments(of: name).isEmpty) }
    for row in CommandRow.all where SubcommandRow.all(of: row.command).isEmpty && row.arity.magnitude > 1 && row.command != .debug {
      #expect(CommandSyntax.table[row.name] != nil, "\(row.name)")
    }
    #expect(CommandSyntax.arguments(of: "quit").isEmpty)
  }

  @Test("Names, types, tokens, flags, choices and blocks")
  func notation() {
    let arguments = CommandGrammar.arguments("key key2#key1* n#int=N? x!?** c(a!|b=W{d#time e#double})")
    #expect(arguments.map(\.name) == ["key", "key2", "n", "x", "c"])
    #expect(arguments.map(\.kind) == [.key, .key, .integer, .pureToken, .oneof])
    #expect(arguments.map(\.keySpec) == [0, 1, 0, 0, 0])
    #expect(arguments.map(\.token) == [nil, nil, "N", "X", nil])
    #expect(arguments.map(\.flags) == [[], ["multiple"], ["optional"], ["optional", "multiple", "multiple_token"], []])
    #expect(arguments[4].arguments.map(\.kind) == [.pureToken, .block] && arguments[4].arguments[1].token == "W")
    #expect(arguments[4].arguments[1].arguments.map(\.kind) == [.unixTime, .double])
  }

  @Test("It is told in Redis's order, as maps in RESP3 and flat in RESP2")
  func told() {
    var writer = RESPWriter(version: .three)
    CommandArgument.write(CommandGrammar.arguments("key n#int=N?"), to: &writer)
    let shown = writer.output.text.replacing("\r\n", with: "|")
    #expect(
      shown
        == "*2|%3|$4|name|$3|key|$4|type|$3|key|$14|key_spec_index|:0|%4|$4|name|$1|n|$4|type|$7|integer|$5|token|$1|N|$5|flags|~1|+optional|"
    )
    var older = RESPWriter(version: .two)
    CommandArgument.write(CommandGrammar.arguments("v"), to: &older)
    #expect(older.output.text.replacing("\r\n", with: "|") == "*1|*4|$4|name|$1|v|$4|type|$6|string|")
  }
}
