/// How a fill that ends without an entry is shared with those who wait for it.
///
/// The problem: a lease that is given up passes to the first waiter, who fills by himself, and so on. That is right where a filler was
/// cancelled. But if the origin fails, ten thousand waiters would ask it one after the other, and if a value cannot be kept (too
/// large, no room), each would fetch it again. So the filler leaves a note before it gives the lease up: an error, or the bytes. A waiter
/// to whom the lease then comes takes what the note says, and puts the lease back into it; the filler gives it up again, until it comes
/// to nobody, or to someone who came after the note was written. No recursion, however many they are.

internal import MartletBytes
internal import MartletCache
internal import Synchronization

/// What a fill came to.
enum FillOutcome: Sendable {
  case failure(any Error)
  /// A value that could not be kept.
  case value([UInt8])
  case absent
}

/// The notes of one cache; there are some only while fills end without an entry.
final class HandOvers: @unchecked Sendable {
  private let lock = ShardLock()
  /// Under the lock.
  private var notes: [[UInt8]: HandOver] = [:]
  private let count = Atomic<Int>(0)
  private let serials = Atomic<UInt64>(0)

  /// For a waiter: who has a lower one came before.
  func nextSerial() -> UInt64 { serials.add(1, ordering: .relaxed).newValue }

  /// Ends `lease` and has everybody who waits now told of `outcome`.
  func handOver(_ outcome: FillOutcome, _ key: [UInt8], _ lease: LeaseToken, of store: CacheStore, at now: UnixTime) {
    let note = HandOver(outcome, before: nextSerial())
    lock.withLock { notes[key] = note }
    count.add(1, ordering: .sequentiallyConsistent)
    var token = lease
    repeat {
      // Whoever is next is told before this returns, on this thread.
      store.giveUp(key.rawSpan, lease: token, at: now)
      guard let next = note.takeBack() else { break }
      token = next
    } while true
    lock.withLock { if notes[key] === note { notes[key] = nil } }
    count.subtract(1, ordering: .sequentiallyConsistent)
  }

  /// What a waiter takes instead of the lease that has come to it; nil: it keeps the lease.
  func outcome(for serial: UInt64, _ key: [UInt8], _ token: LeaseToken) -> FillOutcome? {
    if count.load(ordering: .sequentiallyConsistent) == 0 { return nil }
    guard let note = lock.withLock({ notes[key] }), note.accept(token, from: serial) else { return nil }
    return note.outcome
  }
}

final class HandOver: @unchecked Sendable {
  let outcome: FillOutcome
  private let before: UInt64
  private let lock = ShardLock()
  // Under the lock.
  private var token: LeaseToken?
  private var isClosed = false

  init(_ outcome: FillOutcome, before serial: UInt64) {
    self.outcome = outcome
    before = serial
  }

  /// False if the waiter came later, or nobody will take the lease back any more.
  func accept(_ token: LeaseToken, from serial: UInt64) -> Bool {
    lock.withLock {
      if isClosed || serial > before || self.token != nil { return false }
      self.token = token
      return true
    }
  }

  /// The lease that a waiter has put back; nil at the end.
  func takeBack() -> LeaseToken? {
    lock.withLock {
      defer { token = nil }
      if token == nil { isClosed = true }
      return token
    }
  }
}
