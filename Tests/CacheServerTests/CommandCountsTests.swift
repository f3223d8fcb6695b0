import MartletBytes
import Synchronization
import Testing

@testable import CacheServer

@Suite("Counts of commands")
struct CommandCountsTests {
  @Test("Calls and times are of each command by itself")
  func counts() {
    let counts = CommandCounts()
    counts[.get].calls.count(3)
    counts.time(.get, 5000)
    counts.time(.get, 900)
    counts[.set].failed.count()
    let times = counts[.get].times.value
    #expect(times.count == 2 && times.nanosecondsTotal == 5900 && times.counts[0] == 1 && times.counts[3] == 1)
    #expect(counts[.set].times.value.count == 0 && counts[.set].calls.load(ordering: .relaxed) == 0)
    #expect(counts.calls[Int(Command.get.rawValue)] == 3)
  }
}
