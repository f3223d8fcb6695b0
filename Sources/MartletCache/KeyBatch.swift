/// The keys of a batch, announced before their verbs run: which shards to lock, what to read ahead, and what is known of each key, so that
/// it is neither hashed nor looked for twice.

internal import MartletBytes

/// Keeps its memory from batch to batch.
@safe @usableFromInline
package struct KeyBatch: ~Copyable {
  /// What is known of a key. An address is used only under the locks, and only while the layout is the same.
  @safe
  struct Note {
    let hash: UInt64
    /// Its home line; with a layout, the slot in which it probably stands. Nil: the table has nothing.
    var address: UnsafeMutableRawPointer?
    /// The layout of the table in which the slot was found; it means nothing in another. 0: none was.
    var layout: UInt32 = 0
    let shard: UInt8
  }

  /// Owned; `capacity` notes, the first `count` of them set.
  private var notes: UnsafeMutablePointer<Note>
  private var capacity: Int
  /// Keys so far.
  package private(set) var count = 0
  /// The shards of all keys so far.
  @usableFromInline package private(set) var shards = ShardSet()
  /// Of all batches, keys whose entries were found, and asked for, by reading ahead: what a test holds on to.
  var foundAhead = 0

  package init() {
    capacity = 64
    unsafe notes = .allocate(capacity: 64)
  }

  @usableFromInline
  deinit { unsafe notes.deallocate() }

  package mutating func removeAll() {
    count = 0
    shards = ShardSet()
  }

  @usableFromInline
  package mutating func append(_ key: RawSpan, database: UInt8 = 0, of store: CacheStore) {
    let (hash, shard) = store.locate(key, database)
    if count == capacity { grow() }
    unsafe (notes + count).initialize(to: Note(hash: hash, address: nil, shard: UInt8(truncatingIfNeeded: shard)))
    count &+= 1
    shards.formUnion(ShardSet(shard))
  }

  @inline(never)
  private mutating func grow() {
    let wider = UnsafeMutablePointer<Note>.allocate(capacity: 2 * capacity)
    unsafe wider.moveInitialize(from: notes, count: count)
    unsafe notes.deallocate()
    unsafe notes = wider
    capacity *= 2
  }

  /// The key that was appended as number `index`, from 0.
  subscript(index: Int) -> Note {
    @inline(__always)
    unsafeAddress {
      precondition(index >= 0 && index < count, "a key outside of its batch")
      return unsafe UnsafePointer(notes + index)
    }
    @inline(__always)
    unsafeMutableAddress {
      precondition(index >= 0 && index < count, "a key outside of its batch")
      return unsafe notes + index
    }
  }
}
