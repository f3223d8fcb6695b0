/// `/v1/cache/{key}`: one entry, as an HTTP resource; reading it. Writing is in EntryRoutes+Write.swift.
///
/// What a GET costs: the key is hashed once, its shard locked once, the value copied once, from the entry's memory into the output;
/// nothing is allocated. A large value is pinned under the lock and copied outside of it.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

struct EntryRoutes: Sendable {
  let store: CacheStore
  let clock: SteadyClock

  func add(to router: inout Router) {
    router.get("/v1/cache/{key}", get)
    router.put("/v1/cache/{key}", put)
    router.delete("/v1/cache/{key}", delete)
    router.patch("/v1/cache/{key}", patch)
    router.post("/v1/cache/{key}/increment", increment)
    router.post("/v1/batch", batch)
  }

  /// Fetches the memory of all entries that a pipeline of GETs asks for, together. One per loop.
  static func lookAhead(_ store: CacheStore) -> LookAhead {
    let batch = LoopLocal(KeyBatch())
    return LookAhead(prefix: "/v1/cache/") { paths, input in
      batch.value.removeAll()
      for index in 0..<paths.count { batch.value.append(input[paths[index]], of: store) }
      store.withLockedShards(of: batch.value) { shards in shards.prefetch(batch.value) }
    }
  }

  // MARK: GET

  func get(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    let pointer = request.query.byteCount == 0 ? nil : try pointerQuery(request)
    let match = request.hasConditions ? try EntityTags.read("if-match", of: request) : nil
    let noneMatch = request.hasConditions ? try EntityTags.read("if-none-match", of: request) : nil
    let now = clock.unixTime(at: request.now)
    if let pointer { return try getPart(pointer, request, &response, match: match, noneMatch: noneMatch, at: now) }

    var isLarge = false
    var isAnother = false
    let found: Void? = store.get(request.parameter(0), at: now) { entry in
      if let match, !match.matchesStrongly(entry.version) {
        isAnother = true
      } else if let noneMatch, noneMatch.matchesWeakly(entry.version) {
        response.notModified(EntryFacts(entry), tags: entry.tags, at: now)
      } else if !entry.isLarge {
        response.entry(EntryFacts(entry), entry.value, type: entry.contentType, tags: entry.tags, at: now)
      } else {
        isLarge = true
      }
    }
    guard found != nil else { throw HTTPError.entryAbsent }
    if isAnother { throw HTTPError.entryChanged }
    if isLarge { try getLarge(request, &response, at: now) }
  }

  /// A large value leaves from memory that is pinned, not locked.
  private func getLarge(_ request: borrowing Request, _ response: inout ResponseWriter, at now: UnixTime) throws {
    guard let pinned = try pin(request.parameter(0), at: now) else { throw HTTPError.entryAbsent }
    response.entry(EntryFacts(pinned), pinned.value, type: pinned.contentType, tags: pinned.tags, at: now)
  }

  /// `?pointer=`: that part of a JSON entry, as its exact source bytes.
  private func getPart(
    _ pointer: JSONPointer, _ request: borrowing Request, _ response: inout ResponseWriter, match: EntityTags?, noneMatch: EntityTags?,
    at now: UnixTime
  ) throws {
    guard let pinned = try pin(request.parameter(0), at: now) else { throw HTTPError.entryAbsent }
    if let match, !match.matchesStrongly(pinned.version) { throw HTTPError.entryChanged }
    guard MediaType.isJSON(pinned.value, type: pinned.contentType) else { throw HTTPError.entryNotJSON }
    guard let part = try? pointer.locate(in: pinned.value) else {
      throw HTTPError(.notFound, "the entry has no such part", pointer: pointer.description)
    }
    if let noneMatch, noneMatch.matchesWeakly(pinned.version) {
      return response.notModified(EntryFacts(pinned), tags: pinned.tags, at: now)
    }
    response.head(.ok)
    response.freshness(EntryFacts(pinned), tags: pinned.tags, at: now)
    response.field("Content-Type", "application/json" as StaticString)
    response.body(pinned.value[part])
  }

  private func pin(_ key: RawSpan, at now: UnixTime) throws(HTTPError) -> PinnedValue? {
    do { return try store.pin(key, at: now) } catch { throw HTTPError(error) }
  }

  private func pointerQuery(_ request: borrowing Request) throws -> JSONPointer? {
    var pointer: JSONPointer?
    try request.forEachQueryItem { name, value in
      guard name.equals("pointer") else { throw HTTPError.unknownQuery(name) }
      guard let parsed = try? JSONPointer(value) else {
        throw HTTPError(.badRequest, "a pointer is empty or begins with /, and ~ stands before 0 or 1 only", pointer: value.text)
      }
      pointer = parsed
    }
    return pointer
  }
}
