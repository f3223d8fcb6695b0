/// `martlet bench json`: the whole of it, from file names to the report.

import MartletBytes
import MartletJSON

public struct JSONRun: Sendable {
  /// JSON files to be measured beside what is built in.
  public var files: [String] = []
  /// One short round, to see that it works.
  public var isQuick = false
  /// Beside the three of ours.
  public var furtherRoads: [any JSONRoad] = []

  public init() {}

  static let rounds = 9

  /// The longest file taken, in bytes.
  public static let fileBytesMax = 64 << 20

  /// Throws `BenchError`.
  public func report() throws -> JSONReport {
    let tasks = try self.tasks()
    let measurements = try JSONMeasurement.run(tasks, rounds: isQuick ? 1 : Self.rounds, batchSeconds: isQuick ? 0.0005 : 0.02)
    return JSONReport(measurements, isQuick: isQuick)
  }

  /// Does one task `count` times and no more: for profilers and counters of allocations.
  public func `repeat`(_ workload: String, _ operation: String, _ road: String, count: Int) throws {
    guard
      let task = try tasks().first(where: { $0.workload == workload && $0.operation.rawValue == operation && $0.road.contains(road) })
    else { throw BenchError.failure("there is no \(operation) of \(workload) by \(road)") }
    try task.repeated(count)
  }

  private func tasks() throws -> [JSONTask] {
    var tasks = try JSONTask.all("small reply", SampleReply(), furtherRoads)
    tasks += try JSONTask.all("1 KB record", SampleRecord(), furtherRoads)
    tasks += try JSONTask.all("8 KB list", SampleList(count: 50), furtherRoads)
    tasks.append(JSONTask.scan("posts", SamplePosts.text(count: isQuick ? 10 : 1000)))
    for path in files { tasks += try self.tasks(ofFile: path) }
    return tasks
  }

  private func tasks(ofFile path: String) throws -> [JSONTask] {
    guard let content = SmallFile.read(path, bytesMax: Self.fileBytesMax) else {
      throw BenchError.failure("\(path): not a file that can be read, or larger than \(Self.fileBytesMax) bytes")
    }
    do {
      let value = try AnyJSON(json: content.bytes)
      let name = path.split(separator: "/").last.map(String.init) ?? path
      return try JSONTask.all(name, value, furtherRoads)
    } catch let error as BenchError {
      throw error
    } catch {
      throw BenchError.failure("\(path): \(error)")
    }
  }
}
