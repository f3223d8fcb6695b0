/// When a session gives up on its peer. One deadline at a time, a comparison per call of `receive`; the connection's timer does the
/// rest.

package import MartletBytes

/// How a body under way is doing: an average of `bodyBytesPerSecondMin` after `bodyGraceSeconds`, and never silent for
/// `idleSeconds`.
struct BodyPace: Sendable {
  var start = MonotonicTime.never
  /// Added to what the connection has buffered, this makes the bytes of the body received so far: minus the head that waits in
  /// front of it, or plus what was consumed.
  var counted = 0
  /// Bytes received when that was last seen to grow, and when.
  var received = 0
  var lastProgress = MonotonicTime.never

  init() {}

  init(at now: MonotonicTime, counted: Int, received: Int) {
    start = now
    self.counted = counted
    self.received = received
    lastProgress = now
  }

  mutating func consume(_ count: Int, buffered: Int, at now: MonotonicTime) {
    counted += count
    note(counted + buffered, at: now)
  }

  mutating func note(_ received: Int, at now: MonotonicTime) {
    if received <= self.received { return }
    self.received = received
    lastProgress = now
  }

  /// Whether the body is too slow.
  func isTooSlow(at now: MonotonicTime, limits: borrowing HTTPLimits) -> Bool {
    if now >= lastProgress.advanced(bySeconds: limits.idleSeconds) { return true }
    let seconds = Double(now.nanoseconds(since: start)) / 1e9
    if seconds < limits.bodyGraceSeconds { return false }
    return Double(received) < (seconds - Self.slackSeconds) * Double(limits.bodyBytesPerSecondMin)
  }

  /// When to look again: once the average would be missed if nothing more came.
  func deadline(limits: borrowing HTTPLimits) -> MonotonicTime {
    let average = Double(received) / Double(limits.bodyBytesPerSecondMin) + Self.slackSeconds
    let missed = start.advanced(bySeconds: max(limits.bodyGraceSeconds, average) + 0.001)
    return min(missed, lastProgress.advanced(bySeconds: limits.idleSeconds))
  }

  /// So that a peer that sends exactly at the least rate, once a second, is not cut between two pieces.
  private static var slackSeconds: Double { 1 }
}

extension HTTPSession {
  private enum Waiting { case request, head, body, nothing }

  private var waiting: Waiting {
    switch phase {
    case .request: bytesNeeded > 1 ? .body : unfinished.isUnderWay ? .head : .request
    case .chunks, .unwantedBytes, .unwantedChunks: .body
    case .owed, .streaming: .nothing
    }
  }

  @inline(__always)
  func deadline(for next: Progress.Next, at now: MonotonicTime) -> MonotonicTime {
    guard case .read = next else { return .never }
    return switch waiting {
    case .request: now.advanced(bySeconds: service.limits.idleSeconds)
    case .head: unfinished.start.advanced(bySeconds: service.limits.headSeconds)
    case .body: pace.deadline(limits: service.limits)
    case .nothing: .never
    }
  }

  package mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    guard let next = next(after: cause, into: &output, at: now, &service.loop.value) else { return standing }
    return promise(next, consumed: 0, at: now)
  }

  private mutating func next(
    after cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime, _ loop: inout HTTPLoop
  ) -> Progress.Next? {
    loop.open(&output, of: service, at: now, for: id)
    let next = next(after: cause, at: now, &loop)
    loop.close(&output, of: service)
    return next
  }

  /// What changes by a wake; nil: nothing does.
  private mutating func next(after cause: Wake, at now: MonotonicTime, _ loop: inout HTTPLoop) -> Progress.Next? {
    switch cause {
    case .connected: return .read(atLeast: 1)
    case .deadline(let buffered): return meetDeadline(buffered: buffered, at: now, &loop)
    case .message(let message):
      if let due = message as? ParkedReplyDue { return take(due, &loop, at: now) }
      return (message as? LaterMessage).flatMap { take($0, &loop) }
    case .drain:
      if isParked { return refuseParked(&loop) }
      if case .request = waiting, case .read = standing.next { return .close(.drained) }
      return nil
    case .endOfInput:
      inputHasEnded = true
      if case .read = standing.next { return .close(.peerClosed) }
      if isParked { return .close(.peerClosed) }
      return nil
    }
  }

  /// The deadline has come, or is said to have.
  private mutating func meetDeadline(buffered: Int, at now: MonotonicTime, _ loop: inout HTTPLoop) -> Progress.Next? {
    if now < standing.deadline { return nil }
    switch waiting {
    case .nothing: return nil
    case .request: return .close(.idleTimeout)
    case .head: return refuse(.headTimeout, &loop, reason: .headTimeout)
    case .body:
      pace.note(pace.counted + buffered, at: now)
      return pace.isTooSlow(at: now, limits: service.limits) ? refuse(.bodyTimeout, &loop, reason: .bodyTimeout) : standing.next
    }
  }
}
