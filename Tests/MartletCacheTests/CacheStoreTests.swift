/// One key at a time: what each verb gives back and leaves behind.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("CacheStore")
struct CacheStoreTests {
  @Test("What was put comes back, and what was deleted does not")
  func putGetDelete() throws {
    let store = makeStore()
    #expect(store.text("a") == nil)
    let first = try store.set("a", "one")
    #expect(first == .created(version: first.version))
    #expect(store.text("a") == "one")
    let second = try store.set("a", "two!")
    #expect(second == .replaced(version: second.version))
    #expect(second.version > first.version)
    #expect(store.text("a") == "two!")
    #expect(try store.remove("a"))
    #expect(try !store.remove("a"))
    #expect(store.text("a") == nil)
    let statistics = store.statistics
    #expect(statistics.hits == 2 && statistics.misses == 2)
    #expect(statistics.sets == 2 && statistics.deletes == 1 && statistics.entries == 0)
  }

  @Test("Keys and values of any bytes and every size come back", arguments: [1, 64])
  func sizes(shards: Int) throws {
    let store = makeStore(limit: 1 << 30, shards: shards)
    var random = SplitMix64(seed: 1)
    for keyCount in [0, 1, 7, 8, 15, 16, 17, 250, 65_535, 65_536] {
      for valueCount in [0, 1, 15, 16, 1000, CacheLimits.largeValueBytesMin - 1, CacheLimits.largeValueBytesMin, 1 << 20] {
        let key = (0..<keyCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let value = (0..<valueCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ keyCount) }
        try withBytes(key) { key in
          try withBytes(value) { value in _ = try store.put(key, value, at: .start) }
          let found = store.get(key, at: .start) { $0.value.copied() }
          #expect(found == value)
        }
      }
    }
    try withBytes([UInt8](repeating: 7, count: 64 << 20)) { value in
      try withBytes("big") { key in
        _ = try store.put(key, value, at: .start)
        let isEqual = store.get(key, at: .start) { $0.isLarge && $0.value.equals(value) }
        #expect(isEqual == true)
      }
    }
  }

  @Test("Attributes come back as given, and a new put forgets them")
  func attributes() throws {
    let store = makeStore()
    try store.set("a", "v", expiry: .start + 5000, staleUntil: .start + 9000, flags: 77, type: "text/plain", tags: "x,y")
    withBytes("a") { key in
      let found: Void? = store.get(key, at: .start) { entry in
        #expect(entry.key.text == "a" && entry.value.text == "v")
        #expect(entry.expiry == .start + 5000 && entry.staleUntil == .start + 9000)
        #expect(entry.flags == 77 && entry.contentType.text == "text/plain" && entry.tags.text == "x,y")
        #expect(entry.storedAt == .start && entry.database == 0 && !entry.isLarge && !entry.isStale(at: .start))
      }
      #expect(found != nil)
    }
    try store.set("a", "w", at: .start + 10)
    withBytes("a") { key in
      let found: Void? = store.get(key, at: .start) { entry in
        #expect(entry.expiry == .never && entry.staleUntil == .never && entry.flags == 0)
        #expect(entry.contentType.byteCount == 0 && entry.tags.byteCount == 0)
        #expect(entry.storedAt == .start + 10)
      }
      #expect(found != nil)
    }
  }

  @Test("Each combination of attributes lies in memory without touching its neighbours", arguments: 0..<32)
  func layouts(mask: Int) throws {
    let store = makeStore()
    let key = "key of the entry"
    let value = mask & 16 == 0 ? "v" : String(repeating: "v", count: CacheLimits.largeValueBytesMin)
    let expiry: UnixTime = mask & 1 == 0 ? .never : .start + 1
    try store.set(
      key, value, expiry: expiry, staleUntil: mask & 1 == 0 ? .neverStale : .start + 2, flags: mask & 2 == 0 ? 0 : .max,
      type: mask & 4 == 0 ? "" : String(repeating: "t", count: CacheLimits.contentTypeBytesMax), tags: mask & 8 == 0 ? "" : "t1,t2")
    withBytes(key) { bytes in
      let found: Void? = store.get(bytes, at: .start) { entry in
        #expect(entry.key.text == key && entry.value.text == value && entry.expiry == expiry)
        #expect(entry.staleUntil == (mask & 1 == 0 ? .never : .start + 2))
        #expect(entry.flags == (mask & 2 == 0 ? 0 : .max))
        #expect(entry.contentType.byteCount == (mask & 4 == 0 ? 0 : CacheLimits.contentTypeBytesMax))
        #expect(entry.tags.text == (mask & 8 == 0 ? "" : "t1,t2"))
      }
      #expect(found != nil)
    }
  }

  @Test("Entries with an expiry are counted by database, however it came and went")
  func deadlines() throws {
    let store = makeStore()
    func deadlines(_ database: UInt8) -> Int { store.counts(database: database).deadlines }
    let later = UnixTime.start.advanced(byMilliseconds: 10_000)
    for (key, database) in [("a", UInt8(0)), ("b", 0), ("c", 3)] { try store.set(key, "v", database: database) }
    #expect(deadlines(0) == 0 && store.counts(database: 0).entries == 2)
    for (key, database) in [("a", UInt8(0)), ("b", 0), ("c", 3)] {
      try store.expire(Array(key.utf8).rawSpan, database: database, at: later, now: .start)
    }
    #expect(deadlines(0) == 2 && deadlines(3) == 1)
    try store.set("a", "v")
    try store.expire(Array("b".utf8).rawSpan, at: .never, now: .start)
    #expect(deadlines(0) == 0)
    try store.delete(Array("c".utf8).rawSpan, database: 3, at: .start)
    #expect(deadlines(3) == 0)
  }

  @Test("A put of an announced key finds its entry again, whatever the batch has done to it")
  func announcedPut() throws {
    let store = makeStore()
    try store.set("k", "old")
    var batch = KeyBatch()
    let key = Array("k".utf8)
    for _ in 0..<3 { batch.append(key.rawSpan, of: store) }
    let results = try store.withLockedShards(of: batch.shards) { (shards) throws(CacheError) in
      shards.prefetch(&batch)
      let first = try shards.put(key.rawSpan, number: 0, of: batch, Array("new".utf8).rawSpan, PutAttributes(), at: .start)
      _ = try shards.delete(key.rawSpan, at: .start)
      let second = try shards.put(key.rawSpan, number: 1, of: batch, Array("newer".utf8).rawSpan, PutAttributes(), at: .start)
      let third = try shards.put(key.rawSpan, number: 2, of: batch, Array("newest".utf8).rawSpan, PutAttributes(), at: .start)
      return [first, second, third]
    }
    #expect(store.text("k") == "newest" && store.count() == 1)
    if case .replaced = results[0], case .created = results[1], case .replaced = results[2] {} else { Issue.record("\(results)") }
  }

  @Test("Databases do not see one another")
  func databases() throws {
    let store = makeStore()
    try store.set("a", "zero")
    try store.set("a", "five", database: 5)
    #expect(store.text("a") == "zero" && store.text("a", database: 5) == "five" && store.text("a", database: 6) == nil)
    #expect(store.count() == 1 && store.count(database: 5) == 1)
    store.removeAll(database: 5, at: .start)
    #expect(store.text("a") == "zero" && store.text("a", database: 5) == nil)
    store.removeAll(at: .start)
    #expect(store.text("a") == nil && store.statistics.entries == 0 && store.statistics.bytes == 0)
  }
}
