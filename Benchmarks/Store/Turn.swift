// What a loop of the server gives the store at a time, a tenth of a millisecond, and how long that was in the end.

import MartletBytes
import MartletCache

enum Turn {
  static let nanoseconds: UInt64 = 100_000

  /// Takes steps until one says that all is done, or the time is over. True: all is done.
  static func run(_ step: () -> Bool) -> Bool {
    let begin = MonotonicTime.now
    repeat { if step() { return true } } while MonotonicTime.now.nanoseconds(since: begin) < nanoseconds
    return false
  }

  static func expire(_ store: CacheStore, _ clock: SteadyClock) -> Bool {
    run { store.expireStep(at: clock.unixTime(at: .now)).isDone }
  }

  static func sweepTags(_ store: CacheStore, _ clock: SteadyClock) -> Bool {
    run { store.tagSweepStep(at: clock.unixTime(at: .now)) != .goesOn }
  }

  /// Only counts: what the machine adds to such a turn.
  static func count() { _ = run { false } }
}

/// Turns: in CPU time, since what others do with the core is not theirs, and the longest by the clock too.
struct Pauses {
  var count = 0
  var overMillisecond = 0
  var longest: UInt64 = 0
  var longestByClock: UInt64 = 0
  var nanosecondsTotal: UInt64 = 0

  mutating func time(_ turn: () -> Void) {
    let begin = MonotonicTime.now
    let start = Process.threadNanoseconds
    turn()
    let elapsed = Process.threadNanoseconds - start
    longestByClock = max(longestByClock, MonotonicTime.now.nanoseconds(since: begin))
    count += 1
    if elapsed > 1_000_000 { overMillisecond += 1 }
    longest = max(longest, elapsed)
    nanosecondsTotal += elapsed
  }

  var text: String {
    let (cpu, clock) = ((Double(longest) / 1e6).text(2), (Double(longestByClock) / 1e6).text(2))
    return "\(cpu) ms of CPU, \(overMillisecond) of \(count) over 1 ms; by the clock \(clock) ms"
  }
}
