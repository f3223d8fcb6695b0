/// The field lines of a head with what they mean for its framing, and a copy of their bytes.
///
/// The copy is for the next head. A client sends the same field lines with request after request (and so do all clients of one
/// kind), so before they are parsed they are compared with the last ones: parsing is a function of the bytes, so equal bytes have
/// the same table and the same verdicts: who may come in (`Admission`) is judged by method and fields alone, so that verdict is kept
/// too. A comparison costs a twentieth of a parse; a miss costs the copy, 20 ns.

internal import MartletBytes

package struct FieldSection: ~Copyable {
  /// Offsets relative to the section's first byte.
  package internal(set) var fields = FieldTable()
  package internal(set) var contentLength: Int?
  /// The value of the Host field.
  var host = ByteRange()
  var traits: Traits = []
  /// Whether a field's name begins with `if-`.
  var hasConditions = false
  /// Which admission has let in a request with this section, and with which method; 0: none yet.
  private var admitted: UInt32 = 0
  /// The bytes that the rest of this was parsed from, the empty line included; none if that has not succeeded.
  private var copy = ByteBuffer()

  /// Sections longer than this are not kept.
  private static var copyBytesMax: Int { 4 << 10 }

  /// What the fields say that matter for framing.
  struct Traits: OptionSet {
    var rawValue: UInt16
    static var host: Traits { Traits(rawValue: 1) }
    static var hostTwice: Traits { Traits(rawValue: 2) }
    static var hostInvalid: Traits { Traits(rawValue: 4) }
    static var close: Traits { Traits(rawValue: 8) }
    static var keepAlive: Traits { Traits(rawValue: 16) }
    static var transferEncoding: Traits { Traits(rawValue: 32) }
    static var chunked: Traits { Traits(rawValue: 64) }
    static var unknownCoding: Traits { Traits(rawValue: 128) }
    static var expectsContinue: Traits { Traits(rawValue: 256) }
    static var expectsOther: Traits { Traits(rawValue: 512) }
  }

  init() {}

  /// The section's length if `bytes` begins with the same section as the last one; nil otherwise.
  @inline(__always)
  func match(_ bytes: RawSpan) -> Int? {
    let count = copy.count
    return count > 0 && count <= bytes.byteCount && bytes[0..<count].equals(copy.bytes) ? count : nil
  }

  /// Begins to parse a new section.
  mutating func reset() {
    fields.removeAll()
    contentLength = nil
    traits = []
    hasConditions = false
    host = ByteRange()
    admitted = 0
    copy.removeAll()
  }

  /// Whether `admission` has let in a request with these fields and this method.
  @inline(__always)
  func isAdmitted(by admission: UInt16, _ method: Method) -> Bool { admitted == Self.verdict(admission, method) }

  mutating func admit(by admission: UInt16, _ method: Method) { admitted = Self.verdict(admission, method) }

  private static func verdict(_ admission: UInt16, _ method: Method) -> UInt32 { UInt32(admission) &<< 8 | UInt32(method.rawValue) }

  /// The section was parsed from `bytes`.
  mutating func keep(_ bytes: RawSpan) {
    if bytes.byteCount <= Self.copyBytesMax { copy.append(bytes) }
  }
}
