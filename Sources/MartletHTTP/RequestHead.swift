/// A parsed head: offsets into the bytes it was read from, from the request line's first byte. No bytes are copied.

internal import MartletBytes

package struct RequestHead: ~Copyable {
  package internal(set) var method: Method = .get
  /// 1 for HTTP/1.1, 0 for HTTP/1.0.
  package internal(set) var minorVersion: UInt8 = 1
  /// The head's length, the empty line included.
  package internal(set) var byteCount = 0
  package internal(set) var methodBytes = ByteRange()
  /// `/…`; `*` alone for the asterisk form.
  package internal(set) var path = ByteRange()
  /// Without the `?`; empty if there is none.
  package internal(set) var query = ByteRange()
  /// Of a target in absolute form; empty otherwise.
  var targetHost = ByteRange()
  package internal(set) var pathHasPercent = false
  var methodIsUnknown = false
  package internal(set) var isChunked = false
  package internal(set) var expectsContinue = false
  /// Whether the client wants the connection kept (RFC 9112 section 9.3).
  package internal(set) var keepsAlive = true
  /// Where the field section begins; offsets in `section` are relative to this.
  package internal(set) var sectionStart = 0
  package internal(set) var section = FieldSection()

  package init() {}

  /// Begins a new head. The field section stays: the next one may be the same.
  @inline(__always)
  mutating func reset() {
    query = ByteRange()
    targetHost = ByteRange()
    pathHasPercent = false
    methodIsUnknown = false
    isChunked = false
    expectsContinue = false
  }

  /// nil without Content-Length; saturates.
  package var contentLength: Int? { section.contentLength }

  /// Whether a body follows.
  @inline(__always)
  package var hasBody: Bool { isChunked || (section.contentLength ?? 0) > 0 }

  /// Gives up keeping the connection.
  mutating func closeAfterReply() { keepsAlive = false }
}

/// A range of offsets in a head, in 4 bytes.
package struct ByteRange: BitwiseCopyable, Sendable, Equatable {
  package var start: UInt16 = 0
  package var end: UInt16 = 0

  @inline(__always)
  package init() {}

  @inline(__always)
  package init(_ start: Int, _ end: Int) {
    self.start = UInt16(truncatingIfNeeded: start)
    self.end = UInt16(truncatingIfNeeded: end)
  }

  @inline(__always)
  package var range: Range<Int> { Int(start)..<Int(end) }
  package var isEmpty: Bool { start == end }
}

/// Names and values of a head, as offsets: one table per loop serves request after request.
package struct FieldTable: ~Copyable {
  /// Field lines that fit; `HTTPLimits.fieldCountMax` is not above it.
  package static var capacity: Int { 100 }

  package internal(set) var count = 0
  private var entries = FixedArray(repeating: Entry(), count: FieldTable.capacity)

  package struct Entry: BitwiseCopyable, Sendable {
    package var name = ByteRange()
    package var value = ByteRange()
  }

  init() {}

  @inline(__always)
  mutating func removeAll() { count = 0 }

  /// In the order they arrived; stops the process at `count` and beyond.
  package subscript(index: Int) -> Entry {
    precondition(index < count, "a field that was not sent")
    return entries[index]
  }

  /// Takes one more field; the parser has compared `count` with the limit.
  @inline(__always)
  mutating func append(_ entry: Entry) {
    entries[count] = entry
    count &+= 1
  }
}
