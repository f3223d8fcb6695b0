/// Where a server stands in its life: what `/readyz` says.

internal import Synchronization

public final class Readiness: Sendable {
  public enum State: String, Sendable {
    case starting, ready, draining
  }

  private let value = Atomic<UInt8>(0)

  public init() {}

  /// From any thread.
  public var state: State {
    switch value.load(ordering: .relaxed) {
    case 0: .starting
    case 1: .ready
    default: .draining
    }
  }

  func becomeReady() { value.store(1, ordering: .relaxed) }
  func beginDraining() { value.store(2, ordering: .relaxed) }
}
