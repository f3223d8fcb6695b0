/// An entry as an HTTP response: fields and body. Called while the entry's shard is locked, so nothing here waits or allocates.

internal import MartletBytes
internal import MartletCache
internal import MartletHTTP

extension ResponseWriter {
  /// 200 with the entry's exact bytes.
  mutating func entry(_ facts: EntryFacts, _ value: RawSpan, type: RawSpan, tags: RawSpan, lease: LeaseToken? = nil, at now: UnixTime) {
    head(.ok)
    freshness(facts, tags: tags, at: now)
    if let lease { self.lease(lease) }
    if type.byteCount > 0 { field("Content-Type", type) } else { field("Content-Type", MediaType.standard) }
    body(value)
  }

  /// 304 (RFC 9110 section 15.4.5): the fields that a 200 would have, and no content.
  mutating func notModified(_ facts: EntryFacts, tags: RawSpan, lease: LeaseToken? = nil, at now: UnixTime) {
    head(.notModified)
    freshness(facts, tags: tags, at: now)
    if let lease { self.lease(lease) }
    empty()
  }

  /// ETag, Age, Cache-Control and Cache-Tag. `max-age` counts from the writing of the entry, as `Age` does (RFC 9111 section 4.2).
  mutating func freshness(_ entry: EntryFacts, tags: RawSpan, at now: UnixTime) {
    entityTag(entry.version)
    let age = max(0, now.milliseconds - entry.storedAt.milliseconds) / 1000
    trustedField("Age") { $0.append(decimal: age) }
    if entry.expiry == .never {
      field("Cache-Control", "no-cache" as StaticString)
    } else {
      let left = entry.isSoftened ? 0 : (max(0, entry.expiry.milliseconds - now.milliseconds) + 999) / 1000
      let stale = entry.staleUntil > entry.expiry ? (entry.staleUntil.milliseconds - entry.expiry.milliseconds) / 1000 : 0
      trustedField("Cache-Control") { output in
        output.append("max-age=")
        output.append(decimal: age + left)
        if stale > 0 {
          output.append(", stale-while-revalidate=")
          output.append(decimal: stale)
        }
      }
    }
    if tags.byteCount > 0 { field("Cache-Tag", tags) }
  }

  /// The version as a strong ETag.
  mutating func entityTag(_ version: UInt64) {
    trustedField("ETag") { $0.append(entityTag: version) }
  }

  /// The lease that this reader is to fill with.
  mutating func lease(_ token: LeaseToken) {
    trustedField("Martlet-Lease") { $0.append(token.description) }
  }

  /// 201 or 204 with the new version.
  mutating func written(_ result: PutResult) {
    if case .created = result { head(.created) } else { head(.noContent) }
    entityTag(result.version)
    empty()
  }
}

/// The numbers of an entry that its fields are made of, from a view under the lock or from a pin.
struct EntryFacts {
  var version: UInt64
  var storedAt: UnixTime
  var expiry: UnixTime
  var staleUntil: UnixTime
  var isSoftened: Bool

  init(_ entry: borrowing EntryView) {
    version = entry.version
    storedAt = entry.storedAt
    expiry = entry.expiry
    staleUntil = entry.staleUntil
    isSoftened = entry.isSoftened
  }

  init(_ pinned: borrowing PinnedValue) {
    version = pinned.version
    storedAt = pinned.storedAt
    expiry = pinned.expiry
    staleUntil = pinned.staleUntil
    isSoftened = pinned.isSoftened
  }
}
