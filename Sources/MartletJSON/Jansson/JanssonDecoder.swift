/// `Decodable` values through a jansson tree: the C-backed road, to be compared with `MartletJSON.Decoder`.
///
///     let order = try JanssonDecoder().decode(Order.self, from: bytes)
///
/// The same types, the same options, the same kinds of error, though without byte offsets in values that do not fit. The tree is made by jansson's own
/// parser (`.jansson`), whose limits are:
/// - a text with an integer beyond Int64, a real beyond the finite doubles, or NUL in a name is refused, even where nobody asks for them;
/// - reals are rounded to doubles before they become anything else, and -0 is 0.
///
/// Or by our scanner (`.scanner`): then it is the language of `MartletJSON.Decoder`, numbers exact. Both refuse more than 512 levels, as that does.

import MartletBytes

public struct JanssonDecoder: Sendable {
  public enum Parser: Sendable {
    /// `json_loadb`.
    case jansson
    /// `JSONReader`, into the same tree.
    case scanner
  }

  /// Strategies, user information.
  public var options: MartletJSON.Decoder
  public var parser: Parser
  /// The most memory that the tree of `.scanner` may take, about, in bytes; a text of n bytes can need a hundred times n.
  public var treeBytesMax = JSONPatch.treeBytesMaxDefault

  public init(_ options: MartletJSON.Decoder = MartletJSON.Decoder(), parser: Parser = .jansson) {
    self.options = options
    self.parser = parser
  }

  /// The value that `text`, one JSON text in UTF-8 of at most 512 levels, stands for.
  public func decode<Value: Decodable>(_ type: Value.Type, from text: RawSpan) throws -> Value {
    let tree = JanssonTreeDecoding(try document(of: text), options: options)
    return try tree.value(type, at: tree.root, nil)
  }

  public func decode<Value: Decodable>(_ type: Value.Type, from text: [UInt8]) throws -> Value {
    try decode(type, from: text.rawSpan)
  }

  public func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
    try decode(type, from: Array(text.utf8))
  }

  private func document(of text: RawSpan) throws -> JanssonDocument {
    do throws(JSONError) {
      switch parser {
      case .jansson: return try JanssonDocument(loadingStrictly: text, depthMax: JSONScanner.depthMaxDefault)
      case .scanner:
        var memory = treeBytesMax
        return try JanssonDocument(scanning: text, memory: &memory, spellsInexactNumbers: true)
      }
    } catch {
      throw MartletJSON.Decoder.malformed(error, at: [])
    }
  }
}
