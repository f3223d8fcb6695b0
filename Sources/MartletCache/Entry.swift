/// One entry: a block of bytes outside Swift's heap. Engine; callers see `EntryView`.
///
/// ```
///  0  version        UInt64
///  8  shape          value bytes:27 | key bytes:17 | fields:8 | database:4 | kind:4   (from the low end)
/// 16  pins           UInt64, atomic    if .large: readers outside the lock, plus one for the table
///     expiry         Int64             if .expiry (always if .large, so that EXPIRE never copies a large value)
///     stale until    Int64             if .stale
///     flags          UInt32            if .flags
///     type bytes     UInt16            if .contentType
///     tag stamp      UInt64            if .tags: when it was written, in invalidations (TagRegistry)
///     tags bytes     UInt16            if .tags
///     key, value, content type, tags
/// ```
///
/// What an entry does not use it does not pay for. All fields are guarded by the shard's lock, except that the value, type and
/// tags of a `.large` entry never change, so that pinned readers need none.
///
/// One of the four homes of unsafe code. Invariant, kept by this file and by `Shard`: `base` is a live block of `bytes`
/// bytes, aligned to 16, fully initialised by `Entry.make` before anyone else sees it.

internal import MartletBytes
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

@safe @usableFromInline
struct Entry {
  @usableFromInline let base: UnsafeMutableRawPointer

  @usableFromInline
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  /// Whether both are the same block.
  static func === (left: Entry, right: Entry) -> Bool { unsafe left.base == right.base }

  @usableFromInline
  struct Fields: OptionSet {
    @usableFromInline let rawValue: UInt8
    @usableFromInline init(rawValue: UInt8) { self.rawValue = rawValue }
    static var large: Fields { Fields(rawValue: 1) }
    static var expiry: Fields { Fields(rawValue: 2) }
    static var stale: Fields { Fields(rawValue: 4) }
    static var flags: Fields { Fields(rawValue: 8) }
    static var contentType: Fields { Fields(rawValue: 16) }
    static var tags: Fields { Fields(rawValue: 32) }

    /// Bytes in front of the key.
    @usableFromInline var headBytes: Int {
      if rawValue == 0 { return 16 }
      let words = (rawValue & 7).nonzeroBitCount
      let halves = (rawValue & 8).nonzeroBitCount
      let quarters = (rawValue & 48).nonzeroBitCount
      let stamp = rawValue & 32 != 0 ? 8 : 0
      return 16 + words * 8 + halves * 4 + quarters * 2 + stamp
    }
  }

  // MARK: Fields

  @usableFromInline var version: UInt64 {
    get { unsafe base.load(as: UInt64.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: UInt64.self) }
  }

  @usableFromInline var shape: UInt64 { unsafe base.load(fromByteOffset: 8, as: UInt64.self) }
  @usableFromInline var valueCount: Int { Int(truncatingIfNeeded: shape & 0x7FF_FFFF) }
  @usableFromInline var keyCount: Int { Int(truncatingIfNeeded: shape &>> 27 & 0x1_FFFF) }
  @usableFromInline var fields: Fields { Fields(rawValue: UInt8(truncatingIfNeeded: shape &>> 44)) }
  @usableFromInline var database: UInt8 { UInt8(truncatingIfNeeded: shape &>> 52) & 15 }

  /// Whether this is the entry of `key` in `database`.
  func matches(_ key: RawSpan, database: UInt8) -> Bool {
    let shape = shape
    guard shape &>> 27 & 0x1_FFFF == UInt64(truncatingIfNeeded: key.byteCount), shape &>> 52 & 15 == UInt64(database) else {
      return false
    }
    let own = unsafe UnsafeRawPointer(base) + fields.headBytes
    return unsafe key.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return true }
      return unsafe memcmp(start, own, bytes.count) == 0
    }
  }

  /// `.never` if it has none.
  var expiry: UnixTime {
    get { fields.contains(.expiry) ? UnixTime(milliseconds: load(Int64.self, at: expiryOffset)) : .never }
    nonmutating set {
      precondition(fields.contains(.expiry), "this entry has no room for an expiry")
      store(newValue.milliseconds, at: expiryOffset)
    }
  }

  private var expiryOffset: Int { fields.contains(.large) ? 24 : 16 }

  /// At or after `expiry`.
  var staleUntil: UnixTime {
    get {
      guard fields.contains(.stale) else { return expiry }
      return max(expiry, UnixTime(milliseconds: load(Int64.self, at: expiryOffset + 8)))
    }
    nonmutating set {
      precondition(fields.contains(.stale), "this entry has no room for a stale time")
      store(newValue.milliseconds, at: expiryOffset + 8)
    }
  }

  var flags: UInt32 {
    fields.contains(.flags) ? load(UInt32.self, at: fields.intersection([.large, .expiry, .stale]).headBytes) : 0
  }

  private var contentTypeCount: Int {
    guard fields.contains(.contentType) else { return 0 }
    return Int(load(UInt16.self, at: fields.intersection([.large, .expiry, .stale, .flags]).headBytes))
  }

  private var tagsCount: Int { fields.contains(.tags) ? Int(load(UInt16.self, at: fields.headBytes - 2)) : 0 }

  /// Only of entries with tags; guarded by the shard's lock even if `.large`.
  var tagStamp: TagStamp {
    get { TagStamp(rawValue: load(UInt64.self, at: fields.headBytes - 10)) }
    nonmutating set { store(newValue.rawValue, at: fields.headBytes - 10) }
  }

  /// Bytes asked of the allocator.
  var bytes: Int { fields.headBytes + keyCount + valueCount + contentTypeCount + tagsCount }

  @usableFromInline var key: RawSpan {
    @_lifetime(borrow self)
    get { span(at: fields.headBytes, count: keyCount) }
  }

  @usableFromInline var value: RawSpan {
    @_lifetime(borrow self)
    get { span(at: fields.headBytes &+ keyCount, count: valueCount) }
  }

  var contentType: RawSpan {
    @_lifetime(borrow self)
    get { span(at: fields.headBytes + keyCount + valueCount, count: contentTypeCount) }
  }

  var tags: RawSpan {
    @_lifetime(borrow self)
    get { span(at: fields.headBytes + keyCount + valueCount + contentTypeCount, count: tagsCount) }
  }

  /// When its memory may be reused.
  var deadline: UnixTime { fields.contains(.expiry) ? staleUntil : .never }

  /// The bytes are inside the block: offsets and counts come from its own shape.
  @usableFromInline
  @_lifetime(borrow self)
  func span(at offset: Int, count: Int) -> RawSpan {
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base) + offset, byteCount: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
    unsafe base.loadUnaligned(fromByteOffset: offset, as: Number.self)
  }

  private func store<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
    unsafe base.storeBytes(of: number, toByteOffset: offset, as: Number.self)
  }

  // MARK: Making and freeing

  /// Everything about an entry but its value's bytes; `Entry.make` lays it out.
  struct Plan: ~Escapable {
    let key: RawSpan
    let attributes: PutAttributes
    let valueCount: Int

    @_lifetime(copy key, copy attributes)
    init(key: RawSpan, attributes: borrowing PutAttributes, valueCount: Int) {
      self.key = key
      self.attributes = copy attributes
      self.valueCount = valueCount
    }

    var fields: Fields {
      var fields: Fields = []
      if valueCount >= CacheLimits.largeValueBytesMin { fields.formUnion([.large, .expiry, .stale]) }
      if attributes.expiry != .never { fields.insert(.expiry) }
      if attributes.expiry != .never && attributes.expiry < attributes.staleUntil { fields.insert(.stale) }
      if attributes.flags != 0 { fields.insert(.flags) }
      if attributes.contentType.byteCount > 0 { fields.insert(.contentType) }
      if attributes.tags.byteCount > 0 { fields.insert(.tags) }
      return fields
    }

    var bytes: Int { fields.headBytes + key.byteCount + valueCount + attributes.contentType.byteCount + attributes.tags.byteCount }
  }

  /// A new entry of version 0, all but its value's bytes written; nil if the system has no memory.
  static func make(_ plan: borrowing Plan) -> Entry? {
    let fields = plan.fields
    guard let base = unsafe EntryMemory.allocate(bytes: plan.bytes) else { return nil }
    let entry = unsafe Entry(base: base)
    entry.version = 0
    var shape = UInt64(plan.valueCount) | UInt64(plan.key.byteCount) << 27
    shape |= UInt64(fields.rawValue) << 44 | UInt64(plan.attributes.database) << 52
    entry.store(shape, at: 8)
    if fields.contains(.large) { unsafe entry.pins.initialize(to: Atomic(1)) }
    if fields.contains(.expiry) { entry.expiry = plan.attributes.expiry }
    if fields.contains(.stale) { entry.staleUntil = plan.attributes.staleUntil }
    if fields.contains(.flags) {
      entry.store(plan.attributes.flags, at: fields.intersection([.large, .expiry, .stale]).headBytes)
    }
    if fields.contains(.contentType) {
      let offset = fields.intersection([.large, .expiry, .stale, .flags]).headBytes
      entry.store(UInt16(plan.attributes.contentType.byteCount), at: offset)
    }
    if fields.contains(.tags) {
      entry.store(UInt16(plan.attributes.tags.byteCount), at: fields.headBytes - 2)
      entry.tagStamp = plan.attributes.tagStamp
    }
    var offset = fields.headBytes
    entry.write(plan.key, at: offset)
    offset += plan.key.byteCount + plan.valueCount
    entry.write(plan.attributes.contentType, at: offset)
    entry.write(plan.attributes.tags, at: offset + plan.attributes.contentType.byteCount)
    return entry
  }

  /// Writes `bytes` into the value from `offset`; before others see the entry, or under the lock and not `.large`.
  func writeValue(_ bytes: RawSpan, at offset: Int = 0) {
    precondition(offset >= 0 && offset + bytes.byteCount <= valueCount, "wrote past the end of a value")
    write(bytes, at: fields.headBytes + keyCount + offset)
  }

  private func write(_ bytes: RawSpan, at offset: Int) {
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe (base + offset).copyMemory(from: start, byteCount: source.count) }
    }
  }

  /// The same attributes, as a plan for a value of `valueCount` bytes.
  @_lifetime(borrow self)
  func plan(valueCount: Int, expiry: UnixTime? = nil) -> Plan {
    let fields = fields
    var attributes = PutAttributes(
      expiry: expiry ?? self.expiry,
      staleUntil: fields.contains(.stale) ? staleUntil : .neverStale,
      flags: flags, database: database, contentType: contentType, tags: tags)
    if fields.contains(.tags) { attributes.tagStamp = tagStamp }
    let plan = Plan(key: key, attributes: attributes, valueCount: valueCount)
    return unsafe _overrideLifetime(plan, borrowing: self)
  }

  /// A private copy with its bytes as they are now; nil if the system has no memory. For entries that are not `.large`.
  func copied() -> Entry? {
    let bytes = bytes
    guard let copy = unsafe EntryMemory.allocate(bytes: bytes) else { return nil }
    unsafe copy.copyMemory(from: base, byteCount: bytes)
    return unsafe Entry(base: copy)
  }

  // MARK: Pins

  /// Owners of a `.large` entry: the table and the readers outside the lock.
  private var pins: UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (base + 16).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  func pin() { unsafe _ = pins.pointee.add(1, ordering: .relaxed) }

  /// Gives up one ownership. True if it was the last, and the block is freed.
  func release() -> Bool {
    if fields.contains(.large), unsafe pins.pointee.subtract(1, ordering: .acquiringAndReleasing).newValue > 0 { return false }
    unsafe EntryMemory.free(base)
    return true
  }
}

/// Where blocks come from: the system's allocator, and what it really takes for them.
enum EntryMemory {
  /// Nil if the system has none.
  @unsafe
  static func allocate(bytes: Int) -> UnsafeMutableRawPointer? { unsafe malloc(bytes) }

  @unsafe
  static func free(_ base: UnsafeMutableRawPointer) {
    #if canImport(Glibc)
      unsafe Glibc.free(base)
    #elseif canImport(Musl)
      unsafe Musl.free(base)
    #else
      unsafe Darwin.free(base)
    #endif
  }

  /// What a block of `bytes` costs in memory: an 8-byte header, multiples of 16, whole pages once it is a mapping of its own
  /// (glibc's rules; close to the truth elsewhere).
  static func cost(bytes: Int) -> Int {
    if bytes >= 128 << 10 { return (bytes + 16 + 4095) & ~4095 }
    return max(32, (bytes + 8 + 15) & ~15)
  }
}
