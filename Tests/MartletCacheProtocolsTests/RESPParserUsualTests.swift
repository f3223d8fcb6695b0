import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("RESP requests that are read in one go")
struct RESPParserUsualTests {
  private func names(_ bytes: [UInt8], commandsMax: Int = 100) -> (names: [RESPCommand.Name], end: Int) {
    var parser = RESPParser()
    var slices = UniqueArray<RESPSlice>()
    var commands = UniqueArray<RESPCommand>()
    let end = parser.parseUsual(
      bytes.rawSpan, from: 0, limits: limits, into: &slices, &commands, argumentsMax: 100, commandsMax: commandsMax)
    return ((0..<commands.count).map { commands[$0].name }, end)
  }

  private func command(_ words: String...) -> [UInt8] { multibulk(words.map { Array($0.utf8) }) }

  @Test("Of like commands the name is noted once; another name, spelling or number of arguments is another")
  func notes() {
    let get = command("GET", "a")
    #expect(names(get + get + command("GET", "bcd") + get).names == [.noted, .same, .same, .same])
    #expect(names(get + command("get", "a") + command("GET", "a", "b") + command("SET", "a")).names == [.noted, .noted, .noted, .noted])
    let long = command("JSON.NUMINCRBY", "k")
    #expect(names(get + long + long + get).names == [.noted, .other, .other, .same])
  }

  @Test("It ends before what is unfinished, wrong, inline, empty or large, at every cut")
  func ends() {
    let get = command("GET", "a")
    #expect(names(get + get, commandsMax: 1).end == get.count)
    for cut in 0..<get.count { #expect(names(get + get[..<cut]).end == get.count) }
    for other in [
      "*1\r\n:4\r\n", "PING\r\n", "*0\r\n", "*-1\r\n", "*1\r\n$-1\r\n", "*2000\r\n", "*01\r\n", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
      #expect(names(get + Array(other.utf8)).end == get.count)
      #expect(names(Array(other.utf8)).end == 0)
    }
    #expect(names(get + command("GET", String(repeating: "x", count: 1000))).end == get.count)
    #expect(names(command("GET", String(repeating: "x", count: 999))).names == [.noted])
  }

  @Test("What stands behind a name is trusted, and a name with another line end is not noted")
  func trusted() {
    let odd = Array("*2\r\n$3\r\nGET??$1\r\na\r\n".utf8)
    #expect(names(odd + odd).names == [.other, .other])
  }
}
