/// How long a comparison takes, before it begins: told at its start, with the arithmetic, and held to a quarter of an hour for `--quick` by a test.
///
/// An estimate from what is known beforehand: rounds and seconds of the effort, keys that are stored, servers that are started. What it takes for
/// granted of a machine has a name below.

struct ComparisonSchedule: Sendable, Equatable, CustomStringConvertible {
  /// One kind of workload: how many workloads there are of it, the turns of all their servers in all rounds, and what these take.
  struct Part: Sendable, Equatable {
    let kind: WorkloadKind
    var workloads = 0
    var turns = 0
    var seconds = 0.0
  }

  private(set) var parts: [Part] = []
  /// Servers that are started, once for each workload.
  private(set) var starts = 0

  /// From the start of a server to its first answers, as most take.
  static let startSeconds = 0.3
  /// Keys that are stored in a second, with one connection's worth of pipelining on two cores.
  static let keysPerSecond = 150_000.0
  /// A run's dialling and ending.
  static let runSeconds = 0.05

  var seconds: Double { parts.reduce(Double(starts) * Self.startSeconds) { $0 + $1.seconds } }

  /// `workloads` with the number of servers that take part in each.
  init(_ workloads: [(workload: Workload, servers: Int)], _ effort: Effort) {
    for (workload, servers) in workloads {
      let kind = workload.kind ?? .load
      let index = parts.firstIndex { $0.kind == kind } ?? parts.count
      if index == parts.count { parts.append(Part(kind: kind)) }
      parts[index].workloads += 1
      parts[index].turns += servers * effort.rounds
      let stored = workload.options.preload == true && kind != .memory ? Self.storingSeconds(workload, effort) : 0
      parts[index].seconds += Double(servers) * (Double(effort.rounds) * Self.turnSeconds(kind, workload, effort) + stored)
      starts += servers
    }
  }

  /// A server's turn in one round.
  private static func turnSeconds(_ kind: WorkloadKind, _ workload: Workload, _ effort: Effort) -> Double {
    let load = effort.warmUpSeconds + effort.seconds + runSeconds
    return switch kind {
    case .load: load
    case .memory: startSeconds + storingSeconds(workload, effort) + runSeconds
    case .overload: load + 2 * (effort.seconds + runSeconds)
    case .stampede: Double(workload.options.originMilliseconds ?? 0) / 1e3 + 1
    case .startUp: startSeconds
    // What is asked for is stored, then what expires, and after that it is waited for.
    case .expiryStorm: 3 * storingSeconds(workload, effort) + 1 + effort.seconds
    }
  }

  private static func storingSeconds(_ workload: Workload, _ effort: Effort) -> Double {
    Double(workload.texts(target: "", effort: effort, clientCore: nil).keys) / keysPerSecond
  }

  /// `about 11.3 minutes: 22 load workloads, 264 turns, 8.1; …; 140 servers started, 0.7`.
  var description: String {
    let told = parts.map { part in
      "\(part.workloads) \(part.kind.rawValue) workload\(part.workloads == 1 ? "" : "s"), \(part.turns) turns, \(Self.minutes(part.seconds))"
    }
    return "about \(Self.minutes(seconds)) minutes: " + told.joined(separator: "; ")
      + "; \(starts) servers started, \(Self.minutes(Double(starts) * Self.startSeconds))"
  }

  private static func minutes(_ seconds: Double) -> String { short((seconds / 6).rounded() / 10) }
}
