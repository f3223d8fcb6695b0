extension StaticString {
  /// The literal's UTF-8 bytes, which live as long as the process. Not for literals of a single scalar kept by value (`utf8Start` traps).
  @inlinable
  public var rawSpan: RawSpan {
    @_lifetime(immortal)
    get { unsafe _overrideLifetime(RawSpan(_unsafeStart: UnsafeRawPointer(utf8Start), byteCount: utf8CodeUnitCount), copying: ()) }
  }
}
