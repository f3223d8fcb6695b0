/// Request methods (RFC 9110 section 9), as one byte so that a route table can be indexed by them.

public enum Method: UInt8, CaseIterable, Sendable {
  case get, head, post, put, delete, patch, options, trace, query
  /// A registered method that has no case of its own (`PURGE`, `REPORT`, `M-SEARCH`, …): known, so that a resource answers 405
  /// and an unknown path 404. `Request.methodName` tells which.
  case other

  /// The name on the wire; empty for `other`.
  public var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .patch: "PATCH"
    case .options: "OPTIONS"
    case .trace: "TRACE"
    case .query: "QUERY"
    case .other: ""
    }
  }

  /// Registered methods that become `other`: IANA's list and those that llhttp knows beyond it.
  static let others: [StaticString] = [
    "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY",
    "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "NOTIFY", "ORDERPATCH", "PROPFIND", "PROPPATCH", "PURGE",
    "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UNSUBSCRIBE", "UPDATE",
    "UPDATEREDIRECTREF", "VERSION-CONTROL",
  ]
}

/// The methods that a resource has, for `Allow`.
package struct MethodSet: Sendable, Equatable {
  package var bits: UInt16 = 0

  package init() {}

  package var isEmpty: Bool { bits == 0 }
  package mutating func insert(_ method: Method) { bits |= 1 << UInt16(method.rawValue) }
  package mutating func formUnion(_ other: MethodSet) { bits |= other.bits }
  package func contains(_ method: Method) -> Bool { bits >> UInt16(method.rawValue) & 1 == 1 }

  /// The value of `Allow`: what is here, and what follows from it (`HEAD` from `GET`, `OPTIONS` always).
  package var allow: String {
    var names: [String] = []
    for method in Method.allCases where method != .other {
      let follows = method == .options || method == .head && contains(.get)
      if contains(method) || follows { names.append("\(method.name)") }
    }
    return names.joined(separator: ", ")
  }
}
