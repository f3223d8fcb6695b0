/// `/v1/cache` as a whole: its keys in pages, and removing all of them or those with a prefix.

internal import MartletAPI
internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

struct KeyspaceRoutes: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  static let pageKeysStandard = 100
  static let pageKeysMax = 1000
  /// Entries looked at by one step; a shard's lock is held for a page of them at a time.
  static let stepEntriesMax = 4096

  func add(to router: inout Router) {
    router.get("/v1/cache", list)
    router.delete("/v1/cache", remove)
  }

  /// One page of keys, each percent-encoded as in its route, with SCAN's guarantee across pages.
  func list(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    var prefix: [UInt8] = []
    var cursor = ScanCursor.start
    var limit = Self.pageKeysStandard
    try request.forEachQueryItem { name, value in
      if name.equals("prefix") {
        prefix = value.copied()
      } else if name.equals("cursor") {
        guard let parsed = ScanCursor(value) else { throw HTTPError(.badRequest, "that cursor is not one of ours") }
        cursor = parsed
      } else if name.equals("limit") {
        guard let count = Digits.parseUnsigned(value), 1...UInt64(Self.pageKeysMax) ~= count else {
          throw HTTPError(.badRequest, "limit is a whole number from 1 to \(Self.pageKeysMax)", limit: Self.pageKeysMax)
        }
        limit = Int(count)
      } else {
        throw HTTPError.unknownQuery(name)
      }
    }
    let now = clock.unixTime(at: request.now)
    response.head(.ok)
    try response.json { json in
      json.beginObject()
      json.key("keys")
      json.beginArray()
      let next = store.scan(from: cursor, limit: limit, prefix: prefix.rawSpan, examineMax: Self.stepEntriesMax, at: now) { entry in
        var key = ByteBuffer()
        key.append(percentEncoding: entry.key)
        json.string(utf8: key.bytes)
      }
      json.endArray()
      if let next {
        var text = ByteBuffer()
        text.append(next)
        json.member("cursor", utf8: text.bytes)
      }
      json.endObject()
    }
  }

  /// Everything at once, or the keys with a prefix step by step, so that no loop is held up.
  func remove(_ request: OwnedRequest) async throws -> OwnedResponse {
    var prefix: [UInt8]?
    try request.forEachQueryItem { name, value in
      guard name.equals("prefix") else { throw HTTPError.unknownQuery(name) }
      guard value.byteCount > 0 else {
        throw HTTPError(.badRequest, "an empty prefix would remove everything: leave it out if that is meant")
      }
      prefix = value.copied()
    }
    guard let prefix else {
      store.removeAll(at: clock.unixTime(at: request.now))
      return OwnedResponse(.noContent)
    }
    var deleted = 0
    var cursor: ScanCursor? = .start
    while let from = cursor {
      let step = store.remove(prefix: prefix.rawSpan, from: from, maxSteps: Self.stepEntriesMax, at: clock.unixTime(at: .now))
      deleted += step.deleted
      cursor = step.next
      await Task.yield()
    }
    return OwnedResponse("{\"deleted\":\(deleted)}", contentType: "application/json")
  }
}
