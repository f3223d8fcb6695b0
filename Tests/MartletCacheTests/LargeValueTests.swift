/// Reservations and pins: large values outside the lock.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Large values")
struct LargeValueTests {
  private let large = CacheLimits.largeValueBytesMin

  @Test("A reservation is nothing to others until it is committed, then it is the entry")
  func commit() throws {
    let store = makeStore()
    try withBytes("k") { key in
      var reservation = try store.reserve(key, valueBytes: 6, PutAttributes(expiry: .start + 100, flags: 3), at: .start)
      #expect(reservation.valueBytes == 6)
      withBytes("abc") { reservation.append($0) }
      let written = reservation.writtenCount
      #expect(written == 3 && store.text("k") == nil && store.statistics.entries == 0)
      withBytes("def") { reservation.append($0) }
      let result = try store.commit(reservation, at: .start)
      #expect(result == .created(version: result.version))
      let found = store.get(key, at: .start) { $0.value.text == "abcdef" && $0.expiry == .start + 100 && $0.flags == 3 }
      #expect(found == true)
    }
  }

  @Test("A reservation dropped, or refused by its condition, gives its memory back")
  func dropped() throws {
    let store = makeStore()
    let version = try store.set("k", "v").version
    let before = store.statistics.bytes
    try withBytes("k") { key in
      do {
        var reservation = try store.reserve(key, valueBytes: 1 << 20, at: .start)
        withBytes("partly") { reservation.append($0) }
        #expect(store.statistics.bytes > before + 1 << 20)
      }
      #expect(store.statistics.bytes == before)
      let reservation = try store.reserve(key, valueBytes: 0, at: .start)
      do throws(CacheError) {
        _ = try store.commit(reservation, condition: .ifAbsent, at: .start)
        Issue.record("committed against its condition")
      } catch {
        #expect(error == .conditionFailed(current: version))
      }
    }
    #expect(store.statistics.bytes == before && store.text("k") == "v")
  }

  @Test("A reservation too large for the store is refused before it takes memory")
  func tooLarge() throws {
    let store = makeStore(limit: 1 << 20, eviction: .none)
    withBytes("k") { key in
      for (bytes, expected) in [(1 << 20, CacheError.valueTooLarge(limit: 1 << 17)), (1 << 27, .valueTooLarge(limit: 1 << 17))] {
        do throws(CacheError) {
          _ = try store.reserve(key, valueBytes: bytes, at: .start)
          Issue.record("reserved")
        } catch {
          #expect(error == expected)
        }
      }
    }
  }

  @Test(
    "What is pinned stays readable and in the ledger when the entry is replaced, deleted, expired or flushed", arguments: [false, true])
  func pinned(isLarge: Bool) throws {
    let value = String(repeating: "v", count: isLarge ? large : 100)
    for fate in 0..<5 {
      let store = makeStore()
      try store.set("k", value, expiry: .start + 100, staleUntil: .start + 200, flags: 5, type: "a/b", tags: "t")
      let version = store.version("k")
      try withBytes("k") { key in
        let pinned = try store.pin(key, at: .start)!
        switch fate {
        case 0: try store.set("k", "other")
        case 1: try store.remove("k")
        case 2: #expect(store.text("k", at: .start + 200) == nil)
        case 3: store.removeAll(at: .start)
        default: _ = try store.change("k") { _ in "changed" }
        }
        let same = pinned.value.text == value && pinned.contentType.text == "a/b" && pinned.tags.text == "t"
        #expect(same)
        let meta = pinned.version == version && pinned.expiry == .start + 100 && pinned.staleUntil == .start + 200 && pinned.flags == 5
        #expect(meta && pinned.storedAt == .start)
        #expect(store.statistics.bytes >= value.utf8.count)
      }
      store.removeAll(at: .start)
      #expect(store.statistics.bytes == 0)
    }
  }

  @Test("A pinned value is not copied, and pins of one entry add up")
  func shared() throws {
    let store = makeStore()
    try store.set("k", String(repeating: "v", count: large))
    let bytes = store.statistics.bytes
    try withBytes("k") { key in
      let first = try store.pin(key, at: .start)!
      let second = try store.pin(key, at: .start)!
      #expect(store.statistics.bytes == bytes && store.statistics.hits == 2)
      try store.remove("k")
      #expect(store.statistics.bytes >= UInt64(large))
      let counts = (first.value.byteCount, second.value.byteCount)
      #expect(counts == (large, large))
    }
    #expect(store.statistics.bytes < UInt64(large) + allowance)
    let isAbsent = try withBytes("k") { key in try store.pin(key, at: .start) == nil }
    #expect(isAbsent && store.statistics.misses == 1)
  }

  @Test("A pin keeps its store alive")
  func outlives() throws {
    var store: CacheStore? = makeStore()
    try store!.set("k", String(repeating: "v", count: large))
    let pinned = try withBytes("k") { key in try store!.pin(key, at: .start)! }
    store = nil
    let count = pinned.value.byteCount
    #expect(count == large)
  }

  @Test("Readers of pinned values and writers of the same key do not meet")
  func concurrent() async throws {
    let store = makeStore()
    try store.set("k", String(repeating: "a", count: large))
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for round in 0..<300 {
          _ = try? store.set("k", String(repeating: round % 2 == 0 ? "b" : "a", count: large + round))
          _ = try? store.expire("k", at: .start + Int64(1000 + round))
        }
      }
      for _ in 0..<2 {
        group.addTask {
          for _ in 0..<300 {
            withBytes("k") { key in
              if let pinned = try? store.pin(key, at: .start) {
                let isWhole = pinned.value[0] == pinned.value[pinned.value.byteCount - 1]
                #expect(isWhole)
              }
            }
          }
        }
      }
    }
    store.removeAll(at: .start)
    #expect(store.statistics.bytes == 0)
  }
}

extension Optional where Wrapped: ~Copyable {
  static func == (optional: borrowing Wrapped?, _: _OptionalNilComparisonType) -> Bool {
    switch optional {
    case .none: true
    case .some: false
    }
  }
}
