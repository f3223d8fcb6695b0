/// Expiry: nobody is served what is over, and its memory comes back.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Expiry")
struct ExpiryTests {
  @Test("An entry is there until the millisecond of its expiry, and not in it")
  func boundary() throws {
    let store = makeStore()
    try store.set("k", "v", expiry: .start + 10)
    #expect(store.text("k", at: .start + 9) == "v")
    #expect(store.text("k", at: .start + 10) == nil)
    // It is gone, not hidden: a clock that went back does not revive it.
    #expect(store.text("k", at: .start + 9) == nil)
    #expect(store.statistics.expirations == 1 && store.statistics.entries == 0)
  }

  @Test("An expiry of now, the past, zero or below zero is over at once", arguments: [0, -1, -1_750_000_000_000, Int64.min])
  func past(offset: Int64) throws {
    let store = makeStore()
    try store.set("k", "v", expiry: .start + offset)
    #expect(store.text("k") == nil)
    try store.set("k", "v")
    #expect(try store.expire("k", at: .start + offset))
    #expect(store.text("k") == nil)
    #expect(store.statistics.entries == 0)
  }

  @Test("The far future comes back exactly, and does not overflow")
  func farFuture() throws {
    let store = makeStore()
    for milliseconds in [Int64(1) << 53, Int64.max - 1, Int64.max] {
      try store.set("k", "v", expiry: UnixTime(milliseconds: milliseconds))
      let expiry = withBytes("k") { key in store.get(key, at: .start) { $0.expiry.milliseconds } }
      #expect(expiry == milliseconds)
    }
    #expect(store.expireStep(at: UnixTime(milliseconds: .max - 2)).expired == 0)
    #expect(store.text("k", at: UnixTime(milliseconds: .max - 1)) == "v")
  }

  @Test("Setting, moving and taking away an expiry keeps value and version")
  func moving() throws {
    let store = makeStore()
    for value in ["v", String(repeating: "v", count: CacheLimits.largeValueBytesMin)] {
      let version = try store.set("k", value).version
      #expect(try store.expire("k", at: .start + 50))
      #expect(store.version("k") == version && store.text("k", at: .start + 49) == value)
      #expect(try store.expire("k", at: .start + 100))
      #expect(store.text("k", at: .start + 99) == value)
      #expect(try store.expire("k", at: .never))
      #expect(store.text("k", at: .start + 1_000_000) == value && store.version("k") == version)
      #expect(try store.expire("k", at: .never))
      #expect(try store.expire("k", at: .start + 70))
      #expect(store.text("k", at: .start + 70) == nil)
    }
    #expect(try !store.expire("absent", at: .start + 70))
    #expect(store.statistics.entries == 0)
  }

  @Test("Conditions of expire compare with what is there, none counting as for ever")
  func conditions() throws {
    let store = makeStore()
    try store.set("k", "v")
    #expect(try !store.expire("k", at: .start + 10, if: .ifSome))
    #expect(try !store.expire("k", at: .start + 10, if: .ifLater))
    #expect(try store.expire("k", at: .start + 10, if: .ifNone))
    #expect(try !store.expire("k", at: .start + 20, if: .ifNone))
    #expect(try !store.expire("k", at: .start + 20, if: .ifEarlier))
    #expect(try store.expire("k", at: .start + 20, if: .ifLater))
    #expect(try store.expire("k", at: .start + 15, if: .ifEarlier))
    #expect(try store.expire("k", at: .start + 30, if: .ifSome))
    #expect(store.text("k", at: .start + 29) == "v" && store.text("k", at: .start + 30) == nil)
  }

  @Test("A stale entry is absent for all but those who ask for it, until its time is over too")
  func stale() throws {
    let store = makeStore()
    try store.set("k", "v", expiry: .start + 10, staleUntil: .start + 20)
    #expect(store.text("k", at: .start + 15) == nil)
    #expect(store.text("k", stale: true, at: .start + 15) == "v")
    withBytes("k") { key in
      let isStale = store.get(key, allowsStale: true, at: .start + 15) { $0.isStale(at: .start + 15) }
      #expect(isStale == true)
    }
    #expect(store.keys(at: .start + 15).isEmpty)
    #expect(try !store.remove("other", at: .start + 15))
    #expect(store.expireStep(at: .start + 15).expired == 0)
    #expect(store.text("k", stale: true, at: .start + 20) == nil)
    try store.set("k", "v", expiry: .start + 10, staleUntil: .start + 20)
    let put = try store.set("k", "w", at: .start + 15)
    #expect(put == .created(version: put.version) && store.text("k", at: .start + 15) == "w")
  }

  @Test("Steps remove all that is over and nothing else, and tell how late")
  func steps() throws {
    let store = makeStore(shards: 8)
    for index in 0..<9000 {
      try store.set("k\(index)", "v", expiry: [.never, .start + 100, .start + 5000][index % 3])
    }
    let bytes = store.statistics.bytes
    var expired = 0
    var steps = 0
    while true {
      let step = store.expireStep(at: .start + 1100, budget: 600)
      expired += step.expired
      steps += 1
      #expect(step.expired <= 600 / 16 + Page.slotsPerBlock)
      if step.isDone { break }
    }
    #expect(expired == 3000 && store.statistics.entries == 6000 && steps > 4)
    #expect(store.statistics.bytes < bytes)
    let lag = store.statistics.expiryLag
    #expect(lag.count == 3000 && lag.nanosecondsTotal == 3000 * 1_000_000_000)
    #expect(store.expireStep(at: .start + 1100, budget: 100_000) == (0, true))
    #expect(store.text("k2", at: .start + 1100) == "v" && store.text("k0", at: .start + 1100) == "v")
  }

  @Test("However many are over at once, a step looks at a few and ends, and all of them go")
  func storm() throws {
    let store = makeStore(limit: 64 << 20, shards: 1)
    for index in 0..<20_000 { try store.set("k\(index)", "v", expiry: .start + 100) }
    var steps = 0
    while store.statistics.entries > 0, steps < 5000 {
      #expect(store.expireStep(at: .start + 1000).expired <= 256 / 16 + Page.slotsPerBlock)
      steps += 1
    }
    #expect(store.statistics.expirations == 20_000 && steps > 20_000 / (256 / 16 + Page.slotsPerBlock))
  }

  @Test("A round overlooks nothing that is over, though puts move entries, and pages grow and split, between its steps", arguments: 0..<8)
  func roundAmongPuts(seed: Int) throws {
    let store = makeStore(limit: 64 << 20, shards: 1)
    var random = SplitMix64(seed: UInt64(seed))
    // So many that a page is nearly full, where entries are moved to make room: once little is put between two steps, once much.
    let count = 3000 + random.below(600)
    for index in 0..<count { try store.set("k\(index)", "v", expiry: .start + 100) }
    var written = 0
    while true {
      let step = store.expireStep(at: .start + 1000, budget: 40)
      if step.isDone { break }
      for _ in 0..<random.below(seed % 2 == 0 ? 4 : 60) {
        written += 1
        try store.set("new\(written)", "v", expiry: .start + 100_000, at: .start + 1000)
      }
    }
    #expect(store.statistics.entries == UInt64(written), "seed \(seed)")
    #expect(store.statistics.expirations == UInt64(count))
  }

  @Test("A round overlooks nothing that a put moves round the end of a page")
  func roundAmongMoves() throws {
    // One page just below the number at which it becomes two: most lines are full, and puts move entries to lines further on.
    var unchanged = 0
    for seed in 0..<400 {
      let store = makeStore(limit: 1 << 20, shards: 1, seed: UInt64(seed))
      for index in 0..<555 { try store.set("k\(index)", "v", expiry: .start + 100) }
      _ = store.expireStep(at: .start + 1000, budget: 3)
      let layout = store.statistics.tableBytes
      for index in 0..<60 { try store.set("new\(index)", "v") }
      if store.statistics.tableBytes == layout { unchanged += 1 }
      while !store.expireStep(at: .start + 1000, budget: 3).isDone {}
      #expect(store.statistics.entries == 60, "seed \(seed)")
    }
    #expect(unchanged > 50, "where the page has grown it was looked at anew")
  }

  @Test("A store without expiries has nothing to step through")
  func nothing() throws {
    let store = makeStore(shards: 64)
    #expect(store.expireStep(at: .start) == (0, true))
    for index in 0..<1000 { try store.set("k\(index)", "v") }
    #expect(store.expireStep(at: .start, budget: 64) == (0, true))
  }
}
