/// The writing verbs of `/v1/cache/{key}`: PUT, DELETE, PATCH, increment.

internal import MartletAPI
internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

extension EntryRoutes {
  // MARK: PUT

  func put(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    if request.field("content-encoding") != nil {
      throw HTTPError(.unsupportedMediaType, "values are kept as they come: send the body without Content-Encoding")
    }
    if request.field("content-range") != nil {
      throw HTTPError(.badRequest, "a PUT replaces the whole value: send it without Content-Range")
    }
    let lease = try request.lease()
    let attributes = try EntryAttributes(request)
    let condition = try PutCondition(request)
    let type = request.contentType
    if MediaType.isJSON(type) {
      do { try JSONScanner.validate(request.body) } catch { throw HTTPError.malformedJSON(error) }
    }
    let now = clock.unixTime(at: request.now)
    let put = PutAttributes(
      expiry: attributes.expiry(at: now), staleUntil: attributes.staleUntil(at: now), contentType: type, tags: attributes.tags.rawSpan)
    let result: PutResult
    do throws(CacheError) {
      if let lease {
        result = try store.fill(request.parameter(0), request.body, put, lease: lease, condition: condition, at: now)
      } else {
        result = try store.put(request.parameter(0), request.body, put, condition: condition, at: now)
      }
    } catch { throw HTTPError(error) }
    response.written(result)
  }

  // MARK: DELETE

  func delete(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    if let lease = try request.lease() { return try end(lease, request, &response) }
    try request.refuseQuery()
    let condition = try PutCondition(request)
    let deleted: Bool
    do {
      deleted = try store.delete(request.parameter(0), condition: condition, at: clock.unixTime(at: request.now))
    } catch { throw HTTPError(error) }
    guard deleted else { throw HTTPError.entryAbsent }
    response.head(.noContent)
    response.empty()
  }

  /// Gives a lease up; with `?ttl=`, there is nothing to fill with, and that holds for so long.
  private func end(_ lease: LeaseToken, _ request: borrowing Request, _ response: inout ResponseWriter) throws {
    let now = clock.unixTime(at: request.now)
    guard case .always = try PutCondition(request) else {
      throw HTTPError(.badRequest, "a lease is given up whatever the version: send no If-Match with it")
    }
    let attributes = try EntryAttributes(request)
    guard attributes.staleMilliseconds == 0 else { throw HTTPError(.badRequest, "an absence does not become stale: leave stale out") }
    if attributes.timeToLiveMilliseconds == nil {
      guard attributes.tags.isEmpty else { throw HTTPError(.badRequest, "tags are for an absence: say how long it holds by ttl") }
      guard store.giveUp(request.parameter(0), lease: lease, at: now) else { throw HTTPError.leaseOver }
    } else {
      do {
        // An absence beyond the bounds is forgotten at once; the lease has ended all the same.
        _ = try store.fillAbsent(
          request.parameter(0), lease: lease, until: attributes.expiry(at: now), tags: attributes.tags.rawSpan, at: now)
      } catch { throw HTTPError(error) }
    }
    response.head(.noContent)
    response.empty()
  }

  // MARK: PATCH

  private static let patchTypes = "application/json-patch+json, application/merge-patch+json"

  func patch(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    try request.refuseQuery()
    let type = MediaType.essence(request.contentType)
    let isMerge = type.equalsIgnoringCase("application/merge-patch+json")
    guard isMerge || type.equalsIgnoringCase("application/json-patch+json") else {
      throw HTTPError(.unsupportedMediaType, "a patch is one of \(Self.patchTypes)", fields: [HTTPField("Accept-Patch", Self.patchTypes)])
    }
    let condition = try PutCondition(request)
    let now = clock.unixTime(at: request.now)
    let bytesMax = store.valueBytesMax
    let patch = request.body
    var patched = ByteBuffer()
    func apply(_ value: RawSpan, _ type: RawSpan) throws(HTTPError) -> ByteBuffer {
      guard MediaType.isJSON(value, type: type) else { throw HTTPError.entryNotJSON }
      do throws(JSONPatchError) {
        patched =
          isMerge
          ? try JSONMergePatch.apply(patch: patch, to: value, bytesMax: bytesMax)
          : try JSONPatch.apply(patch: patch, to: value, bytesMax: bytesMax)
      } catch { throw HTTPError(error) }
      var kept = ByteBuffer(capacity: patched.count)
      kept.append(patched.bytes)
      return kept
    }
    let updated: UInt64?
    do {
      // A large document is read with no shard held.
      let revision = try store.revise(request.parameter(0), condition: condition, at: now) { (held) throws(HTTPError) in
        try apply(held.value, held.contentType)
      }
      if case .made(let version) = revision {
        updated = version
      } else {
        updated = try store.update(request.parameter(0), condition: condition, at: now) { (entry) throws(HTTPError) in
          try apply(entry.value, entry.contentType)
        }
      }
    } catch { throw HTTPError(error) }
    guard let version = updated else { throw HTTPError.entryAbsent }
    response.head(.ok)
    response.entityTag(version)
    response.field("Content-Type", "application/json" as StaticString)
    response.body(patched.bytes)
  }

  // MARK: POST …/increment

  func increment(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    try request.refuseQuery()
    let increment = try Increment(request.body)
    let now = clock.unixTime(at: request.now)
    let result: (value: Int64, version: UInt64)
    do {
      result = try store.increment(
        request.parameter(0), by: increment.by, initial: increment.initial, PutAttributes(expiry: increment.expiry(at: now)), at: now)
    } catch { throw HTTPError(error) }
    response.head(.ok)
    response.entityTag(result.version)
    try response.json { json in
      json.beginObject()
      json.member("value", result.value)
      json.endObject()
    }
  }
}

/// The body of an increment: `{"by":1,"initial":0,"ttl":60}`, each member optional, the whole body too.
struct Increment {
  var by: Int64 = 1
  var initial: Int64 = 0
  private(set) var timeToLiveMilliseconds: Int64?
  private var ttl: Double?
  private var unknown: String?

  init(_ body: RawSpan) throws(HTTPError) {
    guard body.byteCount > 0 else { return }
    do { try read(body) } catch { throw HTTPError.malformedJSON(error) }
    if let unknown { throw HTTPError(.badRequest, "an increment has by, initial and ttl, but no '\(unknown)'") }
    if let ttl {
      guard let milliseconds = Seconds.milliseconds(ttl) else { throw HTTPError.timeToLive("ttl") }
      timeToLiveMilliseconds = milliseconds
    }
  }

  private mutating func read(_ body: RawSpan) throws(JSONError) {
    var reader = JSONReader(body)
    try reader.beginObject()
    while let name = try reader.nextKey() {
      switch name {
      case "by": by = try reader.readInteger()
      case "initial": initial = try reader.readInteger()
      case "ttl": ttl = try reader.readDouble()
      default:
        unknown = unknown ?? name
        _ = try reader.skipValue()
      }
    }
    try reader.end()
  }

  func expiry(at now: UnixTime) -> UnixTime {
    timeToLiveMilliseconds.map { now.advanced(byMilliseconds: $0) } ?? .never
  }
}
