/// Watched keys of a shard, and the flag that tells their watcher of a change: what WATCH is made of.
///
/// WATCH is not compare-and-set: a key that was deleted and created again, or got another expiry, has changed. So a watcher registers
/// with the key's shard, and every change passes by here. Registering costs a copy of the key; a change costs a look-up while any key
/// of the shard is watched, and nothing otherwise.

internal import MartletBytes
internal import Synchronization

/// Raised once one of the watched keys has changed. May be read from any thread.
package final class WatchFlag: Sendable {
  private let raised = Atomic<Bool>(false)

  package init() {}

  package var isRaised: Bool { raised.load(ordering: .acquiring) }

  func raise() { raised.store(true, ordering: .releasing) }
}

/// The bounds of watching that have a name.
package enum WatchLimits {
  /// Keys watched in one shard, each watcher counted.
  package static var watchesPerShardMax: Int { 1 << 14 }
  /// Keys of one list.
  package static var keysPerListMax: Int { 1 << 14 }
}

struct WatchTable {
  private struct Watch {
    let key: [UInt8]
    let database: UInt8
    let flag: WatchFlag
    /// Whether there was an entry when it was registered: emptying the database is no change of what is not there.
    let wasPresent: Bool
  }

  private var watches: [UInt64: [Watch]] = [:]
  private(set) var count = 0

  /// False if there are too many.
  mutating func add(_ key: RawSpan, _ database: UInt8, hash: UInt64, wasPresent: Bool, _ flag: WatchFlag) -> Bool {
    guard count < WatchLimits.watchesPerShardMax else { return false }
    watches[hash, default: []].append(Watch(key: key.copied(), database: database, flag: flag, wasPresent: wasPresent))
    count += 1
    return true
  }

  /// Takes back one registration of `flag` for this key.
  mutating func remove(_ key: RawSpan, _ database: UInt8, hash: UInt64, _ flag: WatchFlag) {
    guard var list = watches[hash] else { return }
    guard let index = list.firstIndex(where: { $0.flag === flag && $0.database == database && $0.key.rawSpan.equals(key) }) else { return }
    list.remove(at: index)
    watches[hash] = list.isEmpty ? nil : list
    count -= 1
  }

  /// This key has changed.
  func mark(_ key: RawSpan, _ database: UInt8, hash: UInt64) {
    if count == 0 { return }
    guard let list = watches[hash] else { return }
    for watch in list where watch.database == database && watch.key.rawSpan.equals(key) { watch.flag.raise() }
  }

  /// All entries of a database (nil: of all) are gone.
  func markAll(of database: UInt8?) {
    if count == 0 { return }
    for list in watches.values {
      for watch in list where watch.wasPresent && database.map({ $0 == watch.database }) ?? true { watch.flag.raise() }
    }
  }
}
