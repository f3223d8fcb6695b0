/// Connections that wait. CLIENT PAUSE and DEBUG SLEEP: until a deadline. MARTLET.LEASE: nothing more of this connection is run until the key is filled, its turn to fill has come, or
/// its time is over. PUBLISH: until what it has published is delivered, as far as it must be. The connection is blocked meanwhile, as by
/// BLPOP in Redis; what has arrived behind the command stays in its buffer.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

/// What the store tells when there is news.
final class WaitingLease: LeaseWait, @unchecked Sendable {
  /// CLIENT REPLY: nobody wants to read it. The loop's.
  var isMuted = false

  /// As MARTLET.LEASE is answered; without news as one who may not wait.
  func write(to writer: inout RESPWriter, at now: UnixTime) {
    switch hasLeft ? nil : news {
    case .value(let value):
      writer.array(3)
      value.withPinned { pinned in
        writer.bulk(pinned.value)
        writer.endLease(nil, isStale: pinned.isSoftened || pinned.expiry <= now)
      }
    case .lease(let token): writer.leaseWithoutValue(token)
    case .absent, .timedOut, nil: writer.leaseWithoutValue(nil)
    }
  }
}

extension RESPSession {
  /// If the command run last waits, the connection does; if its reply does not fit into the output, that is written first. Nil: neither.
  @inline(__always)
  mutating func pauseIfNeeded(_ execution: inout CommandExecution) -> Progress.Next? {
    if execution.waiting == nil, !isWaitingForRoom, pausedUntil == nil, !execution.hasPending { return nil }
    return pause(&execution)
  }

  private mutating func pause(_ execution: inout CommandExecution) -> Progress.Next {
    // What is parsed beyond is parsed again, from its beginning.
    parser = RESPParser()
    if let reply = execution.takePending() {
      pending = consume reply
      return .full
    }
    if isWaitingForRoom || pausedUntil != nil { return .blocked }
    waiting = execution.takeWaiting()
    waiting?.isMuted = replyMode != .on
    record.isBlocked.store(true, ordering: .relaxed)
    return .blocked
  }

  /// There is news for whoever waited; false if that is not this session, or not any more.
  mutating func endWaiting(_ message: any Sendable, into output: inout ByteBuffer, at now: MonotonicTime) -> Bool {
    if message is RoadIsFree, isWaitingForRoom {
      isWaitingForRoom = false
      return true
    }
    if message is PauseIsOver, pausedUntil != nil, !isAsleep { return endPause(into: &output) }
    if let ended = message as? WaitEnded, let wait = waiting {
      wait.forget()
      finish(wait, into: &output, at: now, asError: ended.asError)
      return true
    }
    guard let wait = message as? WaitingLease, wait === waiting else { return false }
    finish(wait, into: &output, at: now)
    return true
  }

  /// A pause, or a sleep, is over. False: there was none.
  mutating func endPause(into output: inout ByteBuffer) -> Bool {
    if pausedUntil == nil { return false }
    pausedUntil = nil
    if isAsleep { output.append("+OK\r\n") }
    isAsleep = false
    return true
  }

  /// The server stops: who waits is answered as if its time were over. False if nobody waits.
  mutating func refuseWaiting(into output: inout ByteBuffer, at now: MonotonicTime) -> Bool {
    guard let wait = waiting else { return false }
    wait.forget()
    finish(wait, into: &output, at: now)
    return true
  }

  private mutating func finish(
    _ wait: WaitingLease, into output: inout ByteBuffer, at now: MonotonicTime, asError: Bool = false
  ) {
    waiting = nil
    record.isBlocked.store(false, ordering: .relaxed)
    if wait.isMuted { return }
    var writer = RESPWriter(version: version)
    if asError {
      writer.error(Array("UNBLOCKED client unblocked via CLIENT UNBLOCK".utf8))
      return output.append(writer.output)
    }
    wait.write(to: &writer, at: service.shared.clock.unixTime(at: now))
    output.append(writer.output)
  }
}
