/// What a PUT says beside its value, from query and header fields: time to live, stale time, tags, conditions.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP

struct EntryAttributes {
  /// nil: for ever.
  var timeToLiveMilliseconds: Int64?
  /// How long after its expiry readers with a lease may be served it.
  var staleMilliseconds: Int64 = 0
  /// As `TagList` writes them; empty: none.
  var tags: [UInt8] = []

  init() {}

  /// `?ttl=` wins over `Cache-Control: max-age=`; tags come from `?tags=` and Cache-Tag together.
  init(_ request: borrowing Request) throws {
    var list = ByteBuffer()
    var jitter: Int64 = 0
    if request.query.byteCount > 0 {
      try request.forEachQueryItem { name, value in
        if name.equals("ttl") {
          guard let milliseconds = Seconds.milliseconds(value) else { throw HTTPError.timeToLive("ttl") }
          timeToLiveMilliseconds = milliseconds
        } else if name.equals("stale") {
          guard let milliseconds = Seconds.milliseconds(value) else { throw HTTPError.timeToLive("stale") }
          staleMilliseconds = milliseconds
        } else if name.equals("jitter") {
          guard let milliseconds = Seconds.milliseconds(value) else { throw HTTPError.timeToLive("jitter") }
          jitter = milliseconds
        } else if name.equals("tags") {
          guard TagList.normalize(value, into: &list) else { throw HTTPError.malformedTags }
        } else {
          throw HTTPError.unknownQuery(name)
        }
      }
    }
    if timeToLiveMilliseconds == nil, let line = request.field("cache-control"), let maxAge = CacheControl.maxAge(line) {
      guard let milliseconds = Seconds.milliseconds(maxAge) else { throw HTTPError.timeToLive("max-age") }
      timeToLiveMilliseconds = milliseconds
    }
    var isWellFormed = true
    request.forEachField(named: "cache-tag") { line in isWellFormed = TagList.normalize(line, into: &list) && isWellFormed }
    guard isWellFormed else { throw HTTPError.malformedTags }
    tags = list.copied()
    if jitter > 0 { try shorten(byUpTo: jitter) }
  }

  /// Lets this copy expire up to so much sooner, at random, so that what was written together does not expire together.
  mutating func shorten(byUpTo jitterMilliseconds: Int64) throws(HTTPError) {
    guard let timeToLive = timeToLiveMilliseconds, jitterMilliseconds < timeToLive else {
      throw HTTPError(.badRequest, "jitter shortens a ttl: it goes with one, and is less")
    }
    timeToLiveMilliseconds = timeToLive - .random(in: 0...jitterMilliseconds)
  }

  func expiry(at now: UnixTime) -> UnixTime {
    timeToLiveMilliseconds.map { now.advanced(byMilliseconds: $0) } ?? .never
  }

  func staleUntil(at now: UnixTime) -> UnixTime {
    staleMilliseconds > 0 ? expiry(at: now).advanced(byMilliseconds: staleMilliseconds) : .neverStale
  }
}

extension PutCondition {
  /// If-Match, If-None-Match (RFC 9110 section 13.1): `*` or tags, compared strongly and weakly.
  init(_ request: borrowing Request) throws {
    let match = try EntityTags.read("if-match", of: request)
    let noneMatch = try EntityTags.read("if-none-match", of: request)
    switch (match, noneMatch) {
    case (nil, nil): self = .always
    case (.any?, nil): self = .ifPresent
    case (.versions(let strong, _)?, nil): self = .ifVersionIn(strong)
    case (nil, .any?): self = .ifAbsent
    case (nil, .versions(let strong, let weak)?): self = .ifVersionNotIn(strong + weak)
    case (_?, _?): throw HTTPError(.badRequest, "If-Match and If-None-Match in one request: send one of them")
    }
  }
}
