import MartletBytes
import Testing

@testable import Bench

@Suite struct HerdTests {
  private static let value = Herd.value
  private static let replies: [(Herd.Style, String, HerdReply)] = [
    (.redis, "$-1\r\n", .nothing(lease: "")), (.redis, "$\(value.utf8.count)\r\n\(value)\r\n", .value),
    (.memcached, "END\r\n", .nothing(lease: "")), (.memcached, "VALUE k 0 \(value.utf8.count)\r\n\(value)\r\nEND\r\n", .value),
    (.lease, "*3\r\n$-1\r\n$16\r\n0123456789abcdef\r\n:0\r\n", .nothing(lease: "0123456789abcdef")),
    (.lease, "*3\r\n$-1\r\n$-1\r\n:0\r\n", .later), (.lease, "*3\r\n$\(value.utf8.count)\r\n\(value)\r\n$-1\r\n:0\r\n", .value),
  ]

  @Test("What a reader is answered is understood whole, wherever it is cut", arguments: replies.indices)
  func read(index: Int) {
    let (style, text, meaning) = Self.replies[index]
    let bytes = Array(text.utf8)
    for count in 0..<bytes.count {
      #expect(HerdReply.read(Array(bytes[..<count]).rawSpan, style, key: "k") == .incomplete, "\(text) cut at \(count)")
    }
    #expect(HerdReply.read(bytes.rawSpan, style, key: "k") == meaning)
    #expect(HerdReply.read((bytes + Array("x".utf8)).rawSpan, style, key: "k") == .wrong)
  }

  @Test("What is stored is confirmed in the words of the protocol, and anything else is wrong")
  func stored() {
    for (style, text) in [(Herd.Style.redis, "+OK\r\n"), (.lease, "+OK\r\n"), (.memcached, "STORED\r\n")] {
      let (bytes, other) = (Array(text.utf8), Array("-LEASELOST\r\n".utf8))
      #expect(HerdReply.stored(bytes.rawSpan, style) == .stored && HerdReply.stored(other.rawSpan, style) == .wrong)
    }
  }

  @Test("Redis's and memcached's readers get, and set what they fetched; with leases they ask for one and fill it")
  func requests() {
    func text(_ style: Herd.Style) -> [String] {
      var ask = ByteBuffer()
      var store = ByteBuffer()
      HerdRequest.ask(style, key: "k", into: &ask)
      HerdRequest.store(style, key: "k", lease: "abc", into: &store)
      return [ask.text, store.text.replacing(Self.value, with: "V").replacing("\(Self.value.utf8.count)", with: "n")]
    }
    #expect(text(.redis) == ["*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$n\r\nV\r\n"])
    #expect(text(.memcached) == ["get k\r\n", "set k 0 0 n\r\nV\r\n"])
    #expect(
      text(.lease) == [
        "*5\r\n$13\r\nMARTLET.LEASE\r\n$1\r\nk\r\n$2\r\n30\r\n$4\r\nWAIT\r\n$2\r\n30\r\n",
        "*4\r\n$12\r\nMARTLET.FILL\r\n$1\r\nk\r\n$3\r\nabc\r\n$n\r\nV\r\n",
      ])
  }
}
