// Stampedes against a server that answers as a test tells it.

import MartletLoop
import Testing

@testable import Bench

@Suite struct HerdRunTests {
  private func run(_ style: Herd.Style, readers: Int, at address: String, interrupted: Bool = false) throws -> Herd.Outcome {
    let interruption = try Interruption()
    defer { interruption.stop() }
    if interrupted { interruption.note() }
    let herd = try Herd(
      at: try LoadTarget("resp://\(address)"), style: style, readers: readers, originSeconds: 0.001, key: "k", core: nil)
    return try herd.run(unless: interruption)
  }

  private func run(_ style: Herd.Style, readers: Int, _ answer: @escaping @Sendable (Int) -> FakeServer.Answer) throws -> Herd.Outcome {
    let server = try FakeServer(answer)
    defer { server.stop() }
    return try run(style, readers: readers, at: "\(server.address)")
  }

  @Test("Readers that get and fetch what they miss ask the origin as often as they miss")
  func redis() throws {
    let outcome = try run(.redis, readers: 3) { $0 <= 3 ? .reply("$-1\r\n") : .reply("+OK\r\n") }
    #expect(outcome.fills == 3 && outcome.lastNanoseconds >= 1_000_000 && outcome.askedNanoseconds > 0)
  }

  @Test("With leases the one who has it fetches; who is told to come again comes again")
  func lease() throws {
    let value = "*3\r\n$\(Herd.value.utf8.count)\r\n\(Herd.value)\r\n$-1\r\n:0\r\n"
    let replies = [1: "*3\r\n$-1\r\n$-1\r\n:0\r\n", 2: "*3\r\n$-1\r\n$16\r\n0123456789abcdef\r\n:0\r\n", 3: "+OK\r\n"]
    // One reader: nothing yet, then the lease, then the fill is confirmed.
    #expect(try run(.lease, readers: 1) { .reply(replies[$0, default: ""]) }.fills == 1)
    #expect(try run(.lease, readers: 2) { _ in .reply(value) }.fills == 0)
  }

  @Test("A wrong answer, a connection that is closed or refused: each is one line that says so")
  func wrong() throws {
    for (answer, words) in [
      (FakeServer.Answer.reply("-ERR no\r\n"), "answers a reader wrongly: -ERR no"), (.close, "closed a reader's connection"),
    ] {
      let error = #expect(throws: BenchError.self) { try run(.redis, readers: 2) { _ in answer } }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
    let error = #expect(throws: BenchError.self) { try run(.redis, readers: 2, at: "127.0.0.1:1") }
    #expect(error?.description.contains("a reader cannot connect") == true)
  }

  @Test("An interruption ends a stampede that would never end")
  func interruption() throws {
    let server = try FakeServer { _ in .nothing }
    defer { server.stop() }
    let error = #expect(throws: BenchError.self) { try run(.redis, readers: 2, at: "\(server.address)", interrupted: true) }
    #expect(error?.kind == .interruption)
  }
}
