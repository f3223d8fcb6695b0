/// Leases with keys and values as text, and a waiter that remembers.

import MartletBytes
import Testing

@testable import MartletCache

/// A waiter that writes down what it is told.
final class Waiter: LeaseWaiter {
  private let told = Guarded<[LeaseNews]>([])
  private let onLease: @Sendable (LeaseToken) -> Void

  init(onLease: @escaping @Sendable (LeaseToken) -> Void = { _ in }) { self.onLease = onLease }

  func settle(_ news: LeaseNews) {
    told.with { $0.append(news) }
    if case .lease(let lease) = news { onLease(lease) }
  }

  func clear() { told.with { $0 = [] } }

  var lease: LeaseToken? {
    told.with { news in
      if case .lease(let lease) = news.last { return lease }
      return nil
    }
  }

  var news: [String] {
    told.with {
      $0.map { (news: LeaseNews) -> String in
        switch news {
        case .value(let value): "value \(value.withValue { $0.text })"
        case .lease: "lease"
        case .absent: "absent"
        case .timedOut: "timed out"
        }
      }
    }
  }
}

extension LeaseAnswer {
  var isWaiting: Bool { ticket != nil }
  var ticket: WaitTicket? { if case .waiting(let ticket) = self { ticket } else { nil } }
}

extension CacheStore {
  /// Asks with a lease of ten seconds.
  func read(
    _ key: String, database: UInt8 = 0, seconds: Int64 = 10, wait: Int64 = 0, early: Double = 0, _ waiter: Waiter? = nil,
    at now: UnixTime = .start
  ) -> (answer: LeaseAnswer, value: String?) {
    var value: String?
    let answer = withBytes(key) { key in
      acquire(
        key, database: database,
        LeaseRequest(leaseMilliseconds: seconds * 1000, waitMilliseconds: wait * 1000, earlyRefresh: early), waiter: waiter, at: now
      ) { entry, _ in value = entry.value.text }
    }
    return (answer, value)
  }

  /// The lease of a miss.
  func lease(_ key: String, database: UInt8 = 0, seconds: Int64 = 10, at now: UnixTime = .start) throws -> LeaseToken {
    guard case .miss(let lease) = read(key, database: database, seconds: seconds, at: now).answer else { throw NoLease() }
    return lease
  }

  /// The lease of a stale value.
  func refresh(_ key: String, seconds: Int64 = 10, at now: UnixTime = .start) throws -> LeaseToken {
    guard case .stale(let lease?) = read(key, seconds: seconds, at: now).answer else { throw NoLease() }
    return lease
  }

  /// A lease on a live value.
  func early(_ key: String, at now: UnixTime = .start) throws -> LeaseToken {
    // Something must have been filled before, at a cost.
    let first = try lease("cost of \(key)", at: now)
    try fill("cost of \(key)", "", first, at: now + 9000)
    for other in 0..<64 {  // in every shard
      if case .miss(let lease) = read("cost \(other)", at: now).answer { try fill("cost \(other)", "", lease, at: now + 9000) }
    }
    for _ in 0..<1000 {
      if case .hit(let lease?) = read(key, early: 1_000_000, at: now).answer { return lease }
    }
    throw NoLease()
  }

  struct NoLease: Error {}

  @discardableResult
  func fill(
    _ key: String, _ value: String, _ lease: LeaseToken, expiry: UnixTime = .never, staleUntil: UnixTime = .neverStale,
    tags: String = "", if condition: PutCondition = .always, at now: UnixTime = .start
  ) throws(CacheError) -> PutResult {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(value) { value throws(CacheError) in
        try withBytes(tags) { tags throws(CacheError) in
          let attributes = PutAttributes(expiry: expiry, staleUntil: staleUntil, contentType: RawSpan(), tags: tags)
          return try fill(key, value, attributes, lease: lease, condition: condition, at: now)
        }
      }
    }
  }

  func absent(
    _ key: String, _ lease: LeaseToken, until: UnixTime, tags: String = "", at now: UnixTime = .start
  ) throws(CacheError) -> Bool {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(tags) { tags throws(CacheError) in try fillAbsent(key, lease: lease, until: until, tags: tags, at: now) }
    }
  }

  @discardableResult
  func end(_ key: String, _ lease: LeaseToken, at now: UnixTime = .start) -> Bool {
    withBytes(key) { giveUp($0, lease: lease, at: now) }
  }
}
