/// How long tasks take: all of them in turn, round after round, so that what the machine does meanwhile meets all alike.

import MartletBytes

struct JSONMeasurement: Sendable {
  let task: JSONTask
  /// CPU time of one, in each round.
  var nanoseconds: [Double] = []

  var median: Double { JSONMeasurement.median(nanoseconds) }

  var bytesPerSecond: Double { Double(task.byteCount) / median * 1e9 }

  /// How many times as long as `other` this takes: the median of the rounds' ratios, the least and the greatest.
  func ratio(to other: JSONMeasurement) -> (median: Double, least: Double, greatest: Double) {
    let ratios = zip(nanoseconds, other.nanoseconds).map { $0 / $1 }
    return (JSONMeasurement.median(ratios), ratios.min() ?? 0, ratios.max() ?? 0)
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Each task for about `batchSeconds` of CPU in each of `rounds` rounds, each round beginning with another.
  static func run(_ tasks: [JSONTask], rounds: Int, batchSeconds: Double) throws -> [JSONMeasurement] {
    let counts = try tasks.map { try count(of: $0, seconds: batchSeconds) }
    var measurements = tasks.map { JSONMeasurement(task: $0) }
    for round in 0..<rounds {
      for place in tasks.indices {
        let index = (place + round) % tasks.count
        measurements[index].nanoseconds.append(try seconds(of: tasks[index], counts[index]) * 1e9 / Double(counts[index]))
      }
    }
    return measurements
  }

  /// How often a task is to be repeated to take so long.
  private static func count(of task: JSONTask, seconds wanted: Double) throws -> Int {
    var count = 1
    while true {
      let taken = try seconds(of: task, count)
      if taken >= wanted / 4 { return max(1, Int(Double(count) * wanted / taken)) }
      count *= 4
    }
  }

  private static func seconds(of task: JSONTask, _ count: Int) throws -> Double {
    let begun = MonotonicTime.processCPUNanoseconds
    try task.repeated(count)
    return Double(MonotonicTime.processCPUNanoseconds - begun) / 1e9
  }
}
