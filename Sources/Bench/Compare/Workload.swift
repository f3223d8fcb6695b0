/// A workload of `Benchmarks/Workloads`: what is asked, of whom, in a file of a few lines.
///
///     {"name": "GET at depth 16", "scheme": "resp", "why": "…", "options": {"mix": "get", "pipeline": 16, "preload": true}}

import MartletBytes
import MartletJSON

struct Workload: Sendable, Decodable, Equatable {
  /// The file's name without `.json`.
  var id = ""
  let name: String
  /// `http`, `resp` or `memcached`: who speaks it takes part.
  let scheme: String
  /// One sentence on what the numbers depend on.
  let why: String
  /// What is done; nil: a load.
  let kind: WorkloadKind?
  let options: Options
  /// HTTP: a path instead of keys; rivals that serve it take part.
  let path: String?
  /// What is posted to the path; nil: it is a GET.
  let body: String?
  /// A body that must be refused with a status from 400 to 499, or nobody would know that bodies are checked.
  let refused: String?
  /// Whose routes are ours: those of `martlet serve`, or of a program written with the library (`martlet bench serve`).
  let ours: Ours?

  enum Ours: String, Sendable, Decodable { case server, library }

  private enum CodingKeys: String, CodingKey { case name, scheme, why, kind, options, path, body, refused, ours }

  /// Options of `martlet bench load` that a workload sets; the comparison itself sets target, duration and cores.
  struct Options: Sendable, Decodable, Equatable {
    var mix: String?
    var batch: Int?
    var connections: Int?
    var pipeline: Int?
    var keys: Int?
    var keyBytes: Int?
    var valueBytes: String?
    var zipf: Double?
    var ttl: Int?
    var preload: Bool?
    var rate: Double?
    /// How long a stampede's origin takes.
    var originMilliseconds: Int?

    private enum CodingKeys: String, CodingKey {
      case mix, batch, connections, pipeline, keys, zipf, ttl, preload, rate
      case originMilliseconds = "origin-ms"
      case keyBytes = "key-bytes"
      case valueBytes = "value-bytes"
    }
  }

  var measures: [Measure] { (kind ?? .load).measures(of: self) }

  /// Whether who is asked may put members in another order each time; by the rival, not the file.
  var anyOrder = false

  func asked(of plan: ServerPlan) -> Workload {
    var copy = self
    copy.anyOrder = plan.anyOrder
    return copy
  }

  /// The options of one run.
  func texts(target: String, effort: Effort, clientCore: Int?) -> LoadOptionTexts {
    var texts = LoadOptionTexts()
    texts.target = target
    texts.path = path
    texts.body = body
    texts.anyOrder = anyOrder && path != nil
    texts.mix = options.mix
    texts.batch = options.batch ?? texts.batch
    texts.connections = min(options.connections ?? 50, effort.connectionsMax)
    texts.pipeline = options.pipeline ?? 1
    texts.keys = min(options.keys ?? 100_000, effort.keysMax)
    texts.keyBytes = options.keyBytes ?? texts.keyBytes
    texts.valueBytes = options.valueBytes ?? texts.valueBytes
    texts.zipf = options.zipf
    texts.ttl = options.ttl
    texts.preload = options.preload ?? false
    texts.rate = options.rate
    texts.duration = effort.seconds
    texts.warmUp = effort.warmUpSeconds
    texts.pin = clientCore.map { "\($0)" }
    return texts
  }
}

/// How much time a comparison takes.
struct Effort: Sendable, Equatable {
  var rounds: Int
  var seconds: Double
  var warmUpSeconds: Double
  var keysMax: Int
  var connectionsMax: Int

  static let full = Effort(rounds: 7, seconds: 3, warmUpSeconds: 1, keysMax: 10_000_000, connectionsMax: 10_000)
  static let quick = Effort(rounds: 3, seconds: 1, warmUpSeconds: 0.3, keysMax: 200_000, connectionsMax: 10_000)
  /// Shows only that it works.
  static let tiny = Effort(rounds: 2, seconds: 0.1, warmUpSeconds: 0, keysMax: 200, connectionsMax: 100)
}
