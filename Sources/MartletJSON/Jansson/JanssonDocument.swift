/// A JSON document as a jansson tree, owned: by two roads.
///
/// *Scanned*: built by our scanner and printed by our writer. Numbers come out as they went in or are refused (`JanssonNumber.swift`), names
/// may hold NUL, nesting is bounded. This is the model behind Pointer, Patch and Merge Patch.
///
/// *Loaded*: parsed and dumped by jansson itself, to be compared with the former. Its limits are its own: no NUL in names, integers of
/// 64 bits (else refused), reals to the nearest double, printed at 17 digits, -0 as 0, 2048 levels.
///
/// Of equal names in an object the last one counts on both roads. A document belongs to one thread at a time.

import CJansson
package import MartletBytes

package struct JanssonDocument: ~Copyable {
  var node: JanssonNode
  /// Numbers may be held in their spelling, which jansson's printer does not know.
  private let isScanned: Bool

  /// The most memory that a tree may take unless the caller says otherwise, about, in bytes: a text of n bytes can need a hundred times n.
  package static var treeBytesMax: Int { JSONPatch.treeBytesMaxDefault }

  /// The scanned road. Throws the scanner's errors; `.inexactNumber`; `.tooLarge` beyond `treeBytesMax`.
  package init(scanning text: RawSpan, depthMax: Int = JSONScanner.depthMaxDefault, treeBytesMax: Int = Self.treeBytesMax) throws(JSONError)
  {
    var memory = treeBytesMax
    try self.init(scanning: text, depthMax: depthMax, memory: &memory)
  }

  /// As above; the tree's cost is subtracted from `memory`, which several trees may share.
  ///
  /// `spellsInexactNumbers`: numbers that a tree cannot keep are held in their spelling instead of refused.
  init(
    scanning text: RawSpan, depthMax: Int = JSONScanner.depthMaxDefault, memory: inout Int, spellsInexactNumbers: Bool = false
  ) throws(JSONError) {
    var reader = JSONReader(text, depthMax: depthMax)
    let node = try JanssonNode.read(&reader, memory: &memory, spellsInexactNumbers: spellsInexactNumbers)
    try reader.end()
    self.node = node
    isScanned = true
  }

  /// The loaded road. Errors have jansson's offset and the nearest of our problems.
  package init(loading text: RawSpan) throws(JSONError) {
    JanssonNode.seeded
    var failure = json_error_t()
    let flags = Int(JSON_DECODE_ANY | JSON_ALLOW_NUL)
    let loaded = unsafe text.withUnsafeBytes { bytes in
      // jansson reads within the length that it is given; an empty span may have no address, for which jansson wants some other one.
      let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(JanssonCell.emptyText.utf8Start)
      return unsafe json_loadb(start.assumingMemoryBound(to: CChar.self), bytes.count, flags, &failure)
    }
    guard unsafe loaded != nil else {
      throw unsafe JSONError(offset: max(0, Int(failure.position)), problem: JSONError.Problem(json_error_code(&failure)))
    }
    node = unsafe JanssonNode(new: loaded)
    isScanned = false
  }

  /// The loaded road within our language: what jansson's parser takes though RFC 8259 does not, a NUL behind the value, is refused, and so are
  /// more than `depthMax` levels.
  init(loadingStrictly text: RawSpan, depthMax: Int) throws(JSONError) {
    if let end = text.firstIndex(of: 0) { throw JSONError(offset: end, problem: .unexpectedCharacter) }
    let document = try JanssonDocument(loading: text)
    // Each level is two bytes.
    if text.byteCount > 2 * depthMax {
      var unbounded = Int.max
      if !document.node.cell.fits(levels: depthMax, budget: &unbounded) { throw JSONError(offset: 0, problem: .tooDeep) }
    }
    self = document
  }

  /// The whole document, borrowed.
  package var root: JanssonValue {
    @_lifetime(borrow self)
    get {
      let value = JanssonValue(node.cell)
      return unsafe _overrideLifetime(value, borrowing: self)
    }
  }

  /// Appends the document as our writer prints it.
  package func write(to output: inout ByteBuffer) {
    JSONWriter.append(to: &output) { writer in node.cell.write(to: &writer) }
  }

  /// Appends a *loaded* document as jansson prints it, compact.
  package func dump(to output: inout ByteBuffer) {
    precondition(!isScanned, "jansson's printer does not know how a scanned document holds its numbers")
    node.cell.dump(to: &output)
  }
}

extension JanssonCell {
  /// Appends the tree as jansson prints it, compact. No number of it is held in its spelling.
  func dump(to output: inout ByteBuffer) {
    let flags = Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY)
    let code = unsafe withUnsafeMutablePointer(to: &output) { output in
      // The callback runs inside of this call only, and takes the pointer back to what it was.
      unsafe json_dump_callback(
        pointer,
        { bytes, count, output in
          unsafe output!.assumingMemoryBound(to: ByteBuffer.self).pointee.append(start: UnsafeRawPointer(bytes!), count: count)
          return 0
        }, output, flags)
    }
    precondition(code == 0, "jansson cannot print a tree that it has made, or is out of memory")
  }
}

extension JSONError.Problem {
  /// The nearest of our problems.
  fileprivate init(_ code: json_error_code) {
    switch code {
    case json_error_premature_end_of_input: self = .unexpectedEnd
    case json_error_end_of_input_expected: self = .trailingContent
    case json_error_invalid_utf8: self = .malformedUTF8
    case json_error_numeric_overflow: self = .outOfRange
    case json_error_stack_overflow: self = .tooDeep
    case json_error_out_of_memory: self = .tooLarge
    default: self = .unexpectedCharacter
    }
  }
}
