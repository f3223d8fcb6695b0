import MartletBytes
import Testing

@Suite("ShardLock")
struct ShardLockTests {
  /// A number under a lock.
  private final class Guarded: Sendable {
    let lock = ShardLock()
    let count = LoopLocal(0)

    /// Whether the lock could be taken just now.
    var isFree: Bool {
      guard lock.tryLock() else { return false }
      lock.unlock()
      return true
    }
  }

  @Test("Concurrent additions stay whole, by tasks that look and by tasks that have to sleep", arguments: [0, 20])
  func additions(microseconds: UInt32) async {
    let guarded = Guarded()
    let rounds = microseconds == 0 ? 10_000 : 200
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<rounds {
            guarded.lock.withLock {
              let count = guarded.count.value
              let begin = MonotonicTime.now
              while MonotonicTime.now.nanoseconds(since: begin) < UInt64(microseconds) * 1000 {}
              guarded.count.value = count + 1
            }
          }
        }
      }
    }
    #expect(guarded.count.value == 8 * rounds)
  }

  @Test("Trying takes a lock that is free, and no other")
  func trying() {
    let guarded = Guarded()
    #expect(guarded.isFree)
    guarded.lock.withLock { #expect(!guarded.isFree) }
    #expect(guarded.isFree)
  }

  @Test("Who waits gets the lock when it is given back, however late")
  func waiting() async {
    let guarded = Guarded()
    guarded.lock.lock()
    let waiter = Task.detached { guarded.lock.withLock { guarded.count.value += 1 } }
    let begin = MonotonicTime.now
    while MonotonicTime.now.nanoseconds(since: begin) < 2_000_000 { await Task.yield() }
    guarded.count.value += 1
    guarded.lock.unlock()
    await waiter.value
    #expect(guarded.count.value == 2)
  }

  @Test("A failure inside gives the lock back")
  func failing() {
    struct Failure: Error {}
    let guarded = Guarded()
    #expect(throws: Failure.self) { try guarded.lock.withLock { throw Failure() } }
    #expect(guarded.isFree)
  }
}
