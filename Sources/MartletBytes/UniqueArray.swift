/// Elements with one owner each, one after another in memory that grows. (The shape and name of swift-collections' `UniqueArray`, as
/// much of it as is needed.)
///
/// Why not `Array`: its elements are copied out, and a copy of a closure retains its context, two atomic operations per call; and each
/// change of one asks first whether somebody else holds it.

@safe @frozen
public struct UniqueArray<Element: ~Copyable>: ~Copyable {
  /// Owned from `init` to `deinit`; the first `used` of `capacity` elements are initialised.
  @usableFromInline var elements: UnsafeMutablePointer<Element>
  @usableFromInline var used = 0
  @usableFromInline var room: Int

  @inlinable @inline(__always)
  public var capacity: Int { room }

  @inlinable @inline(__always)
  public var count: Int { used }

  @inlinable @inline(__always)
  public var isEmpty: Bool { used == 0 }

  /// Room for `capacity` elements, at least 1, to begin with.
  @inlinable
  public init(capacity: Int = 8) {
    precondition(capacity > 0, "an array has room for an element")
    unsafe elements = .allocate(capacity: capacity)
    room = capacity
  }

  @inlinable
  deinit {
    unsafe elements.deinitialize(count: used)
    unsafe elements.deallocate()
  }

  /// Takes one more element. Amortised cost: a comparison and a store.
  @inlinable @inline(__always)
  public mutating func append(_ element: consuming Element) {
    if used == room { grow() }
    unsafe (elements + used).initialize(to: element)
    used &+= 1
  }

  @usableFromInline
  mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: room * 2)
    unsafe larger.moveInitialize(from: elements, count: used)
    unsafe elements.deallocate()
    unsafe elements = larger
    room *= 2
  }

  /// Ends the elements behind the first `count`; stops the process if there are fewer.
  @inlinable @inline(__always)
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= used, "an array does not grow by truncation")
    unsafe (elements + count).deinitialize(count: used &- count)
    used = count
  }

  /// Ends all elements; the memory stays.
  @inlinable @inline(__always)
  public mutating func removeAll() { truncate(to: 0) }

  /// The element at `index`; stops the process at `count` and beyond.
  public subscript(index: Int) -> Element {
    @inlinable @inline(__always)
    unsafeAddress {
      precondition(index >= 0 && index < used, "index outside of an array")
      return unsafe UnsafePointer(elements + index)
    }
    @inlinable @inline(__always)
    unsafeMutableAddress {
      precondition(index >= 0 && index < used, "index outside of an array")
      return unsafe elements + index
    }
  }

  /// The elements, borrowed.
  @inlinable
  public var span: Span<Element> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: UnsafePointer(elements), count: used)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

extension UniqueArray {
  /// The last element; nil if there is none.
  @inlinable
  public var last: Element? { used == 0 ? nil : self[used &- 1] }
}

extension UniqueArray: @unchecked Sendable where Element: Sendable, Element: ~Copyable {}
