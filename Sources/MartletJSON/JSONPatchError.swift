/// Why a patch was not applied. Each case is one answer to the one who sent it; the document is as it was.

public enum JSONPatchError: Error, Equatable, Sendable {
  /// The patch is not a JSON text (HTTP 400).
  case malformed(JSONError)
  /// It is JSON, but no patch: which operation (nil: the whole), and why (422).
  case notAPatch(operation: Int?, why: String)
  /// A location that is not in the document, as a JSON Pointer (422).
  case pathMissing(pointer: String)
  /// A `test` found another value, at this JSON Pointer (409).
  case testFailed(pointer: String)
  /// A number that cannot be kept exactly: an integer beyond 64 bits, a real with more digits than a double holds. The offset is in bytes of
  /// the patch or of the document (422).
  case inexactNumber(offset: Int, inPatch: Bool)
  /// What is to be patched is not a JSON text (409).
  case documentNotJSON(JSONError)
  /// The result would be nested more deeply than 512 levels (422).
  case tooDeep
  /// The result, or the work of getting there, would go beyond a bound (413).
  case tooLarge
}

extension JSONPatchError: CustomStringConvertible {
  /// One sentence for people.
  public var description: String {
    switch self {
    case .malformed(let error): "the patch is not JSON: \(error)"
    case .notAPatch(let operation?, let why): "operation \(operation) of the patch: \(why)"
    case .notAPatch(nil, let why): "not a patch: \(why)"
    case .pathMissing(let pointer): "no such location: \"\(pointer)\""
    case .testFailed(let pointer): "the test of \"\(pointer)\" failed"
    case .inexactNumber(let offset, let inPatch):
      "a number in the \(inPatch ? "patch" : "document") cannot be kept exactly, at byte \(offset)"
    case .documentNotJSON(let error): "the document is not JSON: \(error)"
    case .tooDeep: "the result is nested too deeply"
    case .tooLarge: "the result is too large"
    }
  }

  /// What reading the document tells.
  init(document error: JSONError) {
    switch error.problem {
    case .inexactNumber: self = .inexactNumber(offset: error.offset, inPatch: false)
    case .tooLarge: self = .tooLarge
    default: self = .documentNotJSON(error)
    }
  }

  /// What reading the patch, or a value of it, tells.
  init(patch error: JSONError) {
    switch error.problem {
    case .inexactNumber: self = .inexactNumber(offset: error.offset, inPatch: true)
    case .tooLarge: self = .tooLarge
    default: self = .malformed(error)
    }
  }
}
