/// Mutable state that belongs to one loop, reached by reference without the exclusivity check that a class's stored property
/// costs on each access (a quarter of a request's instructions, measured).
///
/// Thread rule: after set-up, only the owning loop's thread touches `value`. Nothing checks this at run time; the thread
/// sanitizer does in the tests. Overlapping access is the caller's to avoid: take a copy or finish one use before the next.

@safe
@usableFromInline
package final class LoopLocal<Value: ~Copyable>: @unchecked Sendable {
  /// Owned from `init` to `deinit`; always initialised between them.
  @usableFromInline let cell: UnsafeMutablePointer<Value>

  @inlinable
  package init(_ value: consuming Value) {
    unsafe cell = .allocate(capacity: 1)
    unsafe cell.initialize(to: value)
  }

  deinit {
    unsafe cell.deinitialize(count: 1)
    unsafe cell.deallocate()
  }

  @inlinable
  package var value: Value {
    unsafeAddress { unsafe UnsafePointer(cell) }
    unsafeMutableAddress { unsafe cell }
  }
}
