/// A shard's table: a directory of pages by the first bits of the tag (extendible hashing). Engine.
///
/// Pages stand in the order of their keys' hashes, which is what makes a SCAN cursor a position in hash space. Growth splits one
/// page of 496 slots at a time, so no insert waits for more than that; the directory is a few pointers beside (8 bytes for
/// every ~350 entries) and doubles rarely. Pages stay when entries go, until `removeAll`.

internal import MartletBytes

@safe
struct Table: ~Copyable {
  /// 2^depth pages, neighbours sharing one while it is shallower. Empty until the first insert.
  /// A block of its own: an array's reference counting would keep the reads of a batch from overlapping.
  private var directory = unsafe UnsafeMutableBufferPointer<Page>(start: nil, count: 0)
  private var depth = 0
  /// Entries in all pages.
  private(set) var count = 0
  private(set) var pageCount = 0
  let shardBits: Int

  private let pool: PagePool

  init(shardBits: Int, pool: PagePool) {
    self.shardBits = shardBits
    self.pool = pool
  }

  /// Memory of pages and directory.
  var bytes: Int { pageCount * Page.bytes + directoryBytes }

  /// What is not in the pool's account.
  var directoryBytes: Int { unsafe directory.count * 8 }

  /// Where a hash stands among its shard's: the bits after those that chose the shard.
  @inline(__always)
  func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: (hash &<< UInt64(shardBits)) &>> UInt64(64 &- Slot.tagBits)) }

  var isEmpty: Bool { unsafe directory.isEmpty }

  /// The page in which `tag` belongs; the table is not empty.
  @inline(__always)
  func page(for tag: UInt32) -> Page { unsafe directory[Int(tag) &>> (Slot.tagBits &- depth)] }

  func find(_ key: RawSpan, database: UInt8, hash: UInt64) -> Place? {
    if isEmpty { return nil }
    let tag = tag(hash)
    let page = page(for: tag)
    return page.find(key, database: database, hash: hash, tag: tag).map { Place(page: page, index: $0) }
  }

  enum Insertion {
    case done
    /// No free slot in reach and splitting would not help: hashes that agree in too many bits.
    case crowded(Page)
    case outOfMemory
  }

  /// Puts an entry whose key is not here yet.
  mutating func insert(_ slot: Slot, hash: UInt64, deadline: UnixTime, hashOf: (Entry) -> UInt64) -> Insertion {
    if isEmpty {
      guard let page = Page.make(depth: 0, firstTag: 0, from: pool) else { return .outOfMemory }
      unsafe directory = .allocate(capacity: 1)
      unsafe directory.initialize(repeating: page)
      pageCount = 1
    }
    let tag = tag(hash)
    while true {
      let page = page(for: tag)
      if page.insert(slot, hash: hash) {
        count += 1
        if deadline < page.earliestDeadline { page.earliestDeadline = deadline }
        return .done
      }
      // A window overflows in a page filled to 80 % or more; in an emptier one the hashes are the trouble.
      if page.depth == Slot.tagBits || page.count < Page.slotCount / 4 { return .crowded(page) }
      if !split(page, hashOf: hashOf) { return .outOfMemory }
    }
  }

  private mutating func split(_ page: Page, hashOf: (Entry) -> UInt64) -> Bool {
    guard let upper = page.split(from: pool, hashOf: hashOf) else { return false }
    pageCount += 1
    if page.depth > depth {
      let wider = unsafe UnsafeMutableBufferPointer<Page>.allocate(capacity: directory.count * 2)
      for index in wider.indices { unsafe wider.initializeElement(at: index, to: directory[index / 2]) }
      unsafe directory.deallocate()
      unsafe directory = wider
      depth += 1
    }
    for index in Int(upper.firstTag) >> (Slot.tagBits - depth)..<Int(upper.endTag) >> (Slot.tagBits - depth) {
      unsafe directory[index] = upper
    }
    return true
  }

  mutating func remove(_ place: Place, hash: UInt64) {
    place.page.remove(at: place.index, hash: hash)
    count -= 1
  }

  /// The page that follows, in the order of hashes; nil after the last.
  func page(after page: Page) -> Page? { page.endTag < 1 << UInt32(Slot.tagBits) ? self.page(for: page.endTag) : nil }

  /// Frees the pages, not the entries.
  mutating func freePages() {
    var next = isEmpty ? nil : page(for: 0)
    while let page = next {
      next = self.page(after: page)
      page.free(to: pool)
    }
    if isEmpty { return }
    unsafe directory.deallocate()
    unsafe directory = UnsafeMutableBufferPointer(start: nil, count: 0)
    depth = 0
    count = 0
    pageCount = 0
  }
}

/// Where an entry stands; valid until the table changes.
struct Place {
  let page: Page
  let index: Int

  var slot: Slot {
    @inline(__always)
    get { page[index] }
    @inline(__always)
    nonmutating set { page[index] = newValue }
  }
  var entry: Entry { slot.entry }
}
