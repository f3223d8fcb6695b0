/// How soon a server that is started answers, and what it holds then. The time includes the programs that bind it to a core and to this
/// process (taskset, setpriv), the same for all; workers count beside their master, pages that they share twice.

enum StartUpKind {
  static let measures: [Measure] = [
    .less("start_ms", "ms to the first answer", "takes {} times as long to its first answer as").charted(),
    .less("rss_mb", "resident MB", "holds {} times the memory at rest of"),
  ]

  static func run(_ turn: Turn) -> [Double] { [Double(turn.startNanoseconds) / 1e6, Double(turn.idleBytes) / 1e6] }
}
