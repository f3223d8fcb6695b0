/// Growable bytes with one owner: replies grow in one, partial requests wait in one.
///
/// Not a collection and not reference counted: it is moved, never shared. Space grows by doubling; the owner enforces the bound
/// that has a name where it is used. One of the four homes of unsafe code: every pointer here stays inside `storage`, whose
/// capacity is checked before each write.

@safe
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
  /// Invariant, kept by this file: `storage` has `capacity` bytes (`nowhere` when 0), the first `count` of them initialised.
  @usableFromInline package var storage: UnsafeMutableRawPointer
  @usableFromInline package var _capacity: Int
  @usableFromInline package var _count: Int

  /// An empty buffer without memory of its own.
  @inlinable
  public init() {
    unsafe storage = ByteBuffer.nowhere
    _capacity = 0
    _count = 0
  }

  /// An empty buffer with room for `capacity` bytes.
  @inlinable
  public init(capacity: Int) {
    self.init()
    if capacity > 0 { grow(toFit: capacity) }
  }

  @inlinable
  deinit { if _capacity > 0 { unsafe storage.deallocate() } }

  @inlinable public var count: Int { _count }
  @inlinable public var capacity: Int { _capacity }
  @inlinable public var isEmpty: Bool { _count == 0 }

  /// The bytes written so far, borrowed.
  @inlinable
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(storage), byteCount: _count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Where a buffer without memory begins: never read or written, for `capacity` is 0 wherever it stands.
  @usableFromInline static var nowhere: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(bitPattern: 16)! }

  // MARK: Writing

  @inlinable
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe storage.storeBytes(of: byte, toByteOffset: _count, as: UInt8.self)
    _count &+= 1
  }

  /// Appends the word's eight bytes, the lowest first.
  @inlinable
  package mutating func append(littleEndian word: UInt64) {
    reserve(8)
    unsafe (storage + _count).storeBytes(of: word.littleEndian, as: UInt64.self)
    _count &+= 8
  }

  /// Appends the text's UTF-8 bytes; for literals known to the compiler. Inlined, so that the copy has a constant size and is a
  /// few moves rather than a call.
  @inlinable @inline(__always)
  public mutating func append(_ text: StaticString) {
    unsafe append(start: UnsafeRawPointer(text.utf8Start), count: text.utf8CodeUnitCount)
  }

  /// As `append` of each: with one look for room.
  @inlinable @inline(__always)
  public mutating func append(_ first: StaticString, _ second: StaticString, _ third: StaticString, _ fourth: StaticString) {
    reserve(first.utf8CodeUnitCount &+ second.utf8CodeUnitCount &+ third.utf8CodeUnitCount &+ fourth.utf8CodeUnitCount)
    unsafe write(first)
    unsafe write(second)
    unsafe write(third)
    unsafe write(fourth)
  }

  /// Writes into room that the caller has reserved.
  @unsafe @inlinable @inline(__always)
  mutating func write(_ text: StaticString) {
    unsafe (storage + _count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    _count &+= text.utf8CodeUnitCount
  }

  /// Appends the first `count` bytes of `other`. Inlined, for a `count` that the compiler knows.
  @inlinable @inline(__always)
  package mutating func append(_ other: borrowing ByteBuffer, first count: Int) {
    precondition(count <= other._count, "a byte buffer holds less")
    unsafe append(start: UnsafeRawPointer(other.storage), count: count)
  }

  @inlinable
  public mutating func append(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe append(start: start, count: source.count) }
    }
  }

  /// Appends what `other` holds.
  @inlinable
  public mutating func append(_ other: borrowing ByteBuffer) {
    unsafe append(start: UnsafeRawPointer(other.storage), count: other._count)
  }

  @inlinable
  public mutating func append(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe append(start: start, count: source.count) }
    }
  }

  /// Appends the text's UTF-8 bytes. Disfavoured, so that a literal means the `StaticString` above: a fixed copy instead of a call.
  @_disfavoredOverload @inlinable
  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { source in
      if let start = source.baseAddress { unsafe append(start: UnsafeRawPointer(start), count: source.count) }
    }
  }

  @unsafe @inlinable @inline(__always)
  package mutating func append(start: UnsafeRawPointer, count: Int) {
    reserve(count)
    unsafe storage.advanced(by: _count).copyMemory(from: start, byteCount: count)
    _count &+= count
  }

  /// Makes room for `additional` bytes beyond `count`, so that they can be written without growing again.
  @inlinable
  public mutating func reserve(_ additional: Int) {
    if _capacity &- _count < additional { grow(toFit: _count + additional) }
  }

  @usableFromInline
  mutating func grow(toFit minimum: Int) {
    let newCapacity = max(minimum, _capacity &* 2, ByteBuffer.capacityMin)
    let new = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    if _capacity > 0 {
      unsafe new.copyMemory(from: storage, byteCount: _count)
      unsafe storage.deallocate()
    }
    unsafe storage = new
    _capacity = newCapacity
  }

  /// The smallest memory a buffer takes, in bytes.
  @usableFromInline static var capacityMin: Int { 64 }

  /// Lends the free bytes after `count`, at least `minimum` of them; `body` says how many it initialised from the front.
  @unsafe @inlinable
  package mutating func withFreeBytes(atLeast minimum: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
    reserve(minimum)
    let free = unsafe UnsafeMutableRawBufferPointer(start: storage + _count, count: _capacity - _count)
    let written = unsafe body(free)
    precondition(written >= 0 && written <= free.count, "wrote past the end of a byte buffer")
    _count += written
  }

  // MARK: Patching and taking back

  /// Replaces the byte at `index`.
  @inlinable
  public mutating func replace(at index: Int, with byte: UInt8) {
    precondition(index >= 0 && index < _count, "index outside of a byte buffer")
    unsafe storage.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
  }

  /// Moves the bytes from `index` to the end by `distance` (negative: towards the front), as room for a number known only later.
  /// The bytes uncovered by a move to the back keep their old content.
  @inlinable
  public mutating func shiftTail(from index: Int, by distance: Int) {
    precondition(index >= 0 && index <= _count && index + distance >= 0, "shift outside of a byte buffer")
    if distance > 0 { reserve(distance) }
    let tail = _count - index
    if tail > 0 {
      unsafe storage.advanced(by: index + distance).copyMemory(from: storage.advanced(by: index), byteCount: tail)
    }
    _count += distance
  }

  /// Forgets everything after the first `count` bytes; keeps the memory.
  @inlinable
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= _count, "truncation beyond the end of a byte buffer")
    _count = count
  }

  /// Forgets all bytes; keeps the memory.
  @inlinable
  public mutating func removeAll() { _count = 0 }

  /// Forgets the first `count` bytes and moves the rest to the front: O(rest).
  @inlinable
  public mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= _count, "removal beyond the end of a byte buffer")
    if count == 0 { return }
    unsafe storage.copyMemory(from: storage.advanced(by: count), byteCount: _count - count)
    _count -= count
  }
}

extension ByteBuffer {
  /// The bytes as text, for people (invalid UTF-8 is repaired).
  public var text: String { bytes.text }

  /// A copy, for where a buffer must leave its owner's thread.
  public func copied() -> [UInt8] { bytes.copied() }
}
