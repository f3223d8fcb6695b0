/// A reader of any protocol that waits for another's fill. What it is told, and how its connection hears of it, is the protocol's: a
/// subclass each.
///
/// Who may touch what: `settle` runs on any thread, once; the rest on the connection's loop. `state` settles who comes last when the peer
/// leaves while it is told: a lease that nobody is there to take is given up by whichever of both sees the other.

internal import MartletBytes
internal import MartletCache
internal import MartletLoop
internal import Synchronization

class LeaseWait: LeaseWaiter, @unchecked Sendable {
  private enum State {
    static let waiting: UInt8 = 0
    static let told: UInt8 = 1
    static let left: UInt8 = 2
  }

  private let store: CacheStore
  private let clock: SteadyClock
  private let wake: Waker
  private let connection: ConnectionID
  private let key: [UInt8]
  private let database: UInt8
  private let state = Atomic<UInt8>(State.waiting)
  /// Written by `settle` before `state` says so.
  private(set) final var news: LeaseNews?
  // The loop's.
  private(set) final var hasLeft = false
  private var ticket: WaitTicket?

  init(of connection: ConnectionID, for key: RawSpan, database: UInt8, store: CacheStore, clock: SteadyClock, wake: Waker) {
    self.connection = connection
    self.key = key.copied()
    self.database = database
    self.store = store
    self.clock = clock
    self.wake = wake
  }

  /// What the connection is sent when there is news.
  var message: any Sendable { self }

  final func park(_ ticket: WaitTicket) { self.ticket = ticket }

  final func settle(_ news: LeaseNews) {
    self.news = news
    if state.exchange(State.told, ordering: .acquiringAndReleasing) == State.left { return giveUp() }
    wake.send(message, to: connection)
  }

  /// The connection does not wait any more; without having answered by the news.
  final func forget() {
    hasLeft = true
    if state.exchange(State.left, ordering: .acquiringAndReleasing) == State.told { return giveUp() }
    if let ticket { store.forget(ticket) }
  }

  /// The lease has come to somebody who is gone: the next one gets it.
  private func giveUp() {
    if case .lease(let token) = news {
      let key = key
      store.giveUp(key.rawSpan, database: database, lease: token, at: clock.unixTime(at: .now))
    }
  }
}

/// Reaches the sessions of all loops from any thread.
struct Waker: Sendable {
  let loops: [EventLoop]

  /// Wakes the session of a connection with `message`, on its own loop; if the connection is gone, nothing happens.
  func send(_ message: any Sendable, to connection: ConnectionID) { loops[Int(connection.loop)].wake(connection, message) }
}
