/// The one lock of the data plane: a byte. Taking it is one atomic exchange, giving it back is a store.
///
/// It is held for the length of one batch of verbs, never across I/O, and the cost that counts is that of a lock which is free: a batch of
/// sixteen keys takes fourteen of them. A mutex pays twice for being able to wake somebody: to give it back is an atomic exchange, too,
/// which says whether anybody sleeps. Here nobody is woken. Who finds the lock taken looks again for 5 µs, by then a holder that runs is
/// done; one that does not run has lost its core, so the waiter sleeps for 50 µs at a time, and leaves it a core to go on.
/// There is no order among those who wait.
///
/// Why not `Synchronization.Mutex`: the thread sanitizer reports races in correct programs with it on Linux, and there it is a spinning
/// priority-inheritance futex.

public import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@usableFromInline
package struct ShardLock: ~Copyable, Sendable {
  @usableFromInline let isHeld = Atomic<Bool>(false)

  @inlinable
  package init() {}

  @inlinable @inline(__always)
  package func lock() {
    if isHeld.exchange(true, ordering: .acquiring) { wait() }
  }

  /// Takes the lock if nobody holds it, this thread included; never waits.
  @inlinable @inline(__always)
  package func tryLock() -> Bool { !isHeld.exchange(true, ordering: .acquiring) }

  /// By who holds it.
  @inlinable @inline(__always)
  package func unlock() { isHeld.store(false, ordering: .releasing) }

  /// Runs `body` while holding the lock.
  @inlinable
  package func withLock<Result: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }

  // MARK: Waiting

  private static var lookNanoseconds: UInt64 { 5000 }
  private static var sleepNanoseconds: Int { 50_000 }

  @usableFromInline @inline(never)
  func wait() {
    let begin = MonotonicTime.now
    repeat {
      // Reading the clock is the pause between two looks.
      if MonotonicTime.now.nanoseconds(since: begin) > Self.lookNanoseconds { sleep() }
      // A look leaves the line with its holder; only a try takes it away.
    } while isHeld.load(ordering: .relaxed) || !tryLock()
  }

  private func sleep() {
    var time = timespec(tv_sec: 0, tv_nsec: Self.sleepNanoseconds)
    unsafe _ = nanosleep(&time, nil)
  }
}
