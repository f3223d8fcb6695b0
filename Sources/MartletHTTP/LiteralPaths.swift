/// Endpoints of paths that consist of literals alone, by the bytes of the path: an open-addressed table that is at most half full.
///
/// Hashed by the path's length and its last eight bytes, where paths differ most. Not seeded: the keys are the program's own, and a
/// probe ends at the first empty slot.

internal import MartletBytes

struct LiteralPaths: Sendable {
  private struct Slot: Sendable {
    /// The path's last eight bytes (all of a shorter one, zeros in front); 0 in an empty slot, for a path is never empty.
    var word: UInt64 = 0
    var count: Int32 = 0
    var firstByte: Int32 = 0
    var endpoint: Int32 = -1
  }

  private var slots: [Slot]
  private var bytes: [UInt8] = []
  private let mask: Int
  /// Length of the longest path.
  private let countMax: Int

  init(_ paths: [(path: [UInt8], endpoint: Int)]) {
    var size = 4
    while size < paths.count * 2 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
    mask = size - 1
    countMax = paths.reduce(0) { max($0, $1.path.count) }
    for (path, endpoint) in paths {
      let word = Self.word(path.rawSpan, from: 0, to: path.count)
      var index = place(of: word, count: path.count)
      while slots[index].endpoint >= 0 { index = (index + 1) & mask }
      slots[index] = Slot(word: word, count: Int32(path.count), firstByte: Int32(bytes.count), endpoint: Int32(endpoint))
      bytes += path
    }
  }

  /// The endpoint of the path at `range` of `text`; -1 if none has exactly these bytes.
  @inline(__always)
  func endpoint(_ text: RawSpan, _ range: ByteRange) -> Int {
    let start = Int(range.start)
    let end = Int(range.end)
    if end &- start > countMax { return -1 }
    let word = Self.word(text, from: start, to: end)
    var index = place(of: word, count: end &- start)
    while true {
      let slot = slots[index]
      if slot.endpoint < 0 { return -1 }
      if slot.word == word && Int(slot.count) == end &- start && (slot.count <= 8 || equals(text[start..<end], slot)) {
        return Int(slot.endpoint)
      }
      index = (index &+ 1) & mask
    }
  }

  private func equals(_ path: RawSpan, _ slot: Slot) -> Bool { path.equals(slice(bytes, slot)) }

  @_lifetime(borrow bytes)
  private func slice(_ bytes: borrowing [UInt8], _ slot: Slot) -> RawSpan {
    bytes.rawSpan[Int(slot.firstByte)..<Int(slot.firstByte + slot.count)]
  }

  @inline(__always)
  private func place(of word: UInt64, count: Int) -> Int {
    let mixed = (word ^ UInt64(truncatingIfNeeded: count)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32) & mask
  }

  @inline(__always)
  private static func word(_ text: RawSpan, from start: Int, to end: Int) -> UInt64 {
    if end &- start >= 8 { return text.paddedWord(at: end &- 8) }
    return text.paddedWord(at: start) &<< UInt64(truncatingIfNeeded: (8 &- (end &- start)) &* 8)
  }
}
