/// An error that knows its reply. Thrown by handlers and middleware, made from `RequestFailure` by the session; rendered as
/// `application/problem+json` in one place, `ResponseWriter+Problem.swift`.

public struct HTTPError: Error, Sendable {
  public var status: HTTPStatus
  /// A sentence for people that says what was wrong with this request; goes to the client.
  public var detail: String
  /// Where in the body (bytes from its start) it went wrong.
  public var offset: Int?
  /// A JSON Pointer to the part of the body that is meant.
  public var pointer: String?
  /// The limit that was exceeded, in the unit that `detail` names.
  public var limit: Int?
  /// Fields of the reply: `Allow`, `WWW-Authenticate`, `Accept-Patch`, `Retry-After`, ….
  public var fields: [HTTPField]
  /// Whether the connection is of no use after this.
  public var closesConnection: Bool

  public init(
    _ status: HTTPStatus, _ detail: String, offset: Int? = nil, pointer: String? = nil, limit: Int? = nil, fields: [HTTPField] = [],
    closesConnection: Bool = false
  ) {
    self.status = status
    self.detail = detail
    self.offset = offset
    self.pointer = pointer
    self.limit = limit
    self.fields = fields
    self.closesConnection = closesConnection
  }
}

/// A header field as text, where a reply is made away from the loop or from an error.
public struct HTTPField: Sendable, Hashable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
