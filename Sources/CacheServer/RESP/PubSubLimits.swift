/// The bounds of publishing and subscribing, and what waits for one subscriber measured against them.

internal import MartletBytes
internal import Synchronization

final class PubSubLimits: Sendable {
  /// Redis's `client-output-buffer-limit pubsub`: a subscriber for whom more than `hardBytes` wait is closed at once, one for whom more
  /// than `softBytes` wait without a pause of `softSeconds` is closed, too. CONFIG SET changes them; 0 is none.
  let hardBytes: Atomic<Int>
  let softBytes: Atomic<Int>
  let softSeconds: Atomic<Int>
  /// What may wait for all subscribers together; beyond, whoever adds to it is closed.
  let waitingBytesMax: Int
  /// What may be on its way to one loop before publishers have to wait for it.
  let underwayBytesMax: Int
  /// What subscriptions may use, all together.
  let subscribedBytesMax: Int

  /// Less than this that waits for a subscriber is not counted: it is what a connection may have in its buffer anyway.
  static var uncountedBytesMax: Int { SessionLimits.inputBytesMax }
  /// What a message to one subscriber uses on its way.
  static var deliveryBytes: Int { 64 }

  /// In proportion to the memory that the process may use; Redis's own bounds where there is enough.
  init(memoryBytes: Int) {
    hardBytes = Atomic(min(32 << 20, memoryBytes / 16))
    softBytes = Atomic(min(8 << 20, memoryBytes / 64))
    softSeconds = Atomic(60)
    waitingBytesMax = memoryBytes / 8
    underwayBytesMax = min(8 << 20, memoryBytes / 16)
    subscribedBytesMax = memoryBytes / 16
  }
}

/// What waits for one subscriber. A session sees its output, and not what the connection has handed on to the system; but output that has
/// become shorter has been handed on, and is written by the time that `receive` is called again.
struct SubscriberBacklog {
  private var handedOn = 0
  private var lastCount = 0
  private var overSoftSince: MonotonicTime?
  /// Of what waits, how much is counted in `PubSub.waitingBytes`.
  private(set) var counted = 0

  enum Excess: String {
    case hard = "hard limit"
    case soft = "soft limit"
    case total = "limit of all subscribers together"
  }

  /// A message is to be put behind `count` bytes of output.
  mutating func willAppend(behind count: Int) {
    if count < lastCount { handedOn = lastCount }
  }

  /// A message has been put there. The bound that is passed, if one is.
  mutating func didAppend(_ count: Int, of pubsub: PubSub, at now: MonotonicTime) -> Excess? {
    lastCount = count
    let waiting = handedOn + count
    if waiting < PubSubLimits.uncountedBytesMax { return nil }
    let total = pubsub.waitingBytes.add(waiting - counted, ordering: .relaxed).newValue
    counted = waiting
    let limits = pubsub.limits
    let (hard, soft) = (limits.hardBytes.load(ordering: .relaxed), limits.softBytes.load(ordering: .relaxed))
    if hard > 0, waiting > hard { return .hard }
    if total > limits.waitingBytesMax { return .total }
    guard soft > 0, waiting > soft else {
      overSoftSince = nil
      return nil
    }
    let since = overSoftSince ?? now
    overSoftSince = since
    return now >= since.advanced(bySeconds: Double(limits.softSeconds.load(ordering: .relaxed))) ? .soft : nil
  }

  /// All is written. What was counted until now.
  mutating func settle() -> Int {
    let counted = counted
    self = SubscriberBacklog()
    return counted
  }
}
