import MartletBytes
import Testing

@testable import MartletCache

@Suite("Prepared values")
struct PreparedValueTests {
  private let value = String(repeating: "v", count: CacheLimits.largeValueBytesMin)

  private func prepare(_ store: CacheStore, _ key: String, tags: String = "") -> PreparedValue? {
    withBytes(key) { key in
      withBytes(value) { value in
        withBytes(tags) { tags in store.prepare(value, for: key, PutAttributes(contentType: RawSpan(), tags: tags), at: .start) }
      }
    }
  }

  @Test("What was prepared is put without a copy, with the attributes of the put")
  func put() throws {
    let store = makeStore()
    let prepared = try #require(prepare(store, "k"))
    #expect(prepared.count == value.utf8.count && store.text("k") == nil)
    let bytes = store.statistics.bytes
    try withBytes("k") { key in
      try store.withLockedShards(of: store.shards(of: key)) { shards in
        _ = try shards.put(key, prepared, PutAttributes(expiry: .start + 10), at: .start)
      }
    }
    #expect(store.text("k") == value && store.text("k", at: .start + 10) == nil)
    #expect(store.statistics.bytes < bytes + 64 << 10)
  }

  @Test("Unused, or refused by a condition, it gives its memory back")
  func unused() throws {
    let store = makeStore()
    try store.set("k", "old")
    let before = store.statistics.bytes
    do {
      let prepared = prepare(store, "k")
      #expect(prepared != nil && store.statistics.bytes > before)
    }
    #expect(store.statistics.bytes == before)
    let prepared = try #require(prepare(store, "k"))
    #expect(throws: CacheError.self) {
      try withBytes("k") { key in
        try store.withLockedShards(of: store.shards(of: key)) { shards in
          _ = try shards.put(key, prepared, PutAttributes(), condition: .ifAbsent, at: .start)
        }
      }
    }
    #expect(store.text("k") == "old" && store.statistics.bytes == before)
  }

  @Test("It fills a lease, and is refused by one that is over")
  func fill() throws {
    let store = makeStore()
    try withBytes("k") { key in
      guard case .miss(let token) = store.acquire(key, LeaseRequest(leaseMilliseconds: 1000), at: .start, { _, _ in }) else {
        Issue.record("no lease")
        return
      }
      for (lease, isRefused) in [(LeaseToken(rawValue: 1), true), (token, false), (token, true)] {
        let prepared = try #require(prepare(store, "k", tags: "red"))
        withBytes("red") { tags in
          store.withLockedShards(of: store.shards(of: key)) { shards in
            do throws(CacheError) {
              _ = try shards.fill(key, prepared, PutAttributes(contentType: RawSpan(), tags: tags), lease: lease, at: .start)
              #expect(!isRefused)
            } catch {
              #expect(isRefused && error == .leaseOver)
            }
          }
        }
      }
    }
    #expect(store.text("k") == value)
    store.invalidate("red")
    #expect(store.text("k") == nil)
  }

  @Test("Where there is no room nothing is prepared")
  func noRoom() throws {
    let store = makeStore(limit: 1 << 20, eviction: .none, valueBytesMax: 1 << 17)
    var kept: [PreparedValue] = []
    while let prepared = prepare(store, "k\(kept.count)") { kept.append(prepared) }
    #expect(kept.count > 4 && kept.count < 16)
    kept = []
    #expect(prepare(store, "k") != nil)
  }
}
