/// Large values on their way into a reply: noted while their shards are locked, copied once these are unlocked.

internal import MartletBytes
internal import MartletCache

struct LargeValues {
  private struct Piece {
    /// Where in the output it belongs, not counting other pieces.
    let offset: Int
    let value: SharedValue
    let range: Range<Int>
  }

  private var pieces: [Piece] = []

  var count: Int { pieces.count }
  var isEmpty: Bool { pieces.isEmpty }
  /// Of all pieces.
  private(set) var bytes = 0

  /// Notes that `range` of `value` belongs at `offset`, which is the end of the output so far.
  mutating func append(_ value: SharedValue, _ range: Range<Int>, at offset: Int) {
    pieces.append(Piece(offset: offset, value: value, range: range))
    bytes += range.count
  }

  /// Forgets the pieces after the first `count`.
  mutating func truncate(to count: Int) {
    while pieces.count > count { bytes -= pieces.removeLast().range.count }
  }

  /// Puts the values in their places. With no shard locked.
  mutating func settle(into output: inout ByteBuffer) {
    if pieces.isEmpty { return }
    var whole = ByteBuffer(capacity: output.count + bytes)
    var position = 0
    for piece in pieces {
      whole.append(output.bytes[position..<piece.offset])
      piece.value.withValue { whole.append($0[piece.range]) }
      position = piece.offset
    }
    whole.append(output.bytes[position..<output.count])
    swap(&output, &whole)
    pieces.removeAll(keepingCapacity: true)
    bytes = 0
  }
}
