/// What a run counts beside latencies.

/// Ways in which a request, or a connection, can fail.
enum LoadFailure: Int, Sendable, CaseIterable {
  case wrongValue, wrongReply, malformedReply, lost, noReply, notConnected

  var name: String {
    switch self {
    case .wrongValue: "wrong values"
    case .wrongReply: "unexpected replies"
    case .malformedReply: "malformed replies"
    case .lost: "lost with their connection"
    case .noReply: "not answered in time"
    case .notConnected: "connections refused"
    }
  }
}

struct LoadTally: Sendable {
  /// Requests of the measured time that were answered rightly, a missing key included.
  var operations = 0
  /// Keys that were not there.
  var misses = 0
  /// Keys asked for, as far as a miss was possible.
  var lookups = 0
  /// Requests that were due and never sent, since no connection had room for them.
  var unsent = 0
  /// By `LoadFailure`, the warm-up's and the preload's included.
  private(set) var failures = [Int](repeating: 0, count: LoadFailure.allCases.count)
  /// The first of each kind, in words; empty: none that says more than its name.
  private(set) var examples = [String](repeating: "", count: LoadFailure.allCases.count)
  /// When the last reply came, in nanoseconds of the monotonic clock.
  var lastReply: UInt64 = 0

  var hasWrongValues: Bool { failures[LoadFailure.wrongValue.rawValue] > 0 }
  var errors: Int { failures.reduce(0, +) }

  mutating func fail(_ failure: LoadFailure, times: Int = 1, example: @autoclosure () -> String = "") {
    guard times > 0 else { return }
    failures[failure.rawValue] += times
    if examples[failure.rawValue].isEmpty { examples[failure.rawValue] = example() }
  }

  mutating func add(_ other: LoadTally) {
    operations += other.operations
    misses += other.misses
    lookups += other.lookups
    unsent += other.unsent
    lastReply = max(lastReply, other.lastReply)
    for failure in LoadFailure.allCases {
      fail(failure, times: other.failures[failure.rawValue], example: other.examples[failure.rawValue])
    }
  }

  /// `3 unexpected replies (-ERR no), 2 lost with their connection`.
  var failuresInWords: String {
    LoadFailure.allCases.filter { failures[$0.rawValue] > 0 }.map { failure in
      let example = examples[failure.rawValue]
      return "\(failures[failure.rawValue]) \(failure.name)\(example.isEmpty ? "" : " (\(example))")"
    }.joined(separator: ", ")
  }
}
