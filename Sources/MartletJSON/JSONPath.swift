/// Paths of the JSON commands of Redis, as far as they name one place: members and indices, no wildcards, slices, filters or descent.
///
///     $.a.b[0]      $["a b"]['c'][-1]      $             JSONPath: answers are arrays of what was found
///     .a.b[0]       a.b[0]      ["a b"]    .             older: answers are the value itself
///
/// Finding a place takes a pass over each value on the way; the first, over the whole document, checks all of it.

import MartletBytes

package struct JSONPath: Sendable, Equatable {
  package enum Step: Sendable, Equatable {
    /// Unescaped, in UTF-8.
    case member([UInt8])
    /// From the end if negative: -1 is the last element.
    case index(Int)
  }

  package let steps: [Step]
  /// Without `$`: the answer is the value, not an array.
  package let isBare: Bool
  /// As it was written.
  package let original: [UInt8]
  /// The same beginning with `$`.
  package let text: [UInt8]

  package var isRoot: Bool { steps.isEmpty }

  /// The whole document, as `.`.
  package static let root = JSONPath()

  private init() {
    (steps, isBare) = ([], true)
    (original, text) = ([UInt8(ascii: ".")], [UInt8(ascii: "$")])
  }

  /// Offsets of errors are bytes of `path`.
  package init(_ path: RawSpan) throws(JSONError) {
    if let wrong = path.firstMalformedUTF8 { throw JSONError(offset: wrong, problem: .malformedUTF8) }
    original = path.copied()
    let isJSONPath =
      path.byteCount > 0 && path[0] == UInt8(ascii: "$")
      && (path.byteCount == 1 || path[1] == UInt8(ascii: ".") || path[1] == UInt8(ascii: "["))
    isBare = !isJSONPath
    if isJSONPath {
      text = original
      steps = try JSONPath.steps(in: path, from: 1, namesFirst: false)
    } else if path.byteCount == 0 || path.equals(".") {
      text = [UInt8(ascii: "$")]
      steps = []
    } else {
      let namesFirst = path[0] != UInt8(ascii: ".") && path[0] != UInt8(ascii: "[")
      text = (namesFirst ? [UInt8(ascii: "$"), UInt8(ascii: ".")] : [UInt8(ascii: "$")]) + original
      steps = try JSONPath.steps(in: path, from: 0, namesFirst: namesFirst)
    }
  }

  /// `namesFirst`: what comes first is a name without a dot.
  private static func steps(in path: RawSpan, from start: Int, namesFirst: Bool) throws(JSONError) -> [Step] {
    var steps: [Step] = []
    var offset = start
    if namesFirst { steps.append(.member(try name(in: path, &offset))) }
    while offset < path.byteCount {
      switch path[offset] {
      case UInt8(ascii: "."):
        offset += 1
        // `.["a"]` is `["a"]`.
        if offset < path.byteCount, path[offset] == UInt8(ascii: "[") { continue }
        steps.append(.member(try name(in: path, &offset)))
      case UInt8(ascii: "["):
        offset += 1
        steps.append(try bracketed(in: path, &offset))
      default:
        throw JSONError(offset: offset, problem: .unexpectedCharacter)
      }
    }
    return steps
  }

  /// A name up to the next step.
  private static func name(in path: RawSpan, _ offset: inout Int) throws(JSONError) -> [UInt8] {
    let start = offset
    while offset < path.byteCount, isPlain(path[offset]) { offset += 1 }
    guard offset > start else { throw JSONScanner.unexpected(in: path, at: offset) }
    return path[start..<offset].copied()
  }

  /// What a name without quotes may hold: not what the grammar of paths uses.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: ","), 0x7F:
      false
    default: true
    }
  }

  /// `"name"]`, `'name']` or `-1]`.
  private static func bracketed(in path: RawSpan, _ offset: inout Int) throws(JSONError) -> Step {
    skipSpaces(in: path, &offset)
    guard offset < path.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
    let step: Step
    if path[offset] == UInt8(ascii: "\"") || path[offset] == UInt8(ascii: "'") {
      step = .member(try quoted(in: path, &offset))
    } else {
      let start = offset
      while offset < path.byteCount, ASCII.isDigit(path[offset]) || path[offset] == UInt8(ascii: "-") { offset += 1 }
      guard let index = Digits.parseSigned(path[start..<offset]) else { throw JSONScanner.unexpected(in: path, at: offset) }
      step = .index(Int(index))
    }
    skipSpaces(in: path, &offset)
    guard JSONScanner.byte(UInt8(ascii: "]"), in: path, at: offset) else { throw JSONScanner.unexpected(in: path, at: offset) }
    offset += 1
    return step
  }

  private static func skipSpaces(in path: RawSpan, _ offset: inout Int) {
    while JSONScanner.byte(ASCII.space, in: path, at: offset) { offset += 1 }
  }

  /// A backslash takes the quote or the backslash behind it as it is.
  private static func quoted(in path: RawSpan, _ offset: inout Int) throws(JSONError) -> [UInt8] {
    let quote = path[offset]
    var name: [UInt8] = []
    offset += 1
    while offset < path.byteCount, path[offset] != quote {
      if path[offset] == UInt8(ascii: "\\"), offset + 1 < path.byteCount,
        path[offset + 1] == quote || path[offset + 1] == UInt8(ascii: "\\")
      {
        offset += 1
      }
      name.append(path[offset])
      offset += 1
    }
    guard offset < path.byteCount else { throw JSONError(offset: offset, problem: .unexpectedEnd) }
    offset += 1
    return name
  }
}

/// Where a value stands in the text of a document.
package struct JSONPlace: Sendable, Equatable {
  /// Its bytes, without whitespace around.
  package var value: Range<Int>
  package var kind: JSONKind
  /// What goes with it when it is removed: its name, and a comma on one side. Nothing of the whole document.
  package var extent: Range<Int>
}

extension JSONPath {
  /// The place that the path names; nil if there is none. Throws if `document` is not a JSON text.
  package func locate(in document: RawSpan) throws(JSONError) -> JSONPlace? { try locate(steps[...], in: document) }

  /// The place of what the last member or element of the path is in; nil if there is none.
  package func locateParent(in document: RawSpan) throws(JSONError) -> JSONPlace? { try locate(steps.dropLast(), in: document) }

  private func locate(_ steps: ArraySlice<Step>, in document: RawSpan) throws(JSONError) -> JSONPlace? {
    var reader = JSONReader(document)
    let kind = try reader.peek()
    let whole = try reader.skipValue()
    try reader.end()
    var place = JSONPlace(value: whole, kind: kind, extent: whole)
    for step in steps {
      guard let next = try JSONPath.child(step, of: place, in: document) else { return nil }
      place = next
    }
    return place
  }

  private static func child(_ step: Step, of parent: JSONPlace, in document: RawSpan) throws(JSONError) -> JSONPlace? {
    switch (step, parent.kind) {
    case (.member(let name), .object): try member(name, of: parent, in: document)
    case (.index(let index), .array): try element(index, of: parent, in: document)
    default: nil
    }
  }

  /// Of equal names the last one counts.
  private static func member(_ name: [UInt8], of parent: JSONPlace, in document: RawSpan) throws(JSONError) -> JSONPlace? {
    var walk = JSONSiblings()
    var reader = JSONReader(document[parent.value])
    var scratch = ByteBuffer()
    try reader.beginObject()
    while let key = try reader.nextKeyContent() {
      let isWanted = reader.matches(key, name, &scratch)
      let kind = try reader.peek()
      walk.pass(from: key.range.lowerBound - 1, try reader.skipValue(), kind, isWanted: isWanted)
    }
    return walk.found?.moved(by: parent.value.lowerBound)
  }

  private static func element(_ index: Int, of parent: JSONPlace, in document: RawSpan) throws(JSONError) -> JSONPlace? {
    let wanted = index < 0 ? index + (try count(of: parent, in: document)) : index
    if wanted < 0 { return nil }
    var walk = JSONSiblings()
    var reader = JSONReader(document[parent.value])
    var position = 0
    try reader.beginArray()
    while try reader.nextElement() {
      let kind = try reader.peek()
      let range = try reader.skipValue()
      walk.pass(from: range.lowerBound, range, kind, isWanted: position == wanted)
      position += 1
    }
    return walk.found?.moved(by: parent.value.lowerBound)
  }

  /// Elements of an array.
  package static func count(of array: JSONPlace, in document: RawSpan) throws(JSONError) -> Int {
    var reader = JSONReader(document[array.value])
    var count = 0
    try reader.beginArray()
    while try reader.nextElement() {
      _ = try reader.skipValue()
      count += 1
    }
    return count
  }
}

/// Members or elements on the way past, of which one is wanted.
private struct JSONSiblings {
  private(set) var found: JSONPlace?
  private var previousEnd: Int?
  /// The last one seen is the one found, and the first of all: the comma behind it goes with it.
  private var isFirstFound = false

  mutating func pass(from start: Int, _ value: Range<Int>, _ kind: JSONKind, isWanted: Bool) {
    if isFirstFound, let first = found { found?.extent = first.extent.lowerBound..<start }
    isFirstFound = isWanted && previousEnd == nil
    if isWanted { found = JSONPlace(value: value, kind: kind, extent: (previousEnd ?? start)..<value.upperBound) }
    previousEnd = value.upperBound
  }
}

extension JSONPlace {
  fileprivate func moved(by distance: Int) -> JSONPlace {
    JSONPlace(
      value: (value.lowerBound + distance)..<(value.upperBound + distance), kind: kind,
      extent: (extent.lowerBound + distance)..<(extent.upperBound + distance))
  }
}
