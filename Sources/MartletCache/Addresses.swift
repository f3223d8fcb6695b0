/// Addresses that are asked of memory together and used one after the other, in memory that the caller lends. Engine.
///
/// An `InlineArray` in its place would be copied whole at each look at it.
///
/// One of the four homes of unsafe code. Invariant: `words` outlives the value; what is appended is an address that may be read.

internal import CPrefetch
internal import MartletBytes

@safe
struct Addresses {
  private let words: UnsafeMutableBufferPointer<UInt>
  private(set) var count = 0

  @unsafe
  init(_ words: UnsafeMutableBufferPointer<UInt>) { unsafe self.words = unsafe words }

  /// How many more fit.
  var room: Int { unsafe words.count &- count }

  /// Notes an address, and asks for what is there. Nil: that there is none.
  @unsafe @inline(__always)
  mutating func append(_ address: UnsafeMutableRawPointer?) {
    precondition(room > 0, "more addresses than there is room for")
    unsafe martlet_prefetch(address)
    unsafe words[count] = UInt(bitPattern: address)
    count &+= 1
  }

  /// `index` is below `count`.
  @unsafe @inline(__always)
  subscript(index: Int) -> UnsafeMutableRawPointer? { unsafe UnsafeMutableRawPointer(bitPattern: words[index]) }

  mutating func removeAll() { count = 0 }
}
