import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("RESP replies")
struct RESPWriterTests {
  private func written(_ version: RESPWriter.Version, _ body: (inout RESPWriter) -> Void) -> String {
    var writer = RESPWriter(version: version)
    body(&writer)
    return writer.output.text
  }

  private func both(_ body: (inout RESPWriter) -> Void) -> [String] { [written(.two, body), written(.three, body)] }

  @Test("What both versions spell alike")
  func alike() {
    let text = both { writer in
      writer.ok()
      writer.simple("PONG")
      writer.integer(-12)
      writer.bulk("abc")
      writer.bulk(RawSpan())
      writer.array(2)
      writer.error(Array("ERR a\r\nb".utf8))
    }
    #expect(text == Array(repeating: "+OK\r\n+PONG\r\n:-12\r\n$3\r\nabc\r\n$0\r\n\r\n*2\r\n-ERR a  b\r\n", count: 2))
  }

  @Test("What they spell differently")
  func different() {
    #expect(both { $0.null() } == ["$-1\r\n", "_\r\n"])
    #expect(both { $0.nullArray() } == ["*-1\r\n", "_\r\n"])
    #expect(both { $0.map(2) } == ["*4\r\n", "%2\r\n"])
    #expect(both { $0.set(2) } == ["*2\r\n", "~2\r\n"])
    #expect(both { $0.push(2) } == ["*2\r\n", ">2\r\n"])
    #expect(both { $0.boolean(true) } == [":1\r\n", "#t\r\n"])
    #expect(both { $0.verbatim("hé") } == ["$3\r\nhé\r\n", "=7\r\ntxt:hé\r\n"])
  }
}
