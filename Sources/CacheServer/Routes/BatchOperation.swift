/// One operation of a batch, as its JSON says it.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP
internal import MartletJSON

struct BatchOperation {
  enum Verb: String { case get, put, delete }

  var verb: Verb
  var key: [UInt8]
  /// Where `value` stands in the operation's source: kept byte for byte.
  var valueRange: Range<Int>?
  /// The bytes of `base64`.
  var decoded: [UInt8] = []
  var contentType: [UInt8]
  var attributes = EntryAttributes()
  var condition = PutCondition.always

  /// Reads one operation. `source` is valid JSON already; what can be wrong is its meaning.
  init(_ source: RawSpan) throws(HTTPError) {
    var fields = Fields()
    do throws(JSONError) { try fields.read(source) } catch {
      throw HTTPError(.badRequest, "an operation is an object of op, key and what goes with them: \(error.problem)")
    }
    if let unknown = fields.unknown { throw HTTPError(.badRequest, "an operation has no '\(unknown)'") }
    guard let op = fields.op, let verb = Verb(rawValue: op) else { throw HTTPError(.badRequest, "op is get, put or delete") }
    guard let key = fields.key, !key.isEmpty else { throw HTTPError(.badRequest, "key is a string of at least one byte") }
    self.verb = verb
    self.key = Array(key.utf8)
    valueRange = fields.value
    contentType = Array((fields.contentType ?? (fields.value == nil ? "" : "application/json")).utf8)
    if let condition = fields.ifMatch { self.condition = try Self.condition(condition) }
    switch verb {
    case .put: try readPut(fields)
    case .get, .delete:
      guard !fields.isPut else { throw HTTPError(.badRequest, "value, base64, content-type, ttl, stale, jitter and tags go with put only") }
      if verb == .get, fields.ifMatch != nil { throw HTTPError(.badRequest, "if-match goes with put and delete") }
    }
  }

  private mutating func readPut(_ fields: Fields) throws(HTTPError) {
    guard (fields.value == nil) != (fields.base64 == nil) else { throw HTTPError(.badRequest, "a put has either value or base64") }
    if let base64 = fields.base64 {
      guard let bytes = Base64.decode(Array(base64.utf8).rawSpan) else { throw HTTPError(.badRequest, "base64 is malformed") }
      decoded = bytes.copied()
    }
    if fields.base64 != nil, MediaType.isJSON(contentType.rawSpan) {
      do { try JSONScanner.validate(decoded.rawSpan) } catch { throw HTTPError.malformedJSON(error) }
    }
    guard contentType.count <= CacheLimits.contentTypeBytesMax, contentType.allSatisfy({ $0 == ASCII.tab || 0x20...0x7E ~= $0 }) else {
      throw HTTPError(.badRequest, "content-type is no field value", limit: CacheLimits.contentTypeBytesMax)
    }
    if let ttl = fields.ttl {
      guard let milliseconds = Seconds.milliseconds(ttl) else { throw HTTPError.timeToLive("ttl") }
      attributes.timeToLiveMilliseconds = milliseconds
    }
    if let stale = fields.stale {
      guard let milliseconds = Seconds.milliseconds(stale) else { throw HTTPError.timeToLive("stale") }
      attributes.staleMilliseconds = milliseconds
    }
    if let jitter = fields.jitter {
      guard let milliseconds = Seconds.milliseconds(jitter) else { throw HTTPError.timeToLive("jitter") }
      try attributes.shorten(byUpTo: milliseconds)
    }
    var list = ByteBuffer()
    for tag in fields.tags {
      guard TagList.isValid(Array(tag.utf8).rawSpan), TagList.normalize(Array(tag.utf8).rawSpan, into: &list) else {
        throw HTTPError.malformedTags
      }
    }
    attributes.tags = list.copied()
  }

  private static func condition(_ text: String) throws(HTTPError) -> PutCondition {
    if text == "*" { return .ifPresent }
    var strong: [UInt64] = []
    var weak: [UInt64] = []
    guard EntityTags.parse(Array(text.utf8).rawSpan, strong: &strong, weak: &weak) else {
      throw HTTPError(.badRequest, "if-match is neither * nor a list of entity tags")
    }
    return .ifVersionIn(strong)
  }

  /// The members as they stand, before they are judged together.
  private struct Fields {
    var op: String?
    var key: String?
    var value: Range<Int>?
    var base64: String?
    var contentType: String?
    var ttl: Double?
    var stale: Double?
    var jitter: Double?
    var tags: [String] = []
    var ifMatch: String?
    var unknown: String?

    /// Whether a member was given that only a put has.
    var isPut: Bool {
      value != nil || base64 != nil || contentType != nil || ttl != nil || stale != nil || jitter != nil || !tags.isEmpty
    }

    mutating func read(_ source: RawSpan) throws(JSONError) {
      var reader = JSONReader(source)
      try reader.beginObject()
      while let name = try reader.nextKey() {
        switch name {
        case "op": op = try reader.readString()
        case "key": key = try reader.readString()
        case "value": value = try reader.skipValue()
        case "base64": base64 = try reader.readString()
        case "content-type": contentType = try reader.readString()
        case "ttl": ttl = try reader.readDouble()
        case "stale": stale = try reader.readDouble()
        case "jitter": jitter = try reader.readDouble()
        case "tags":
          try reader.beginArray()
          while try reader.nextElement() { tags.append(try reader.readString()) }
        case "if-match": ifMatch = try reader.readString()
        default:
          unknown = unknown ?? name
          _ = try reader.skipValue()
        }
      }
      try reader.end()
    }
  }

  /// Where each operation of a batch stands in `body`, which is valid JSON already.
  static func ranges(in body: RawSpan) throws(HTTPError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    do throws(JSONError) {
      var reader = JSONReader(body)
      try reader.beginArray()
      while try reader.nextElement() { ranges.append(try reader.skipValue()) }
      try reader.end()
    } catch { throw HTTPError(.badRequest, "a batch is an array of operations", offset: error.offset) }
    guard ranges.count <= EntryRoutes.batchOperationsMax else {
      throw HTTPError(
        .badRequest, "a batch has at most \(EntryRoutes.batchOperationsMax) operations", limit: EntryRoutes.batchOperationsMax)
    }
    return ranges
  }
}
