/// What is wrong with a JSON text, and at which byte.

public struct JSONError: Error, Equatable, Sendable {
  /// Where, in bytes from the start of the text: the first byte that cannot stand, or the text's length if it ends too early.
  /// From a writer: the length of its output.
  public var offset: Int
  public var problem: Problem

  @inlinable
  public init(offset: Int, problem: Problem) {
    self.offset = offset
    self.problem = problem
  }

  public enum Problem: Equatable, Sendable {
    /// The text ends inside of a value.
    case unexpectedEnd
    /// A byte that the grammar does not allow here.
    case unexpectedCharacter
    /// More than one value, or bytes after it that are not whitespace.
    case trailingContent
    /// A leading zero, a missing digit, a bare sign.
    case malformedNumber
    /// An unknown `\` sequence, or fewer than four hexadecimal digits after `\u`.
    case malformedEscape
    /// A `\u` escape of half a surrogate pair: it names no character, and no UTF-8 can hold it.
    case loneSurrogate
    /// A byte below 0x20 inside of a string.
    case controlCharacter
    /// Not UTF-8: overlong, surrogate, beyond U+10FFFF or cut short.
    case malformedUTF8
    /// More levels of objects and arrays than the bound allows.
    case tooDeep
    /// A reader met another kind of value than its caller asked for.
    case wrongKind(expected: JSONKind)
    /// An object has no member of a name that its reader cannot do without; the offset is that of the object or its end.
    case missingMember(String)
    /// A string that does not say what was asked for: "a UUID", with its article.
    case unexpectedString(expected: String)
    /// A number with a fraction or an exponent where an integer was asked for.
    case notAnInteger
    /// A number beyond the type that was asked for: Int64, or the finite doubles.
    case outOfRange
    /// A number that a document tree cannot keep exactly: an integer beyond Int64, a real with more digits than a double holds.
    case inexactNumber
    /// A value that JSON has no text for: NaN or infinity.
    case notFinite
    /// More values than the bound on a tree's memory allows.
    case tooLarge
  }
}

/// The six kinds of JSON value.
public enum JSONKind: Sendable {
  case object, array, string, number, boolean, null
}

extension JSONError: CustomStringConvertible {
  /// One sentence for people, offset included.
  public var description: String { "\(problem) at byte \(offset)" }
}

extension JSONError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unexpectedEnd: "unexpected end of the text"
    case .unexpectedCharacter: "unexpected character"
    case .trailingContent: "unexpected content after the value"
    case .malformedNumber: "malformed number"
    case .malformedEscape: "malformed escape in a string"
    case .loneSurrogate: "half a surrogate pair in a string"
    case .controlCharacter: "unescaped control character in a string"
    case .malformedUTF8: "malformed UTF-8 in a string"
    case .tooDeep: "nested too deeply"
    case .wrongKind(let expected): "expected \(expected.name)"
    case .missingMember(let name): "missing member \"\(name)\""
    case .unexpectedString(let expected): "expected \(expected)"
    case .notAnInteger: "expected an integer"
    case .outOfRange: "number out of range"
    case .inexactNumber: "number that cannot be kept exactly"
    case .notFinite: "number that is not finite"
    case .tooLarge: "too many values"
    }
  }
}

extension JSONKind {
  /// With its article, for messages.
  var name: String {
    switch self {
    case .object: "an object"
    case .array: "an array"
    case .string: "a string"
    case .number: "a number"
    case .boolean: "true or false"
    case .null: "null"
    }
  }
}
