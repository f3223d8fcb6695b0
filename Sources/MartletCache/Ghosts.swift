/// Keys that were evicted while new, remembered by fingerprint: one that comes back was evicted too early, and enters the main queue. Engine.
///
/// Sets of four words, each `fingerprint:20 | when:12`; the oldest of a set makes place. A ghost counts for as long as about as many
/// evictions have followed as the table has entries. 4 bytes per entry, only once there are evictions.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: `words` holds `capacity` words, a power of two, or none.

@safe
struct Ghosts: ~Copyable {
  private var words = unsafe UnsafeMutablePointer<UInt32>(bitPattern: 0)
  private var capacity = 0
  /// How many were remembered so far; the age of a ghost is counted in these.
  private var clock: UInt64 = 0
  private let ledger: Ledger

  init(ledger: Ledger) { self.ledger = ledger }

  deinit { if let words = unsafe words { unsafe words.deallocate() } }

  var bytes: Int { capacity * 4 }

  private static var ways: Int { 4 }

  /// Coarse time: a ghost is over 1024 of these after it was remembered.
  private var now: UInt32 { UInt32(truncatingIfNeeded: clock / UInt64(max(1, capacity / 1024))) & 0xFFF }

  private func set(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity - 1) & ~(Ghosts.ways - 1) }

  private func fingerprint(_ hash: UInt64) -> UInt32 { max(1, UInt32(truncatingIfNeeded: hash &>> 24) & 0xF_FFFF) }

  private func age(_ word: UInt32) -> UInt32 { (now &- word) & 0xFFF }

  /// Remembers a key, in a table for about `entryCount` of them. Without memory for that it is forgotten.
  mutating func insert(_ hash: UInt64, entryCount: Int) {
    if capacity < entryCount / 2 || capacity > max(64, entryCount * 4) { resize(entryCount) }
    guard let words = unsafe words else { return }
    clock &+= 1
    let set = set(hash)
    var victim = set
    for index in set..<set + Ghosts.ways {
      if unsafe words[index] == 0 {
        victim = index
        break
      }
      if unsafe age(words[index]) > age(words[victim]) { victim = index }
    }
    unsafe words[victim] = fingerprint(hash) << 12 | now
  }

  /// Whether a key was evicted lately.
  func contains(_ hash: UInt64) -> Bool {
    guard let words = unsafe words else { return false }
    let set = set(hash)
    for index in set..<set + Ghosts.ways where unsafe words[index] >> 12 == fingerprint(hash) && age(words[index]) <= 1024 { return true }
    return false
  }

  private mutating func resize(_ entryCount: Int) {
    removeAll()
    var wanted = 64
    while wanted < entryCount { wanted *= 2 }
    unsafe words = .allocate(capacity: wanted)
    unsafe words!.initialize(repeating: 0, count: wanted)
    capacity = wanted
    ledger.add(bytes)
  }

  mutating func removeAll() {
    guard let words = unsafe words else { return }
    unsafe words.deallocate()
    ledger.subtract(bytes)
    capacity = 0
    unsafe self.words = nil
  }
}
