/// `/v1/cache/{key}`: one entry, as an HTTP resource; reading it. With a lease: EntryRoutes+Lease.swift; writing: EntryRoutes+Write.swift.
///
/// What a GET costs: the key is hashed once, its shard locked once, the value copied once, from the entry's memory into the output;
/// nothing is allocated. A large value is pinned under the lock and copied outside of it.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP

struct EntryRoutes: Sendable {
  let store: CacheStore
  let clock: SteadyClock
  let wake: Waker

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
      store.withLockedShards(of: batch.value.shards) { shards in shards.prefetch(&batch.value) }
    }
  }

  // MARK: GET

  func get(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    let query = request.query.byteCount == 0 ? nil : try GetQuery(request)
    let match = request.hasConditions ? try EntityTags.read("if-match", of: request) : nil
    let noneMatch = request.hasConditions ? try EntityTags.read("if-none-match", of: request) : nil
    let now = clock.unixTime(at: request.now)
    if let query {
      let selection = EntrySelection(pointer: query.pointer, match: match, noneMatch: noneMatch)
      if let lease = query.lease { return try getLeased(lease, selection, request, &response, at: now) }
      return try getPart(selection, request, &response, at: now)
    }

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
  private func getPart(_ selection: EntrySelection, _ request: borrowing Request, _ response: inout ResponseWriter, at now: UnixTime) throws
  {
    guard let pinned = try pin(request.parameter(0), at: now) else { throw HTTPError.entryAbsent }
    try write(pinned, selection, to: &response, at: now)
  }

  func pin(_ key: RawSpan, allowsStale: Bool = false, at now: UnixTime) throws(HTTPError) -> PinnedValue? {
    do { return try store.pin(key, allowsStale: allowsStale, at: now) } catch { throw HTTPError(error) }
  }
}
