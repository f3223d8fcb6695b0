/// `GET /v1/cache/{key}?lease=S[&wait=S]`: a read that knows who is to fill. What the store decides is told here in HTTP.
///
/// | the store says | the reply |
/// |---|---|
/// | hit, stale | 200, with `Martlet-Lease` if this reader is to refresh |
/// | miss | 404 with `Martlet-Lease` |
/// | another fills | parked: 200 when it is filled, 404 with a lease if the filler failed, or as the next line |
/// | no (more) waiting | 404 with `Retry-After` |
/// | known absent | 404 with `Cache-Control: max-age` and neither |
///
/// What a waiter costs: one object with its key, a place in the store's queue, and its connection; no task. It is written from the value
/// that all waiters share, on its own loop, without touching the store again.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

/// What a GET asks for beside the key.
struct GetQuery {
  var pointer: JSONPointer?
  var lease: LeaseRequest?

  init(_ request: borrowing Request) throws {
    var lease = LeaseQuery()
    var pointer: JSONPointer?
    try request.forEachQueryItem { name, value in
      if try lease.take(name, value) { return }
      guard name.equals("pointer") else { throw HTTPError.unknownQuery(name) }
      guard let parsed = try? JSONPointer(value) else {
        throw HTTPError(.badRequest, "a pointer is empty or begins with /, and ~ stands before 0 or 1 only", pointer: value.text)
      }
      pointer = parsed
    }
    self.pointer = pointer
    self.lease = try lease.request()
  }
}

/// What of an entry is wanted, and if it is.
struct EntrySelection {
  var pointer: JSONPointer?
  var match: EntityTags?
  var noneMatch: EntityTags?
}

extension EntryRoutes {
  func getLeased(
    _ lease: LeaseRequest, _ selection: EntrySelection, _ request: borrowing Request, _ response: inout ResponseWriter, at now: UnixTime
  ) throws {
    let key = request.parameter(0)
    let connection = request.connection
    var waiter: WaitingGet?
    func makeWaiter() -> WaitingGet {
      let made = WaitingGet(self, key: key, selection, connection)
      waiter = made
      return made
    }
    var isWritten = false
    var isAnother = false
    let answer = store.acquire(key, lease, waiter: makeWaiter(), at: now) { entry, token in
      if let match = selection.match, !match.matchesStrongly(entry.version) {
        isAnother = true
      } else if let noneMatch = selection.noneMatch, noneMatch.matchesWeakly(entry.version) {
        response.notModified(EntryFacts(entry), tags: entry.tags, lease: token, at: now)
        isWritten = true
      } else if !entry.isLarge, selection.pointer == nil {
        response.entry(EntryFacts(entry), entry.value, type: entry.contentType, tags: entry.tags, lease: token, at: now)
        isWritten = true
      }
    }
    switch answer {
    case .hit(let token), .stale(let token):
      if isWritten { return }
      if isAnother { throw HTTPError.entryChanged(lease: token) }
      // Large, or a part of JSON: read from memory that is pinned, not locked.
      guard let pinned = try pin(key, allowsStale: true, at: now) else { throw HTTPError.entryAbsent }
      try write(pinned, selection, lease: token, to: &response, at: now)
    case .miss(let token): throw HTTPError.miss(token)
    case .waiting(let ticket):
      guard let waiter else { preconditionFailure("nobody was parked") }
      waiter.park(ticket)
      response.park(waiter)
    case .busy(let milliseconds): throw HTTPError.busy(retryAfterMilliseconds: milliseconds)
    case .absent(let until): throw HTTPError.knownAbsent(until: until, at: now)
    }
  }

  /// A value that is held, or the part of it that is wanted.
  func write(
    _ pinned: borrowing PinnedValue, _ selection: EntrySelection, lease: LeaseToken? = nil, to response: inout ResponseWriter,
    at now: UnixTime
  ) throws {
    if let match = selection.match, !match.matchesStrongly(pinned.version) { throw HTTPError.entryChanged(lease: lease) }
    var part: Range<Int>?
    if let pointer = selection.pointer {
      guard MediaType.isJSON(pinned.value, type: pinned.contentType) else { throw HTTPError.entryNotJSON }
      guard let found = try? pointer.locate(in: pinned.value) else {
        throw HTTPError(.notFound, "the entry has no such part", pointer: pointer.description)
      }
      part = found
    }
    if let noneMatch = selection.noneMatch, noneMatch.matchesWeakly(pinned.version) {
      return response.notModified(EntryFacts(pinned), tags: pinned.tags, lease: lease, at: now)
    }
    guard let part else {
      return response.entry(
        EntryFacts(pinned), pinned.value, type: pinned.contentType, tags: pinned.tags, lease: lease, at: now)
    }
    response.head(.ok)
    response.freshness(EntryFacts(pinned), tags: pinned.tags, at: now)
    if let lease { response.lease(lease) }
    response.field("Content-Type", "application/json" as StaticString)
    response.body(pinned.value[part])
  }
}

/// A GET that waits for another's fill: a waiter to the store, a parked reply to its connection.
final class WaitingGet: LeaseWait, ParkedReply, @unchecked Sendable {
  private let routes: EntryRoutes
  private let selection: EntrySelection
  private var isWritten = false

  init(_ routes: EntryRoutes, key: RawSpan, _ selection: EntrySelection, _ connection: ConnectionID) {
    self.routes = routes
    self.selection = selection
    super.init(of: connection, for: key, database: 0, store: routes.store, clock: routes.clock, wake: routes.wake)
  }

  override var message: any Sendable { ParkedReplyDue(self) }

  func write(to response: inout ResponseWriter, at now: MonotonicTime) throws {
    isWritten = true
    let now = routes.clock.unixTime(at: now)
    switch news {
    case .value(let value):
      try value.withPinned { pinned in try routes.write(pinned, selection, to: &response, at: now) }
    case .lease(let token): throw HTTPError.miss(token)
    case .absent(let until): throw HTTPError.knownAbsent(until: until, at: now)
    case .timedOut: throw HTTPError.busy(retryAfterMilliseconds: LeaseLimits.retryMilliseconds)
    case nil: preconditionFailure("a reply that is due before it was settled")
    }
  }

  func leave() { if !isWritten { forget() } }
}
