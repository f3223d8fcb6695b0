/// A JSON text laid out anew: without whitespace, or with the caller's own. Names, strings and numbers stay as they are spelled.

package import MartletBytes

/// What stands between the parts of a text. All empty: nothing does.
package struct JSONSpacing: Sendable {
  /// Once for each level at the beginning of a line.
  package var indent: [UInt8] = []
  package var newline: [UInt8] = []
  /// After the colon of a name.
  package var space: [UInt8] = []

  package init() {}
}

extension ByteBuffer {
  /// Appends the value that `text` is. `level`: how many objects and arrays stand around it. `.tooLarge` if the buffer would pass `bytesMax`
  /// bytes; what was appended until then stays.
  package mutating func append(
    json text: RawSpan, spacing: borrowing JSONSpacing, level: Int = 0, bytesMax: Int
  ) throws(JSONError) {
    var reader = JSONReader(text)
    try appendNext(&reader, spacing, level: level, bytesMax: bytesMax)
    try reader.end()
  }

  /// Recurses once per level, which the reader bounds.
  private mutating func appendNext(
    _ reader: inout JSONReader, _ spacing: borrowing JSONSpacing, level: Int, bytesMax: Int
  ) throws(JSONError) {
    if count > bytesMax { throw JSONError(offset: reader.offset, problem: .tooLarge) }
    switch try reader.peek() {
    case .object:
      try reader.beginObject()
      append(UInt8(ascii: "{"))
      var isEmpty = true
      while let key = try reader.nextKeyContent() {
        beginItem(spacing, level: level + 1, isFirst: isEmpty)
        isEmpty = false
        append(reader.text[(key.range.lowerBound - 1)..<(key.range.upperBound + 1)])
        append(UInt8(ascii: ":"))
        append(spacing.space)
        try appendNext(&reader, spacing, level: level + 1, bytesMax: bytesMax)
      }
      if !isEmpty { beginLine(spacing, level: level) }
      append(UInt8(ascii: "}"))
    case .array:
      try reader.beginArray()
      append(UInt8(ascii: "["))
      var isEmpty = true
      while try reader.nextElement() {
        beginItem(spacing, level: level + 1, isFirst: isEmpty)
        isEmpty = false
        try appendNext(&reader, spacing, level: level + 1, bytesMax: bytesMax)
      }
      if !isEmpty { beginLine(spacing, level: level) }
      append(UInt8(ascii: "]"))
    case .string, .number, .boolean, .null:
      append(reader.text[try reader.skipValue()])
    }
  }

  /// What comes before an item of an object or array.
  package mutating func beginItem(_ spacing: borrowing JSONSpacing, level: Int, isFirst: Bool) {
    if !isFirst { append(UInt8(ascii: ",")) }
    beginLine(spacing, level: level)
  }

  package mutating func beginLine(_ spacing: borrowing JSONSpacing, level: Int) {
    append(spacing.newline)
    if !spacing.indent.isEmpty { for _ in 0..<level { append(spacing.indent) } }
  }
}
