/// Routes as flat arrays, searched without allocating: per node its literal children (first eight bytes as a word, compared before
/// all else), its parameter child, its catch-all. Built once from a `Router`, shared by all loops.
///
/// Two ways to a route. A path of literals alone is found by its bytes in one probe (`LiteralPaths`): such a route beats all others
/// that fit. Everything else walks the tree segment by segment; a walk visits each node at most once, so backtracking is bounded by
/// the size of the tree. Costs: 120 instructions for `/json`, twice that for a path with a parameter.
///
/// A class, though nothing in it changes: a struct of this size would be copied for each request.

internal import MartletBytes

package final class RouteTree: Sendable {
  /// Method and pattern of each route, in order of registration.
  package let routes: [Route]
  /// Per route; the last one answers where no route matches.
  let endpoints: UniqueArray<Endpoint>
  let admissions: [Router.Gate]

  private let literalPaths: LiteralPaths
  /// As above, for patterns with one parameter at their end: by the path in front of it.
  private let literalPrefixes: LiteralPaths
  private let nodes: [Node]
  private let literals: [Literal]
  private let literalBytes: [UInt8]
  /// Route per endpoint and method, -1 for none; `Method.stride` entries per endpoint.
  private let table: [Int16]
  private let allowed: [MethodSet]
  private let allowedAnywhere: MethodSet

  package struct Route: Sendable {
    package var method: Method
    package var pattern: String
    /// `GET /v1/cache/{key}`: the label in metrics.
    package var label: String { "\(method.name) \(pattern)" }
  }

  /// A handler in a struct of its own: a bare function that has been an array's element, or a generic function's argument, is called
  /// through thunks ever after. Borrowed, not copied, for the same reason that `UniqueArray` is used: a call retains nothing.
  struct Endpoint: ~Copyable, Sendable {
    private let handler: Handler
    /// Index in `admissions` plus 1; 0: whoever asks may come in.
    let admission: UInt16

    init(_ handler: @escaping Handler, admission: UInt16) {
      self.handler = handler
      self.admission = admission
    }

    /// Not inlined: where the compiler sees that `self` lies in memory, it retains the handler before it calls it.
    @inline(never)
    func answer(_ request: borrowing Request, _ response: inout ResponseWriter) throws { try handler(request, &response) }
  }

  struct Node: Sendable {
    var firstLiteral: Int32 = 0
    var literalCount: Int32 = 0
    var parameter: Int32 = -1
    var catchAll: Int32 = -1
    var endpoint: Int32 = -1
  }

  struct Literal: Sendable {
    /// The first eight bytes, zeros behind.
    var word: UInt64
    var count: Int32
    var firstByte: Int32
    var child: Int32
  }

  /// The index that stands for "no route".
  package var unmatched: Int { routes.count }

  package init(_ router: Router) {
    var draft = Draft()
    for (index, entry) in router.entries.enumerated() { draft.add(entry, route: index) }
    routes = router.entries.map { Route(method: $0.method, pattern: $0.pattern.text) }
    var endpoints = UniqueArray<Endpoint>(capacity: router.entries.count + 1)
    for entry in router.entries { endpoints.append(Endpoint(entry.handler, admission: entry.admission)) }
    endpoints.append(Endpoint(router.wrapped(RouteTree.answerUnmatched), admission: router.admission))
    admissions = router.admissions
    self.endpoints = endpoints
    (nodes, literals, literalBytes) = draft.flattened()
    table = draft.table
    allowed = draft.allowed
    literalPaths = LiteralPaths(draft.literalPaths)
    literalPrefixes = LiteralPaths(draft.literalPrefixes)
    allowedAnywhere = draft.allowed.reduce(into: MethodSet()) { $0.formUnion($1) }
  }

  // MARK: Matching

  /// Finds the route for the request in `scratch`, whose head was read from `bytes`; false if there is none.
  @inline(__always)
  func match(_ scratch: inout RequestScratch, of bytes: RawSpan) -> Bool {
    search(&scratch, of: bytes)
    return scratch.match.isFound
  }

  @inline(__always)
  private func search(_ scratch: inout RequestScratch, of bytes: RawSpan) {
    let path = scratch.head.path
    scratch.match.route = unmatched
    scratch.match.isFound = false
    scratch.match.allowed = MethodSet()
    scratch.match.isDecoded = false
    scratch.match.parameterCount = 0
    if scratch.head.pathHasPercent { return searchDecoded(&scratch, of: bytes[path.range]) }
    let endpoint = literalPaths.endpoint(bytes, path)
    if endpoint >= 0 && take(endpoint, for: scratch.head.method, &scratch.match) { return }
    if bytes[Int(path.start)] == UInt8(ascii: "/") {
      if takePrefixed(path, in: bytes, for: scratch.head.method, &scratch.match) { return }
      scratch.match.split(bytes, from: Int(path.start), to: Int(path.end))
      _ = descend(from: 0, depth: 0, in: bytes, for: scratch.head.method, &scratch.match)
    } else if scratch.head.method == .options {
      scratch.match.allowed = allowedAnywhere  // `OPTIONS *`
    }
  }

  /// Literals and one parameter at the end: literals beat parameters segment by segment, and the path as a whole is no literal one, so
  /// such a route beats all others too.
  @inline(__always)
  private func takePrefixed(_ path: ByteRange, in bytes: RawSpan, for method: Method, _ match: inout RouteMatch) -> Bool {
    let end = Int(path.end)
    let slash = ByteClasses.lastSlash(in: bytes, from: Int(path.start), to: end)
    if slash < 0 || slash &+ 1 == end { return false }
    let endpoint = literalPrefixes.endpoint(bytes, ByteRange(Int(path.start), slash &+ 1))
    guard endpoint >= 0 && take(endpoint, for: method, &match) else { return false }
    match.ranges[0] = ByteRange(slash &+ 1, end)
    match.parameterCount = 1
    return true
  }

  private func searchDecoded(_ scratch: inout RequestScratch, of path: RawSpan) {
    if !PercentCoding.isWellFormed(path) { return }  // `answerUnmatched` says so
    scratch.match.isDecoded = true
    scratch.match.split(decoding: path, into: &scratch.decoded)
    descend(in: scratch.decoded, for: scratch.head.method, &scratch.match)
  }

  private func descend(in text: borrowing ByteBuffer, for method: Method, _ match: inout RouteMatch) {
    _ = descend(from: 0, depth: 0, in: text.bytes, for: method, &match)
  }

  /// Tries the segment at `depth` below `node`; true if a route was found.
  private func descend(from node: Int, depth: Int, in text: RawSpan, for method: Method, _ match: inout RouteMatch) -> Bool {
    if depth >= RouteMatch.segmentsMax { return false }
    let node = nodes[node]
    let segment = match.segments[depth]
    let isLast = depth &+ 1 == match.segmentCount
    let child = literal(text, segment, among: node)
    if child >= 0 {
      if isLast ? arrive(at: child, for: method, &match) : descend(from: child, depth: depth &+ 1, in: text, for: method, &match) {
        return true
      }
    }
    if node.parameter >= 0 && !segment.isEmpty {
      match.ranges[match.parameterCount] = segment
      match.parameterCount &+= 1
      let child = Int(node.parameter)
      if isLast ? arrive(at: child, for: method, &match) : descend(from: child, depth: depth &+ 1, in: text, for: method, &match) {
        return true
      }
      match.parameterCount &-= 1
    }
    if node.catchAll >= 0 {
      match.ranges[match.parameterCount] = ByteRange(Int(segment.start), match.textEnd)
      match.parameterCount &+= 1
      if arrive(at: Int(node.catchAll), for: method, &match) { return true }
      match.parameterCount &-= 1
    }
    return false
  }

  /// The literal child of `node` for a segment of `text`; -1 if there is none.
  @inline(__always)
  private func literal(_ text: RawSpan, _ segment: ByteRange, among node: Node) -> Int {
    let count = Int(segment.end &- segment.start)
    var word = text.paddedWord(at: Int(segment.start))
    if count < 8 { word &= (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1 }
    var index = Int(node.firstLiteral)
    let end = index &+ Int(node.literalCount)
    while index < end {
      let literal = literals[index]
      if literal.word == word && Int(literal.count) == count {
        if count <= 8 || equals(text[segment.range], literalBytes, from: Int(literal.firstByte)) { return Int(literal.child) }
      }
      index &+= 1
    }
    return -1
  }

  private func equals(_ segment: RawSpan, _ bytes: [UInt8], from first: Int) -> Bool {
    segment.equals(bytes.rawSpan[first..<first &+ segment.byteCount])
  }

  /// The whole path has led to `node`: true if a route there has the method.
  @inline(__always)
  private func arrive(at node: Int, for method: Method, _ match: inout RouteMatch) -> Bool {
    let endpoint = Int(nodes[node].endpoint)
    return endpoint >= 0 && take(endpoint, for: method, &match)
  }

  /// True if a route at `endpoint` has the method; HEAD is content with GET.
  @inline(__always)
  private func take(_ endpoint: Int, for method: Method, _ match: inout RouteMatch) -> Bool {
    match.allowed.formUnion(allowed[endpoint])
    var route = table[endpoint &* Method.stride &+ Int(method.rawValue)]
    if route < 0 && method == .head { route = table[endpoint &* Method.stride &+ Int(Method.get.rawValue)] }
    if route < 0 { return false }
    match.route = Int(route)
    match.isFound = true
    return true
  }

  /// 404, 405 with Allow, the answer to OPTIONS, and 400 for a path that cannot be decoded.
  private static let answerUnmatched: Handler = { request, response in
    if !PercentCoding.isWellFormed(request.path) {
      throw HTTPError(.badRequest, "The path holds a % that is not followed by two hexadecimal digits.")
    }
    if request.allowed.isEmpty { throw HTTPError(.notFound, "There is nothing at this path.") }
    if request.method == .options {
      response.head(.noContent)
      response.field("Allow", request.allowed.allow)
      return response.empty()
    }
    throw HTTPError(
      .methodNotAllowed, "This resource does not have that method.", fields: [HTTPField("Allow", request.allowed.allow)])
  }
}

extension Method {
  /// Entries per endpoint in a route table: a power of two above all raw values.
  static var stride: Int { 16 }
}

// MARK: Building

extension RouteTree {
  /// The tree while it grows.
  private struct Draft {
    var nodes = [Growing()]
    var table: [Int16] = []
    var allowed: [MethodSet] = []
    var literalPaths: [(path: [UInt8], endpoint: Int)] = []
    var literalPrefixes: [(path: [UInt8], endpoint: Int)] = []

    struct Growing {
      var literals: [(bytes: [UInt8], child: Int)] = []
      var flat = Node()
    }

    mutating func add(_ entry: Router.Entry, route: Int) {
      var node = 0
      for segment in entry.pattern.shape { node = child(of: node, for: segment) }
      if nodes[node].flat.endpoint < 0 {
        nodes[node].flat.endpoint = Int32(allowed.count)
        allowed.append(MethodSet())
        table += Array(repeating: -1, count: Method.stride)
        if let path = entry.pattern.literalPath { literalPaths.append((path, allowed.count - 1)) }
        if let path = entry.pattern.literalPrefix { literalPrefixes.append((path, allowed.count - 1)) }
      }
      let endpoint = Int(nodes[node].flat.endpoint)
      allowed[endpoint].insert(entry.method)
      table[endpoint * Method.stride + Int(entry.method.rawValue)] = Int16(route)
    }

    mutating func child(of node: Int, for segment: RoutePattern.Segment) -> Int {
      switch segment {
      case .literal(let bytes):
        if let known = nodes[node].literals.first(where: { $0.bytes == bytes }) { return known.child }
        nodes[node].literals.append((bytes, nodes.count))
      case .parameter:
        if nodes[node].flat.parameter >= 0 { return Int(nodes[node].flat.parameter) }
        nodes[node].flat.parameter = Int32(nodes.count)
      case .catchAll:
        if nodes[node].flat.catchAll >= 0 { return Int(nodes[node].flat.catchAll) }
        nodes[node].flat.catchAll = Int32(nodes.count)
      }
      nodes.append(Growing())
      return nodes.count - 1
    }

    func flattened() -> ([Node], [Literal], [UInt8]) {
      var flat: [Node] = []
      var literals: [Literal] = []
      var bytes: [UInt8] = []
      for growing in nodes {
        var node = growing.flat
        node.firstLiteral = Int32(literals.count)
        node.literalCount = Int32(growing.literals.count)
        flat.append(node)
        for (text, child) in growing.literals {
          let word = text.rawSpan.paddedWord(at: 0)
          literals.append(
            Literal(word: word, count: Int32(text.count), firstByte: Int32(bytes.count), child: Int32(child)))
          bytes += text
        }
      }
      return (flat, literals, bytes)
    }
  }
}
