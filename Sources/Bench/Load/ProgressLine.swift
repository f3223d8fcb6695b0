/// A line on a terminal that is written over every second: how far a load is. Into a pipe or a file nothing is written.

import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct ProgressLine {
  static let intervalSeconds = 1.0
  static var isWanted: Bool { isatty(STDERR_FILENO) == 1 }

  private var lanes = 0
  private var answered = 0
  private var answeredBefore = 0
  private var errors = 0
  private var slowest: UInt64 = 0
  private var shownAt = MonotonicTime.now
  private var isShown = false

  /// Adds one thread's figures; shows the line when all of `count` have come.
  mutating func add(_ answered: Int, errors: Int, p99: UInt64, of count: Int) {
    self.answered += answered
    self.errors += errors
    slowest = max(slowest, p99)
    lanes += 1
    guard lanes == count else { return }
    let now = MonotonicTime.now
    let seconds = Double(now.nanoseconds(since: shownAt)) / 1e9
    let rate = Double(max(0, self.answered - answeredBefore)) / max(seconds, 1e-9)
    StandardStreams.errorOver(
      "\(self.answered) answered, \(Int(rate))/s, 99 % within \(duration(nanoseconds: slowest)), \(self.errors) errors")
    (answeredBefore, shownAt, isShown) = (self.answered, now, true)
    (self.answered, self.errors, slowest, lanes) = (0, 0, 0, 0)
  }

  /// Leaves an empty line for what comes next.
  mutating func clear() {
    if isShown { StandardStreams.errorOver("") }
    isShown = false
  }
}
