/// The parts of one command, borrowed from the bytes they arrived in: what the parsers of both protocols hand out. Public, since only
/// what is public and frozen is inlined into another module.

/// Where a part of a command lies.
@frozen
public struct ArgumentSlice: Sendable, Equatable, BitwiseCopyable {
  public var start: UInt32
  public var count: UInt32

  @inlinable
  public init(start: Int, count: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.count = UInt32(truncatingIfNeeded: count)
  }

  /// From `start` to `end`.
  @inlinable @inline(__always) public var end: Int { Int(start) &+ Int(count) }

  /// The bytes it stands for.
  @inlinable @inline(__always)
  @_lifetime(copy bytes)
  public func of(_ bytes: RawSpan) -> RawSpan { bytes.extracting(Int(start)..<end) }

  /// The same place, counted from a point that lies `distance` further to the front.
  public func shifted(by distance: Int) -> ArgumentSlice { ArgumentSlice(start: Int(start) &+ distance, count: Int(count)) }
}

@frozen
public struct ArgumentList: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let slices: Span<ArgumentSlice>

  /// `slices` count from the beginning of `bytes`.
  @inlinable @inline(__always)
  @_lifetime(copy bytes, copy slices)
  public init(_ slices: Span<ArgumentSlice>, of bytes: RawSpan) {
    self.bytes = bytes
    self.slices = slices
  }

  @inlinable public var count: Int { slices.count }

  public subscript(index: Int) -> RawSpan {
    @inlinable @inline(__always)
    @_lifetime(copy self)
    get { slices[index].of(bytes) }
  }
}
