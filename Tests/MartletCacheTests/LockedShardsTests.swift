/// Several keys at once, the one place that tells of change, tags.

import MartletBytes
import Synchronization
import Testing

@testable import MartletCache

@Suite("LockedShards")
struct LockedShardsTests {
  @Test("Verbs on a batch see and change all of its keys at once")
  func batch() throws {
    let store = makeStore(shards: 64)
    for index in 0..<100 { try store.set("k\(index)", "\(index)") }
    var batch = KeyBatch()
    for round in 0..<10 {
      batch.removeAll()
      for index in 0..<16 { withBytes("k\(round * 10 + index)") { batch.append($0, of: store) } }
      let count = batch.count
      #expect(count == 16)
      var sum = 0
      store.withLockedShards(of: batch.shards) { shards in
        shards.prefetch(&batch)
        for index in 0..<16 {
          withBytes("k\(round * 10 + index)") { key in sum += shards.get(key, at: .start) { Int($0.value.text)! } ?? 0 }
        }
      }
      #expect(sum == (0..<16).reduce(0) { $0 + (round * 10 + $1 < 100 ? round * 10 + $1 : 0) })
    }
  }

  @Test("Transfers between keys of different shards lose nothing, and locks in order never block each other")
  func transfers() async throws {
    let store = makeStore(shards: 8)
    for account in 0..<20 { try store.set("account\(account)", "1000") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread))
          for _ in 0..<1500 {
            let source = "account\(random.below(20))"
            let target = "account\(random.below(20))"
            try withBytes(source) { source in
              try withBytes(target) { target in
                var shards = store.shards(of: source)
                shards.formUnion(store.shards(of: target))
                try store.withLockedShards(of: shards) { shards in
                  _ = try shards.increment(source, by: -1, PutAttributes(), at: .start)
                  _ = try shards.increment(target, by: 1, PutAttributes(), at: .start)
                }
              }
            }
          }
        }
      }
      group.addTask {
        for _ in 0..<200 {
          let sum = store.withLockedShards(of: store.allShards) { shards in
            var sum = 0
            for account in 0..<20 {
              withBytes("account\(account)") { key in sum += shards.peek(key, at: .start) { Int($0.value.text)! } ?? 0 }
            }
            return sum
          }
          #expect(sum == 20_000)
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("A put among locked shards evicts from those it holds, and from others it can have")
  func evictsWhileHolding() throws {
    let store = makeStore(limit: 1 << 20, shards: 4)
    let value = [UInt8](repeating: 1, count: 1000)
    for round in 0..<300 {
      let set = round % 2 == 0 ? store.allShards : withBytes([1]) { store.shards(of: $0) }
      try store.withLockedShards(of: set) { shards in
        for index in 0..<10 {
          let key = round % 2 == 0 ? Array("k\(round):\(index)".utf8) : [1]
          try withBytes(key) { key in
            try withBytes(value) { value in _ = try shards.put(key, value, PutAttributes(), at: .start) }
          }
        }
      }
    }
    #expect(store.statistics.evictions > 0 && store.statistics.bytes <= 1 << 20 + allowance)
  }
}

@Suite("Changes")
struct ChangeTests {
  private final class Diary: CacheObserver {
    let lines = Mutex<[String]>([])

    func didChange(_ change: borrowing CacheChange) {
      let line = "\(change.kind) \(change.key.text) \(change.database.map { "\($0)" } ?? "all")"
      lines.withLock { $0.append(line) }
    }

    func take() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines
      }
    }
  }

  @Test("Each verb that changes something tells it once, and others tell nothing")
  func once() throws {
    let store = makeStore(shards: 1)
    let diary = Diary()
    store.observe(diary)
    func check(_ expected: [String], line: Int = #line) {
      let told = diary.take()
      #expect(told == expected, "line \(line)")
    }
    try store.set("k", "v")
    check(["set k 0"])
    try store.set("k", "v", database: 2)
    check(["set k 2"])
    _ = store.text("k")
    _ = store.version("k")
    _ = store.keys()
    _ = try store.remove("absent")
    _ = try store.change("absent") { $0 }
    _ = try store.expire("absent", at: .start + 1)
    _ = store.expireStep(at: .start)
    #expect(throws: CacheError.self) { try store.set("k", "w", if: .ifAbsent) }
    #expect(throws: CacheError.self) { try store.add("k", 1) }
    #expect(throws: CacheError.self) { try store.remove("k", if: .ifVersion(1)) }
    check([])
    try store.add("n", 1)
    check(["set n 0"])
    try store.add("n", 1)
    check(["set n 0"])
    try store.add("n", 100)
    check(["set n 0"])
    _ = try store.change("k") { $0 + "longer" }
    check(["set k 0"])
    _ = try store.change("k") { $0 }
    check(["set k 0"])
    try store.expire("k", at: .start + 100)
    check(["expiry k 0"])
    try store.expire("k", at: .start + 50)
    check(["expiry k 0"])
    #expect(store.text("k", at: .start + 50) == nil)
    check(["expired k 0"])
    try store.expire("n", at: .start)
    check(["deleted n 0"])
    try store.set("s", "v", expiry: .start + 10)
    _ = store.expireStep(at: .start + 600)
    check(["set s 0", "expired s 0"])
    try store.set("large", String(repeating: "v", count: CacheLimits.largeValueBytesMin))
    check(["set large 0"])
    try store.remove("large")
    check(["deleted large 0"])
    try store.set("p:1", "v")
    _ = withBytes("p:") { store.remove(prefix: $0, from: .start, at: .start) }
    check(["set p:1 0", "deleted p:1 0"])
    try store.set("k", "v")
    store.removeAll(database: 2, at: .start)
    check(["set k 0", "cleared  2"])
    store.removeAll(at: .start)
    check(["cleared  all"])
  }

  @Test("Each eviction is told")
  func evictions() throws {
    let store = makeStore(limit: 1 << 20, shards: 4)
    let diary = Diary()
    store.observe(diary)
    for index in 0..<3000 { try store.set("k\(index)", String(repeating: "v", count: 1000)) }
    let told = diary.take()
    #expect(told.filter { $0.hasPrefix("evicted") }.count == Int(store.statistics.evictions))
    #expect(told.filter { $0.hasPrefix("set") }.count == 3000)
    #expect(store.statistics.evictions == 3000 - store.statistics.entries)
  }
}

@Suite("TagList")
struct TagListTests {
  private func normalized(_ texts: String...) -> String? {
    var list = ByteBuffer()
    for text in texts where !withBytes(text, { TagList.normalize($0, into: &list) }) { return nil }
    return list.text
  }

  @Test("Spaces, empty places and repetitions go, order stays")
  func normal() {
    #expect(normalized("a, b") == "a,b")
    #expect(normalized("") == "")
    #expect(normalized(" ,a\t,, b ,a") == "a,b")
    #expect(normalized("b", "a,b", "c") == "b,a,c")
    #expect(normalized("aa,a") == "aa,a")
  }

  @Test("What is no tag, too long or too many is refused")
  func refused() {
    #expect(normalized("a b") == nil)
    #expect(normalized("a\u{7F}") == nil)
    #expect(normalized("ä") == nil)
    #expect(normalized(String(repeating: "t", count: 128)) != nil)
    #expect(normalized(String(repeating: "t", count: 129)) == nil)
    #expect(normalized((0..<32).map { "t\($0)" }.joined(separator: ",")) != nil)
    #expect(normalized((0..<33).map { "t\($0)" }.joined(separator: ",")) == nil)
  }

  @Test("A list is counted and searched by whole tags")
  func searched() {
    withBytes("one,two,three") { list in
      #expect(TagList.count(list) == 3)
      for tag in ["one", "two", "three"] { #expect(withBytes(tag) { TagList.contains(list, $0) }) }
      for tag in ["on", "wo", "one,two", "four"] { #expect(withBytes(tag) { !TagList.contains(list, $0) }) }
    }
    #expect(withBytes("") { TagList.count($0) } == 0)
  }
}
