/// A run of plain values in memory of its own, whose number is fixed when it is made: scratch that serves request after request.
///
/// Why not `InlineArray`: to lend a span of one, the compiler copies it to the stack first, all of it, wherever its owner is borrowed
/// (measured: 140 instructions per request for two tables). Here the span is of the heap and the owner a pointer.

@safe
public struct FixedArray<Element: BitwiseCopyable>: ~Copyable {
  /// Owned from `init` to `deinit`; `count` elements, all initialised.
  @usableFromInline let elements: UnsafeMutablePointer<Element>
  public let count: Int

  @inlinable
  public init(repeating element: Element, count: Int) {
    precondition(count > 0, "a fixed array has an element")
    unsafe elements = .allocate(capacity: count)
    unsafe elements.initialize(repeating: element, count: count)
    self.count = count
  }

  @inlinable
  deinit { unsafe elements.deallocate() }

  /// The element at `index`; stops the process outside of the array.
  @inlinable
  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "index outside of a fixed array")
      return unsafe elements[index]
    }
    set {
      precondition(index >= 0 && index < count, "index outside of a fixed array")
      unsafe elements[index] = newValue
    }
  }

  /// The elements, borrowed.
  @inlinable
  public var span: Span<Element> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: elements, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

extension FixedArray: @unchecked Sendable where Element: Sendable {}
