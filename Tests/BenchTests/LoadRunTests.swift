// Whole loads against servers made of a few lines: right ones, wrong ones, ones that stand still, break off, or are not there.

import MartletBytes
import MartletJSON
import Synchronization
import Testing

@testable import Bench
@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite(.serialized) struct LoadRunTests {
  /// Sets of four bytes by RESP, for as long as `duration` or `requests` say.
  private func options(_ server: FakeServer, _ change: (inout LoadOptionTexts) -> Void = { _ in }) throws -> LoadOptions {
    var texts = LoadOptionTexts()
    (texts.target, texts.connections, texts.duration, texts.mix) = ("resp://\(server.address)", 4, 0.2, "set")
    (texts.keys, texts.keyBytes, texts.valueBytes) = (100, 4, "4")
    change(&texts)
    return try LoadOptions(texts)
  }

  @Test("A closed loop makes exactly as many requests as it is told to, over all threads and pipelines", arguments: [1, 3, 16])
  func requests(pipeline: Int) throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.requests = 1001
        $0.pipeline = pipeline
        $0.threads = 2
        $0.duration = 600
      }
    ).run()
    #expect(report.tally.operations == 1001)
    #expect(report.failure == nil)
    #expect(server.requests == 1001)
    #expect(report.latency.max > 0 && report.seconds > 0 && report.clientMicrosecondsPerOperation > 0)
  }

  @Test("Every key is stored before the run, once; what is not measured is not counted")
  func preload() throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.requests = 10
        $0.preload = true
        $0.threads = 2
        $0.duration = 600
      }
    ).run()
    #expect(report.tally.operations == 10)
    #expect(server.requests == 110)
  }

  @Test("The warm-up is sent and not counted")
  func warmUp() throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.warmUp = 0.2
        $0.rate = 200
      }
    ).run()
    #expect(report.tally.operations + report.tally.unsent == 40)
    #expect(server.requests + report.tally.unsent == 80)
  }

  @Test("An open loop sends at its rate, whatever the number of threads", arguments: [1, 2])
  func openLoop(threads: Int) throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.rate = 1000
        $0.threads = threads
        $0.duration = 0.5
      }
    ).run()
    #expect(report.tally.operations + report.tally.unsent == 500)
    #expect(report.failure == nil)
    #expect(report.seconds >= 0.49)
  }

  @Test("A server that stands still for a while shows in an open loop's percentiles as arithmetic says it must")
  func stall() throws {
    let (rate, seconds, still) = (500.0, 2.0, 0.5)
    let server = try FakeServer { number in number == 200 ? .stall(seconds: still) : .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.rate = rate
        $0.duration = seconds
        $0.connections = 2
      }
    ).run()
    #expect(report.tally.operations + report.tally.unsent == 1000)
    // All requests that were due in the first t seconds of the stall waited for `still` - t or more: a share of t / `seconds` of all.
    for (percent, value) in zip(LatencyFigures.percentiles, report.latency.values) where (100 - percent) / 100 * seconds < still {
      let bound = still - (100 - percent) / 100 * seconds - 2 / rate
      #expect(Double(value) / 1e9 >= bound, "\(percent) %: \(value) ns, at least \(bound) s")
    }
  }

  @Test("Requests that could not be sent count with the time that they have waited")
  func unsent() throws {
    let server = try FakeServer { number in number == 1 ? .stall(seconds: 1) : .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.rate = 100
        $0.duration = 0.5
        $0.connections = 1
      }
    ).run()
    #expect(report.tally.unsent > 0)
    #expect(report.tally.operations + report.tally.unsent == 50)
    #expect(report.latency.values[0] >= 200_000_000)
    #expect(report.text.contains("\(report.tally.unsent) due and never sent"))
  }

  @Test("Error replies, wrong values and nonsense are counted, named, and shown by their first")
  func wrong() throws {
    for (reply, mix, words) in [
      ("-ERR no\r\n", "set", "8 unexpected replies (-ERR no)"), ("$4\r\nabcd\r\n", "get", "8 wrong values ($4)"),
    ] {
      let server = try FakeServer { _ in .reply(reply) }
      let report = try LoadRun(
        options(server) {
          $0.mix = mix
          $0.requests = 8
          $0.duration = 600
        }
      ).run()
      #expect(report.tally.errors == 8 && report.tally.operations == 0)
      #expect(report.failure?.kind == .failure)
      #expect(report.failure?.description.contains(words) == true, "\(String(describing: report.failure))")
      server.stop()
    }
    let server = try FakeServer { _ in .reply("HTTP/1.1 400 Bad Request\r\n\r\n") }
    defer { server.stop() }
    let report = try LoadRun(options(server)).run()
    #expect(report.tally.errors > 0)
    #expect(report.failure?.description.contains("malformed replies (HTTP/1.1 400 Bad Request)") == true)
  }

  @Test("More than was asked for is nonsense, too")
  func tooMuch() throws {
    let server = try FakeServer { _ in .reply("+OK\r\n+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(options(server)).run()
    #expect(report.failure?.description.contains("malformed replies (more than was asked for: +OK)") == true)
  }

  @Test("A target that breaks off loses what was under way; the connection is dialled again")
  func breaksOff() throws {
    let server = try FakeServer { number in number % 5 == 0 ? .close : .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(options(server) { $0.duration = 0.5 }).run()
    #expect(report.tally.operations > 0)
    #expect(report.failure?.description.contains("lost with their connection") == true)
    #expect(server.connections > 4)
  }

  @Test("A target that answers nothing is told after the timeout, and so is one that does not even read", arguments: [false, true])
  func silent(deaf: Bool) throws {
    let server = try FakeServer { _ in deaf ? .deaf : .nothing }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.timeout = 0.2
        $0.valueBytes = deaf ? "8000000" : "4"
        $0.connections = 1
      }
    ).run()
    #expect(report.tally.operations == 0)
    #expect(report.tally.errors > 0)
    #expect(report.failure != nil)
    #expect(report.seconds < 60)
  }

  @Test("A target that refuses is one line")
  func refused() throws {
    let server = try FakeServer { _ in .nothing }
    server.stop()
    let error = try #require(throws: BenchError.self) { try LoadRun(options(server)).run() }
    #expect(error.kind == .failure)
    #expect(error.description.hasPrefix("cannot connect to \(server.address): connection refused"))
  }

  @Test("A token that the server does not want, a host that nobody knows, a process that is not there: each is one line")
  func cannotBegin() throws {
    let server = try FakeServer { _ in .reply("-ERR no\r\n") }
    defer { server.stop() }
    let token = try #require(throws: BenchError.self) { try LoadRun(options(server) { $0.token = "t" }).run() }
    #expect(token.description.contains("-ERR no"))
    let host = try #require(throws: BenchError.self) { try LoadRun(options(server) { $0.target = "resp://nobody.invalid:1" }).run() }
    #expect(host.description.contains("nobody.invalid"))
    let process = try #require(throws: BenchError.self) { try LoadRun(options(server) { $0.serverPID = Int(Int32.max) }).run() }
    #expect(process.kind == .usage)
  }

  @Test("The JSON is the contract's, with a number or null for each key")
  func json() throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.requests = 10
        $0.serverPID = Int(getpid())
      }
    ).run()
    let text = report.json
    var names: [String] = []
    for part in text.split(separator: "\"").enumerated() where part.offset % 2 == 1 { names.append(String(part.element)) }
    #expect(
      names == [
        "operations", "errors", "seconds", "rate", "latency_us", "50", "90", "99", "99.9", "99.99", "max", "client_cpu_us_per_op",
        "server_cpu_us_per_op",
      ])
    #expect(text.hasPrefix("{\"operations\":10,\"errors\":0,\"seconds\":") && !text.contains("null"))
    #expect(try LoadRun(options(server) { $0.requests = 10 }).run().json.hasSuffix("\"server_cpu_us_per_op\":null}"))
  }

  @Test("The text tells the conditions before the numbers")
  func text() throws {
    let server = try FakeServer { _ in .reply("+OK\r\n") }
    defer { server.stop() }
    let report = try LoadRun(
      options(server) {
        $0.requests = 10
        $0.serverPID = Int(getpid())
      }
    ).run()
    let lines = report.text.split(separator: "\n")
    #expect(lines[0] == "resp://\(server.address): 4 connections, pipeline 1, 1 thread, closed loop")
    #expect(lines[1] == "set; 100 keys of 4 bytes (uniform), values of 4 bytes; 0.2 s after 0 s of warm-up")
    #expect(lines[2].contains(" cores, "))
    #expect(lines[3].hasPrefix("operations  10 in "))
    #expect(lines[4].hasPrefix("latency     50 %  "))
    #expect(lines[5].hasPrefix("CPU per op  server "))
  }
}

/// A server that takes requests of one size, sets of four bytes with keys of four, or gets, and answers each as it is told.
final class FakeServer: Sendable {
  enum Answer: Sendable {
    case reply(String)
    case nothing
    case close
    /// Reads no more.
    case deaf
    /// The whole server stands still, then answers `+OK`.
    case stall(seconds: Double)
  }

  let address: SocketAddress
  private let thread: LoopThread
  private let counts = Counts()

  private final class Counts: Sendable {
    let requests = Atomic(0)
    let connections = Atomic(0)
  }

  var requests: Int { counts.requests.load(ordering: .relaxed) }
  var connections: Int { counts.connections.load(ordering: .relaxed) }

  /// `answer` is given the request's number, from 1.
  init(_ answer: @escaping @Sendable (Int) -> Answer) throws {
    let loop = try EventLoop(index: 0)
    let socket = try ListeningSocket.bind(.loopback(port: 0), loops: 1)
    address = socket.address
    thread = try LoopThread(loop)
    let factory = SessionFactory.make(name: "fake") { [counts] _, _ in
      counts.connections.add(1, ordering: .relaxed)
      return FakeSession(answer: answer) { counts.requests.add(1, ordering: .relaxed).newValue }
    }
    socket.start(on: [loop], budget: ConnectionBudget(max: 1 << 20)) { _ in factory }
  }

  func stop() {
    thread.eventLoop.stop()
    thread.join()
  }
}

private struct FakeSession: ByteSession, ~Copyable {
  let answer: @Sendable (Int) -> FakeServer.Answer
  let count: @Sendable () -> Int

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    var start = 0
    while let end = Self.requestEnd(input[start..<input.byteCount]) {
      start += end
      switch answer(count()) {
      case .reply(let text): output.append(text)
      case .nothing: break
      case .close: return Progress(consumed: start, next: .close(.finished), deadline: .never)
      case .deaf: return Progress(consumed: start, next: .blocked, deadline: .never)
      case .stall(let seconds):
        usleep(UInt32(seconds * 1e6))
        output.append("+OK\r\n")
      }
    }
    if input.byteCount > 100, case .deaf = answer(0) { return Progress(consumed: 0, next: .blocked, deadline: .never) }
    return Progress(consumed: start, next: .read(atLeast: 1), deadline: .never)
  }

  /// The end of a command: as many lines as its array has elements, twice, and one.
  private static func requestEnd(_ input: RawSpan) -> Int? {
    guard input.byteCount > 3 else { return nil }
    var lines = Int(input[1] - 0x30) * 2 + 1
    var index = 0
    while lines > 0 {
      guard let feed = input.firstIndex(of: ASCII.lineFeed, from: index) else { return nil }
      index = feed + 1
      lines -= 1
    }
    return index
  }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected, .message, .deadline: Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
    case .endOfInput, .drain: Progress(consumed: 0, next: .close(.finished), deadline: .never)
    }
  }
}
