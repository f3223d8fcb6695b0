import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("RESP requests")
struct RESPParserTests {
  @Test("Arrays of bulk strings are commands, one after another; empty ones are nothing")
  func multibulkCommands() {
    let reading = read("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n*-1\r\n\r\n*1\r\n$4\r\nPING\r\n*1\r\n$0\r\n\r\n")
    #expect(words(reading) == [["GET", "k"], ["PING"], [""]])
    #expect(reading.failure == nil)
  }

  @Test("Lines are commands too, with quotes and escapes as Redis reads them")
  func inlineCommands() {
    #expect(words(read("PING\r\n set  a b \n")) == [["PING"], ["set", "a", "b"]])
    #expect(words(read(#"set "a b" 'c "d' e"f" "\x41\x4g\t\q""# + "\r\n")) == [["set", "a b", #"c "d"#, "ef", "Ax4g\tq"]])
    #expect(words(read(#"echo 'it\'s' "" x"# + "\n")) == [["echo", "it's", "", "x"]])
    #expect(words(read("PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n")) == [["PING"], ["PING"], ["PING"]])
  }

  @Test(
    "A broken frame is told in Redis's words",
    arguments: [
      ("*x\r\n", "ERR Protocol error: invalid multibulk length"), ("*\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*01\r\n", "ERR Protocol error: invalid multibulk length"), ("*-0\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*1048577\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*99999999999999999999\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length"), ("*1\r\n$1048577\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$x\r\n", "ERR Protocol error: invalid bulk length"), ("*1\r\n$04\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n:4\r\n", "ERR Protocol error: expected '$', got ':'"), ("*2\r\n*1\r\n", "ERR Protocol error: expected '$', got '*'"),
      ("*1\r\r\n$4\r\n", "ERR Protocol error: expected '$', got ' '"),
      ("GET \"a\r\n", "ERR Protocol error: unbalanced quotes in request"),
      ("GET \"a\"b\r\n", "ERR Protocol error: unbalanced quotes in request"),
      ("GET 'a\r\n", "ERR Protocol error: unbalanced quotes in request"),
    ])
  func broken(text: String, error: String) throws {
    let failure = try #require(read(text).failure)
    #expect(String(decoding: failure.text, as: UTF8.self) == error)
    #expect(read(Array(text.utf8).map { [$0] }).failure == failure)
  }

  @Test("Lines without an end are refused at 64 KiB")
  func endless() {
    #expect(read("*" + String(repeating: "1", count: 70_000)).failure == .multibulkLineTooLong)
    #expect(read("*1\r\n$" + String(repeating: "1", count: 70_000)).failure == .bulkLineTooLong)
    #expect(read(String(repeating: "x", count: 70_000)).failure == .inlineTooLong)
  }

  @Test("A command has a bound over all of its arguments, known before they have come")
  func commandBytes() {
    var limits = limits
    limits.commandBytesMax = 100
    let bytes = multibulk([Array(repeating: 65, count: 50), Array(repeating: 65, count: 50)])
    #expect(read([bytes], limits: limits).failure == .commandTooLong)
    #expect(read([Array(bytes.prefix(70))], limits: limits).failure == .commandTooLong)
    #expect(read([multibulk([Array(repeating: 65, count: 50)])], limits: limits).failure == nil)
  }

  @Test("Who has not shown his token may announce ten arguments of 16 KiB")
  func unauthenticated() {
    func failure(_ text: String) -> RESPProtocolError? { read([Array(text.utf8)], isAuthenticated: false).failure }
    #expect(failure("*11\r\n") == .unauthenticatedMultibulkLength)
    #expect(failure("*10\r\n$16385\r\n") == .unauthenticatedBulkLength)
    #expect(failure("*10\r\n$16384\r\n") == nil)
  }

  @Test("Cut at every byte, a conversation reads the same")
  func cuts() {
    let bytes =
      multibulk([Array("SET".utf8), [0, 13, 10, 255], Array("*3\r\n$2\r\n".utf8)]) + Array("get \"a b\"\r\n".utf8)
      + multibulk([Array("PING".utf8)]) + multibulk((0..<20).map { [UInt8]($0..<($0 * 2)) })
    let whole = read([bytes])
    #expect(whole.commands.count == 4)
    for cut in 0...bytes.count {
      let parts = read([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(parts.commands == whole.commands && parts.failure == nil, "cut at \(cut)")
    }
    #expect(read(bytes.map { [$0] }).commands == whole.commands)
  }

  @Test("A large bulk string is asked for once, and a command of many arguments is not read again from its beginning")
  func economy() {
    let large = multibulk([Array("SET".utf8), [1], Array(repeating: 7, count: 500_000)])
    let reading = read(stride(from: 0, to: large.count, by: 1000).map { Array(large[$0..<min($0 + 1000, large.count)]) })
    #expect(reading.commands.count == 1)
    #expect(reading.calls <= 4)
    // Quadratic, this would take minutes.
    let many = multibulk(Array(repeating: [65], count: 100_000))
    #expect(read(stride(from: 0, to: many.count, by: 7).map { Array(many[$0..<min($0 + 7, many.count)]) }).commands.first?.count == 100_000)
  }

  @Test("Random requests, whole, broken and cut, read as a plain parser reads them")
  func random() {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SplitMix(state: seed)
    for _ in 0..<2000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes += multibulk(
          (0..<Int.random(in: 0...6, using: &generator)).map { _ in
            (0..<Int.random(in: 0...12, using: &generator)).map { _ in [0x2A, 0x24, 13, 10, 0x31, 0x2D].randomElement(using: &generator)! }
          })
      }
      if Bool.random(using: &generator) {
        bytes[Int.random(in: 1..<bytes.count, using: &generator)] = [0x2A, 0x24, 13, 10, 0x31, 0x2D, 0].randomElement(using: &generator)!
      }
      let naive = naiveRead(bytes)
      // What follows where a command should begin may be a line: only arrays are compared.
      let cut = Int.random(in: 0...bytes.count, using: &generator)
      let parts = read([Array(bytes[..<cut]), Array(bytes[cut...])])
      let count = naive.commands.count
      #expect(Array(parts.commands.prefix(count)) == naive.commands, "seed \(seed), \(bytes)")
      if let failure = naive.failure { #expect(parts.failure == failure, "seed \(seed), \(bytes)") }
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
