/// Changing the text of a document at a place: what stands elsewhere stays byte for byte as it was.

package import MartletBytes

extension JSONPlace {
  /// The document with other bytes in the place of the value.
  package func replacing(in document: RawSpan, by value: RawSpan) -> ByteBuffer { splice(document, self.value, value) }

  /// The document without the value, its name, and a comma beside it.
  package func removing(from document: RawSpan) -> ByteBuffer { splice(document, extent, RawSpan()) }

  /// The document with another member at the end of this object.
  package func adding(_ name: [UInt8], _ value: RawSpan, to document: RawSpan) -> ByteBuffer {
    var member = ByteBuffer(capacity: name.count + value.byteCount + 4)
    if !isEmpty(in: document) { member.append(UInt8(ascii: ",")) }
    JSONWriter.append(to: &member) { writer in writer.string(utf8: name.rawSpan) }
    member.append(UInt8(ascii: ":"))
    member.append(value)
    return splice(document, end..<end, member.bytes)
  }

  /// The document with more elements at the end of this array: `elements`, joined by commas, are not empty.
  package func appending(_ elements: RawSpan, to document: RawSpan) -> ByteBuffer {
    var tail = ByteBuffer(capacity: elements.byteCount + 1)
    if !isEmpty(in: document) { tail.append(UInt8(ascii: ",")) }
    tail.append(elements)
    return splice(document, end..<end, tail.bytes)
  }

  /// Before the closing bracket.
  private var end: Int { value.upperBound - 1 }

  private func isEmpty(in document: RawSpan) -> Bool {
    JSONScanner.whitespaceEnd(in: document, from: value.lowerBound + 1) == end
  }

  private func splice(_ document: RawSpan, _ range: Range<Int>, _ bytes: RawSpan) -> ByteBuffer {
    var output = ByteBuffer(capacity: document.byteCount - range.count + bytes.byteCount)
    output.append(document[0..<range.lowerBound])
    output.append(bytes)
    output.append(document[range.upperBound..<document.byteCount])
    return output
  }
}

/// Numbers as the JSON commands of Redis count with them.
package enum JSONSum {
  /// `left` + `right`, both JSON numbers: exact if both are integers, else as doubles, which keep a fraction (`3.0`). Nil: beyond Int64, or
  /// not finite.
  package static func text(_ left: RawSpan, _ right: RawSpan) -> ByteBuffer? {
    let (first, second) = (JSONNumber(left), JSONNumber(right))
    var output = ByteBuffer()
    if let first = first.int64, let second = second.int64 {
      let (sum, overflow) = first.addingReportingOverflow(second)
      if overflow { return nil }
      output.append(decimal: sum)
      return output
    }
    guard let first = first.double(left), let second = second.double(right), (first + second).isFinite else { return nil }
    output.append(finite: first + second)
    if JSONNumber(output.bytes).isInteger { output.append(".0") }
    return output
  }

  /// Whether a number in a document counts as an integer: written without fraction and exponent.
  package static func isInteger(_ lexeme: RawSpan) -> Bool { JSONNumber(lexeme).isInteger }
}
