/// How many connections a server holds at once, over all its loops and listeners.

import Synchronization

package final class ConnectionBudget: Sendable {
  package let max: Int
  private let taken = Atomic<Int>(0)

  package init(max: Int) { self.max = max }

  /// Connections held now.
  package var count: Int { taken.load(ordering: .relaxed) }

  /// Takes one place; false if none is left. From any thread.
  func take() -> Bool {
    if taken.wrappingAdd(1, ordering: .relaxed).newValue <= max { return true }
    taken.wrappingSubtract(1, ordering: .relaxed)
    return false
  }

  /// Gives a place back.
  func giveBack() { taken.wrappingSubtract(1, ordering: .relaxed) }
}
