/// CLIENT PAUSE: until a time, commands wait, all of them or those that write. Nobody is held up but the connections that send them: each
/// is blocked by itself and goes on when its deadline comes, or when it is woken by CLIENT UNPAUSE.

internal import MartletBytes
internal import Synchronization

final class ClientPause: Sendable {
  enum Kind: UInt8, Comparable {
    case none, writes, all
    static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  private let kindNow = Atomic<UInt8>(0)
  private let untilNanoseconds = Atomic<UInt64>(0)
  private let lock = ShardLock()
  /// Blocked since the pause began; under the lock.
  private let waiting = LoopLocal<[ConnectionID]>([])

  /// To be asked before each command: one load while nothing is paused.
  @inline(__always)
  var isOn: Bool { kindNow.load(ordering: .relaxed) != 0 }

  /// What is paused now, and until when.
  func state(at now: MonotonicTime) -> (kind: Kind, until: MonotonicTime) {
    let until = MonotonicTime(nanoseconds: untilNanoseconds.load(ordering: .relaxed))
    guard let kind = Kind(rawValue: kindNow.load(ordering: .relaxed)), kind != .none, now < until else {
      kindNow.store(0, ordering: .relaxed)
      return (.none, now)
    }
    return (kind, until)
  }

  /// A pause under way becomes as long and as strict as the stricter and longer of both.
  func begin(_ kind: Kind, until: MonotonicTime, at now: MonotonicTime) {
    lock.withLock {
      let current = state(at: now)
      if current.kind == .none { waiting.value = [] }
      untilNanoseconds.store(max(until, current.until).nanoseconds, ordering: .relaxed)
      kindNow.store(max(kind, current.kind).rawValue, ordering: .relaxed)
    }
  }

  /// Those to be woken by `PauseIsOver`.
  func end() -> [ConnectionID] {
    lock.withLock {
      kindNow.store(0, ordering: .relaxed)
      let all = waiting.value
      waiting.value = []
      return all
    }
  }

  /// The connection is blocked and wants to be woken by `end`.
  func wait(_ id: ConnectionID) { lock.withLock { waiting.value.append(id) } }
}

struct PauseIsOver: Sendable {}
