/// The one lock of the data plane: a `pthread_mutex_t` in a heap cell of its own.
///
/// Why not `Synchronization.Mutex`: the thread sanitizer reports races in correct programs with it on Linux, and there it is a
/// spinning priority-inheritance futex. Held for the length of one batch of verbs, never across I/O: so where glibc offers it, who finds it
/// taken looks again for a while before it sleeps (sleeping costs two switches of context, a get is over much sooner), and each has a cache line
/// of its own, so that two threads with two locks do not slow each other down.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@safe
package final class ShardLock: @unchecked Sendable {
  /// Owned by this object from `init` to `deinit`, in a cell of its own: a mutex must not move.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init() {
    unsafe mutex = UnsafeMutableRawPointer.allocate(byteCount: Self.cellBytes, alignment: Self.cellBytes)
      .bindMemory(to: pthread_mutex_t.self, capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    #if canImport(Glibc)
      unsafe pthread_mutexattr_settype(&attributes, CInt(PTHREAD_MUTEX_ADAPTIVE_NP))
    #endif
    let code = unsafe pthread_mutex_init(mutex, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
    precondition(code == 0, "pthread_mutex_init failed")
  }

  /// A cache line.
  private static var cellBytes: Int { 64 }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deinitialize(count: 1)
    unsafe UnsafeMutableRawPointer(mutex).deallocate()
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
