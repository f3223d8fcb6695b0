/// One entry as it lies in the log: a head of 10 bytes and what it uses, key, value. Engine; callers see `EntryView`.
///
/// ```
///  0  version        7 bytes; 0: dead, the table does not know it any more
///  7  fields         UInt8
///  8  key bytes      UInt8              both UInt32 if .wide: one of them is above 255
///  9  value bytes    UInt8
///     database       UInt8, kind UInt8  if .extended (else 0)
///     expiry         Int64              if .expiry
///     stale until    Int64              if .stale
///     flags          UInt32             if .flags
///     type bytes     UInt16             if .contentType
///     tag stamp      UInt64             if .tags: when it was written, in invalidations (TagRegistry)
///     tags bytes     UInt16             if .tags
///     apart          address            if .apart: a large value, its type and tags are in a `ValueBlock`
///     key, value, content type, tags
/// ```
///
/// What an entry does not use it does not pay for. All of it is guarded by its shard's lock, and may move to another place while that
/// is held. Places in the log are even, so that a slot can count them in steps of two.
///
/// One of the four homes of unsafe code. Invariant, kept by this file and by `Shard`: `base` is inside a segment of the shard and
/// followed by `logBytes` bytes, fully laid out by `layOut` before anyone else sees them.

internal import CPrefetch
internal import MartletBytes

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

  @usableFromInline @inline(__always)
  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  @usableFromInline
  struct Fields: OptionSet {
    @usableFromInline let rawValue: UInt8
    @inlinable @inline(__always) init(rawValue: UInt8) { self.rawValue = rawValue }
    static var wide: Fields { Fields(rawValue: 1) }
    static var extended: Fields { Fields(rawValue: 2) }
    static var expiry: Fields { Fields(rawValue: 4) }
    static var stale: Fields { Fields(rawValue: 8) }
    static var flags: Fields { Fields(rawValue: 16) }
    static var contentType: Fields { Fields(rawValue: 32) }
    static var tags: Fields { Fields(rawValue: 64) }
    @usableFromInline static var apart: Fields { Fields(rawValue: 128) }

    /// Whether the head holds more than version and counts.
    @inline(__always)
    var haveAttributes: Bool { rawValue & ~Fields.wide.rawValue != 0 }

    /// Bytes in front of the key.
    @usableFromInline @inline(__always)
    var headBytes: Int { isUsual ? usualHeadBytes : longHeadBytes }

    /// Whether it is one of the two of most entries: nothing, or an expiry.
    @inlinable @inline(__always)
    var isUsual: Bool { rawValue & ~4 == 0 }

    @inlinable @inline(__always)
    var usualHeadBytes: Int { Entry.headBytesMin &+ Int(rawValue) &* 2 }

    @usableFromInline @inline(never)
    var longHeadBytes: Int {
      let eights = (rawValue & 0b1100_1100).nonzeroBitCount
      let twos = (rawValue & 0b0110_0010).nonzeroBitCount
      return 10 + eights * 8 + twos * 2 + Int(rawValue >> 4 & 1) * 4 + Int(rawValue & 1) * 6
    }

    /// Where the part of `field` begins: behind the parts of the lower bits.
    func offset(of field: Fields) -> Int { Fields(rawValue: rawValue & (field.rawValue - 1)).headBytes }
  }

  // MARK: Fields

  /// Version and fields in one word.
  @usableFromInline @inline(__always)
  var word: UInt64 { unsafe UInt64(littleEndian: base.loadUnaligned(as: UInt64.self)) }

  static var versionMask: UInt64 { 0xFF_FFFF_FFFF_FFFF }

  @usableFromInline var version: UInt64 {
    get { word & 0xFF_FFFF_FFFF_FFFF }
    nonmutating set { store((word & ~Entry.versionMask | newValue & Entry.versionMask).littleEndian, at: 0) }
  }

  /// Whether the table points here.
  var isLive: Bool { version != 0 }

  @inlinable @inline(__always)
  var fields: Fields { Fields(rawValue: unsafe base.load(fromByteOffset: 7, as: UInt8.self)) }

  @usableFromInline @inline(__always)
  var keyCount: Int {
    fields.rawValue & 1 == 0 ? Int(load(UInt8.self, at: 8)) : Int(load(UInt32.self, at: 8))
  }

  @usableFromInline @inline(__always)
  var valueCount: Int {
    fields.rawValue & 1 == 0 ? Int(load(UInt8.self, at: 9)) : Int(load(UInt32.self, at: 12))
  }

  @usableFromInline var database: UInt8 {
    let fields = fields
    return fields.contains(.extended) ? load(UInt8.self, at: fields.offset(of: .extended)) : 0
  }

  /// Whether the value is in a block of its own.
  var isApart: Bool { fields.contains(.apart) }

  /// Asks for the line in which it begins and the next one, and for the one in which it ends if it has `bytes`: two of five entries of 90
  /// bytes end in a third line, and to ask for that where it is another's made batches of reads slower by an eighth.
  @inline(__always)
  func prefetch(bytes: Int = 0) {
    unsafe martlet_prefetch(base)
    unsafe martlet_prefetch(base + 64)
    unsafe martlet_prefetch(base + bytes)
  }

  /// The head of an entry that uses nothing but what all have.
  @usableFromInline static var headBytesMin: Int { 10 }
  /// Beyond that who copies an entry reads ahead by itself.
  static var prefetchBytesMax: Int { 192 }

  /// Whether this is the entry of `key` in `database`.
  @inline(__always)
  func matches(_ key: RawSpan, database: UInt8) -> Bool {
    let fields = fields
    guard _fastPath(fields.isUsual && key.byteCount >= 8 && key.byteCount <= 16) else { return matchesUnusual(key, database: database) }
    guard load(UInt8.self, at: 8) == key.byteCount, database == 0 else { return false }
    // Without a call: the first eight bytes and the last.
    let own = span(at: fields.usualHeadBytes, count: key.byteCount)
    let last = key.byteCount &- 8
    return unsafe key.uncheckedWord(at: 0) == own.uncheckedWord(at: 0) && key.uncheckedWord(at: last) == own.uncheckedWord(at: last)
  }

  @inline(never)
  private func matchesUnusual(_ key: RawSpan, database: UInt8) -> Bool {
    let fields = fields
    guard keyCount == key.byteCount, self.database == database else { return false }
    return unsafe key.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return true }
      return unsafe memcmp(start, UnsafeRawPointer(base) + fields.headBytes, bytes.count) == 0
    }
  }

  /// `.never` if it has none.
  var expiry: UnixTime {
    get {
      let fields = fields
      return fields.contains(.expiry) ? UnixTime(milliseconds: load(Int64.self, at: fields.offset(of: .expiry))) : .never
    }
    nonmutating set {
      precondition(fields.contains(.expiry), "this entry has no room for an expiry")
      store(newValue.milliseconds, at: fields.offset(of: .expiry))
    }
  }

  /// At or after `expiry`.
  var staleUntil: UnixTime {
    let fields = fields
    guard fields.contains(.stale) else { return expiry }
    return max(expiry, UnixTime(milliseconds: load(Int64.self, at: fields.offset(of: .stale))))
  }

  /// When its memory may be reused.
  var deadline: UnixTime { fields.contains(.expiry) ? staleUntil : .never }

  /// Whether its slot has a tick.
  @inline(__always)
  var hasDeadline: Bool { fields.contains(.expiry) && deadline != .never }

  var flags: UInt32 {
    let fields = fields
    return fields.contains(.flags) ? load(UInt32.self, at: fields.offset(of: .flags)) : 0
  }

  private var contentTypeCount: Int {
    let fields = fields
    return fields.contains(.contentType) ? Int(load(UInt16.self, at: fields.offset(of: .contentType))) : 0
  }

  private var tagsCount: Int {
    let fields = fields
    return fields.contains(.tags) ? Int(load(UInt16.self, at: fields.offset(of: .tags) + 8)) : 0
  }

  /// Whether a tag was found softly invalidated.
  var isSoftened: Bool { fields.contains(.tags) && tagStamp.isSoftened }

  /// Only of entries with tags; guarded by the shard's lock.
  var tagStamp: TagStamp {
    get { TagStamp(rawValue: load(UInt64.self, at: fields.offset(of: .tags))) }
    nonmutating set { store(newValue.rawValue, at: fields.offset(of: .tags)) }
  }

  /// The value of a `.apart` entry.
  @usableFromInline
  var block: ValueBlock {
    get {
      let address = load(UInt.self, at: fields.offset(of: .apart))
      return unsafe ValueBlock(base: UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped)
    }
    nonmutating set { unsafe store(UInt(bitPattern: newValue.base), at: fields.offset(of: .apart)) }
  }

  /// The value apart has grown; what is large has a wide head.
  func growApart(to count: Int) { store(UInt32(count), at: 12) }

  /// What it takes in the log.
  var logBytes: Int {
    let fields = fields
    if fields.rawValue == 0 { return (10 + keyCount + valueCount + 1) & ~1 }
    let inline = fields.contains(.apart) ? 0 : valueCount + contentTypeCount + tagsCount
    return (fields.headBytes + keyCount + inline + 1) & ~1
  }

  @usableFromInline var key: RawSpan {
    @_lifetime(borrow self)
    get { span(at: fields.headBytes, count: keyCount) }
  }

  @inlinable @inline(__always)
  var value: RawSpan {
    @_lifetime(borrow self)
    get {
      let fields = fields
      guard _fastPath(fields.isUsual) else { return unusualValue }
      return span(at: fields.usualHeadBytes &+ Int(load(UInt8.self, at: 8)), count: Int(load(UInt8.self, at: 9)))
    }
  }

  @usableFromInline var unusualValue: RawSpan {
    @_lifetime(borrow self) @inline(never)
    get {
      if isApart { return unsafe _overrideLifetime(block.value, borrowing: self) }
      return span(at: fields.headBytes &+ keyCount, count: valueCount)
    }
  }

  var contentType: RawSpan {
    @_lifetime(borrow self)
    get {
      if isApart { return unsafe _overrideLifetime(block.contentType, borrowing: self) }
      return span(at: fields.headBytes + keyCount + valueCount, count: contentTypeCount)
    }
  }

  var tags: RawSpan {
    @_lifetime(borrow self)
    get {
      if isApart { return unsafe _overrideLifetime(block.tags, borrowing: self) }
      return span(at: fields.headBytes + keyCount + valueCount + contentTypeCount, count: tagsCount)
    }
  }

  /// The bytes are inside the entry: offsets and counts come from its own head.
  @inlinable @inline(__always)
  @_lifetime(borrow self)
  func span(at offset: Int, count: Int) -> RawSpan {
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base) + offset, byteCount: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  @inlinable @inline(__always)
  func load<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
    unsafe base.loadUnaligned(fromByteOffset: offset, as: Number.self)
  }

  private func store<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
    unsafe base.storeBytes(of: number, toByteOffset: offset, as: Number.self)
  }

  // MARK: Laying out

  /// Everything about an entry but its value's bytes.
  struct Plan: ~Escapable {
    let key: RawSpan
    let attributes: PutAttributes
    let valueCount: Int
    let fields: Fields

    @_lifetime(copy key, copy attributes)
    init(key: RawSpan, attributes: borrowing PutAttributes, valueCount: Int) {
      self.key = key
      self.attributes = copy attributes
      self.valueCount = valueCount
      fields = Plan.fields(key: key, attributes, valueCount: valueCount)
    }

    var isApart: Bool { fields.contains(.apart) }

    private static func fields(key: RawSpan, _ attributes: borrowing PutAttributes, valueCount: Int) -> Fields {
      var fields: Fields = valueCount >= CacheLimits.largeValueBytesMin ? .apart : []
      if key.byteCount > 255 || valueCount > 255 { fields.insert(.wide) }
      if attributes.database != 0 { fields.insert(.extended) }
      if attributes.expiry != .never { fields.insert(.expiry) }
      if attributes.expiry != .never && attributes.expiry < attributes.staleUntil { fields.insert(.stale) }
      if attributes.flags != 0 { fields.insert(.flags) }
      if attributes.contentType.byteCount > 0 { fields.insert(.contentType) }
      if attributes.tags.byteCount > 0 { fields.insert(.tags) }
      return fields
    }

    /// What the entry takes in the log.
    var logBytes: Int {
      let inline = isApart ? 0 : valueCount + attributes.contentType.byteCount + attributes.tags.byteCount
      return (fields.headBytes + key.byteCount + inline + 1) & ~1
    }

    /// What a large value takes besides.
    var blockBytes: Int {
      ValueBlock.bytes(value: valueCount, contentType: attributes.contentType.byteCount, tags: attributes.tags.byteCount)
    }
  }

  /// Writes all of an entry but its value's bytes, with version 0.
  func layOut(_ plan: borrowing Plan) {
    let fields = plan.fields
    store((UInt64(fields.rawValue) << 56).littleEndian, at: 0)
    if fields.contains(.wide) {
      store(UInt32(plan.key.byteCount), at: 8)
      store(UInt32(plan.valueCount), at: 12)
    } else {
      store(UInt8(plan.key.byteCount), at: 8)
      store(UInt8(plan.valueCount), at: 9)
    }
    let attributes = plan.attributes
    if fields.haveAttributes {
      if fields.contains(.extended) { store(UInt16(attributes.database).littleEndian, at: fields.offset(of: .extended)) }
      if fields.contains(.expiry) { store(attributes.expiry.milliseconds, at: fields.offset(of: .expiry)) }
      if fields.contains(.stale) { store(attributes.staleUntil.milliseconds, at: fields.offset(of: .stale)) }
      if fields.contains(.flags) { store(attributes.flags, at: fields.offset(of: .flags)) }
      if fields.contains(.contentType) { store(UInt16(attributes.contentType.byteCount), at: fields.offset(of: .contentType)) }
      if fields.contains(.tags) {
        tagStamp = attributes.tagStamp
        store(UInt16(attributes.tags.byteCount), at: fields.offset(of: .tags) + 8)
      }
    }
    let keyOffset = fields.headBytes
    write(plan.key, at: keyOffset)
    if fields.contains(.apart) { return }
    let offset = keyOffset + plan.key.byteCount + plan.valueCount
    write(attributes.contentType, at: offset)
    write(attributes.tags, at: offset + attributes.contentType.byteCount)
  }

  /// Whether `plan` fits exactly in the place of this entry, of the same key.
  @inline(__always)
  func isLaidOut(as plan: borrowing Plan) -> Bool {
    let fields = fields
    guard fields == plan.fields, !fields.contains(.apart), valueCount == plan.valueCount else { return false }
    return !fields.haveAttributes
      || contentTypeCount == plan.attributes.contentType.byteCount && tagsCount == plan.attributes.tags.byteCount
  }

  /// Writes the whole value of an entry that is not `.apart`.
  @inline(__always)
  func writeValue(_ bytes: RawSpan) {
    precondition(bytes.byteCount == valueCount && !isApart, "a value is written at its own length")
    write(bytes, at: fields.headBytes + keyCount)
  }

  @inline(__always)
  private func write(_ bytes: RawSpan, at offset: Int) {
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe (base + offset).copyMemory(from: start, byteCount: source.count) }
    }
  }

  /// The same attributes, as a plan for a value of `valueCount` bytes.
  @_lifetime(borrow self)
  func plan(valueCount: Int, expiry: UnixTime? = nil, staleUntil: UnixTime? = nil) -> Plan {
    var attributes = PutAttributes(
      expiry: expiry ?? self.expiry,
      staleUntil: staleUntil ?? (fields.contains(.stale) ? self.staleUntil : .neverStale),
      flags: flags, database: database, contentType: contentType, tags: tags)
    if fields.contains(.tags) { attributes.tagStamp = tagStamp }
    let plan = Plan(key: key, attributes: attributes, valueCount: valueCount)
    return unsafe _overrideLifetime(plan, borrowing: self)
  }
}
