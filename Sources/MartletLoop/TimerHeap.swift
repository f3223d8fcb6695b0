/// Timers in the order in which they are due: a binary heap of times beside the actions.
///
/// For what is not a connection's deadline: sleeps of async handlers, the loop's own pauses, an application's ticks. O(log n) each;
/// cancelled timers stay in the heap as empty places until they come up or outnumber the rest. Pure: time is handed in.

import MartletBytes

/// Names a timer of one loop; stale once it has fired or was cancelled.
package struct TimerToken: Hashable, Sendable {
  let sequence: UInt64
}

struct TimerHeap: ~Copyable {
  private struct Entry {
    var due: UInt64
    var sequence: UInt64
    func isBefore(_ other: Entry) -> Bool { due != other.due ? due < other.due : sequence < other.sequence }
  }

  private var heap: [Entry] = []
  private var actions: [UInt64: () -> Void] = [:]
  private var nextSequence: UInt64 = 0

  /// Timers that are waiting.
  var count: Int { actions.count }

  /// When the first place in the heap comes up; `.never` if it is empty.
  var nextDue: MonotonicTime { MonotonicTime(nanoseconds: heap.first?.due ?? .max) }

  mutating func schedule(at due: MonotonicTime, _ action: @escaping () -> Void) -> TimerToken {
    nextSequence += 1
    actions[nextSequence] = action
    heap.append(Entry(due: due.nanoseconds, sequence: nextSequence))
    siftUp(heap.count - 1)
    return TimerToken(sequence: nextSequence)
  }

  /// Whether the timer was still waiting.
  mutating func cancel(_ token: TimerToken) -> Bool {
    guard actions.removeValue(forKey: token.sequence) != nil else { return false }
    if heap.count > 64 && heap.count > actions.count * 2 { dropCancelled() }
    return true
  }

  /// The token that was given out last.
  var latest: TimerToken { TimerToken(sequence: nextSequence) }

  /// The action of the next timer due at `now`, of those up to `latest`; nil when there is none. The caller may schedule and
  /// cancel between calls.
  mutating func popDue(at now: MonotonicTime, upTo latest: TimerToken) -> (() -> Void)? {
    while let first = heap.first, first.due <= now.nanoseconds, first.sequence <= latest.sequence {
      removeFirst()
      if let action = actions.removeValue(forKey: first.sequence) { return action }
    }
    return nil
  }

  private mutating func dropCancelled() {
    heap.removeAll { actions[$0.sequence] == nil }
    heap.sort { $0.isBefore($1) }  // sorted is a heap
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
      guard heap[child].isBefore(heap[index]) else { return }
      heap.swapAt(index, child)
      index = child
    }
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].isBefore(heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }
}
