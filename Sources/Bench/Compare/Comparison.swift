/// `martlet bench compare`: rivals beside us, one load for all, in turn; what came of it as a report.
///
///     for each workload:  start everyone who takes part ─▶ each answers rightly once ─▶ rounds: each in turn, who begins changes ─▶ end all
///
/// A rival that is not installed, does not start, dies, or answers wrongly is named in the report, never left out in silence. Ctrl-C ends the
/// run that is on, then every server; what was measured is reported.

import MartletBytes
import MartletJSON
import MartletLoop

public struct Comparison {
  let options: CompareOptions

  public init(_ options: CompareOptions) { self.options = options }

  /// Compares, writes the report, and says where. Blocks.
  public func run() throws(BenchError) -> ComparisonReport {
    let plan = try ComparisonPlan(options)
    for (name, reason) in plan.absent { StandardStreams.error("without \(name): \(reason)") }
    StandardStreams.error("\(plan.schedule)")
    let interruption = try Interruption()
    defer { interruption.stop() }
    let scratch = try Scratch()
    var conditions = plan.conditions
    var noise = NoiseMeter()
    var results: [WorkloadResult] = []
    for workload in plan.workloads where !interruption.hasCome {
      StandardStreams.error("\(workload.name) …")
      results.append(try compare(workload, plan, scratch, interruption, &noise))
    }
    conditions.noise = noise.noise
    conditions.loadAfter = Machine.current.load
    let report = try ComparisonReport(
      conditions: conditions, results: results, absent: plan.absent, wasInterrupted: interruption.hasCome, folder: options.report)
    try report.write()
    if options.record && report.failure == nil { try report.write(to: Record.folder(report, in: options.rivals)) }
    return report
  }

  private func compare(
    _ workload: Workload, _ plan: ComparisonPlan, _ scratch: borrowing Scratch, _ interruption: Interruption, _ noise: inout NoiseMeter
  ) throws(BenchError) -> WorkloadResult {
    var servers = UniqueArray<RivalProcess>()
    var showings: [Showing] = []  // in the order of `servers`
    var failed: [Showing] = []
    for entry in plan.entries(of: workload) {
      do throws(BenchError) {
        let server = try plan.serverPlan(entry, workload, scratch: scratch.path)
        let started = try RivalProcess.start(server, core: plan.serverCore, answering: workload, unless: interruption)
        if servers.count > 0 { try Replies.requireSame(started.reply, as: servers[0].reply, of: servers[0].plan.name) }
        servers.append(started)
        showings.append(Showing(name: server.name))
      } catch {
        if error.kind == .interruption { interruption.note() }
        if interruption.hasCome { break }
        failed.append(Showing(name: entry?.name ?? ServerPlan.ours, trouble: "\(error)"))
      }
    }
    for round in 0..<plan.effort.rounds where !interruption.hasCome {
      noise.look()
      for turn in 0..<servers.count where !interruption.hasCome {
        let index = (turn + round) % servers.count
        guard showings[index].trouble == nil else { continue }
        do throws(BenchError) {
          showings[index].samples.append(try measure(&servers[index], workload, plan, round, interruption))
        } catch {
          if error.kind == .interruption { interruption.note() }
          if interruption.hasCome { break }
          showings[index].trouble = servers[index].death() ?? "\(error)"
        }
      }
    }
    for index in 0..<servers.count { servers[index].end() }
    return WorkloadResult(workload, showings + failed)
  }

  /// One run of one server: a value for each measure.
  private func measure(
    _ server: inout RivalProcess, _ workload: Workload, _ plan: ComparisonPlan, _ round: Int, _ interruption: Interruption
  ) throws(BenchError) -> [Double] {
    let kind = workload.kind ?? .load
    if kind.wantsFreshServer { try server.restart(answering: workload, unless: interruption) }
    let values = try kind.run(
      Turn(
        workload: workload.asked(of: server.plan), effort: plan.effort, clientCore: plan.clientCore, round: round,
        isOurs: server.plan.name == ServerPlan.ours,
        target: server.plan.target, process: server.process, startNanoseconds: server.startNanoseconds, idleBytes: server.idleBytes,
        interruption: interruption))
    if kind.wantsFreshServer { server.end() }
    return values.map(millionths)  // as the report keeps them, so that what is read back says the same
  }
}

/// A folder for what servers write, removed at the end.
struct Scratch: ~Copyable {
  let path: String

  init() throws(BenchError) {
    guard let path = Folder.makeTemporary() else { throw .failure("cannot make a temporary folder") }
    self.path = path
  }

  deinit { Folder.remove(path) }
}
