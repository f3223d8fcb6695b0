import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("memcached requests")
struct MemcachedParserTests {
  private let longKey = String(repeating: "k", count: 251)

  @Test("Of the crawler there is the list of all items; classes are one")
  func crawler() {
    #expect(
      readMemcached(
        "lru_crawler metadump all\r\nlru_crawler metadump hash\r\nlru_crawler metadump 1\r\nlru_crawler metadump 2\r\nlru_crawler metadump\r\nlru_crawler\r\n"
      )
        == [
          "lru_crawler", "lru_crawler", "lru_crawler", "lru_crawler !badClass", "lru_crawler !unknownCommand",
          "lru_crawler !unknownCommand",
        ])
  }

  @Test("Retrieval names one key or many, separated by blanks")
  func retrieval() {
    #expect(readMemcached("get a\r\n  gets  a   b \nget k\n") == ["get a", "gets a b", "get k"])
    #expect(readMemcached("gat 60 a\r\ngats -1 a b\r\ngat 5\r\n") == ["gat a time=60", "gats a b time=-1", "gat time=5"])
    #expect(
      readMemcached("get\r\ngets \r\ngat\r\ngat k\r\n") == [
        "get !unknownCommand", "gets !unknownCommand", "gat !unknownCommand", "gat !badExpiry",
      ])
    #expect(readMemcached("get \(longKey)\r\nget a \(longKey) b\r\n") == ["get !badLine", "get !badLine"])
    let key = String(repeating: "k", count: 250)
    #expect(readMemcached("get \(key)\r\n") == ["get \(key)"])
  }

  @Test("Storage takes its block with it, whatever is in there")
  func storage() {
    #expect(readMemcached("set k 5 60 2\r\nab\r\nadd k 0 0 0 noreply\r\n\r\n") == ["set k flags=5 time=60 [ab]", "add k [] quiet"])
    #expect(
      readMemcached("cas k 4294967295 -1 4 18446744073709551615\r\n\r\n\r\n\r\n") == [
        "cas k flags=4294967295 time=-1 number=18446744073709551615 [\r\n\r\n]"
      ])
    #expect(
      readMemcached("append k 1 1 +1 noreply\nx\r\nprepend k 0 0 1 nope\r\nx\r\nreplace k 0 0 1\r\nx\r\n") == [
        "append k flags=1 time=1 [x] quiet", "prepend k [x]", "replace k [x]",
      ])
    #expect(readMemcached("set k 0 0\r\nset\r\ncas k 0 0 1\r\n") == ["set !unknownCommand", "set !unknownCommand", "cas !unknownCommand"])
  }

  @Test(
    "A line that announces a block takes the block with it even when the line is wrong",
    arguments: [
      "set \(String(repeating: "k", count: 251)) 0 0 5\r\nget x\r\n", "set k -1 0 5\r\nget x\r\n", "set k 4294967296 0 5\r\nget x\r\n",
      "set k 0 x 5\r\nget x\r\n", "cas k 0 0 5 x\r\nget x\r\n", "ms \(String(repeating: "k", count: 251)) 5\r\nget x\r\n",
    ])
  func blocksOfWrongLines(text: String) {
    for pieces in [[Array(text.utf8)], Array(text.utf8).map { [$0] }] {
      let told = readMemcached(pieces + [Array("get y\r\n".utf8)])
      #expect(told.count == 2 && told[0].hasSuffix("!badLine") && told[1] == "get y")
    }
  }

  @Test("Without a length there is no block: what follows is a command")
  func noLength() {
    for length in ["x", "-1", "2147483646", "99999999999999999999", "1x"] {
      #expect(readMemcached("set k 0 0 \(length)\r\nget y\r\n") == ["set !badLine", "get y"])
    }
    #expect(readMemcached("ms k\r\nms k S2\r\n") == ["ms !badLine", "ms !badLine"])
  }

  @Test("A block that does not end where it should is skipped to the end of its line")
  func badData() {
    #expect(readMemcached("set k 0 0 2\r\nabcdef\r\nget y\r\n") == ["set !badData", "get y"])
    #expect(readMemcached("set k 0 0 2\r\nab\nget y\r\n") == ["set !badData", "get y"])
    #expect(readMemcached("set k 0 0 9 noreply\r\nabc\r\nget k\r\nget y\r\n") == ["set !badData quiet", "get y"])
    #expect(readMemcached("ms k 2 T0\r\nabc\r\nmn\r\n") == ["ms !badData", "mn"])
  }

  @Test("A block beyond the limit is refused and passed over, without being kept")
  func tooLarge() {
    let block = [UInt8](repeating: 65, count: 1001)
    #expect(readMemcached([Array("set k 0 0 1001\r\n".utf8) + block + Array("\r\nget y\r\n".utf8)]) == ["set !tooLarge", "get y"])
    var parser = MemcachedParser()
    var words: [ArgumentSlice] = []
    let line = Array("ms k 2000000000\r\n".utf8)
    guard case .request(let request) = parser.parse(line.rawSpan, from: 0, limits: memcachedLimits, into: &words) else {
      Issue.record("not answered at once")
      return
    }
    #expect(request.error == .tooLarge && request.end == line.count && parser.isUnderWay)
    guard case .skipped(let end) = parser.parse(block.rawSpan, from: 0, limits: memcachedLimits, into: &words) else {
      Issue.record("not passed over")
      return
    }
    #expect(end == block.count && parser.isUnderWay)
  }

  @Test("Changes and what is about the server")
  func others() {
    #expect(
      readMemcached("incr k 5\r\ndecr k 18446744073709551615 noreply\r\ntouch k 9\r\n") == [
        "incr k number=5", "decr k number=18446744073709551615 quiet", "touch k time=9",
      ])
    #expect(
      readMemcached("incr k x\r\nincr k -1\r\nincr k\r\ntouch k x\r\ntouch k\r\n") == [
        "incr !badDelta", "incr !badDelta", "incr !unknownCommand", "touch !badExpiry", "touch !unknownCommand",
      ])
    #expect(
      readMemcached("delete k\r\ndelete k 0\r\ndelete k noreply\r\ndelete k 0 noreply\r\ndelete k 1\r\ndelete k 0 0\r\n") == [
        "delete k", "delete k", "delete k quiet", "delete k quiet", "delete !badDelete", "delete !badDelete",
      ])
    #expect(
      readMemcached("flush_all\r\nflush_all 5\r\nflush_all noreply\r\nflush_all 5 noreply\r\nflush_all x\r\n") == [
        "flush_all", "flush_all time=5", "flush_all quiet", "flush_all time=5 quiet", "flush_all !badExpiry",
      ])
    #expect(
      readMemcached("verbosity 1\r\nverbosity\r\nverbosity x\r\nversion\r\nversion x\r\nquit\r\nstats\r\nstats items\r\n") == [
        "verbosity", "verbosity !unknownCommand", "verbosity !badLine", "version", "version", "quit", "stats", "stats items",
      ])
  }

  @Test("What is no command is told so; the names have a case")
  func unknown() {
    #expect(
      readMemcached("\r\n \r\nGET k\r\nxyz\r\nmx k\r\nm\r\nmg\r\n") == [
        "unknown !unknownCommand", "unknown !unknownCommand", "unknown !unknownCommand", "unknown !unknownCommand",
        "unknown !unknownCommand",
        "unknown !unknownCommand", "mg !unknownCommand",
      ])
  }

  @Test("Other protocols are hung up on at once: HTTP by its first line, the binary protocol by its first byte")
  func otherProtocols() {
    #expect(readMemcached("GET / HTTP/1.1\r\n") == ["unknown !httpRequest"])
    #expect(readMemcached("POST /set%20a HTTP/1.0\r\n") == ["unknown !httpRequest"])
    #expect(readMemcached([[0x80, 1]]) == ["unknown !binaryProtocol"])
    #expect(MemcachedError.httpRequest.closes && MemcachedError.binaryProtocol.closes && !MemcachedError.badData.closes)
  }

  @Test("Lines have a bound; those of many keys a far one")
  func longLines() {
    let words = String(repeating: "key ", count: 1000)
    #expect(readMemcached("set \(words)") == ["unknown !lineTooLong"])
    #expect(readMemcached("set \(words)\r\n") == ["unknown !lineTooLong"])
    for name in ["get", "gets", "gat 0", "gats 0"] {
      #expect(readMemcached("\(name) \(words)\r\n").first?.hasSuffix("key key") == true)
      #expect(readMemcached("\(name) \(words)") == [])
    }
    var limits = memcachedLimits
    limits.keysLineBytesMax = 3000
    #expect(readMemcached([Array("get \(words)".utf8)], limits: limits) == ["unknown !lineTooLong"])
  }

  @Test("Meta commands keep their flags, and `ms` its block")
  func meta() {
    #expect(
      readMemcached("mg k\r\nmg k v t O1\r\nms k 2 T60 c\r\nab\r\nmd k I T5\r\nma k D5 MD\r\nme k\r\nmn\r\nmn x\r\n") == [
        "mg k", "mg k v t O1", "ms k T60 c [ab]", "md k I T5", "ma k D5 MD", "me k", "mn", "mn",
      ])
    #expect(readMemcached("mg k \(String(repeating: "v ", count: 30))\r\n") == ["mg !tooManyFlags"])
    #expect(readMemcached("mg \(longKey)\r\nme\r\n") == ["mg !badLine", "me !badLine"])
  }

  @Test("Before a token is shown nothing counts but the `set` that shows it")
  func credentials() {
    func read(_ text: String) -> [String] { readMemcached(text, isAuthenticated: false) }
    #expect(read("get k\r\nmg k\r\nset k 0 0\r\n") == Array(repeating: "authenticate !unauthenticated", count: 3))
    #expect(read("set any x y 8\r\nme token\r\n") == ["authenticate [me token]"])
    #expect(read("set any 0 0 8\r\nme tokenx\r\n") == ["authenticate !badCredentialsEnd"])
    #expect(read("set any 0 0 20000\r\n") == ["authenticate !badCredentials"])
    #expect(readMemcached(Array("set any 0 0 8\r\nme token\r\n".utf8).map { [$0] }, isAuthenticated: false) == ["authenticate [me token]"])
  }

  @Test("Cut at every byte, a conversation reads the same")
  func cuts() {
    let text = """
      get a\r\nset k 5 60 11\r\nab\r\nget x\r\n\r\ngets a b c\r\nset k 0 0 2\r\nabcdef\r\nms key 4 T60 c k O12\r\nabcd\r\nset k 0 0 1001\r\n\
      \(String(repeating: "x", count: 1001))\r\nmg k v\r\nset k 0 0 0\r\n\r\nms k 0\r\n\r\nincr k 1 noreply\nstats items\r\n\r\nset k x 0 3\r\nabc\r\ntouch k 5\r\n
      """
    let bytes = Array(text.utf8)
    let whole = readMemcached([bytes])
    #expect(whole.count == 14)
    for cut in 0...bytes.count {
      #expect(readMemcached([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
    }
    #expect(readMemcached(bytes.map { [$0] }) == whole)
  }

  @Test("Whatever bytes come, cut anywhere, the parser says the same and stays within them")
  func randomBytes() {
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let pieces = [
      "get ", "set ", "k ", "key", " 0 0 ", "2", "\r\n", "\n", "ab", "ms ", "mg ", "v ", "noreply", "x", " ", "-1", "9999", "cas ", "\r",
      "T5 ",
    ]
    for _ in 0..<2000 {
      var bytes: [UInt8] = []
      for _ in 0..<next(12) { bytes += Array(pieces[next(pieces.count)].utf8) }
      bytes.append(10)
      let cut = next(bytes.count + 1)
      #expect(readMemcached([bytes]) == readMemcached([Array(bytes[..<cut]), Array(bytes[cut...])]), "seed \(seed)")
    }
  }
}
