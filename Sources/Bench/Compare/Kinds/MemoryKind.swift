/// What an entry costs beside its bytes: resident memory after storing all keys, less that at rest, divided by the entries, less key and value.

enum MemoryKind {
  static let measures: [Measure] = [
    .less("overhead_bytes", "bytes per entry beside key and value", "needs {} times the memory beside key and value of").charted(),
    .told("grown_mb", "grown by MB"),
  ]

  /// Connections have buffers: few of them, so that these do not count.
  private static let connections = 4

  static func run(_ turn: Turn) throws(BenchError) -> [Double] {
    let report = try turn.load { texts in
      (texts.preload, texts.connections, texts.requests, texts.warmUp) = (true, connections, connections, 0)
    }
    guard let after = ServerMemory(process: turn.process).residentBytes else { throw .failure("the system does not tell its memory") }
    let grown = Double(after - turn.idleBytes)
    let options = report.options
    let payload = options.keyBytes + (options.valueBytes.lowerBound + options.valueBytes.upperBound) / 2
    return [grown / Double(options.keys) - Double(payload), grown / 1e6]
  }
}
