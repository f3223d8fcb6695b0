/// The parts of one command, borrowed from the bytes they arrived in: what the parsers of both protocols hand out.

internal import MartletBytes

/// Where a part of a command lies.
package struct ArgumentSlice: Sendable, Equatable, BitwiseCopyable {
  package var start: UInt32
  package var count: UInt32

  @inlinable
  package init(start: Int, count: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.count = UInt32(truncatingIfNeeded: count)
  }

  /// From `start` to `end`.
  @inlinable @inline(__always) package var end: Int { Int(start) &+ Int(count) }

  /// The bytes it stands for.
  @inlinable @inline(__always)
  @_lifetime(copy bytes)
  package func of(_ bytes: RawSpan) -> RawSpan { bytes.extracting(Int(start)..<end) }

  /// The same place, counted from a point that lies `distance` further to the front.
  package func shifted(by distance: Int) -> ArgumentSlice { ArgumentSlice(start: Int(start) &+ distance, count: Int(count)) }
}

package struct ArgumentList: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let slices: Span<ArgumentSlice>

  /// `slices` count from the beginning of `bytes`.
  @inlinable
  @_lifetime(copy bytes, copy slices)
  package init(_ slices: Span<ArgumentSlice>, of bytes: RawSpan) {
    self.bytes = bytes
    self.slices = slices
  }

  @inlinable package var count: Int { slices.count }

  @inlinable
  package subscript(index: Int) -> RawSpan {
    @_lifetime(copy self)
    get { slices[index].of(bytes) }
  }
}
