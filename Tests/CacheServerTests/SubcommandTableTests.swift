import MartletBytes
import Testing

@testable import CacheServer

@Suite("Names of subcommands")
struct SubcommandTableTests {
  @Test("Rows stand in order, and each is found by its name, in any case, with its arity judged")
  func all() {
    #expect(SubcommandRow.all.count == Subcommand.allCases.count)
    for (index, row) in SubcommandRow.all.enumerated() {
      #expect(Int(row.subcommand.rawValue) == index)
      let found = SubcommandRow.find(Array("\(row.name)".uppercased().utf8).rawSpan, of: row.container)
      #expect(found?.subcommand == row.subcommand)
      #expect(row.isArityRight(abs(row.arity)) && !row.isArityRight(abs(row.arity) - 1))
      #expect(row.isArityRight(abs(row.arity) + 1) == (row.arity < 0))
    }
  }

  @Test("Names of other containers are not found")
  func none() {
    #expect(SubcommandRow.find(Array("getname".utf8).rawSpan, of: .config) == nil)
    #expect(SubcommandRow.find(Array("get".utf8).rawSpan, of: .client) == nil)
    #expect(SubcommandRow.all(of: .get).isEmpty)
  }

  @Test("A table's words for keys are understood")
  func keys() {
    let specs = KeySpec.all("2 0 1 OW update;3 -1 1 RO access")
    #expect(specs.map(\.first) == [2, 3] && specs.map(\.last) == [0, -1] && specs.map(\.step) == [1, 1])
    #expect(specs.map(\.flags) == ["OW update", "RO access"])
    #expect(KeySpec.all("").isEmpty)
  }
}
