/// `martlet bench json` with Foundation's coders beside ours.
///
/// A program of its own, since it links Foundation and the server does not: `martlet bench json` becomes this one where it finds it beside itself.
///
///     martlet-bench-json [FILE ...] [--json] [--quick]
///     martlet-bench-json --repeat WORKLOAD encode|decode|scan ROAD COUNT      one task, for profilers

import Bench
import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

func fail(_ line: String, status: Int32) -> Never {
  StandardStreams.error("martlet: \(line)")
  exit(status)
}

var run = JSONRun()
run.furtherRoads = [FoundationRoad()]
let arguments = Array(CommandLine.arguments.dropFirst())
do {
  if arguments.first == "--repeat", arguments.count == 5, let count = Int(arguments[4]) {
    try run.repeat(arguments[1], arguments[2], arguments[3], count: count)
  } else {
    // Behind `--` everything is a file.
    let options = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("-") }
    if let unknown = options.first(where: { $0 != "--json" && $0 != "--quick" }) {
      fail("unknown option '\(unknown)'; see martlet bench json --help", status: 2)
    }
    run.files = arguments.prefix { $0 != "--" }.filter { !$0.hasPrefix("-") } + arguments.drop { $0 != "--" }.dropFirst()
    run.isQuick = options.contains("--quick")
    let report = try run.report()
    StandardStreams.output(options.contains("--json") ? try report.json : report.text)
  }
} catch {
  fail("\(error)", status: (error as? BenchError)?.kind == .usage ? 2 : 1)
}
