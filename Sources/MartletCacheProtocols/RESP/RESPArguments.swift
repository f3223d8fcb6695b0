/// The arguments of one command, borrowed from the bytes they arrived in. Argument 0 is the command's name.

internal import MartletBytes

/// Where an argument lies.
package struct RESPSlice: Sendable, Equatable, BitwiseCopyable {
  package var start: UInt32
  package var count: UInt32

  @inlinable
  package init(start: Int, count: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.count = UInt32(truncatingIfNeeded: count)
  }
}

package struct RESPArguments: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let slices: Span<RESPSlice>

  /// `slices` count from the beginning of `bytes`.
  @inlinable
  @_lifetime(copy bytes, copy slices)
  package init(_ slices: Span<RESPSlice>, of bytes: RawSpan) {
    self.bytes = bytes
    self.slices = slices
  }

  @inlinable package var count: Int { slices.count }

  @inlinable
  package subscript(index: Int) -> RawSpan {
    @_lifetime(copy self)
    get {
      let slice = slices[index]
      let start = Int(slice.start)
      return bytes.extracting(start..<(start &+ Int(slice.count)))
    }
  }
}
