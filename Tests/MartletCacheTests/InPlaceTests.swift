import MartletBytes
import Testing

@testable import MartletCache

@Suite("Large values in their place")
struct InPlaceTests {
  private let size = CacheLimits.largeValueBytesMin + 1000
  private var value: String { String(repeating: "v", count: size) }

  private func write(_ store: CacheStore, _ key: String, at offset: Int, _ text: String) throws(CacheError) -> Int? {
    try withBytes(key) { key throws(CacheError) in
      try withBytes(text) { text throws(CacheError) in
        try store.withLockedShards(of: store.shards(of: key)) { (shards) throws(CacheError) in
          try shards.writeInPlace(key, offset: offset, text, at: .start)
        }
      }
    }
  }

  private func copy(_ store: CacheStore, _ source: String, to target: String) throws -> Bool {
    try withBytes(source) { source in
      try withBytes(target) { target in
        try store.withLockedShards(of: store.allShards) { shards in
          try shards.copy(source, database: 0, to: target, database: 0, at: .start)
        }
      }
    }
  }

  @Test("A part is overwritten, the value grows, zeros fill a gap, and all else stays")
  func writing() throws {
    let store = makeStore()
    let empty = store.statistics.bytes
    try store.set("k", value, expiry: .start + 10, flags: 3, type: "text/plain", tags: "red")
    var version = try #require(store.version("k"))
    var expected = Array(value.utf8)
    for (offset, text) in [
      (0, "begin"), (size - 3, "end"), (size, "appended"), (size + 100, "behind a gap"), (70_000, String(repeating: "w", count: 50_000)),
    ] {
      while expected.count < offset { expected.append(0) }
      expected.replaceSubrange(offset..<min(offset + text.utf8.count, expected.count), with: Array(text.utf8))
      #expect(try write(store, "k", at: offset, text) == expected.count)
      let new = try #require(store.version("k"))
      #expect(new > version)
      version = new
      let facts = withBytes("k") { key in
        store.get(key, at: .start) {
          $0.value.copied() == expected && $0.expiry == .start + 10 && $0.flags == 3 && $0.contentType.text == "text/plain"
            && $0.tags.text == "red"
        }
      }
      #expect(facts == true)
    }
    #expect(store.statistics.bytes >= empty + UInt64(expected.count))
    store.invalidate("red")
    #expect(store.text("k") == nil)
    #expect(store.statistics.bytes < empty + 600_000)  // a segment is kept, the value is not
  }

  @Test("What is small, absent or held by a reader is left alone, and so is what would outgrow its block")
  func refused() throws {
    let store = makeStore()
    try store.set("small", "1")
    #expect(try write(store, "small", at: 0, "x") == nil)
    #expect(try write(store, "absent", at: 0, "x") == nil)
    try store.set("k", value)
    var reader: SharedValue? = withBytes("k") { key in
      store.withLockedShards(of: store.shards(of: key)) { shards in shards.share(key, database: 0, of: store, at: .start) }
    }
    #expect(try write(store, "k", at: 0, "x") == nil)
    #expect(reader?.withValue { $0.text } == value)
    reader = nil
    #expect(try write(store, "k", at: 200_000, "x") == nil)
    #expect(store.text("k") == value)
    #expect(try write(store, "k", at: 0, "x") == size)
  }

  @Test("Without room, or beyond the largest value, nothing changes")
  func noRoom() throws {
    let store = makeStore(limit: 1 << 20, eviction: .none, valueBytesMax: 120_000)
    try store.set("k", value)
    #expect(throws: CacheError.valueTooLarge(limit: 120_000)) { try write(store, "k", at: 119_999, "xy") }
    var count = 0
    while (try? store.set("f\(count)", value)) != nil { count += 1 }
    for index in 0..<10_000 where (try? store.set("s\(index)", String(repeating: "s", count: 200))) == nil { break }
    #expect(throws: CacheError.outOfMemory) { try write(store, "k", at: 115_000, "x") }
    #expect(store.text("k") == value)
  }

  @Test("A copy shares its memory until one of both changes")
  func sharing() throws {
    let store = makeStore()
    try store.set("a", value, expiry: .start + 10, type: "text/plain", tags: "red")
    let before = store.statistics.bytes
    #expect(try copy(store, "a", to: "b"))
    #expect(store.statistics.bytes < before + 20_000)
    #expect(try write(store, "a", at: 0, "x") == nil)
    try store.change("a") { _ in "small" }
    #expect(store.text("a") == "small" && store.text("b") == value)
    let facts = withBytes("b") { key in store.get(key, at: .start) { $0.contentType.text == "text/plain" && $0.expiry == .start + 10 } }
    #expect(facts == true)
    #expect(try write(store, "b", at: 0, "x") == size)
    #expect(try copy(store, "b", to: "b"))
    #expect(try copy(store, "b", to: "c"))
    try store.remove("b")
    #expect(store.text("c")?.utf8.count == size)
    store.invalidate("red")
    #expect(store.text("c") == nil)
  }
}
