/// What JSON commands say: JSON.GET's reply, and errors in RedisJSON's words.

internal import MartletBytes
internal import MartletCacheProtocols
internal import MartletJSON

/// What JSON.GET asks for; answered from a document whether the shards are locked or not.
struct JSONGet {
  private var spacing = JSONSpacing()
  private var paths: [JSONPath] = []
  private let bytesMax: Int

  /// Paths that one JSON.GET may name: each costs a pass over the document.
  private static var pathsMax: Int { 128 }
  /// Bytes of each of INDENT, NEWLINE, SPACE.
  private static var spacingBytesMax: Int { 1024 }

  /// `bytesMax`: of the reply.
  init(_ args: borrowing RESPArguments, bytesMax: Int) throws(CommandError) {
    self.bytesMax = bytesMax
    var index = 2
    while index < args.count {
      if args[index].equalsIgnoringCase("indent") {
        spacing.indent = try Self.spacing(args, index + 1)
        index += 2
      } else if args[index].equalsIgnoringCase("newline") {
        spacing.newline = try Self.spacing(args, index + 1)
        index += 2
      } else if args[index].equalsIgnoringCase("space") {
        spacing.space = try Self.spacing(args, index + 1)
        index += 2
      } else {
        // NOESCAPE is of an old version: it never did anything.
        if !args[index].equalsIgnoringCase("noescape") { paths.append(try JSONPath.read(args[index])) }
        index += 1
      }
    }
    if paths.isEmpty { paths = [.root] }
    if paths.count > Self.pathsMax { throw CommandError("ERR more than \(Self.pathsMax) paths") }
  }

  private static func spacing(_ args: borrowing RESPArguments, _ index: Int) throws(CommandError) -> [UInt8] {
    guard index < args.count else { throw .arity("json.get") }
    guard args[index].byteCount <= spacingBytesMax else { throw CommandError("ERR more than \(spacingBytesMax) bytes of spacing") }
    return args[index].copied()
  }

  /// One path: its value, or an array of it. Several: an object of them by path, arrays if one of them begins with `$`.
  func write(_ document: RawSpan, to writer: inout RESPWriter) throws(CommandError) {
    let isBare = paths.allSatisfy(\.isBare)
    var text = ByteBuffer()
    if paths.count == 1 {
      try append(paths[0], in: document, isBare: isBare, missing: paths[0].text, level: 0, to: &text)
    } else {
      text.append(UInt8(ascii: "{"))
      for (index, path) in paths.enumerated() {
        text.beginItem(spacing, level: 1, isFirst: index == 0)
        JSONWriter.append(to: &text) { $0.string(utf8: path.original.rawSpan) }
        text.append(UInt8(ascii: ":"))
        text.append(spacing.space)
        try append(path, in: document, isBare: isBare, missing: path.original, level: 1, to: &text)
      }
      text.beginLine(spacing, level: 0)
      text.append(UInt8(ascii: "}"))
    }
    if text.count > bytesMax { throw .jsonReplyTooLarge }
    writer.bulk(text.bytes)
  }

  private func append(
    _ path: JSONPath, in document: RawSpan, isBare: Bool, missing: [UInt8], level: Int, to text: inout ByteBuffer
  ) throws(CommandError) {
    let place = try path.place(in: document)
    if isBare {
      guard let place else { throw .jsonPath(missing) }
      return try append(document[place.value], level: level, to: &text)
    }
    text.append(UInt8(ascii: "["))
    if let place {
      text.beginItem(spacing, level: level + 1, isFirst: true)
      try append(document[place.value], level: level + 1, to: &text)
      text.beginLine(spacing, level: level)
    }
    text.append(UInt8(ascii: "]"))
  }

  private func append(_ value: RawSpan, level: Int, to text: inout ByteBuffer) throws(CommandError) {
    do throws(JSONError) {
      try text.append(json: value, spacing: spacing, level: level, bytesMax: bytesMax)
    } catch {
      throw error.problem == .tooLarge ? .jsonReplyTooLarge : .wrongType
    }
  }
}

extension JSONPath {
  static func read(_ text: RawSpan) throws(CommandError) -> JSONPath {
    do throws(JSONError) { return try JSONPath(text) } catch {
      throw CommandError("ERR Invalid path '\(text[0..<min(text.byteCount, 128)].text)': \(error); members and indices make a path here")
    }
  }

  /// Where it is in a document that is stored.
  func place(in document: RawSpan) throws(CommandError) -> JSONPlace? {
    do throws(JSONError) { return try locate(in: document) } catch { throw .wrongType }
  }

  /// What JSON.TYPE says of a document that is stored.
  func writeType(in document: RawSpan, to writer: inout RESPWriter) throws(CommandError) {
    let name = try place(in: document).map { $0.typeName(in: document) }
    if !isBare { writer.array(name == nil ? 0 : 1) }
    if let name { writer.bulk(name) } else if isBare { writer.null() }
  }

  /// A stored document with a new member of this path; nil if what it would be in is not there, or no object.
  func adding(_ value: RawSpan, to document: RawSpan) throws(CommandError) -> ByteBuffer? {
    guard case .member(let name) = steps.last else { throw CommandError("ERR array index out of range") }
    let parent: JSONPlace?
    do throws(JSONError) { parent = try locateParent(in: document) } catch { throw .wrongType }
    guard let parent, parent.kind == .object else { return nil }
    return parent.adding(name, value, to: document)
  }

  /// Where the value in an argument stands in it, which must be one JSON text, and not too deep for its place.
  func checkedValue(_ text: RawSpan, levelsAround: Int = 0) throws(CommandError) -> Range<Int> {
    do throws(JSONError) {
      var reader = JSONReader(text, depthMax: max(JSONScanner.depthMaxDefault - steps.count - levelsAround, 0))
      let range = try reader.skipValue()
      try reader.end()
      return range
    } catch { throw CommandError(error, in: text) }
  }
}

extension JSONPlace {
  fileprivate func typeName(in document: RawSpan) -> StaticString {
    switch kind {
    case .object: "object"
    case .array: "array"
    case .string: "string"
    case .number: JSONSum.isInteger(document[value]) ? "integer" : "number"
    case .boolean: "boolean"
    case .null: "null"
    }
  }

  /// Elements of an array in a stored document.
  func count(in document: RawSpan) throws(CommandError) -> Int {
    do throws(JSONError) { return try JSONPath.count(of: self, in: document) } catch { throw .wrongType }
  }
}

extension CommandError {
  static let wrongType = CommandError("WRONGTYPE Operation against a key holding the wrong kind of value")
  static let jsonRoot = CommandError("ERR new objects must be created at the root")
  static let jsonNoKey = CommandError("ERR could not perform this operation on a key that doesn't exist")
  static let jsonReplyTooLarge = CommandError("ERR the reply is larger than a value may be")

  static func jsonPath(_ path: [UInt8], _ rest: String = "") -> CommandError {
    let path = path.prefix(128)
    return CommandError("ERR Path '\(String(decoding: path, as: UTF8.self))' does not exist\(rest.isEmpty ? "" : " ")\(rest)")
  }

  /// A value that is not JSON, as serde_json words it for RedisJSON where it has such words.
  init(_ error: JSONError, in text: RawSpan) {
    var line = 1
    var column = 0
    for index in 0..<min(error.offset + 1, text.byteCount) {
      if text[index] == ASCII.lineFeed { (line, column) = (line + 1, 0) } else { column += 1 }
    }
    let words =
      switch error.problem {
      case .unexpectedEnd: "EOF while parsing a value"
      case .unexpectedCharacter: "expected value"
      case .trailingContent: "trailing characters"
      case .malformedNumber: "invalid number"
      case .malformedEscape: "invalid escape"
      case .loneSurrogate: "lone leading surrogate in hex escape"
      case .controlCharacter: "control character (\\u0000-\\u001F) found while parsing a string"
      case .tooDeep: "recursion limit exceeded"
      default: "\(error.problem)"
      }
    self = CommandError("ERR \(words) at line \(line) column \(column)")
  }
}
