import MartletBytes
import Testing

@testable import CacheServer

@Suite("Names of commands")
struct CommandLookupTests {
  @Test("Every command is found by its name, in any case, and with its arity judged")
  func all() {
    let lookup = LoopLocal(CommandLookup())
    for row in CommandRow.all {
      let found = lookup.value.find(Array(row.name.uppercased().utf8).rawSpan, argumentCount: abs(row.arity))
      #expect(found?.command == row.command)
      #expect(found?.isArityRight == true)
      #expect(lookup.value.find(Array(row.name.utf8).rawSpan, argumentCount: abs(row.arity) - 1)?.isArityRight == false)
    }
  }

  @Test("Other names are not found")
  func none() {
    let lookup = LoopLocal(CommandLookup())
    for name in ["", "ge", "gett", "get\0", "pexpiretimepexpire", "incrbyfloatt", "martlet.invalidatX"] {
      #expect(lookup.value.find(Array(name.utf8).rawSpan, argumentCount: 2) == nil)
    }
  }
}
