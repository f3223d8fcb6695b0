// Whole loads against servers made of a few lines: right ones, wrong ones, ones that stand still, break off, or are not there.

import MartletBytes
import MartletJSON
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

  /// What such a load on a server that answers so comes to.
  private func load(
    answering answer: @escaping @Sendable (Int) -> FakeServer.Answer = { _ in .reply("+OK\r\n") }, _ change: (inout LoadOptionTexts) -> Void
  ) throws -> (report: LoadReport, server: FakeServer) {
    let server = try FakeServer(answer)
    defer { server.stop() }
    return (try LoadRun(options(server, change)).run(), server)
  }

  @Test("A closed loop makes exactly as many requests as it is told to, over all threads and pipelines", arguments: [1, 3, 16])
  func requests(pipeline: Int) throws {
    let (report, server) = try load { ($0.requests, $0.pipeline, $0.threads, $0.duration) = (1001, pipeline, 2, 600) }
    #expect(report.tally.operations == 1001)
    #expect(report.failure == nil)
    #expect(server.requests == 1001)
    #expect(report.latency.max > 0 && report.seconds > 0 && report.clientMicrosecondsPerOperation > 0)
  }

  @Test("Every key is stored before the run, once; what is not measured is not counted")
  func preload() throws {
    let (report, server) = try load { ($0.requests, $0.preload, $0.threads, $0.duration) = (10, true, 2, 600) }
    #expect(report.tally.operations == 10)
    #expect(server.requests == 110)
  }

  @Test("The warm-up is sent and not counted")
  func warmUp() throws {
    let (report, server) = try load { ($0.warmUp, $0.rate) = (0.2, 200) }
    #expect(report.tally.operations + report.tally.unsent == 40)
    #expect(server.requests + report.tally.unsent == 80)
  }

  @Test("An open loop sends at its rate, whatever the number of threads", arguments: [1, 2])
  func openLoop(threads: Int) throws {
    let report = try load { ($0.rate, $0.threads, $0.duration) = (1000, threads, 0.5) }.report
    #expect(report.tally.operations + report.tally.unsent == 500)
    #expect(report.failure == nil)
    #expect(report.seconds >= 0.49)
  }

  @Test("A server that stands still for a while shows in an open loop's percentiles as arithmetic says it must")
  func stall() throws {
    let (rate, seconds, still) = (500.0, 2.0, 0.5)
    let (report, _) = try load(answering: { number in number == 200 ? .stall(seconds: still) : .reply("+OK\r\n") }) {
      ($0.rate, $0.duration, $0.connections) = (rate, seconds, 2)
    }
    #expect(report.tally.operations + report.tally.unsent == 1000)
    // All requests that were due in the first t seconds of the stall waited for `still` - t or more: a share of t / `seconds` of all.
    for (percent, value) in zip(LatencyFigures.percentiles, report.latency.values) where (100 - percent) / 100 * seconds < still {
      let bound = still - (100 - percent) / 100 * seconds - 2 / rate
      #expect(Double(value) / 1e9 >= bound, "\(percent) %: \(value) ns, at least \(bound) s")
    }
  }

  @Test("Requests that could not be sent count with the time that they have waited")
  func unsent() throws {
    let (report, _) = try load(answering: { number in number == 1 ? .stall(seconds: 1) : .reply("+OK\r\n") }) {
      ($0.rate, $0.duration, $0.connections) = (100, 0.5, 1)
    }
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
      let report = try load(answering: { _ in .reply(reply) }) { ($0.mix, $0.requests, $0.duration) = (mix, 8, 600) }.report
      #expect(report.tally.errors == 8 && report.tally.operations == 0)
      #expect(report.failure?.kind == .failure)
      #expect(report.failure?.description.contains(words) == true, "\(String(describing: report.failure))")
    }
    let report = try load(answering: { _ in .reply("HTTP/1.1 400 Bad Request\r\n\r\n") }) { _ in }.report
    #expect(report.tally.errors > 0)
    #expect(report.failure?.description.contains("malformed replies (HTTP/1.1 400 Bad Request)") == true)
  }

  @Test("More than was asked for is nonsense, too")
  func tooMuch() throws {
    let report = try load(answering: { _ in .reply("+OK\r\n+OK\r\n") }) { _ in }.report
    #expect(report.failure?.description.contains("malformed replies (more than was asked for: +OK)") == true)
  }

  @Test("A target that breaks off loses what was under way; the connection is dialled again")
  func breaksOff() throws {
    let (report, server) = try load(answering: { number in number % 5 == 0 ? .close : .reply("+OK\r\n") }) { $0.duration = 0.5 }
    #expect(report.tally.operations > 0)
    #expect(report.failure?.description.contains("lost with their connection") == true)
    #expect(server.connections > 4)
  }

  @Test("A target that answers nothing is told after the timeout, and so is one that does not even read", arguments: [false, true])
  func silent(deaf: Bool) throws {
    let (report, _) = try load(answering: { _ in deaf ? .deaf : .nothing }) {
      ($0.timeout, $0.valueBytes, $0.connections) = (0.2, deaf ? "8000000" : "4", 1)
    }
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
    let text = try load { ($0.requests, $0.serverPID) = (10, Int(getpid())) }.report.json
    var names: [String] = []
    for part in text.split(separator: "\"").enumerated() where part.offset % 2 == 1 { names.append(String(part.element)) }
    #expect(
      names == [
        "operations", "errors", "seconds", "rate", "latency_us", "50", "90", "99", "99.9", "99.99", "max", "client_cpu_us_per_op",
        "server_cpu_us_per_op",
      ])
    #expect(text.hasPrefix("{\"operations\":10,\"errors\":0,\"seconds\":") && !text.contains("null"))
    let unknown = try load { $0.requests = 10 }.report.json
    #expect(unknown.hasSuffix("\"server_cpu_us_per_op\":null}"))
  }

  @Test("The text tells the conditions before the numbers")
  func text() throws {
    let (report, server) = try load { ($0.requests, $0.serverPID) = (10, Int(getpid())) }
    let lines = report.text.split(separator: "\n")
    #expect(lines[0] == "resp://\(server.address): 4 connections, pipeline 1, 1 thread, closed loop")
    #expect(lines[1] == "set; 100 keys of 4 bytes (uniform), values of 4 bytes; 0.2 s after 0 s of warm-up")
    #expect(lines[2].contains(" cores, "))
    #expect(lines[3].hasPrefix("operations  10 in "))
    #expect(lines[4].hasPrefix("latency     50 %  "))
    #expect(lines[5].hasPrefix("CPU per op  server "))
  }
}
