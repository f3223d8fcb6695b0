/// `/v1/tags/{tag}`: every entry with a tag becomes absent, or stale, at once.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP

struct TagRoutes: Sendable {
  let store: CacheStore

  func add(to router: inout Router) {
    router.delete("/v1/tags/{tag}", invalidate)
  }

  func invalidate(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    var isSoft = false
    try request.forEachQueryItem { name, value in
      guard name.equals("soft") else { throw HTTPError.unknownQuery(name) }
      guard value.equals("true") || value.equals("false") else { throw HTTPError(.badRequest, "soft is true or false") }
      isSoft = value.equals("true")
    }
    guard TagList.isValid(request.parameter(0)) else { throw HTTPError.malformedTags }
    store.invalidate(tags: request.parameter(0), isSoft: isSoft)
    response.head(.noContent)
    response.empty()
  }
}
