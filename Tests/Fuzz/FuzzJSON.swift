/// libFuzzer over JSON: any bytes at all, and what must hold of them.
///
/// Not part of the package's tests: `-sanitize=fuzzer` brings its own `main`. What is held:
/// - scanner and reader give the same verdict, at the same byte; nothing reads beyond the input (address sanitizer);
/// - what the fast lane reads in place (names, numbers, strings, truth values) is what stands there, and its verdict is the scanner's;
/// - jansson's own parser, as a rival: what it accepts the scanner accepts, and the other way round but for its known limits;
/// - the decoders of both roads accept the same texts, as `Tree`, and read equal values; what the encoders write of it is the same bytes, and reads
///   back as the same value; jansson's own parser and printer agree, but for their known limits;
/// - what a tree prints is valid, prints the same again, and equals the tree it came from; a test of the whole document against itself passes;
/// - patches and merge patches (input up to the first line feed is the patch) end, and leave valid JSON or an error;
/// - pointers find a part that is a value by itself;
/// - doubles that are read print shortest and read back the same.

import MartletBytes
import MartletJSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe UnsafeRawBufferPointer(start: start, count: count)
  let text = unsafe RawSpan(_unsafeBytes: input)
  checkText(text)
  if let end = text.firstIndex(of: 0x0A) { checkPatch(text.extracting(0..<end), text.extracting(end + 1..<count)) }
  return 0
}

private func checkText(_ text: RawSpan) {
  var scanned: JSONError?
  do throws(JSONError) { try JSONScanner.validate(text) } catch { scanned = error }
  var read: JSONError?
  var hasNULInKey = false
  var hasHugeNumber = false
  var reader = JSONReader(text)
  do throws(JSONError) {
    try readValue(&reader, text, &hasNULInKey, &hasHugeNumber)
    try reader.end()
  } catch { read = error }
  precondition(scanned == read, "scanner \(String(describing: scanned)), reader \(String(describing: read))")
  if let scanned { precondition(scanned.offset >= 0 && scanned.offset <= text.byteCount) }
  checkFastLane(text, scanned)

  var loads = true
  do throws(JSONError) { _ = try JanssonDocument(loading: text) } catch { loads = false }
  if scanned == nil {
    precondition(loads || hasNULInKey || hasHugeNumber, "jansson refuses what the scanner accepts")
  } else if loads {
    // Known: a NUL behind the value ends jansson's input; it allows 2048 levels.
    precondition(scanned?.problem == .tooDeep || text.firstIndex(of: 0) != nil, "jansson accepts what the scanner refuses")
  }

  checkCoders(text, isRight: scanned == nil, loads: loads)

  guard scanned == nil else { return }
  do throws(JSONError) {
    let document = try JanssonDocument(scanning: text)
    var printed = ByteBuffer()
    document.write(to: &printed)
    let again = try JanssonDocument(scanning: printed.bytes)
    var printedAgain = ByteBuffer()
    again.write(to: &printedAgain)
    precondition(printed.bytes.equals(printedAgain.bytes), "printing is not stable")
    precondition(document.root.equals(again.root), "a printed tree differs")
  } catch {
    precondition(error.problem == .inexactNumber, "the document model refuses: \(error)")
  }
}

private func checkFastLane(_ text: RawSpan, _ scanned: JSONError?) {
  var reader = JSONReader(text)
  do throws(JSONError) {
    try readInPlace(&reader, text)
    try reader.end()
    precondition(scanned == nil, "the fast lane accepts what the scanner refuses: \(String(describing: scanned))")
  } catch {
    // A number that is none of the type that it was asked for.
    precondition(
      error == scanned || error.problem == .outOfRange || error.problem == .notAnInteger,
      "scanner \(String(describing: scanned)), fast lane \(error)")
  }
}

private func readInPlace(_ reader: inout JSONReader, _ text: RawSpan) throws(JSONError) {
  let start = reader.offset
  switch try reader.peek() {
  case .object:
    try reader.beginObject()
    while let name = try reader.nextName() {
      let said = Array(name.text.utf8)
      precondition(name.fingerprint == JSONNameFingerprint(said.rawSpan, from: 0, to: said.count), "a name that is not what it says")
      try readInPlace(&reader, text)
    }
  case .array:
    try reader.beginArray()
    while try reader.nextElement() { try readInPlace(&reader, text) }
  case .string:
    var content = ByteBuffer()
    try reader.readString(into: &content)
    var again = JSONReader(text.extracting(start..<reader.offset))
    let saidAgain = try again.readString()
    precondition(saidAgain == content.text, "a string that reads otherwise")
  case .number:
    let lexeme = text.extracting(start..<(try JSONScanner.skipNumber(in: text, from: start))).text
    if start & 1 == 0 {
      let value = try reader.readDouble()
      precondition(value.bitPattern == Double(lexeme)?.bitPattern, "not the nearest double")
    } else {
      let value = try reader.readInteger()
      precondition(value == Int64(lexeme), "not the integer")
    }
    precondition(reader.offset == start + lexeme.utf8.count, "a number that ends elsewhere")
  case .boolean:
    let value = try reader.readBool()
    precondition(value == (text[start] == UInt8(ascii: "t")), "not what is written")
  case .null:
    precondition(reader.nextIsNull)
    try reader.readNull()
  }
}

/// Any JSON, by way of `Codable`: numbers as they are asked for by a reader that does not know what stands there.
private indirect enum Tree: Codable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case real(Double)
  /// Beyond both.
  case hugeNumber
  case string(String)
  case list([Tree])
  case members([String: Tree])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let boolean = try? value.decode(Bool.self) {
      self = .boolean(boolean)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let real = try? value.decode(Double.self) {
      self = .real(real)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let list = try? decoder.unkeyedContainer() {
      self = .list(try Tree.elements(list))
    } else if let members = try? value.decode([String: Tree].self) {
      self = .members(members)
    } else {
      self = .hugeNumber
    }
  }

  private static func elements(_ list: any UnkeyedDecodingContainer) throws -> [Tree] {
    var list = list
    var elements: [Tree] = []
    while !list.isAtEnd { elements.append(try list.decode(Tree.self)) }
    return elements
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null, .hugeNumber: try value.encodeNil()
    case .boolean(let boolean): try value.encode(boolean)
    case .integer(let integer): try value.encode(integer)
    case .real(let real): try value.encode(real)
    case .string(let string): try value.encode(string)
    case .list(let list): try value.encode(list)
    case .members(let members): try value.encode(members)
    }
  }

  /// As it is once it has been written and read, by jansson too: beyond 2^53 it rounds what is written with a fraction or an exponent.
  var settled: Tree {
    switch self {
    case .hugeNumber: .null
    case .integer(let integer) where integer.magnitude > 1 << 53: .real(Double(integer))
    case .real(let real) where real.magnitude <= 0x1p53: Int64(exactly: real).map { .integer($0) } ?? self
    case .list(let list): .list(list.map(\.settled))
    case .members(let members): .members(members.mapValues(\.settled))
    default: self
    }
  }
}

private func checkCoders(_ text: RawSpan, isRight: Bool, loads: Bool) {
  let swift = try? MartletJSON.Decoder().decode(Tree.self, from: text)
  precondition((swift != nil) == isRight, "the decoder and the scanner differ")
  let tree = try? JanssonDecoder(parser: .scanner).decode(Tree.self, from: text)
  precondition(swift == tree, "the roads read differently: \(String(describing: swift)), \(String(describing: tree))")
  let loaded = try? JanssonDecoder().decode(Tree.self, from: text)
  precondition((loaded != nil) == (isRight && loads), "jansson's road and jansson differ")
  if let loaded { precondition(loaded.settled == swift?.settled, "jansson's own parser reads another value") }

  guard let swift else { return }
  do {
    let written = try MartletJSON.Encoder().encode(swift)
    let writtenByTree = try JanssonEncoder(printer: .writer).encode(swift)
    precondition(writtenByTree == written, "the roads write differently")
    let again = try MartletJSON.Decoder().decode(Tree.self, from: written)
    precondition(again.settled == swift.settled, "what is written reads otherwise")
    let printed = try MartletJSON.Decoder().decode(Tree.self, from: JanssonEncoder().encode(swift))
    precondition(printed.settled == swift.settled, "what jansson prints reads otherwise")
  } catch {
    preconditionFailure("what was read cannot be written: \(error)")
  }
}

private func readValue(_ reader: inout JSONReader, _ text: RawSpan, _ hasNULInKey: inout Bool, _ hasHugeNumber: inout Bool)
  throws(JSONError)
{
  switch try reader.peek() {
  case .object:
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.utf8.contains(0) { hasNULInKey = true }
      try readValue(&reader, text, &hasNULInKey, &hasHugeNumber)
    }
  case .array:
    try reader.beginArray()
    while try reader.nextElement() { try readValue(&reader, text, &hasNULInKey, &hasHugeNumber) }
  case .string: _ = try reader.readString()
  case .number:
    let range = try reader.skipValue()
    let lexeme = text.extracting(range)
    var number = JSONReader(lexeme)
    do throws(JSONError) {
      let value = try number.readDouble()
      precondition(value == Double(lexeme.text)!, "not the nearest double")
      var writer = JSONWriter()
      try writer.double(value)
      let output = writer.finish()
      precondition(Double(output.text)!.bitPattern == value.bitPattern, "digits do not read back")
    } catch {
      precondition(error.problem == .outOfRange)
      hasHugeNumber = true
    }
    if Int64(lexeme.text) == nil {
      hasHugeNumber =
        hasHugeNumber || !lexeme.text.contains { ".eE".contains($0) } || lexeme.text.contains("e-") || lexeme.text.contains("E-")
    }
  case .boolean: _ = try reader.readBool()
  case .null: try reader.readNull()
  }
}

private func checkPatch(_ patch: RawSpan, _ document: RawSpan) {
  for isMerge in [false, true] {
    do throws(JSONPatchError) {
      let result =
        isMerge
        ? try JSONMergePatch.apply(patch: patch, to: document, bytesMax: 1 << 16)
        : try JSONPatch.apply(patch: patch, to: document, bytesMax: 1 << 16)
      precondition(result.count <= 1 << 16)
      do throws(JSONError) { try JSONScanner.validate(result.bytes) } catch {
        preconditionFailure("a patch left what is no JSON: \(error)")
      }
    } catch {
      _ = error.description
    }
  }
  do throws(JSONError) {
    let pointer = try JSONPointer(patch)
    precondition(pointer.description == patch.text)
    if let range = try pointer.locate(in: document) { try JSONScanner.validate(document.extracting(range)) }
  } catch {
    precondition(error.offset >= 0)
  }
}
