/// `lru_crawler metadump`: a line for each item, as tools read them that look into a cache.
///
///     key=k%20ey exp=1795378670 la=1795378570 cas=12 fetch=no cls=1 size=71
///
/// What is there from beginning to end is listed once; what comes or goes meanwhile may be or not. `la` is when the item was written, since
/// reads leave no time, and `fetch` is `no`; `size` is that of key and value, as `me` says it. Lines end as memcached ends them here. Keys that
/// are longer than memcached's, which the other protocols can write, no client of it could ask for: they are left out.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension MemcachedExecution {
  /// Lists some of the items from `cursor` on. Where to go on; nil: that was the last, and the end is told.
  mutating func list(from cursor: ScanCursor) -> ScanCursor? {
    let next = store.scan(from: cursor, limit: Self.listedMax, at: now) { entry in
      if entry.key.byteCount > MemcachedLimits.keyBytesMax { return }
      writer.line("key=")
      writer.output.append(percentEncoding: entry.key)
      writer.line(" exp=")
      writer.output.append(decimal: entry.expiry == .never ? -1 : entry.expiry.milliseconds / 1000)
      writer.line(" la=")
      writer.output.append(decimal: entry.storedAt.milliseconds / 1000)
      writer.line(" cas=")
      writer.output.append(decimal: entry.version)
      writer.line(" fetch=no cls=1 size=")
      writer.output.append(decimal: entry.key.byteCount + entry.value.byteCount)
      writer.line("\n")
    }
    if next == nil { writer.line("END\r\n") }
    return next
  }

  /// Items that are looked at under one taking of a lock.
  private static var listedMax: Int { 128 }
}
