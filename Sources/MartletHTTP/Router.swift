/// Where routes are written down: a list that reads aloud. Compiled once into a `RouteTree`; nothing here is on the path.
///
/// ```swift
/// var router = Router()
/// router.get("/json") { _, response in response.body(#"{"message":"Hello, World!"}"#) }
/// router.group("/v1", middleware: [authorised]) { v1 in
///   v1.put("/cache/{key}", putEntry)
///   v1.get("/slow") { request in OwnedResponse("took its time") }
/// }
/// ```
///
/// Patterns: literal segments (written decoded), `{name}` for one segment of at least one byte, `{name...}` at the end for the
/// rest, which may be empty. A literal beats a parameter beats a catch-all, segment by segment; where the better one has no route
/// with the method, the next is tried. A trailing slash is a segment of its own (`/a/` is not `/a`). Encoded slashes stay inside
/// their segment.

public struct Router: Sendable {
  var entries: [Entry] = []
  private(set) var admissions: [Gate] = []
  /// Number of the admission that routes registered now have, 0 for none: its index in `admissions`, plus 1.
  private(set) var admission: UInt16 = 0
  private let prefix: String
  private var layers: [Layer]

  /// An admission in a struct of its own, as `RouteTree.Endpoint` is and for the same reason.
  struct Gate: Sendable {
    var check: Admission
  }

  /// A middleware in a struct of its own, as `RouteTree.Endpoint` is and for the same reason.
  private struct Layer: Sendable {
    var wrap: Middleware
  }

  struct Entry: Sendable {
    var method: Method
    var pattern: RoutePattern
    var handler: Handler
    var admission: UInt16
  }

  public init() { self.init(prefix: "", layers: []) }

  private init(prefix: String, layers: [Layer]) {
    self.prefix = prefix
    self.layers = layers
  }

  /// Adds a route. A pattern that is malformed or there already with this method stops the process, with a sentence.
  public mutating func on(_ method: Method, _ pattern: String, _ handler: @escaping Handler) {
    precondition(method != .other, "a route needs a method with a name of its own")
    let whole = RoutePattern(prefix + pattern)
    let isNew = !entries.contains { $0.method == method && $0.pattern.shape == whole.shape }
    precondition(isNew, "the route \(method.name) \(whole.text) is there twice")
    entries.append(Entry(method: method, pattern: whole, handler: wrapped(handler), admission: admission))
  }

  /// Adds a route whose handler waits.
  public mutating func on(_ method: Method, _ pattern: String, _ handler: @escaping AsyncHandler) {
    on(method, pattern) { (request: borrowing Request, response: inout ResponseWriter) in response.reply(to: request, later: handler) }
  }

  public mutating func get(_ pattern: String, _ handler: @escaping Handler) { on(.get, pattern, handler) }
  public mutating func put(_ pattern: String, _ handler: @escaping Handler) { on(.put, pattern, handler) }
  public mutating func post(_ pattern: String, _ handler: @escaping Handler) { on(.post, pattern, handler) }
  public mutating func patch(_ pattern: String, _ handler: @escaping Handler) { on(.patch, pattern, handler) }
  public mutating func delete(_ pattern: String, _ handler: @escaping Handler) { on(.delete, pattern, handler) }

  public mutating func get(_ pattern: String, _ handler: @escaping AsyncHandler) { on(.get, pattern, handler) }
  public mutating func put(_ pattern: String, _ handler: @escaping AsyncHandler) { on(.put, pattern, handler) }
  public mutating func post(_ pattern: String, _ handler: @escaping AsyncHandler) { on(.post, pattern, handler) }
  public mutating func patch(_ pattern: String, _ handler: @escaping AsyncHandler) { on(.patch, pattern, handler) }
  public mutating func delete(_ pattern: String, _ handler: @escaping AsyncHandler) { on(.delete, pattern, handler) }

  /// Wraps all routes registered from here on; on the outermost router also the answers 404, 405 and OPTIONS. The first one
  /// registered is the outermost.
  public mutating func use(_ middleware: @escaping Middleware) { layers.append(Layer(wrap: middleware)) }

  /// Asks `admission` first, for all routes registered from here on; on the outermost router also before the answers 404, 405 and
  /// OPTIONS. One that was there already is asked before it.
  public mutating func admit(_ admission: @escaping Admission) {
    var check = admission
    if self.admission > 0 {
      let outer = admissions[Int(self.admission) - 1].check
      check = { request in
        try outer(request)
        try admission(request)
      }
    }
    admissions.append(Gate(check: check))
    self.admission = UInt16(admissions.count)
  }

  /// Adds routes below `prefix` (`/v1`), within this router's middleware and then `middleware`.
  public mutating func group(_ prefix: String, middleware: [Middleware] = [], _ build: (inout Router) -> Void) {
    precondition(prefix.isEmpty || prefix.hasPrefix("/") && !prefix.hasSuffix("/"), "a group's prefix is like /v1, not \(prefix)")
    var inner = Router(prefix: self.prefix + prefix, layers: layers)
    for wrap in middleware { inner.use(wrap) }
    inner.entries = entries
    inner.admissions = admissions
    inner.admission = admission
    build(&inner)
    entries = inner.entries
    admissions = inner.admissions
  }

  /// The handler within this router's middleware.
  func wrapped(_ handler: @escaping Handler) -> Handler {
    var handler = handler
    for layer in layers.reversed() { handler = layer.wrap(handler) }
    return handler
  }
}

/// A pattern, taken apart and checked.
struct RoutePattern: Sendable {
  enum Segment: Sendable, Hashable {
    case literal([UInt8])
    case parameter
    case catchAll
  }

  var text: String
  /// What tells patterns apart: the names of parameters do not.
  var shape: [Segment] = []

  /// The path that a pattern of literals alone stands for.
  var literalPath: [UInt8]? {
    var path: [UInt8] = []
    for segment in shape {
      guard case .literal(let bytes) = segment else { return nil }
      path += [UInt8(ascii: "/")] + bytes
    }
    return path
  }

  /// Of a pattern of literals and one parameter at its end: the path up to that parameter, the last `/` included.
  var literalPrefix: [UInt8]? {
    guard shape.last == .parameter, shape.count > 1 else { return nil }
    var literals = self
    literals.shape.removeLast()
    return literals.literalPath.map { $0 + [UInt8(ascii: "/")] }
  }

  init(_ text: String) {
    self.text = text
    precondition(text.hasPrefix("/"), "a route's pattern begins with /, not as \(text)")
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      precondition(shape.last != .catchAll, "a catch-all is the end of its pattern, not as in \(text)")
      if part.hasPrefix("{") && part.hasSuffix("...}") && part.count > 5 {
        shape.append(.catchAll)
      } else if part.hasPrefix("{") && part.hasSuffix("}") && part.count > 2 {
        shape.append(.parameter)
      } else {
        precondition(!part.contains("{") && !part.contains("}"), "a parameter is a whole segment, {name} or {name...}, not as in \(text)")
        shape.append(.literal(Array(part.utf8)))
      }
    }
    precondition(shape.count <= RouteMatch.segmentsMax, "a pattern has at most \(RouteMatch.segmentsMax) segments: \(text)")
    let parameters = shape.count { $0 == .parameter || $0 == .catchAll }
    precondition(parameters <= RouteMatch.parametersMax, "a pattern has at most \(RouteMatch.parametersMax) parameters: \(text)")
  }
}
