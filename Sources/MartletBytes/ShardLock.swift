/// The one lock of the data plane: a `pthread_mutex_t` in a heap cell of its own.
///
/// Why not `Synchronization.Mutex`: the thread sanitizer reports races in correct programs with it on Linux, and there it is a
/// spinning priority-inheritance futex. Held for the length of one batch of verbs, never across I/O.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@safe
package final class ShardLock: @unchecked Sendable {
  /// Owned by this object from `init` to `deinit`; a mutex must not move, hence the cell.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    let code = unsafe pthread_mutex_init(mutex, nil)
    precondition(code == 0, "pthread_mutex_init failed")
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deinitialize(count: 1)
    unsafe mutex.deallocate()
  }

  @inline(__always)
  package func lock() {
    let code = unsafe pthread_mutex_lock(mutex)
    precondition(code == 0, "pthread_mutex_lock failed")
  }

  /// Takes the lock if nobody holds it, this thread included; never waits.
  package func tryLock() -> Bool { unsafe pthread_mutex_trylock(mutex) == 0 }

  @inline(__always)
  package func unlock() { unsafe _ = pthread_mutex_unlock(mutex) }

  /// Runs `body` while holding the lock.
  package func withLock<Result: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}
