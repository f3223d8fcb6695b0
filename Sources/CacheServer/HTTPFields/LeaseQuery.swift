/// `?lease=S[&wait=S][&early=B]` of a GET: how the reader wants to be treated if the value is not there.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP

struct LeaseQuery {
  private var leaseMilliseconds: Int64?
  private var waitMilliseconds: Int64?
  private var earlyRefresh: Double?

  /// Takes in one query item; false if it is none of ours.
  mutating func take(_ name: RawSpan, _ value: RawSpan) throws(HTTPError) -> Bool {
    if name.equals("lease") {
      guard let lease = LeaseRequest.milliseconds(value, upTo: LeaseLimits.leaseMillisecondsMax), lease > 0 else {
        throw HTTPError(.badRequest, "lease is a number of seconds above 0 and up to 300, fractions allowed")
      }
      leaseMilliseconds = lease
    } else if name.equals("wait") {
      guard let wait = LeaseRequest.milliseconds(value, upTo: LeaseLimits.waitMillisecondsMax) else {
        throw HTTPError(.badRequest, "wait is a number of seconds from 0 to 60, fractions allowed")
      }
      waitMilliseconds = wait
    } else if name.equals("early") {
      guard let early = Seconds.number(value), early <= 100 else {
        throw HTTPError(.badRequest, "early is a number from 0 to 100, fractions allowed; 1 is usual")
      }
      earlyRefresh = early
    } else {
      return false
    }
    return true
  }

  /// What was asked for; nil if nothing was.
  func request() throws(HTTPError) -> LeaseRequest? {
    guard let leaseMilliseconds else {
      if waitMilliseconds != nil || earlyRefresh != nil { throw HTTPError(.badRequest, "wait and early go with lease only") }
      return nil
    }
    return LeaseRequest(leaseMilliseconds: leaseMilliseconds, waitMilliseconds: waitMilliseconds ?? 0, earlyRefresh: earlyRefresh ?? 0)
  }
}

extension LeaseRequest {
  /// From seconds in decimal, fractions allowed; rounded up. Nil for anything else, or more than `max`.
  static func milliseconds(_ seconds: RawSpan, upTo max: Int64) -> Int64? {
    guard let seconds = Seconds.number(seconds), seconds * 1000 <= Double(max) else { return nil }
    return Int64((seconds * 1000).rounded(.up))
  }
}

extension Request {
  /// The lease that a PUT or DELETE is about; nil if it is about none. What is no token is a lease that is over.
  func lease() throws(HTTPError) -> LeaseToken? {
    guard let text = field("martlet-lease") else { return nil }
    guard let lease = LeaseToken(text) else { throw HTTPError.leaseOver }
    return lease
  }
}

extension HTTPError {
  /// A miss whose reader is to fill: 404 with the lease.
  static func miss(_ lease: LeaseToken) -> HTTPError {
    HTTPError(.notFound, "there is no such entry: the lease is yours, fill it", fields: [HTTPField("Martlet-Lease", lease.description)])
  }

  /// Another fills, and this reader has waited as long as it wanted.
  static func busy(retryAfterMilliseconds milliseconds: Int64) -> HTTPError {
    HTTPError(
      .notFound, "there is no such entry yet: another is filling it",
      fields: [HTTPField("Retry-After", String(max(1, (milliseconds + 999) / 1000)))])
  }

  /// It is known that there is nothing.
  static func knownAbsent(until: UnixTime, at now: UnixTime) -> HTTPError {
    let left = (max(0, until.milliseconds - now.milliseconds) + 999) / 1000
    return HTTPError(.notFound, "there is nothing to fill this entry with", fields: [HTTPField("Cache-Control", "max-age=\(left)")])
  }
}
