/// A clock that is moved by hand, an origin that counts, gates that tasks stand at, and waiting without sleeping.

import MartletBytes
import MartletCache
import MartletCacheClient
import Synchronization

final class HandClock: Sendable {
  private let milliseconds = Atomic<Int64>(1_000_000_000)
  var now: Cache.Clock { { self.milliseconds.load(ordering: .sequentiallyConsistent) } }
  func advance(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    milliseconds.add(seconds * 1000 + attoseconds / 1_000_000_000_000_000, ordering: .sequentiallyConsistent)
  }
}

final class Counter: Sendable {
  private let number = Atomic<Int>(0)
  var value: Int { number.load(ordering: .sequentiallyConsistent) }
  @discardableResult
  func next() -> Int { number.add(1, ordering: .sequentiallyConsistent).newValue }
  func raise(to value: Int) { number.max(value, ordering: .sequentiallyConsistent) }
}

/// Closed until it is opened. Who waits and is cancelled goes on with `CancellationError`.
final class Gate: Sendable {
  private let isOpen = Atomic<Bool>(false)
  func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }
  func pass() async throws { try await until { self.isOpen.load(ordering: .sequentiallyConsistent) } }
}

/// Lets other tasks run until `condition` holds; throws if the task is cancelled.
func until(_ condition: () -> Bool) async throws {
  while !condition() {
    try Task.checkCancellation()
    await Task.yield()
  }
}

struct OriginError: Error, Equatable {
  var number = 0
}

struct User: Codable, Equatable, Sendable {
  var id: Int
  var name = "Ada"
}

extension Cache {
  static func make(clock: HandClock, _ change: (inout Options) -> Void = { _ in }) -> Cache {
    var options = Options()
    options.memoryLimit = 8 << 20
    change(&options)
    return Cache(options: options, clock: clock.now)
  }

  var waiting: Int { Int(statistics.leases.waiting) }
}
