/// The clock of expiry: at which round which entry is looked at.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Expiry clock")
struct ExpiryClockTests {
  /// An entry as the table knows it: its deadline, and the byte that says when to look.
  private struct Noted {
    let deadline: UnixTime
    var code: UInt8
    var looks = 0
  }

  /// Runs a round at `now`: what is over goes, the rest is noted anew. How often those were looked at that have gone; nil: no tick has begun
  /// since the last round.
  private func round(_ clock: inout ExpiryClock, _ entries: inout [Noted], at now: UnixTime) -> [Int]? {
    guard clock.begin(at: now) else { return nil }
    let due = clock.due
    var looks: [Int] = []
    for index in entries.indices.reversed() where due.contains(entries[index].code) {
      entries[index].looks += 1
      if entries[index].deadline <= now {
        looks.append(entries.remove(at: index).looks)
      } else {
        entries[index].code = clock.code(for: entries[index].deadline)
      }
    }
    clock.end()
    return looks
  }

  private func entry(_ deadline: UnixTime, _ clock: ExpiryClock) -> Noted { Noted(deadline: deadline, code: clock.code(for: deadline)) }

  @Test("What is over when a tick begins is gone after its round, whenever it was written and however long nobody looked", arguments: 0..<20)
  func nothingIsMissed(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var now = UnixTime.start.advanced(byMilliseconds: Int64(random.below(1000)))
    var clock = ExpiryClock(at: now)
    var entries: [Noted] = []
    var rounds = 0
    for _ in 0..<400 {
      for _ in 0..<random.below(20) {
        let life = [100, 1000, 90_000, 100_000, 2_000_000, 5_000_000][random.below(6)]
        entries.append(entry(now.advanced(byMilliseconds: Int64(random.below(life)) - 50), clock))
      }
      now = now.advanced(byMilliseconds: [10, 300, 500, 700, 20_000, 95_000, 97_000, 3_000_000][random.below(seed % 2 == 0 ? 4 : 8)])
      guard round(&clock, &entries, at: now) != nil else { continue }
      rounds += 1
      let tick = now.milliseconds / ExpiryClock.tickMilliseconds * ExpiryClock.tickMilliseconds
      #expect(!entries.contains { $0.deadline.milliseconds <= tick })
    }
    #expect(rounds > 100)
  }

  @Test(
    "With a round at each tick an entry is looked at when it is over, and as often before as its life is long",
    arguments: [(95_000, 1), (1_900_000, 2), (7_000_000, 4)])
  func looks(lifeMax: Int, looksMax: Int) {
    var random = SplitMix64(seed: 3)
    var clock = ExpiryClock(at: .start)
    var entries = (0..<500).map { _ in entry(.start + Int64(random.below(lifeMax)), clock) }
    var all: [Int] = []
    for tick in 1...Int64(lifeMax) / ExpiryClock.tickMilliseconds + 1 {
      all += round(&clock, &entries, at: .start + tick * ExpiryClock.tickMilliseconds) ?? []
    }
    #expect(all.count == 500 && all.min() == 1 && all.max() == looksMax)
  }

  @Test("Without a tick that has begun there is no round, nor when the clock goes back; no deadline is never due")
  func noRound() {
    let start = UnixTime(milliseconds: 10 * ExpiryClock.tickMilliseconds)
    var clock = ExpiryClock(at: start)
    let hasBegun = clock.begin(at: start + 599) || clock.begin(at: start + -10_000)
    #expect(!hasBegun)
    #expect(clock.code(for: .never) == 0)
    let begins = clock.begin(at: start + 600)
    #expect(begins)
    #expect(clock.due.contains(ExpiryClock(at: start).code(for: start + 1)))
    #expect(!clock.due.contains(0))
  }
}
