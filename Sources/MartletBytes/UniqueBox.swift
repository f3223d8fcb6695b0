/// One value in memory of its own: it stays where it is when its owner moves, so that others may borrow it for as long as the owner
/// is borrowed, in two words instead of a copy. (The shape of SE-0517, until the toolchain has it.)

@safe @frozen
public struct UniqueBox<Value: ~Copyable>: ~Copyable {
  /// Owned from `init` to `deinit`; always initialised between them.
  @usableFromInline let cell: UnsafeMutablePointer<Value>

  @inlinable @inline(__always)
  public init(_ value: consuming Value) {
    unsafe cell = .allocate(capacity: 1)
    unsafe cell.initialize(to: value)
  }

  @inlinable @inline(__always)
  deinit {
    unsafe cell.deinitialize(count: 1)
    unsafe cell.deallocate()
  }

  @inlinable @inline(__always)
  public var value: Value {
    unsafeAddress { unsafe UnsafePointer(cell) }
    unsafeMutableAddress { unsafe cell }
  }

  /// The value, borrowed: a span of one element.
  @inlinable @inline(__always)
  public var span: Span<Value> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: UnsafePointer(cell), count: 1)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

extension UniqueBox: @unchecked Sendable where Value: Sendable, Value: ~Copyable {}
