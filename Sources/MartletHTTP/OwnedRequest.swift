/// A request and a reply that may cross a suspension or a thread: copies, since borrowed spans cannot. Only `async` routes pay.

public import MartletBytes

public struct OwnedRequest: Sendable {
  public var method: Method
  public var methodName: [UInt8]
  /// As sent, percent-encoded.
  public var path: [UInt8]
  /// As sent, without the `?`.
  public var query: [UInt8]
  /// `host[:port]`; empty only if HTTP/1.0 sent none.
  public var host: [UInt8]
  /// Percent-decoded, in the order of the pattern.
  public var parameters: [[UInt8]]
  /// In the order sent; names in lower case.
  public var fields: [(name: [UInt8], value: [UInt8])]
  public var body: [UInt8]
  public var minorVersion: UInt8
  /// The loop's clock when the request was read.
  public var now: MonotonicTime
  package var connection: ConnectionID

  /// Copies all of `request`.
  public init(_ request: borrowing Request) {
    method = request.method
    methodName = request.methodName.copied()
    path = request.path.copied()
    query = request.query.copied()
    host = request.host.copied()
    parameters = []
    for index in 0..<request.parameterCount { parameters.append(request.parameter(index).copied()) }
    body = request.body.copied()
    minorVersion = request.minorVersion
    now = request.now
    connection = request.connection
    fields = []
    request.forEachField { name, value in fields.append((name.copied().map(ASCII.lowercased), value.copied())) }
  }

  public var isHead: Bool { method == .head }

  /// The first value of a field, blanks trimmed; nil if it was not sent. `name` is in lower case.
  public func field(_ name: StaticString) -> [UInt8]? {
    fields.first { $0.name.rawSpan.equals(name) }?.value
  }

  /// The path parameter at `index`, percent-decoded.
  public func parameter(_ index: Int) -> [UInt8] { parameters[index] }

  /// As `Request.forEachQueryItem`.
  public func forEachQueryItem(_ body: (_ name: RawSpan, _ value: RawSpan) throws -> Void) throws {
    try QueryItems.forEach(of: query.rawSpan, body)
  }
}

/// What an `async` handler answers.
public struct OwnedResponse: Sendable {
  public var status: HTTPStatus
  /// Not Content-Length, Transfer-Encoding, Connection or Date, which belong to the session.
  public var fields: [HTTPField]
  public var body: Body

  public enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// Written chunk by chunk. Called again once the chunk before has been flushed, so that a slow reader holds the source back;
    /// nil ends the body. An error cuts the connection, for the head has been sent.
    case stream(@Sendable () async throws -> [UInt8]?)
  }

  public init(_ status: HTTPStatus, fields: [HTTPField] = [], body: Body = .none) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  public init(_ bytes: [UInt8], contentType: String, status: HTTPStatus = .ok) {
    self.init(status, fields: [HTTPField("Content-Type", contentType)], body: .bytes(bytes))
  }

  public init(_ text: String, contentType: String = "text/plain; charset=utf-8", status: HTTPStatus = .ok) {
    self.init(Array(text.utf8), contentType: contentType, status: status)
  }

  /// A body from an asynchronous sequence, an element a chunk.
  public init<Chunks: AsyncSequence & Sendable>(stream chunks: Chunks, contentType: String, status: HTTPStatus = .ok)
  where Chunks.Element == [UInt8] {
    let source = ChunkSource(chunks)
    self.init(status, fields: [HTTPField("Content-Type", contentType)], body: .stream { try await source.next() })
  }
}

/// The iterator of a streamed body. `@unchecked`: the session asks for a chunk only when the one before has come, so there is one
/// caller at a time.
private final class ChunkSource<Chunks: AsyncSequence & Sendable>: @unchecked Sendable where Chunks.Element == [UInt8] {
  private var iterator: Chunks.AsyncIterator

  init(_ chunks: Chunks) { iterator = chunks.makeAsyncIterator() }

  func next() async throws -> [UInt8]? { try await iterator.next() }
}
