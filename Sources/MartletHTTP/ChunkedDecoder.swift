/// The chunked transfer coding (RFC 9112 section 7.1), decoded as it arrives: size line, data, CR LF, …, a last chunk of size 0,
/// trailer fields, an empty line. Bounded everywhere: line, extensions, body, trailers.
///
/// Resumable: it consumes whole lines and whatever data there is. An unfinished line is looked at again only when more of it
/// ends, so bytes that drip cost no more than a search for a line feed each.

package import MartletBytes

package struct ChunkedDecoder: Sendable {
  private enum State { case size, data, dataEnd, trailers }

  private var state = State.size
  /// Bytes of the chunk's data that are still to come.
  private var remaining = 0
  /// Bytes decoded so far.
  package private(set) var decodedCount = 0
  private var extensionBytes = 0
  private var trailerBytes = 0
  private var trailerCount = 0
  /// How much of the unfinished line at the front has been searched for its end.
  private var searched = 0

  package init() {}

  /// Decodes from the beginning of `input`, which starts with the first byte not consumed before. Data goes to `body`, unless
  /// `keeps` is false. Adds what is used up to `consumed`; true at the end of the body.
  package mutating func decode(
    _ input: RawSpan, limits: borrowing HTTPLimits, keeps: Bool, into body: inout ByteBuffer, consumed: inout Int
  ) throws(RequestFailure) -> Bool {
    var position = 0
    defer { consumed += position }
    while true {
      switch state {
      case .size:
        guard let end = try findLineEnd(input, from: position, max: limits.chunkLineBytesMax, beyond: .chunkLineTooLong)
        else { return false }
        try parseSizeLine(input[position..<end - 2], limits: limits)
        position = end
      case .data:
        let count = min(remaining, input.byteCount - position)
        if keeps { body.append(input[position..<position + count]) }
        position += count
        remaining -= count
        if remaining > 0 { return false }
        state = .dataEnd
      case .dataEnd:
        let rest = input.byteCount - position
        if rest > 0 && input[position] != ASCII.carriageReturn { throw .chunkEnd }
        if rest > 1 && input[position + 1] != ASCII.lineFeed { throw .chunkEnd }
        if rest < 2 { return false }
        position += 2
        state = .size
      case .trailers:
        let room = limits.headBytesMax - trailerBytes
        guard let end = try findLineEnd(input, from: position, max: room, beyond: .trailersTooLarge) else { return false }
        let line = input[position..<end]
        position = end
        if line.byteCount == 2 { return true }
        trailerBytes += line.byteCount
        trailerCount += 1
        if trailerCount > limits.fieldCountMax { throw .trailersTooLarge }
        var field = FieldTable.Entry()
        _ = try RequestParser.parseFieldLine(line, from: 0, into: &field)  // checked, and dropped: nothing here reads trailers
      }
    }
  }

  /// The offset behind the line's CR LF; nil if it has not come.
  private mutating func findLineEnd(
    _ input: RawSpan, from start: Int, max: Int, beyond failure: RequestFailure
  ) throws(RequestFailure) -> Int? {
    guard let feed = input.firstIndex(of: ASCII.lineFeed, from: start + searched) else {
      searched = input.byteCount - start
      if searched >= max { throw failure }
      return nil
    }
    searched = 0
    if feed + 1 - start > max { throw failure }
    guard feed > start && input[feed - 1] == ASCII.carriageReturn else { throw state == .size ? .chunkSize : .lineEnd }
    return feed + 1
  }

  private mutating func parseSizeLine(_ line: RawSpan, limits: borrowing HTTPLimits) throws(RequestFailure) {
    var size = 0
    var position = 0
    while position < line.byteCount, let digit = ASCII.hexValue(line[position]) {
      if size > Int.max >> 4 { throw .bodyTooLarge }
      size = size << 4 | Int(digit)
      position += 1
    }
    if position == 0 { throw .chunkSize }
    extensionBytes += line.byteCount - position
    if extensionBytes > limits.chunkExtensionBytesMax { throw .chunkExtension }
    try checkExtensions(line[position..<line.byteCount])
    if size > limits.bodyBytesMax - decodedCount { throw .bodyTooLarge }
    decodedCount += size
    remaining = size
    state = size == 0 ? .trailers : .data
  }

  /// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`
  private func checkExtensions(_ text: RawSpan) throws(RequestFailure) {
    var position = 0
    func skipBlanks() { while position < text.byteCount && RequestParser.isBlank(text[position]) { position += 1 } }
    func skipToken() -> Bool {
      let start = position
      while position < text.byteCount && ByteClasses.isToken(text[position]) { position += 1 }
      return position > start
    }
    func take(_ byte: UInt8) -> Bool {
      guard position < text.byteCount && text[position] == byte else { return false }
      position += 1
      return true
    }
    func skipQuoted() -> Bool {
      while position < text.byteCount {
        let byte = text[position]
        position += 1
        if byte == UInt8(ascii: "\"") { return true }
        if byte == UInt8(ascii: "\\") {
          guard position < text.byteCount else { return false }
          if isControl(text[position]) { return false }
          position += 1
        } else if isControl(byte) {
          return false
        }
      }
      return false
    }
    func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != ASCII.tab || byte == 0x7F }

    while position < text.byteCount {
      skipBlanks()
      guard take(UInt8(ascii: ";")) else { throw position == 0 || text.byteCount == position ? .chunkSize : .chunkExtension }
      skipBlanks()
      guard skipToken() else { throw .chunkExtension }
      let nameEnd = position
      skipBlanks()
      if take(UInt8(ascii: "=")) {
        skipBlanks()
        guard take(UInt8(ascii: "\"")) ? skipQuoted() : skipToken() else { throw .chunkExtension }
      } else {
        position = nameEnd
      }
    }
  }
}
