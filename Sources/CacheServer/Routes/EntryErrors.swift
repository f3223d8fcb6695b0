/// One place that turns what the store and the JSON documents refuse into HTTP's answers.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

extension HTTPError {
  static let entryAbsent = HTTPError(.notFound, "there is no such entry")
  static let entryChanged = HTTPError(.preconditionFailed, "the entry is not in the state that the request wants")
  /// The same for a reader who has been given a lease on it all the same.
  static func entryChanged(lease: LeaseToken?) -> HTTPError {
    var error = entryChanged
    if let lease { error.fields.append(HTTPField("Martlet-Lease", lease.description)) }
    return error
  }
  static let entryNotJSON = HTTPError(.conflict, "the entry is not JSON")
  static let leaseOver = HTTPError(.conflict, "that lease is over")

  static let malformedTags = HTTPError(
    .badRequest,
    "an entry has at most \(CacheLimits.tagsPerEntryMax) tags of 1 to \(CacheLimits.tagBytesMax) visible ASCII characters without a comma")

  static func unknownQuery(_ name: RawSpan) -> HTTPError {
    HTTPError(.badRequest, "the query parameter '\(name.text)' is not known here")
  }

  static func timeToLive(_ name: String) -> HTTPError {
    HTTPError(.badRequest, "\(name) is a number of seconds above 0 and up to \(Int(Seconds.timeToLiveMax)), fractions allowed")
  }

  static func malformedJSON(_ error: JSONError) -> HTTPError {
    HTTPError(.badRequest, "malformed JSON: \(error.problem)", offset: error.offset)
  }

  init(_ error: CacheError) {
    self =
      switch error {
      case .conditionFailed: .entryChanged
      case .valueTooLarge(let limit): HTTPError(.contentTooLarge, "the value is larger than the cache takes", limit: limit)
      case .keyTooLarge(let limit): HTTPError(.badRequest, "the key is longer than the cache takes", limit: limit)
      case .contentTypeTooLarge(let limit): HTTPError(.badRequest, "the content type is longer than the cache takes", limit: limit)
      case .tagsTooLarge(let limit): HTTPError(.badRequest, "the tags are more than an entry takes", limit: limit)
      case .outOfMemory: HTTPError(.insufficientStorage, "the cache is full and nothing may be evicted")
      case .leaseOver: .leaseOver
      case .notAnInteger: HTTPError(.conflict, "the entry is not a 64-bit integer")
      case .overflow: HTTPError(.conflict, "the result does not fit a 64-bit integer")
      }
  }

  init(_ error: UpdateError<HTTPError>) {
    switch error {
    case .cache(.conditionFailed(current: nil)): self = .entryAbsent
    case .cache(let error): self.init(error)
    case .body(let error): self = error
    }
  }

  init(_ error: JSONPatchError) {
    self =
      switch error {
      case .malformed(let error): .malformedJSON(error)
      case .notAPatch: HTTPError(.unprocessableContent, "\(error)")
      case .pathMissing(let pointer): HTTPError(.unprocessableContent, "\(error)", pointer: pointer)
      case .testFailed(let pointer): HTTPError(.conflict, "\(error)", pointer: pointer)
      case .inexactNumber(let offset, _): HTTPError(.unprocessableContent, "\(error)", offset: offset)
      case .documentNotJSON: .entryNotJSON
      case .tooDeep: HTTPError(.unprocessableContent, "\(error)")
      case .tooLarge: HTTPError(.contentTooLarge, "\(error)")
      }
  }
}

extension Request {
  /// The Content-Type as sent; empty if there is none.
  var contentType: RawSpan {
    @_lifetime(copy self)
    get {
      if let type = field("content-type") { return type }
      return RawSpan()
    }
  }

  /// For routes that know no query parameters.
  func refuseQuery() throws {
    if hasQuery { try forEachQueryItem { name, _ in throw HTTPError.unknownQuery(name) } }
  }
}

extension OwnedRequest {
  /// For routes that know no query parameters.
  func refuseQuery() throws {
    try forEachQueryItem { name, _ in throw HTTPError.unknownQuery(name) }
  }
}
