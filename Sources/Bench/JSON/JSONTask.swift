/// A value, and what the contestants are asked to do with it.

import MartletBytes
import MartletJSON

/// One contestant at one task: `count` times in a row, so that the clock is read once for many.
struct JSONTask: Sendable {
  enum Operation: String, CaseIterable, Sendable { case encode, decode, scan }

  let workload: String
  /// Of the compact text.
  let byteCount: Int
  let operation: Operation
  let road: String
  let repeated: @Sendable (_ count: Int) throws -> Void
}

extension JSONTask {
  /// Every way out and in for one value. Each text is read by each way, and all must come to the value again: else `BenchError`.
  static func all<Value: JSONBenchValue>(_ workload: String, _ value: Value, _ further: [any JSONRoad]) throws -> [JSONTask] {
    let compact = try value.jsonBytes()
    // The three of ours by their types, so that the compiler makes the generic code for each, as it does for users.
    let swift = SwiftRoad()
    let fast = FastLane()
    let jansson = JanssonRoad()
    var texts = [compact, try swift.bytes(of: value), try jansson.bytes(of: value)]
    for road in further { texts.append(try road.bytes(of: value)) }
    if texts[0] != texts[1] { throw BenchError.failure("\(workload): the fast lane and Codable write different texts") }
    try check(swift, workload, value, texts)
    try check(fast, workload, value, texts)
    try check(jansson, workload, value, texts)
    for road in further { try check(road, workload, value, texts) }
    return try tasks(fast, workload, value, compact) + tasks(swift, workload, value, compact) + tasks(jansson, workload, value, compact)
      + further.flatMap { try tasks($0, workload, value, compact) } + [floor(workload, value, compact), scan(workload, compact)]
  }

  private static func check<Value: JSONBenchValue>(_ road: some JSONRoad, _ workload: String, _ value: Value, _ texts: [[UInt8]]) throws {
    for text in texts where try road.decode(Value.self, from: road.text(of: text)) != value {
      throw BenchError.failure("\(workload): \(road.name) reads another value from \(String(decoding: text.prefix(200), as: UTF8.self))")
    }
  }

  private static func tasks<Road: JSONRoad, Value: JSONBenchValue>(
    _ road: Road, _ workload: String, _ value: Value, _ compact: [UInt8]
  ) throws -> [JSONTask] {
    let text = road.text(of: compact)
    return [
      JSONTask(workload: workload, byteCount: compact.count, operation: .encode, road: road.name) { count in
        var output = ByteBuffer(capacity: 2 * compact.count + 64)
        for _ in 0..<count {
          output.removeAll()
          try road.encode(value, into: &output)
        }
      },
      JSONTask(workload: workload, byteCount: compact.count, operation: .decode, road: road.name) { count in
        for _ in 0..<count { keep(try road.decode(Value.self, from: text)) }
      },
    ]
  }

  /// What `Codable` costs before a byte is written: what the bytes of the text cost above that is the coder's.
  private static func floor(_ workload: String, _ value: some JSONBenchValue, _ compact: [UInt8]) -> JSONTask {
    let encoder = CodableFloor()
    return JSONTask(workload: workload, byteCount: compact.count, operation: .encode, road: CodableFloor.name) { count in
      for _ in 0..<count { try encoder.encodeWhole(value) }
    }
  }

  /// The scanner alone: grammar and UTF-8 checked, nothing built.
  static func scan(_ workload: String, _ text: [UInt8]) -> JSONTask {
    JSONTask(workload: workload, byteCount: text.count, operation: .scan, road: "JSONScanner") { count in
      for _ in 0..<count { try JSONScanner.validate(text.rawSpan) }
    }
  }

  /// Seen by somebody, for all the compiler knows.
  @inline(never) @_optimize(none)
  private static func keep<Value>(_ value: borrowing Value) {}
}
