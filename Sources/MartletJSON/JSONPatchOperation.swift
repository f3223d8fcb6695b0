/// One operation of a JSON Patch, read strictly (RFC 6902 sections 3 and 4, appendices A.11 to A.13).

import MartletBytes

extension JSONPatch {
  struct Operation {
    enum Verb: String {
      case add, remove, replace, move, copy, test

      var hasFrom: Bool { self == .move || self == .copy }
      var hasValue: Bool { self == .add || self == .replace || self == .test }
    }

    var verb: Verb
    var path: JSONPointer
    /// Where `move` and `copy` take the value; the whole document for the others, which do not look.
    var from: JSONPointer
    /// The value's bytes in the patch; empty for operations without one.
    var valueRange: Range<Int>

    /// All operations of a patch, each checked for what it needs.
    static func all(in patch: RawSpan) throws(JSONPatchError) -> [Operation] {
      let fields: [Fields]?
      do throws(JSONError) { fields = try Fields.all(in: patch) } catch { throw .malformed(error) }
      guard let fields else { throw .notAPatch(operation: nil, why: "a JSON Patch is an array of operations") }
      var operations: [Operation] = []
      operations.reserveCapacity(fields.count)
      for (index, fields) in fields.enumerated() { operations.append(try Operation(fields, index)) }
      return operations
    }

    private init(_ fields: Fields, _ index: Int) throws(JSONPatchError) {
      if let problem = fields.problem { throw .notAPatch(operation: index, why: problem) }
      guard let op = fields.op else { throw .notAPatch(operation: index, why: "\"op\" is missing") }
      guard let verb = Verb(rawValue: op) else {
        throw .notAPatch(operation: index, why: "\"op\" is one of add, remove, replace, move, copy, test")
      }
      self.verb = verb
      path = try Operation.pointer(fields.path, "path", index)
      from = verb.hasFrom ? try Operation.pointer(fields.from, "from", index) : path
      if verb.hasValue, fields.value == nil { throw .notAPatch(operation: index, why: "\"value\" is missing") }
      valueRange = fields.value ?? 0..<0
      if verb == .remove, path.tokens.isEmpty { throw .notAPatch(operation: index, why: "the whole document cannot be removed") }
      if verb == .move, path.tokens.count > from.tokens.count, path.tokens.starts(with: from.tokens) {
        throw .notAPatch(operation: index, why: "a value cannot be moved into itself")
      }
    }

    private static func pointer(_ text: String?, _ name: String, _ index: Int) throws(JSONPatchError) -> JSONPointer {
      guard let text else { throw .notAPatch(operation: index, why: "\"\(name)\" is missing") }
      do throws(JSONError) {
        return try JSONPointer(text)
      } catch {
        throw .notAPatch(operation: index, why: "\"\(name)\" is no JSON Pointer: \(error)")
      }
    }
  }
}

/// The members of an operation that RFC 6902 names, as they were found. Others are ignored.
private struct Fields {
  var op: String?
  var path: String?
  var from: String?
  var value: Range<Int>?
  /// The first thing that makes it no operation.
  var problem: String?

  /// nil if the patch is no array. Throws if it is not JSON.
  static func all(in patch: RawSpan) throws(JSONError) -> [Fields]? {
    try JSONScanner.validate(patch)
    var reader = JSONReader(patch)
    guard try reader.peek() == .array else { return nil }
    var all: [Fields] = []
    try reader.beginArray()
    while try reader.nextElement() { all.append(try Fields(&reader)) }
    return all
  }

  private init(_ reader: inout JSONReader) throws(JSONError) {
    guard try reader.peek() == .object else {
      _ = try reader.skipValue()
      problem = "an operation is an object"
      return
    }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "op": op = try text(key, &reader, isAgain: op != nil)
      case "path": path = try text(key, &reader, isAgain: path != nil)
      case "from": from = try text(key, &reader, isAgain: from != nil)
      case "value":
        if value != nil { note("\"value\" stands twice") }
        value = try reader.skipValue()
      default: _ = try reader.skipValue()
      }
    }
  }

  private mutating func text(_ key: String, _ reader: inout JSONReader, isAgain: Bool) throws(JSONError) -> String? {
    if isAgain { note("\"\(key)\" stands twice") }
    guard try reader.peek() == .string else {
      note("\"\(key)\" is no string")
      _ = try reader.skipValue()
      return nil
    }
    return try reader.readString()
  }

  private mutating func note(_ problem: String) {
    if self.problem == nil { self.problem = problem }
  }
}
