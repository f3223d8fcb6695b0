/// The sketch of keys that are read most.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Hot keys")
struct HotKeysTests {
  @Test("Keys that are read most are found among many, with about their number of reads, misses too")
  func hot() throws {
    let store = makeStore()
    try store.set("hot", "1")
    var random = SplitMix64(seed: 3)
    for _ in 0..<100_000 {
      _ = store.text(random.below(4) == 0 ? "hot" : random.below(4) == 0 ? "missing" : "cold \(random.below(5000))")
    }
    let keys = store.hotKeys(limit: 2).map { String(decoding: $0.key, as: UTF8.self) }
    #expect(keys == ["hot", "missing"])
    #expect((15_000...35_000).contains(store.hotKeys(limit: 1)[0].reads))
  }

  @Test("What was hot once gives way to what is hot now")
  func decay() throws {
    let store = makeStore(shards: 1)
    for _ in 0..<500_000 { _ = store.text("before") }
    for _ in 0..<1_500_000 { _ = store.text("now") }
    #expect(store.hotKeys(limit: 1).map { String(decoding: $0.key, as: UTF8.self) } == ["now"])
  }

  @Test("A quiet store has none, and very long keys are not reported")
  func none() throws {
    let store = makeStore()
    #expect(store.hotKeys().isEmpty)
    let long = String(repeating: "k", count: HotKeys.keyBytesMax + 1)
    for _ in 0..<10_000 { _ = store.text(long) }
    #expect(store.hotKeys().isEmpty)
  }
}
