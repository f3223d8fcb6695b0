/// Readers that all want one entry that is not there, at once: how often is the origin asked?
///
/// Redis and memcached are used as their clients commonly use them: get, and whoever misses fetches and sets. Locks over them are glue that
/// each application writes for itself. Of Martlet a reader asks for the value or a lease, and whoever has the lease fetches.

enum StampedeKind {
  static let measures: [Measure] = [
    .less("fills", "times the origin was asked", "asks the origin {} times as often as").charted(),
    .less("last_ms", "ms until all had it", "takes {} times as long until all readers have the value as"),
    .told("asked_ms", "of them asking"),
    .less("cpu_us_per_reader", "CPU µs per reader", "uses {} times the CPU time of"),
  ]

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    guard let server = ServerCPU(process: turn.process) else { throw .failure("the system does not tell its CPU time") }
    let target = try LoadTarget(turn.target)
    let texts = turn.workload.texts(target: turn.target, effort: turn.effort, clientCore: turn.clientCore)
    let herd = try Herd(
      at: target, style: target.scheme == .memcached ? .memcached : turn.isOurs ? .lease : .redis, readers: texts.connections,
      originSeconds: Double(turn.workload.options.originMilliseconds ?? 0) / 1e3, key: "stampede:\(turn.round)", core: turn.clientCore)
    let before = server.nanoseconds ?? 0
    let outcome = try herd.run(unless: turn.interruption)
    let used = Double((server.nanoseconds ?? before) - before)
    return [
      Double(outcome.fills), Double(outcome.lastNanoseconds) / 1e6, Double(outcome.askedNanoseconds) / 1e6,
      used / 1e3 / Double(texts.connections),
    ]
  }
}
