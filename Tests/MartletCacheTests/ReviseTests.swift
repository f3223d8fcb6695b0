import MartletBytes
import Testing

@testable import MartletCache

@Suite("Large values made anew with no shard held")
struct ReviseTests {
  private let size = CacheLimits.largeValueBytesMin + 1000
  private var value: String { String(repeating: "v", count: size) }

  /// What came of it, and how often `body` was called.
  private func revise(
    _ store: CacheStore, _ key: String, if condition: PutCondition = .always, _ body: (Int, String) throws(CacheError) -> String?
  ) throws -> (CacheStore.Revision, calls: Int) {
    var calls = 0
    let revision = try withBytes(key) { key in
      try store.revise(key, condition: condition, at: .start) { (held) throws(CacheError) in
        calls += 1
        guard let text = try body(calls, held.value.text) else { return nil }
        var new = ByteBuffer()
        new.append(text)
        return new
      }
    }
    return (revision, calls)
  }

  private func isNotMade(_ revision: CacheStore.Revision) -> Bool { if case .notMade = revision { true } else { false } }

  @Test("The value is another, with a new version, and all else stays; also where it is small from then on")
  func revising() throws {
    let store = makeStore()
    try store.set("k", value, expiry: .start + 10, flags: 3, type: "text/plain", tags: "red")
    for wanted in [String(repeating: "w", count: size * 3), "small"] {
      let before = try #require(store.version("k"))
      let (revision, calls) = try revise(store, "k") { _, _ in wanted }
      guard case .made(let version) = revision else {
        Issue.record("not made")
        return
      }
      #expect(version > before && store.version("k") == version && calls == 1)
      let isKept = withBytes("k") { key in
        store.get(key, at: .start) {
          $0.value.text == wanted && $0.expiry == .start + 10 && $0.flags == 3 && $0.contentType.text == "text/plain"
            && $0.tags.text == "red"
        }
      }
      #expect(isKept == true)
    }
    store.invalidate("red")
    #expect(store.text("k") == nil)
  }

  @Test("What is absent or small is left to others, and a value that is wanted as it is stays")
  func leftAlone() throws {
    let store = makeStore()
    try store.set("small", "v")
    try store.set("large", value)
    let version = store.version("large")
    for key in ["none", "small"] {
      let (revision, calls) = try revise(store, key) { _, _ in "never" }
      #expect(isNotMade(revision) && calls == 0)
    }
    guard case .unchanged = try revise(store, "large", { _, _ in nil }).0 else {
      Issue.record("changed")
      return
    }
    #expect(store.version("large") == version && store.text("small") == "v")
  }

  @Test("Whoever changes it meanwhile is not overwritten: the edit is done again, and given up after four times")
  func contended() throws {
    let store = makeStore()
    try store.set("k", value)
    let (once, calls) = try revise(store, "k") { (call, text) throws(CacheError) in
      if call == 1 { try store.set("k", value + "other") }
      return text + "mine"
    }
    #expect(!isNotMade(once) && calls == 2 && store.text("k") == value + "othermine")
    let (never, tries) = try revise(store, "k") { (call, text) throws(CacheError) in
      try store.set("k", value + "\(call)")
      return text + "mine"
    }
    #expect(isNotMade(never) && tries == 4 && store.text("k") == value + "4")
    // Another expiry is no other version, and stays.
    _ = try revise(store, "k") { (_, text) throws(CacheError) in
      try store.expire("k", at: .start + 50)
      return text + "mine"
    }
    #expect(store.text("k") == value + "4mine" && store.text("k", at: .start + 50) == nil)
    try store.set("k", value)
    let (gone, _) = try revise(store, "k") { (_, text) throws(CacheError) in
      try store.remove("k")
      return text
    }
    #expect(isNotMade(gone) && store.text("k") == nil)
  }

  @Test("A condition that fails, a value that is too large and no room for it are errors, and nothing has changed or leaks")
  func refused() throws {
    let store = makeStore(limit: 3 << 20, eviction: .none, valueBytesMax: 1 << 20)
    try store.set("k", String(repeating: "v", count: 1 << 20))
    let (bytes, version) = (store.statistics.bytes, store.version("k"))
    #expect(throws: UpdateError<CacheError>.self) { try revise(store, "k", if: .ifVersion(1)) { _, _ in "never" } }
    #expect(throws: UpdateError<CacheError>.self) { try revise(store, "k") { _, text in text + "x" } }
    try store.set("other", String(repeating: "o", count: 1 << 20))
    let full = store.statistics.bytes
    #expect(throws: UpdateError<CacheError>.self) { try revise(store, "k") { _, text in text } }
    #expect(store.version("k") == version && store.statistics.bytes == full)
    try store.remove("other")
    #expect(store.statistics.bytes < bytes + 100_000)  // a segment is kept, the value is not
  }
}
