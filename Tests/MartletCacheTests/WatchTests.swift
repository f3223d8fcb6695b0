/// WATCH: what raises the flag, and what does not.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Watch lists")
struct WatchTests {
  let store = makeStore()

  /// A list cannot be copied, as `#expect` would.
  private func check(_ holds: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(holds, sourceLocation: sourceLocation)
  }

  private func watching(_ keys: String..., database: UInt8 = 0, at now: UnixTime = .start) -> WatchList {
    var list = WatchList(store: store)
    for key in keys { check(withBytes(key) { list.add($0, database: database, at: now) }) }
    return list
  }

  @Test("Any change of a watched key is seen", arguments: 0..<11)
  func changes(kind: Int) throws {
    try store.set("a", "1", expiry: .start + 1000, tags: "red")
    let list = watching("b", "a")
    check(!list.isChanged(at: .start))
    var now = UnixTime.start
    switch kind {
    case 0: try store.set("a", "1")
    case 1: try store.remove("a")
    case 2: _ = try store.change("a") { $0 }
    case 3: try store.expire("a", at: .start + 2000)
    case 4:
      try store.remove("a")
      try store.set("a", "1", expiry: .start + 1000, tags: "red")
    case 5: now = .start + 1000  // nobody has noticed the expiry yet
    case 6: _ = store.expireStep(at: .start + 2000)
    case 7: store.removeAll(at: .start)
    case 8: store.removeAll(database: 0, at: .start)
    case 9: store.invalidate("red")
    default: try store.set("b", "created")
    }
    check(list.isChanged(at: now))
  }

  @Test("Reading, other keys, other databases, changes before and after are not seen")
  func nothing() throws {
    try store.set("a", "1")
    var list = watching("a", "absent")
    _ = store.text("a")
    _ = withBytes("a") { store.touch($0, at: .start) }
    try store.set("b", "1")
    try store.set("a", "1", database: 1)
    try store.remove("absent")
    store.removeAll(database: 1, at: .start)
    check(!list.isChanged(at: .start))
    list.removeAll()
    try store.set("a", "2")
    check(!list.isChanged(at: .start))
  }

  @Test("Emptying the database is no change of a key that was not there")
  func flushOfAbsent() throws {
    let list = watching("absent")
    store.removeAll(at: .start)
    check(!list.isChanged(at: .start))
  }

  @Test("A key that had expired before it was watched has not changed")
  func expiredBefore() throws {
    try store.set("a", "1", expiry: .start + 10)
    let list = watching("a", at: .start + 10)
    _ = store.expireStep(at: .start + 20)
    check(!list.isChanged(at: .start + 20))
  }

  @Test("Watchers are unregistered with their list, and each has its own flag")
  func unregistered() throws {
    try store.set("a", "1")
    var first = watching("a")
    let second = watching("a")
    do { _ = watching("a", "b", "c") }
    first.removeAll()
    try store.set("a", "2")
    check(!first.isChanged(at: .start))
    check(second.isChanged(at: .start))
  }

  @Test("Watching more than the bound is refused; the same key twice counts once")
  func bound() throws {
    let store = makeStore(shards: 1)
    var list = WatchList(store: store)
    for index in 0..<2000 {
      let key = "k\(index % 1000)"
      check(withBytes(key) { list.add($0, at: .start) })
    }
    var table = WatchTable()
    for _ in 0..<WatchLimits.watchesPerShardMax {
      withBytes("a") { _ = table.add($0, 0, hash: 1, wasPresent: true, WatchFlag()) }
    }
    check(!withBytes("a") { table.add($0, 0, hash: 1, wasPresent: true, WatchFlag()) })
  }

  @Test("Under the locks of a transaction the answer stays true")
  func inTransaction() throws {
    try store.set("a", "1")
    let list = watching("a")
    store.withLockedShards(of: list.shards) { locked in check(!list.isChanged(in: &locked, at: .start)) }
    try store.set("a", "2")
    store.withLockedShards(of: list.shards) { locked in check(list.isChanged(in: &locked, at: .start)) }
  }
}
