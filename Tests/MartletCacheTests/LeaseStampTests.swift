/// How old a filled entry is: as old as its lease, so that whatever was invalidated since is seen, also while the fill is under way.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("The age of a fill")
struct LeaseStampTests {
  /// Invalidates a tag at the first eviction after it was armed.
  private final class Invalidator: CacheObserver {
    private let isArmed = Guarded(false)
    private let invalidate: @Sendable () -> Void

    init(_ invalidate: @escaping @Sendable () -> Void) { self.invalidate = invalidate }

    func arm() { isArmed.with { $0 = true } }
    /// Whether it has fired since.
    func disarm() -> Bool {
      isArmed.with { isArmed in
        defer { isArmed = false }
        return !isArmed
      }
    }

    func didChange(_ change: borrowing CacheChange) {
      guard change.kind == .evicted, disarmIfArmed() else { return }
      invalidate()
    }

    private func disarmIfArmed() -> Bool {
      isArmed.with { isArmed in
        defer { isArmed = false }
        return isArmed
      }
    }
  }

  @Test("A fill carries the time of its lease, not its own")
  func stamp() throws {
    let store = makeStore()
    let lease = try store.lease("a")
    let issued = unsafe store.engine.pointee.tags.now
    store.invalidate("another")
    try store.fill("a", "1", lease, tags: "red")
    #expect(uncheckedStamp("a", of: store) == issued)
    let large = try store.lease("b")
    store.invalidate("another")
    try store.fill("b", String(repeating: "v", count: CacheLimits.largeValueBytesMin), large, tags: "red")
    #expect(uncheckedStamp("b", of: store) == issued + 1)
  }

  /// As it was laid: looking for an entry as readers do checks it, and raises its stamp.
  private func uncheckedStamp(_ key: String, of store: CacheStore) -> UInt64? {
    withBytes(key) { key in
      let hash = store.hash(key, 0)
      return unsafe store.engine.pointee.withLock(store.engine.pointee.shardIndex(hash)) {
        $0.table.find(key, database: 0, hash: hash)?.entry.tagStamp.counter
      }
    }
  }

  @Test("What is invalidated between the check of a fill and its end is not resurrected by it")
  func invalidatedMeanwhile() throws {
    let store = makeStore(limit: 1 << 20, shards: 1)
    let invalidator = Invalidator { [unowned store] in store.invalidate("red") }
    store.observe(invalidator)
    let value = String(repeating: "v", count: 9000)
    for index in 0..<200 { try store.set("old\(index)", value) }
    var count = 0
    for index in 0..<200 {
      let lease = try store.lease("new\(index)")
      invalidator.arm()
      try store.fill("new\(index)", value, lease, tags: "red")
      if !invalidator.disarm() { continue }
      count += 1
      let isServed = store.text("new\(index)") != nil  // nobody wants to read the value in a failure
      #expect(!isServed)
    }
    #expect(count > 10, "\(count) fills had to make room")
  }
}
