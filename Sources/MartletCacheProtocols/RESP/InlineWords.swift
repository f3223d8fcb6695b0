/// The words of an inline command: separated by blanks, in quotes if they hold some, with escapes as in C within double quotes. What
/// Redis's `sdssplitargs` does.

internal import MartletBytes

enum InlineWords {
  /// Writes the words of `line` one after another to `output`, which begins anew, and appends where they lie. False if a quote is not
  /// closed, or closed in mid-word; then nothing is appended.
  static func split(_ line: RawSpan, into output: inout ByteBuffer, _ slices: inout UniqueArray<RESPSlice>) -> Bool {
    output.removeAll()
    let before = slices.count
    var index = 0
    while true {
      while index < line.byteCount, isBlank(line[index]) { index += 1 }
      if index == line.byteCount { return true }
      let start = output.count
      guard word(line, &index, into: &output) else {
        slices.truncate(to: before)
        return false
      }
      slices.append(RESPSlice(start: start, count: output.count - start))
    }
  }

  private static func word(_ line: RawSpan, _ index: inout Int, into output: inout ByteBuffer) -> Bool {
    while index < line.byteCount, !isBlank(line[index]) {
      let byte = line[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard doubleQuoted(line, &index, into: &output) else { return false }
        return index == line.byteCount || isBlank(line[index])
      case UInt8(ascii: "'"):
        guard singleQuoted(line, &index, into: &output) else { return false }
        return index == line.byteCount || isBlank(line[index])
      default: output.append(byte)
      }
    }
    return true
  }

  private static func doubleQuoted(_ line: RawSpan, _ index: inout Int, into output: inout ByteBuffer) -> Bool {
    while index < line.byteCount {
      let byte = line[index]
      index += 1
      if byte == UInt8(ascii: "\"") { return true }
      guard byte == UInt8(ascii: "\\"), index < line.byteCount else {
        output.append(byte)
        continue
      }
      if line[index] == UInt8(ascii: "x"), index + 2 < line.byteCount, let high = ASCII.hexValue(line[index + 1]),
        let low = ASCII.hexValue(line[index + 2])
      {
        output.append(high << 4 | low)
        index += 3
      } else {
        output.append(escaped(line[index]))
        index += 1
      }
    }
    return false
  }

  private static func singleQuoted(_ line: RawSpan, _ index: inout Int, into output: inout ByteBuffer) -> Bool {
    while index < line.byteCount {
      let byte = line[index]
      index += 1
      if byte == UInt8(ascii: "'") { return true }
      if byte == UInt8(ascii: "\\"), index < line.byteCount, line[index] == UInt8(ascii: "'") {
        output.append(line[index])
        index += 1
      } else {
        output.append(byte)
      }
    }
    return false
  }

  private static func escaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "a"): 0x07
    default: byte
    }
  }

  /// As C's `isspace`.
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
}
