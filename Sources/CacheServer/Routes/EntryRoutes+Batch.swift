/// `POST /v1/batch`: up to a thousand operations in one request, answered in order, each failing alone; not atomic.
///
/// The body is checked as a whole first: malformed JSON fails whole.

internal import MartletAPI
internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

extension EntryRoutes {
  static let batchOperationsMax = 1000

  func batch(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    try request.refuseQuery()
    do { try JSONScanner.validate(request.body) } catch { throw HTTPError.malformedJSON(error) }
    let body = request.body
    let operations = try BatchOperation.ranges(in: body)
    let now = clock.unixTime(at: request.now)
    response.head(.ok)
    try response.json { json in
      json.beginArray()
      for range in operations {
        do throws(HTTPError) {
          try execute(try BatchOperation(body[range]), source: body[range], into: &json, at: now)
        } catch {
          json.beginObject()
          error.writeProblem(into: &json)
          json.endObject()
        }
      }
      json.endArray()
    }
  }

  private func execute(_ operation: BatchOperation, source: RawSpan, into json: inout JSONWriter, at now: UnixTime) throws(HTTPError) {
    switch operation.verb {
    case .get:
      let found: Void? = store.get(operation.key.rawSpan, at: now) { entry in json.batchResult(of: entry) }
      if found == nil { throw HTTPError.entryAbsent }
    case .put:
      let result: PutResult
      do { result = try put(operation, source: source, at: now) } catch { throw HTTPError(error) }
      let isCreated = if case .created = result { true } else { false }
      json.batchResult(isCreated ? 201 : 204, version: result.version)
    case .delete:
      let deleted: Bool
      do {
        deleted = try store.delete(operation.key.rawSpan, condition: operation.condition, at: now)
      } catch { throw HTTPError(error) }
      guard deleted else { throw HTTPError.entryAbsent }
      json.batchResult(204, version: nil)
    }
  }

  private func put(_ operation: BatchOperation, source: RawSpan, at now: UnixTime) throws(CacheError) -> PutResult {
    let attributes = PutAttributes(
      expiry: operation.attributes.expiry(at: now), staleUntil: operation.attributes.staleUntil(at: now),
      contentType: operation.contentType.rawSpan, tags: operation.attributes.tags.rawSpan)
    if let range = operation.valueRange {
      return try store.put(operation.key.rawSpan, source[range], attributes, condition: operation.condition, at: now)
    }
    return try store.put(operation.key.rawSpan, operation.decoded.rawSpan, attributes, condition: operation.condition, at: now)
  }
}

extension JSONWriter {
  fileprivate mutating func batchResult(_ status: Int, version: UInt64?) {
    beginObject()
    member("status", status)
    if let version { member(entityTag: version) }
    endObject()
  }

  /// `{"status":200,"etag":"\"7\"","value":…}`, or `base64` where the entry is not JSON.
  fileprivate mutating func batchResult(of entry: borrowing EntryView) {
    beginObject()
    member("status", 200)
    member(entityTag: entry.version)
    if entry.contentType.byteCount > 0 {
      key("content-type")
      string(utf8: entry.contentType)
    }
    if MediaType.isJSON(entry.value, type: entry.contentType) {
      key("value")
      raw(entry.value)
    } else {
      var text = ByteBuffer()
      Base64.encode(entry.value, into: &text)
      key("base64")
      string(utf8: text.bytes)
    }
    endObject()
  }

  private mutating func member(entityTag version: UInt64) {
    member("etag", "\"\(version)\"")
  }
}

extension HTTPError {
  /// The members of a failed operation's result: those of a problem (RFC 9457).
  fileprivate func writeProblem(into json: inout JSONWriter) {
    json.member("status", status.rawValue)
    json.member("type", "about:blank")
    json.member("title", status.reasonPhrase)
    json.member("detail", detail)
    if let offset { json.member("offset", offset) }
    if let pointer { json.member("pointer", pointer) }
    if let limit { json.member("limit", limit) }
  }
}
