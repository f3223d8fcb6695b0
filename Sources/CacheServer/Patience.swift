/// How long a client may leave its connection silent or a request unfinished: the deadlines of sessions whose requests are commands.

internal import MartletBytes

struct Patience {
  /// An unfinished request of which nothing new has come for so long is given up, in seconds.
  static let stallSecondsMax = 60.0

  /// Of an unfinished request: what had arrived when its deadline was set.
  private var buffered = 0
  /// What the session has said last; what it says again when it is woken and nothing has changed.
  var standing = Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)

  /// Says what is next, and by when. `left`: bytes of an unfinished request. `idleSeconds`: without one, 0 for ever.
  mutating func promise(
    _ next: Progress.Next, consumed: Int = 0, left: Int = 0, idleSeconds: Int = 0, at now: MonotonicTime
  ) -> Progress {
    var deadline = MonotonicTime.never
    if left > 0 {
      deadline = now.advanced(bySeconds: Self.stallSecondsMax)
    } else if idleSeconds > 0 {
      deadline = now.advanced(bySeconds: Double(idleSeconds))
    }
    buffered = left
    standing = Progress(consumed: 0, next: next, deadline: deadline)
    var progress = standing
    progress.consumed = consumed
    return progress
  }

  /// The deadline has come, and `count` bytes are waiting: more than before buy more time.
  mutating func deadlineCame(buffered count: Int, at now: MonotonicTime) {
    if count > buffered {
      buffered = count
      standing.deadline = now.advanced(bySeconds: Self.stallSecondsMax)
    } else {
      standing.next = .close(count > 0 ? .bodyTimeout : .idleTimeout)
    }
  }
}
