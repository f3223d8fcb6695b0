/// Trees by our scanner, out by our writer, copied and compared within bounds: the document model.
///
/// Every function here recurses once per level; levels are bounded by the reader that built the tree, and by editing that checks.

import CJansson
import MartletBytes

extension JanssonNode {
  /// What a tree's nodes cost in memory, roughly, for the bound on it: jansson's structures as glibc allocates them, rounded up. Two bytes
  /// of text, `{}`, become 224 bytes of tree.
  enum Cost {
    static var object: Int { 224 }
    static var member: Int { 80 }
    static var array: Int { 128 }
    static var element: Int { 16 }
    static var scalar: Int { 32 }
  }

  /// Builds the value that comes next. Of equal names in an object the last one counts, in the place of the first.
  ///
  /// Throws what the reader throws; `.inexactNumber` for numbers that a tree cannot keep, unless they are to be spelled; `.tooLarge` once the nodes cost more than
  /// `memory` bytes, from which they are subtracted.
  static func read(_ reader: inout JSONReader, memory: inout Int, spellsInexactNumbers: Bool = false) throws(JSONError) -> JanssonNode {
    let kind = try reader.peek()
    guard memory >= 0 else { throw JSONError(offset: reader.offset, problem: .tooLarge) }
    switch kind {
    case .object: return try readObject(&reader, memory: &memory, spellsInexactNumbers)
    case .array: return try readArray(&reader, memory: &memory, spellsInexactNumbers)
    case .string:
      let content = try reader.stringContent()
      memory -= Cost.scalar + content.range.count
      return reader.withBytes(of: content) { string($0) }
    case .number:
      let range = try reader.numberRange()
      memory -= Cost.scalar + range.count
      if let node = number(reader.text[range]) { return node }
      guard spellsInexactNumbers else { throw JSONError(offset: range.lowerBound, problem: .inexactNumber) }
      return spelled(reader.text[range])
    case .boolean: return boolean(try reader.readBool())
    case .null:
      try reader.readNull()
      return null()
    }
  }

  private static func readObject(_ reader: inout JSONReader, memory: inout Int, _ spellsInexactNumbers: Bool) throws(JSONError)
    -> JanssonNode
  {
    let node = object()
    memory -= Cost.object
    try reader.beginObject()
    while let key = try reader.nextKeyContent() {
      memory -= Cost.member + key.range.count
      let value = try read(&reader, memory: &memory, spellsInexactNumbers: spellsInexactNumbers)
      reader.setMember(node.cell, key, value)
    }
    return node
  }

  private static func readArray(_ reader: inout JSONReader, memory: inout Int, _ spellsInexactNumbers: Bool) throws(JSONError)
    -> JanssonNode
  {
    let node = array()
    memory -= Cost.array
    try reader.beginArray()
    while try reader.nextElement() {
      memory -= Cost.element
      node.cell.append(try read(&reader, memory: &memory, spellsInexactNumbers: spellsInexactNumbers))
    }
    return node
  }
}

extension JSONReader {
  /// Lends what a string says, in UTF-8.
  func withBytes<Result: ~Copyable>(of content: StringContent, _ body: (RawSpan) -> Result) -> Result {
    guard content.hasEscapes else { return body(text[content.range]) }
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(text[content.range], to: &unescaped)
    return body(unescaped.bytes)
  }

  fileprivate func setMember(_ object: JanssonCell, _ key: StringContent, _ value: consuming JanssonNode) {
    guard key.hasEscapes else { return object.setMember(text[key.range], value) }
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(text[key.range], to: &unescaped)
    object.setMember(unescaped.bytes, value)
  }
}

extension JanssonCell {
  /// Prints the tree, every number as it was written.
  func write(to writer: inout JSONWriter) {
    switch type {
    case JSON_OBJECT:
      writer.beginObject()
      forEachMember { key, value in
        writer.key(utf8: key)
        value.write(to: &writer)
      }
      writer.endObject()
    case JSON_ARRAY:
      writer.beginArray()
      for index in 0..<count { element(index).write(to: &writer) }
      writer.endArray()
    case JSON_STRING where isSpelledNumber: withSpelling { writer.raw($0) }
    case JSON_STRING: withBytes { writer.string(utf8: $0) }
    case JSON_INTEGER: writer.integer(integer)
    case JSON_REAL: writer.finite(real)
    case JSON_TRUE: writer.bool(true)
    case JSON_FALSE: writer.bool(false)
    default: writer.null()
    }
  }

  /// Whether two trees are equal as RFC 6902 section 4.6 says: numbers by value, objects whatever their order.
  func equals(_ other: JanssonCell) -> Bool {
    let kind = kind
    guard kind == other.kind else { return false }
    switch kind {
    case .object:
      guard count == other.count else { return false }
      var isEqual = true
      forEachMember { key, value in
        // No early way out of the loop, but no more comparing either.
        if isEqual { isEqual = other.member(key).map { value.equals($0) } ?? false }
      }
      return isEqual
    case .array:
      guard count == other.count else { return false }
      for index in 0..<count where !element(index).equals(other.element(index)) { return false }
      return true
    case .string: return withBytes { bytes in other.withBytes { bytes.equals($0) } }
    case .number: return equalsNumber(other)
    case .boolean: return type == other.type
    case .null: return true
    }
  }

  /// The bytes that this node alone takes as text, about: for budgets, so never 0.
  private var textBytes: Int {
    switch type {
    case JSON_STRING: withBytes { $0.byteCount + 2 }
    case JSON_INTEGER, JSON_REAL: 8
    default: 4
    }
  }

  /// A tree of its own, scalars shared since nobody changes them. nil if it has more than `levels` levels of containers, or if `budget` does
  /// not suffice (and is exhausted then).
  func copy(levels: Int, budget: inout CopyBudget) -> JanssonNode? {
    budget.text -= textBytes
    guard isContainer else { return JanssonNode(sharing: self) }
    guard levels > 0 else { return nil }
    if isArray {
      let array = JanssonNode.array()
      budget.memory -= JanssonNode.Cost.array
      for index in 0..<count {
        budget.memory -= JanssonNode.Cost.element
        guard !budget.isExhausted, let element = element(index).copy(levels: levels - 1, budget: &budget) else { return nil }
        array.cell.append(element)
      }
      return array
    }
    let object = JanssonNode.object()
    budget.memory -= JanssonNode.Cost.object
    var isComplete = true
    forEachMember { key, value in
      guard isComplete else { return }
      budget.text -= key.byteCount + 3
      budget.memory -= JanssonNode.Cost.member + key.byteCount
      if !budget.isExhausted, let copy = value.copy(levels: levels - 1, budget: &budget) {
        object.cell.setMember(key, copy)
      } else {
        isComplete = false
      }
    }
    guard isComplete else { return nil }
    return object
  }

  /// Whether the tree has no more than `levels` levels of containers; stops with `budget` below 0 after so many bytes of text.
  func fits(levels: Int, budget: inout Int) -> Bool {
    budget -= textBytes
    guard isContainer else { return true }
    guard levels > 0, budget >= 0 else { return false }
    if isArray {
      for index in 0..<count where !element(index).fits(levels: levels - 1, budget: &budget) { return false }
      return true
    }
    var fits = true
    forEachMember { _, value in
      if fits { fits = value.fits(levels: levels - 1, budget: &budget) }
    }
    return fits
  }
}

/// What copies may still cost, in bytes: of text, and of the tree's memory.
struct CopyBudget {
  var text: Int
  var memory: Int
  var isExhausted: Bool { text < 0 || memory < 0 }
}
