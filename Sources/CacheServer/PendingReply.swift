/// Replies with large values on their way out. A value is not copied under its shard's lock, and not copied whole: it is held, and poured into
/// the output in portions, as fast as the peer reads. So a connection has `SessionLimits.outputBytesMax` queued, whatever it asks for; what
/// stands between the values is bounded by `replyBytesMax`.

internal import MartletBytes
internal import MartletCache

/// A large value in a reply.
struct LargePiece {
  /// Where in the text of the reply it belongs.
  var offset: Int
  let value: SharedValue
  let range: Range<Int>
  /// What follows it.
  let tail: [UInt8]
}

struct PendingReply: ~Copyable {
  private let text: ByteBuffer
  private let pieces: [LargePiece]
  private var textPosition = 0
  private var pieceIndex = 0
  /// In the piece and its tail.
  private var piecePosition = 0

  /// Takes what follows the first of `pieces` from `output`.
  init(takingFrom output: inout ByteBuffer, _ pieces: [LargePiece]) {
    let start = pieces[0].offset
    var text = ByteBuffer(capacity: output.count - start)
    text.append(output.bytes[start..<output.count])
    output.truncate(to: start)
    self.text = text
    self.pieces = pieces.map { LargePiece(offset: $0.offset - start, value: $0.value, range: $0.range, tail: $0.tail) }
  }

  /// Appends what fits into the output of a connection; true at the end.
  mutating func pour(into output: inout ByteBuffer, upTo bytesMax: Int = SessionLimits.outputBytesMax) -> Bool {
    while pieceIndex < pieces.count || textPosition < text.count {
      let room = bytesMax - output.count
      if room <= 0 { return false }
      let textEnd = pieceIndex < pieces.count ? pieces[pieceIndex].offset : text.count
      if textPosition < textEnd {
        let end = min(textEnd, textPosition + room)
        output.append(text.bytes[textPosition..<end])
        textPosition = end
      } else {
        pourPiece(into: &output, room)
      }
    }
    return true
  }

  private mutating func pourPiece(into output: inout ByteBuffer, _ room: Int) {
    let piece = pieces[pieceIndex]
    let start = piece.range.lowerBound + piecePosition
    let end = min(piece.range.upperBound, start + room)
    piece.value.withValue { output.append($0[start..<end]) }
    piecePosition += end - start
    if end < piece.range.upperBound { return }
    output.append(piece.tail)
    pieceIndex += 1
    piecePosition = 0
  }
}

extension PendingReply {
  /// Pours what is pending of a session. Nil: all of it; else the connection is to flush first.
  static func pour(_ pending: inout PendingReply?, into output: inout ByteBuffer) -> Progress.Next? {
    guard var reply = pending.take() else { return nil }
    if reply.pour(into: &output) { return nil }
    pending = consume reply
    return .full
  }
}
