/// LATENCY: how long commands take. No event is sampled; the histograms are those that INFO's percentiles come from.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension RESPSession {
  func latency(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .latencyLatest, .latencyHistory: execution.writer.array(0)
    case .latencyReset: execution.writer.integer(0)
    case .latencyHistogram: histograms(args, &execution)
    case .latencyGraph: throw CommandError("ERR No samples available for event '\(args[2].text)'")
    default:
      execution.writer.verbatim(
        "Latency events are not sampled here. SLOWLOG GET has the slowest commands, LATENCY HISTOGRAM and INFO latencystats all that were timed.\n"
      )
    }
  }

  /// Of the commands named, or of all; those of which no call was timed are left out. Subcommands are counted with their container.
  private func histograms(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    let counts = service.shared.totalsSinceReset(execution.statistics ?? store.statistics).commandCounts
    var rows = args.count == 2 ? CommandRow.all : []
    for index in 2..<max(args.count, 2) {
      if let found = execution.lookup.find(args[index], argumentCount: 1) { rows.append(found.command.row) }
    }
    let timed = rows.map { ($0.name, counts[Int($0.command.rawValue)].times) }.filter { $0.1.count > 0 }
    execution.writer.map(timed.count)
    for (name, times) in timed {
      execution.writer.bulk(text: name)
      write(times, &execution.writer)
    }
  }

  /// Bounds in microseconds, and how many calls took no longer; those that say nothing new are left out.
  private func write(_ times: LatencyHistogram, _ writer: inout RESPWriter) {
    writer.map(2)
    writer.bulk("calls")
    writer.integer(Int64(times.count))
    writer.bulk("histogram_usec")
    let filled = times.counts.indices.filter { times.counts[$0] > 0 }
    writer.map(filled.count)
    var sum: UInt64 = 0
    for index in filled {
      sum += times.counts[index]
      writer.integer(Self.boundMicroseconds(index))
      writer.integer(Int64(sum))
    }
  }

  /// As Redis says it of the same bucket, from the two digits that its own keep: 1, 2, 4, 8, 16, 33, 66. The last one: of one more.
  private static func boundMicroseconds(_ index: Int) -> Int {
    let nanoseconds = 1024 << index
    return (nanoseconds + nanoseconds / 128 - 1) / 1000
  }
}
