import MartletBytes
import MartletJSON
import Testing

@testable import Bench

/// Our own coders under another name, and wrong if asked to be.
private struct OtherRoad: JSONRoad {
  var name = "Foundation"
  var isWrong = false

  func encode<Value: JSONBenchValue>(_ value: Value, into output: inout ByteBuffer) throws {
    try MartletJSON.Encoder().encode(value, into: &output)
  }
  func decode<Value: JSONBenchValue>(_ type: Value.Type, from text: [UInt8]) throws -> Value {
    if isWrong, type == SampleReply.self { return try MartletJSON.Decoder().decode(type, from: #"{"message":"Bye"}"#) }
    return try MartletJSON.Decoder().decode(type, from: text)
  }
}

@Suite("bench json")
struct JSONRunTests {
  private struct Results: Decodable {
    struct Result: Decodable {
      var workload: String, bytes: Int, operation: String, road: String, cpu_nanoseconds: Double
      var times_foundation: Double?
    }
    struct Conditions: Decodable { var processor: String, quick: Bool }
    var conditions: Conditions
    var results: [Result]
  }

  @Test("A run tells of every workload, operation and road, as text and as JSON")
  func report() throws {
    var run = JSONRun()
    run.isQuick = true
    run.furtherRoads = [OtherRoad()]
    let report = try run.report()
    for words in [
      "small reply, 27 bytes", "1 KB record, 1013 bytes", "8 KB list", "fast lane", "jansson road", "Foundation", "floor", "scan",
    ] {
      #expect(report.text.contains(words), "\(words)")
    }
    let results = try MartletJSON.Decoder().decode(Results.self, from: report.json)
    #expect(results.conditions.quick)
    #expect(results.results.count == 3 * (4 * 2 + 2) + 1)
    #expect(results.results.allSatisfy { $0.cpu_nanoseconds > 0 && ($0.times_foundation != nil) == ($0.operation != "scan") })
  }

  @Test("A road that answers wrongly is told, and nothing is measured")
  func disagreement() {
    var run = JSONRun()
    run.furtherRoads = [OtherRoad(name: "the wrong one", isWrong: true)]
    #expect { try run.report() } throws: { error in "\(error)".contains("the wrong one reads another value") }
  }

  @Test("Files that are missing or no JSON are told by name; one task can be repeated by itself")
  func files() throws {
    var run = JSONRun()
    run.isQuick = true
    run.files = ["/nowhere/a.json"]
    #expect { try run.report() } throws: { error in "\(error)".contains("/nowhere/a.json") }
    run.files = [#filePath]
    #expect { try run.report() } throws: { error in "\(error)".contains("JSONRunTests.swift") && "\(error)".contains("at byte 0") }
    run.files = []
    try run.repeat("small reply", "encode", "fast lane", count: 2)
    #expect(throws: BenchError.self) { try run.repeat("small reply", "encode", "no such road", count: 1) }
  }

  @Test("Medians, and ratios of the same round")
  func figures() throws {
    let task = SampleTask.nothing
    let slow = JSONMeasurement(task: task, nanoseconds: [20, 40, 90])
    let fast = JSONMeasurement(task: task, nanoseconds: [10, 10, 30])
    #expect(slow.median == 40)
    #expect(slow.ratio(to: fast) == (3, 2, 4))
    #expect(JSONMeasurement.median([1, 2, 3, 4]) == 2.5)
  }
}

private enum SampleTask {
  static let nothing = JSONTask(workload: "", byteCount: 1, operation: .scan, road: "") { _ in }
}
