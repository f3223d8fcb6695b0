/// What a workload measures of a server: a column of its table, and, where one value is better than another, a sentence about the ratio.
///
/// Measures stand in a report beside the values, so that an old record can be read by a later program.

struct Measure: Sendable, Equatable {
  enum Better: String, Sendable { case less, more }

  /// In the report's JSON: `cpu_us_per_op`.
  let name: String
  /// At the head of a column: `CPU µs per request`.
  let title: String
  /// Which of two values is better; nil: it is told, and not judged.
  var better: Better?
  /// What follows the name of whom it is about, with `{}` for the ratio: `uses {} times the CPU time of`.
  var sentence: String?
  /// Whether it stands in tables.
  var isColumn = true
  /// Whether the workload's chart is of it.
  var isCharted = false

  /// Told, not judged.
  static func told(_ name: String, _ title: String) -> Measure { Measure(name: name, title: title) }

  /// Less is better.
  static func less(_ name: String, _ title: String, _ sentence: String) -> Measure {
    Measure(name: name, title: title, better: .less, sentence: sentence)
  }

  /// More is better: the ratio is turned over, so that less is better there, too.
  static func more(_ name: String, _ title: String, _ sentence: String) -> Measure {
    Measure(name: name, title: title, better: .more, sentence: sentence)
  }

  func hidden() -> Measure {
    var copy = self
    copy.isColumn = false
    return copy
  }

  func charted() -> Measure {
    var copy = self
    copy.isCharted = true
    return copy
  }
}

/// What a workload does with a server. One file each in `Kinds`.
enum WorkloadKind: String, Sendable, Decodable {
  case load, memory, overload, stampede
  case startUp = "start-up"
  case expiryStorm = "expiry-storm"

  /// Whether each turn begins with a server that has just been started.
  var wantsFreshServer: Bool { self == .memory || self == .startUp }

  func measures(of workload: Workload) -> [Measure] {
    switch self {
    case .load: LoadKind.measures(atFixedRate: workload.options.rate != nil)
    case .memory: MemoryKind.measures
    case .overload: OverloadKind.measures
    case .stampede: StampedeKind.measures
    case .startUp: StartUpKind.measures
    case .expiryStorm: ExpiryStormKind.measures
    }
  }

  /// One server's turn: a value for each measure, in their order.
  func run(_ turn: Turn) throws(BenchError) -> [Double] {
    switch self {
    case .load: try LoadKind.run(turn)
    case .memory: try MemoryKind.run(turn)
    case .overload: try OverloadKind.run(turn)
    case .stampede: try StampedeKind.run(turn)
    case .startUp: StartUpKind.run(turn)
    case .expiryStorm: try ExpiryStormKind.run(turn)
    }
  }
}

/// A server's turn in a round: all that a kind of workload may want to know.
struct Turn {
  let workload: Workload
  let effort: Effort
  let clientCore: Int?
  let round: Int
  let isOurs: Bool
  let target: String
  let process: Int32
  /// From the start of the process to the first right answer.
  let startNanoseconds: UInt64
  /// Resident memory after the first answer.
  let idleBytes: Int
  let interruption: Interruption

  /// Runs a load that begins as the workload says. What is not right is an error, unless `mayFail`.
  func load(mayFail: Bool = false, _ change: (inout LoadOptionTexts) -> Void) throws(BenchError) -> LoadReport {
    var texts = workload.texts(target: target, effort: effort, clientCore: clientCore)
    texts.serverPID = Int(process)
    change(&texts)
    let report = try LoadRun(try LoadOptions(texts)).run()
    if report.wasInterrupted { throw .interrupted }
    if !mayFail, let failure = report.failure { throw failure }
    return report
  }
}
