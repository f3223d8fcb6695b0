/// The plain twin: a value type, a parser without care for speed, and RFC 6902 and 7396 word by word. For comparison only; it knows valid
/// input.

import MartletBytes
import MartletJSON

indirect enum NaiveJSON: Equatable {
  case null
  case boolean(Bool)
  case number(String)
  case string([UInt8])
  case array([NaiveJSON])
  /// In the order of the text; names are bytes.
  case object([(key: [UInt8], value: NaiveJSON)])

  static func == (left: NaiveJSON, right: NaiveJSON) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.number(let left), .number(let right)): left == right || Double(left)! == Double(right)!
    case (.string(let left), .string(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)):
      left.count == right.count && left.allSatisfy { member in right.contains { $0.key == member.key && $0.value == member.value } }
    default: false
    }
  }

  init(_ text: String) throws { self = try withBytes(text) { try NaiveJSON($0) } }

  init(_ text: RawSpan) throws(JSONError) {
    var reader = JSONReader(text)
    self = try NaiveJSON(&reader, text)
    try reader.end()
  }

  private init(_ reader: inout JSONReader, _ text: RawSpan) throws(JSONError) {
    switch try reader.peek() {
    case .object:
      var members: [(key: [UInt8], value: NaiveJSON)] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let value = try NaiveJSON(&reader, text)
        if let index = members.firstIndex(where: { $0.key == Array(key.utf8) }) {
          members[index].value = value
        } else {
          members.append((Array(key.utf8), value))
        }
      }
      self = .object(members)
    case .array:
      var elements: [NaiveJSON] = []
      try reader.beginArray()
      while try reader.nextElement() { elements.append(try NaiveJSON(&reader, text)) }
      self = .array(elements)
    case .string: self = .string(Array(try reader.readString().utf8))
    case .number: self = .number(text[try reader.skipValue()].text)
    case .boolean: self = .boolean(try reader.readBool())
    case .null:
      try reader.readNull()
      self = .null
    }
  }

  /// Compact, in order, numbers as they were.
  func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .boolean(let value): writer.bool(value)
    case .number(let text): withBytes(text) { writer.raw($0) }
    case .string(let bytes): withBytes(bytes) { writer.string(utf8: $0) }
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for (key, value) in members {
        withBytes(key) { writer.key(utf8: $0) }
        value.write(to: &writer)
      }
      writer.endObject()
    }
  }

  var text: String {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.finish().text
  }

  // MARK: RFC 6901 and 6902

  /// What a place needs to be changed: nil for missing.
  func get(_ path: ArraySlice<[UInt8]>) -> NaiveJSON? {
    guard let token = path.first else { return self }
    switch self {
    case .object(let members): return members.first { $0.key == token }?.value.get(path.dropFirst())
    case .array(let elements):
      guard let index = NaiveJSON.index(token), index < elements.count else { return nil }
      return elements[index].get(path.dropFirst())
    default: return nil
    }
  }

  static func index(_ token: [UInt8]) -> Int? {
    let text = String(decoding: token, as: UTF8.self)
    guard text.allSatisfy({ "0123456789".contains($0) }), let index = Int(text), String(index) == text else { return nil }
    return index
  }

  /// The value with the place changed by `change` of its parent; nil if the parent is missing or `change` says so.
  private func changed(_ path: ArraySlice<[UInt8]>, _ change: (NaiveJSON, [UInt8]) -> NaiveJSON?) -> NaiveJSON? {
    let token = path.first!
    if path.count == 1 { return change(self, token) }
    switch self {
    case .object(var members):
      guard let index = members.firstIndex(where: { $0.key == token }) else { return nil }
      guard let value = members[index].value.changed(path.dropFirst(), change) else { return nil }
      members[index].value = value
      return .object(members)
    case .array(var elements):
      guard let index = NaiveJSON.index(token), index < elements.count else { return nil }
      guard let value = elements[index].changed(path.dropFirst(), change) else { return nil }
      elements[index] = value
      return .array(elements)
    default: return nil
    }
  }

  func adding(_ value: NaiveJSON, at path: [[UInt8]]) -> NaiveJSON? {
    if path.isEmpty { return value }
    return changed(path[...]) { parent, token in
      switch parent {
      case .object(var members):
        if let index = members.firstIndex(where: { $0.key == token }) {
          members[index].value = value
        } else {
          members.append((token, value))
        }
        return .object(members)
      case .array(var elements):
        guard let index = token == [0x2D] ? elements.count : NaiveJSON.index(token), index <= elements.count else { return nil }
        elements.insert(value, at: index)
        return .array(elements)
      default: return nil
      }
    }
  }

  func removing(at path: [[UInt8]]) -> NaiveJSON? {
    if path.isEmpty { return nil }
    return changed(path[...]) { parent, token in
      switch parent {
      case .object(var members):
        guard let index = members.firstIndex(where: { $0.key == token }) else { return nil }
        members.remove(at: index)
        return .object(members)
      case .array(var elements):
        guard let index = NaiveJSON.index(token), index < elements.count else { return nil }
        elements.remove(at: index)
        return .array(elements)
      default: return nil
      }
    }
  }

  func replacing(_ value: NaiveJSON, at path: [[UInt8]]) -> NaiveJSON? {
    if path.isEmpty { return value }
    guard get(path[...]) != nil else { return nil }
    return changed(path[...]) { parent, token in
      switch parent {
      case .object(var members):
        members[members.firstIndex { $0.key == token }!].value = value
        return .object(members)
      case .array(var elements):
        elements[NaiveJSON.index(token)!] = value
        return .array(elements)
      default: return nil
      }
    }
  }

  func applying(_ operation: NaiveOperation) -> NaiveJSON? {
    switch operation.op {
    case "add": return adding(operation.value, at: operation.path)
    case "remove": return removing(at: operation.path)
    case "replace": return replacing(operation.value, at: operation.path)
    case "copy": return get(operation.from[...]).flatMap { adding($0, at: operation.path) }
    case "move":
      guard let value = get(operation.from[...]) else { return nil }
      if operation.from == operation.path { return self }
      if operation.path.starts(with: operation.from) { return nil }
      return removing(at: operation.from)?.adding(value, at: operation.path)
    default: return get(operation.path[...]) == operation.value ? self : nil
    }
  }

  // MARK: RFC 7396 section 2

  func merged(_ patch: NaiveJSON) -> NaiveJSON {
    guard case .object(let changes) = patch else { return patch }
    var members: [(key: [UInt8], value: NaiveJSON)] = []
    if case .object(let own) = self { members = own }
    for (key, value) in changes {
      let index = members.firstIndex { $0.key == key }
      if value == .null {
        if let index { members.remove(at: index) }
      } else if let index {
        members[index].value = members[index].value.merged(value)
      } else {
        members.append((key, NaiveJSON.null.merged(value)))
      }
    }
    return .object(members)
  }

  /// A value for a random test: few names and numbers, so that they meet; spellings of all sorts.
  static func random(_ random: inout SeededRandom, depth: Int) -> NaiveJSON {
    switch Int.random(in: 0...(depth > 0 ? 9 : 6), using: &random) {
    case 0: return .null
    case 1: return .boolean(Bool.random(using: &random))
    case 2, 3:
      let numbers = [
        "0", "-0", "1", "1.0", "1e0", "10e-1", "0.10", "19.99", "-5", "9223372036854775807", "9007199254740993", "1e23", "1E+2", "5e-324",
      ]
      return .number(numbers.randomElement(using: &random)!)
    case 4, 5, 6: return .string(Array(["", "a", "é\u{0}", "\u{1}\"\\", "e\u{301}", "text"].randomElement(using: &random)!.utf8))
    case 7: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in NaiveJSON.random(&random, depth: depth - 1) })
    default:
      var members: [(key: [UInt8], value: NaiveJSON)] = []
      for key in ["a", "b", "", "a/b", "m~n", "\u{0}", "0", "-"].shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random)) {
        members.append((Array(key.utf8), NaiveJSON.random(&random, depth: depth - 1)))
      }
      return .object(members)
    }
  }

  /// The paths of all places in the value, and some that are not there.
  func places() -> [[[UInt8]]] {
    var all: [[[UInt8]]] = [[]]
    switch self {
    case .object(let members):
      for (key, value) in members { all += value.places().map { [key] + $0 } }
      all.append([Array("new".utf8)])
      all.append([[]])
    case .array(let elements):
      for (index, value) in elements.enumerated() { all += value.places().map { [Array(String(index).utf8)] + $0 } }
      all += [[Array(String(elements.count).utf8)], [[0x2D]], [Array("01".utf8)], [Array("99".utf8)]]
    default: all.append([Array("x".utf8)])
    }
    return all
  }
}

struct NaiveOperation {
  var op: String
  var path: [[UInt8]]
  var from: [[UInt8]]
  var value: NaiveJSON

  var json: NaiveJSON {
    var members: [(key: [UInt8], value: NaiveJSON)] = [
      (Array("op".utf8), .string(Array(op.utf8))), (Array("path".utf8), NaiveOperation.pointer(path)),
    ]
    if op == "move" || op == "copy" { members.append((Array("from".utf8), NaiveOperation.pointer(from))) }
    if op == "add" || op == "replace" || op == "test" { members.append((Array("value".utf8), value)) }
    return .object(members)
  }

  private static func pointer(_ path: [[UInt8]]) -> NaiveJSON {
    var text: [UInt8] = []
    for token in path {
      text.append(0x2F)
      for byte in token { text += byte == 0x7E ? [0x7E, 0x30] : byte == 0x2F ? [0x7E, 0x31] : [byte] }
    }
    return .string(text)
  }
}
