/// Keys announced before they are read: what is read ahead, and that it is only a hint.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("KeyBatch")
struct KeyBatchTests {
  /// Announces `keys`; they are all in database 0.
  private func announce(_ keys: [String], _ batch: inout KeyBatch, of store: CacheStore) {
    batch.removeAll()
    for key in keys { withBytes(key) { batch.append($0, of: store) } }
  }

  @Test("Reading ahead finds the entries of nearly all keys that are there, and of none that are not")
  func findsAhead() throws {
    let store = makeStore(shards: 8)
    for index in 0..<6000 { try store.set("k\(index)", "") }
    var batch = KeyBatch()
    for first in stride(from: 0, to: 6000, by: 100) {
      announce((first..<first + 100).map { "k\($0)" }, &batch, of: store)
      store.withLockedShards(of: batch.shards) { shards in shards.prefetch(&batch) }
    }
    // The rest stand behind another of the same tag: a hint that is wrong.
    let found = batch.foundAhead
    #expect(found > 5990 && found <= 6000, "found \(found)")
    announce((0..<1000).map { "absent\($0)" }, &batch, of: store)
    store.withLockedShards(of: batch.shards) { shards in shards.prefetch(&batch) }
    let foundOfAbsent = batch.foundAhead - found
    #expect(foundOfAbsent < 10)
  }

  @Test("What was found ahead is read as if it had not been, whatever the table went through since", arguments: [1, 2, 3])
  func hintOnly(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let store = makeStore(shards: 2)
    var batch = KeyBatch()
    for _ in 0..<300 {
      let keys = (0..<20).map { _ in "k\(random.below(4000))" }
      announce(keys, &batch, of: store)
      try store.withLockedShards(of: store.allShards) { shards in
        shards.prefetch(&batch)
        for _ in 0..<random.below(60) {
          let changed = random.below(3) == 0 ? keys[random.below(20)] : "k\(random.below(4000))"
          try withBytes(changed) { key in
            if random.below(4) == 0 {
              _ = try shards.delete(key, at: .start)
            } else {
              _ = try withBytes("\(random.below(1_000_000))") { try shards.put(key, $0, PutAttributes(), at: .start) }
            }
          }
        }
        for (index, key) in keys.enumerated() {
          withBytes(key) { key in
            let plain = shards.get(key, at: .start) { $0.value.text }
            let announced = shards.get(key, number: index, of: batch, at: .start) { $0.value.text }
            #expect(announced == plain)
          }
        }
      }
      if random.below(40) == 0 {
        store.removeAll(at: .start)
        let isEmpty = store.withLockedShards(of: batch.shards) { shards in
          withBytes(keys[0]) { shards.get($0, number: 0, of: batch, at: .start) { _ in () } == nil }
        }
        #expect(isEmpty)
      }
    }
  }

  @Test("Under another key than was announced nothing is found, and an expired or invalidated entry is not served")
  func otherKey() throws {
    let store = makeStore()
    try store.set("a", "1", expiry: .start + 10)
    try store.set("b", "2", tags: "t")
    var batch = KeyBatch()
    announce(["a", "b"], &batch, of: store)
    store.withLockedShards(of: store.allShards) { shards in
      shards.prefetch(&batch)
      withBytes("b") { key in #expect(shards.get(key, number: 0, of: batch, at: .start) { _ in () } == nil) }
      withBytes("a") { key in
        #expect(shards.get(key, number: 0, of: batch, at: .start) { $0.value.text } == "1")
        #expect(shards.get(key, number: 0, of: batch, at: .start + 10) { $0.value.text } == nil)
      }
    }
    withBytes("t") { store.invalidate(tags: $0) }
    store.withLockedShards(of: store.allShards) { shards in
      withBytes("b") { key in #expect(shards.get(key, number: 1, of: batch, at: .start) { _ in () } == nil) }
    }
    let statistics = store.statistics
    #expect(statistics.hits == 1 && statistics.misses == 3)
  }
}
