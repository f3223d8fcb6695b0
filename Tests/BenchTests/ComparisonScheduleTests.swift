// What a comparison will take, from what is known before it begins.

import MartletBytes
import MartletJSON
import Testing

@testable import Bench

@Suite struct ComparisonScheduleTests {
  private func workload(_ kind: String, _ options: String = "") throws -> Workload {
    let text = #"{"name": "w", "scheme": "resp", "why": "w", "kind": "\#(kind)", "options": {\#(options)}}"#
    return try MartletJSON.Decoder().decode(Workload.self, from: Array(text.utf8).rawSpan)
  }

  @Test("Turns are servers times rounds, and take what the effort says")
  func loads() throws {
    let schedule = ComparisonSchedule([(try workload("load"), 3), (try workload("load"), 2)], .full)
    let (turns, starts) = (5 * Effort.full.rounds, 5.0)
    #expect(schedule.parts.map(\.workloads) == [2] && schedule.parts.map(\.turns) == [turns] && schedule.starts == 5)
    let turn = Effort.full.seconds + Effort.full.warmUpSeconds + ComparisonSchedule.runSeconds
    #expect(abs(schedule.seconds - Double(turns) * turn - starts * ComparisonSchedule.startSeconds) < 1e-6)
    #expect(schedule.description == "about 2.4 minutes: 2 load workloads, 35 turns, 2.4; 5 servers started, 0")
  }

  @Test("Keys are stored once a server, or each turn where each begins anew")
  func keys() throws {
    let storing = 150_000 / ComparisonSchedule.keysPerSecond
    let kept = ComparisonSchedule([(try workload("load", #""preload": true, "keys": 150000"#), 1)], .quick).seconds
    let plain = ComparisonSchedule([(try workload("load", #""keys": 150000"#), 1)], .quick).seconds
    #expect(abs(kept - plain - storing) < 1e-6)
    let anew = ComparisonSchedule([(try workload("memory", #""keys": 150000"#), 1)], .quick).seconds
    #expect(anew >= Double(Effort.quick.rounds) * storing)
  }

  @Test("Everything with every rival takes a quarter of an hour at the most in quick mode, with a reserve of a fifth")
  func quick() throws {
    var options = CompareOptions()
    (options.rivals, options.quick, options.commit) = (Repository.benchmarks, true, "any")
    let plan = try ComparisonPlan(options)
    // Whoever is absent here counts as well.
    let all = plan.workloads.map { workload in (workload, 1 + plan.rivals.filter { $0.rival.canTake(workload) }.count) }
    let schedule = ComparisonSchedule(all, plan.effort)
    #expect(schedule.seconds <= 0.8 * 15 * 60, "\(schedule)")
  }
}
