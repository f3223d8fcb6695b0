/// Invalidating by tag: hard, soft, with other changes in between, and how tags are forgotten.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Tags")
struct TagsTests {
  let store = makeStore()

  @Test("A hard invalidation makes every entry with the tag absent, and no other")
  func hard() throws {
    try store.set("a", "1", tags: "red,round")
    try store.set("b", "2", tags: "round")
    try store.set("c", "3", tags: "rounder")
    try store.set("d", "4")
    store.invalidate("round")
    #expect(store.text("a") == nil)
    #expect(store.text("a", stale: true) == nil)
    #expect(store.text("b") == nil)
    #expect(store.text("c") == "3")
    #expect(store.text("d") == "4")
    #expect(store.keys().sorted() == ["c", "d"])
  }

  @Test("What is written after an invalidation is a new entry")
  func writtenAfterwards() throws {
    try store.set("a", "1", tags: "red")
    store.invalidate("red")
    try store.set("a", "2", tags: "red")
    #expect(store.text("a") == "2")
    store.invalidate("red")
    #expect(store.text("a") == nil)
  }

  @Test("Replaced tags leave the rest of an entry as it was, and count from then on", arguments: [1, CacheLimits.largeValueBytesMin])
  func replaced(size: Int) throws {
    let value = String(repeating: "v", count: size)
    try store.set("a", value, expiry: .start + 10, staleUntil: .start + 20, flags: 7, type: "text/plain", tags: "red")
    store.invalidate("blue")
    let version = store.version("a")
    let changed = try store.tag("a", "blue,round")
    #expect(try #require(changed) > #require(version))
    let facts = withBytes("a") { key in
      store.peek(key, at: .start) { ($0.tags.text, $0.contentType.text, $0.flags, $0.expiry, $0.staleUntil, $0.value.text == value) }
    }
    #expect(try #require(facts) == ("blue,round", "text/plain", 7, .start + 10, .start + 20, true))
    store.invalidate("red")
    #expect(store.text("a") == value)
    store.invalidate("blue")
    #expect(store.text("a") == nil)
  }

  @Test("Tags of nothing are not replaced, and none may be given")
  func replacedNowhere() throws {
    #expect(try store.tag("a", "red") == nil)
    try store.set("a", "1", tags: "red")
    _ = try store.tag("a", "")
    store.invalidate("red")
    #expect(store.text("a") == "1")
    try store.set("b", "2", tags: "red")
    store.invalidate("red", soft: true)
    #expect(try store.tag("b", "blue") == nil)
  }

  @Test("An entry that was invalidated counts as absent for conditions, updates, deletes and expiry")
  func absentForVerbs() throws {
    for soft in [false, true] {
      try store.set("a", "1", tags: "red")
      store.invalidate("red", soft: soft)
      #expect(try store.change("a") { $0 + "!" } == nil)
      #expect(try store.expire("a", at: .start + 1000) == false)
      #expect(throws: CacheError.conditionFailed(current: nil)) { try store.set("a", "2", if: .ifPresent) }
      guard case .created = try store.set("a", "2", tags: "red", if: .ifAbsent) else { return #expect(Bool(false)) }
      store.invalidate("red", soft: soft)
      #expect(try store.remove("a") == false)
    }
  }

  @Test("A softly invalidated entry is stale until its own expiry, for ever if it has none")
  func soft() throws {
    try store.set("a", "1", tags: "red")
    try store.set("b", "2", expiry: .start + 10, tags: "red")
    try store.set("c", "3", expiry: .start + 10, staleUntil: .start + 20, tags: "red")
    store.invalidate("red", soft: true)
    for key in ["a", "b", "c"] { #expect(store.text(key) == nil) }
    #expect(store.keys() == [])
    #expect(store.text("a", stale: true) == "1")
    #expect(store.text("a", stale: true, at: .start + 1_000_000) == "1")
    #expect(store.text("b", stale: true, at: .start + 9) == "2")
    #expect(store.text("b", stale: true, at: .start + 10) == nil)
    #expect(store.text("c", stale: true, at: .start + 19) == "3")
    #expect(store.text("c", stale: true, at: .start + 20) == nil)
  }

  @Test("A hard invalidation after a soft one, and a soft one after a hard one, both end as absent")
  func softAndHard() throws {
    try store.set("a", "1", tags: "red,round")
    store.invalidate("red", soft: true)
    #expect(store.text("a", stale: true) == "1")
    store.invalidate("round")
    #expect(store.text("a", stale: true) == nil)
    try store.set("b", "1", tags: "red")
    store.invalidate("red")
    store.invalidate("red", soft: true)
    #expect(store.text("b", stale: true) == nil)
  }

  @Test("Updates and EXPIRE keep the tags and the time of the write")
  func updatesKeepTheStamp() throws {
    try store.set("a", "1", tags: "red")
    _ = try store.change("a") { $0 + "2" }
    _ = try store.change("a") { $0 + String(repeating: "3", count: 100) }
    try store.expire("a", at: .start + 1000)
    try store.add("n", 1)
    #expect(store.text("a") != nil)
    store.invalidate("blue")
    #expect(store.text("a") != nil)
    store.invalidate("red")
    #expect(store.text("a") == nil)
  }

  @Test("A large value written before the invalidation and committed after it is alive")
  func largeValues() throws {
    let large = String(repeating: "v", count: CacheLimits.largeValueBytesMin)
    try store.set("a", large, tags: "red")
    #expect(store.text("a")?.utf8.count == large.utf8.count)
    store.invalidate("red")
    #expect(store.text("a") == nil)
    try store.set("a", large, tags: "red")
    #expect(store.text("a") != nil)
  }

  @Test("Several tags of one call are invalidated at one time")
  func several() throws {
    try store.set("a", "1", tags: "red")
    try store.set("b", "1", tags: "blue")
    store.invalidate("red,blue")
    #expect(store.text("a") == nil)
    #expect(store.text("b") == nil)
    #expect(store.statistics.tags.hardInvalidations == 2)
  }

  @Test("The sweep frees what was invalidated and forgets the tags, even those that nobody has")
  func sweep() throws {
    for index in 0..<5000 { try store.set("k\(index)", "v", tags: index % 2 == 0 ? "even" : "odd") }
    let before = store.statistics
    store.invalidate("even")
    for index in 0..<1000 { store.invalidate("nobody:\(index)") }
    #expect(store.statistics.tags.records == 1001)
    #expect(store.statistics.entries == before.entries)
    store.sweepTags()
    #expect(store.statistics.entries == 2500)
    while !store.expireStep(at: .start).isDone {}
    #expect(store.statistics.bytes < before.bytes)
    #expect(store.statistics.invalidations == 2500)
    #expect(store.statistics.tags.records == 0)
    #expect(store.text("k1") == "v")
    store.invalidate("odd")
    #expect(store.text("k1") == nil)
  }

  @Test("A soft invalidation is remembered in the entry when its tag is forgotten")
  func softAfterSweep() throws {
    try store.set("a", "1", tags: "red")
    store.invalidate("red", soft: true)
    store.sweepTags()
    #expect(store.statistics.tags.records == 0)
    #expect(store.text("a") == nil)
    #expect(store.text("a", stale: true) == "1")
    try store.set("a", "2", tags: "red")
    #expect(store.text("a") == "2")
  }

  @Test("With nothing invalidated there is nothing to sweep")
  func idleSweep() throws {
    try store.set("a", "1", tags: "red")
    #expect(store.tagSweepStep(at: .start) == .idle)
    store.invalidate("red")
    #expect(store.tagSweepStep(at: .start) == .goesOn)
    store.sweepTags()
    #expect(store.tagSweepStep(at: .start) == .idle)
  }

  @Test("A round overlooks no dead entry, though puts move entries, and pages grow and split, between its steps", arguments: 0..<8)
  func sweepAmongPuts(seed: Int) throws {
    let store = makeStore(limit: 64 << 20, shards: 1)
    var random = SplitMix64(seed: UInt64(seed))
    // So many that a page is nearly full, where entries are moved to make room: once little is put between two steps, once much.
    for index in 0..<(3000 + random.below(600)) { try store.set("k\(index)", "v", tags: "red") }
    store.invalidate("red")
    var written = 0
    while store.tagSweepStep(at: .start) == .goesOn {
      for _ in 0..<random.below(seed % 2 == 0 ? 4 : 60) {
        written += 1
        try store.set("new\(written)", "v", tags: "blue")
      }
    }
    #expect(store.statistics.entries == UInt64(written), "seed \(seed)")
    #expect(store.statistics.invalidations > 2999)
  }

  @Test("A round overlooks no dead entry that a put moves round the end of a page")
  func sweepAmongMoves() throws {
    // One page just below the number at which it becomes two: most lines are full, and puts move entries to lines further on.
    var unchanged = 0
    for seed in 0..<400 {
      let store = makeStore(limit: 1 << 20, shards: 1, seed: UInt64(seed))
      for index in 0..<555 { try store.set("k\(index)", "v", tags: "red") }
      store.invalidate("red")
      _ = store.tagSweepStep(at: .start)
      let layout = store.statistics.tableBytes
      for index in 0..<75 { try store.set("new\(index)", "v") }
      while store.tagSweepStep(at: .start) == .goesOn {}
      #expect(store.statistics.entries == 75, "seed \(seed)")
      if store.statistics.tableBytes == layout { unchanged += 1 }
    }
    #expect(unchanged > 50, "where the page has grown it was swept anew")
  }

  @Test("An entry written while a round is under way is not overlooked by the next invalidation")
  func writtenDuringARound() throws {
    for index in 0..<2000 { try store.set("k\(index)", "v", tags: "red") }
    store.invalidate("red")
    for step in 0..<3 {
      _ = store.tagSweepStep(at: .start)
      try store.set("new\(step)", "v", tags: "red")
    }
    store.invalidate("red")
    for step in 0..<3 { #expect(store.text("new\(step)") == nil) }
    store.sweepTags()
    #expect(store.statistics.entries == 0)
    #expect(store.statistics.tags.records == 0)
  }

  @Test("More tags than the registry remembers: the oldest invalidations become one of everything before them")
  func tooManyTags() throws {
    let registry = TagRegistry(hasher: SeededHash(seed: 1), limitBytes: 1 << 20)
    let stamp = registry.now
    for index in 0..<(3 * 1024) { withBytes("t\(index)") { registry.invalidate($0, isSoft: index % 2 == 0) } }
    #expect(registry.statistics.records <= UInt64(2 * 1024))
    for index in [0, 1, 1024, 3 * 1024 - 1] {
      #expect(withBytes("t\(index)") { registry.state(of: $0, since: stamp) } == .dead)
    }
    #expect(withBytes("t1") { registry.state(of: $0, since: registry.now) } == .current)
    registry.forget(upTo: registry.now)
    #expect(registry.statistics.records == 0)
  }

  @Test("A tag as another invalidation's neighbour in the filter keeps its entries")
  func filterNeighbours() throws {
    try store.set("a", "1", tags: "mine")
    for index in 0..<20_000 { store.invalidate("other:\(index)") }
    #expect(store.text("a") == "1")
  }

  @Test("Against a naive twin: random writes, invalidations, sweeps and reads agree", arguments: 1...20)
  func twin(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let tags = (0..<6).map { "t\($0)" }
    var values: [String: (value: String, tags: Set<String>, isStale: Bool)] = [:]
    for step in 0..<3000 {
      let key = "k\(random.below(40))"
      switch random.below(10) {
      case 0...3:
        let chosen = Set((0..<random.below(4)).map { _ in tags[random.below(6)] })
        try store.set(key, "\(step)", tags: chosen.sorted().joined(separator: ","))
        values[key] = ("\(step)", chosen, false)
      case 4:
        let tag = tags[random.below(6)]
        store.invalidate(tag)
        values = values.filter { !$0.value.tags.contains(tag) }
      case 5:
        let tag = tags[random.below(6)]
        store.invalidate(tag, soft: true)
        for (key, value) in values where value.tags.contains(tag) { values[key] = (value.value, value.tags, true) }
      case 6: _ = store.tagSweepStep(at: .start)
      case 7:
        try store.remove(key)
        values[key] = nil
      default:
        let expected = values[key]
        #expect(store.text(key) == (expected?.isStale == true ? nil : expected?.value), "seed \(seed), step \(step)")
        #expect(store.text(key, stale: true) == expected?.value, "seed \(seed), step \(step)")
      }
    }
    store.sweepTags()
    #expect(store.statistics.tags.records == 0)
    #expect(Int(store.statistics.entries) == values.count, "seed \(seed)")
  }
}

extension CacheStore {
  func invalidate(_ tags: String, soft: Bool = false) { withBytes(tags) { invalidate(tags: $0, isSoft: soft) } }

  /// Whole rounds until nothing is left to do.
  func sweepTags(at now: UnixTime = .start) {
    while tagSweepStep(at: now) != .idle {}
  }
}
