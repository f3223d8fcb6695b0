import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Router")
struct RouterTests {
  /// Routes that answer with their own pattern and parameters.
  private func router(_ routes: [(MartletHTTP.Method, String)]) -> Router {
    var router = Router()
    for (method, pattern) in routes {
      router.on(method, pattern) { (request: borrowing Request, response: inout ResponseWriter) in
        var text = pattern
        for index in 0..<request.parameterCount { text += "|" + request.parameter(index).text }
        response.body(text)
      }
    }
    return router
  }

  private func ask(_ tree: RouteTree, _ target: String, _ method: String = "GET") -> String {
    var talk = Conversation(tree)
    let reply = talk.exchange("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
    let status = statuses(reply).first ?? 0
    return status == 200 ? String(reply.split(separator: "\r\n\r\n", maxSplits: 1).last ?? "") : "\(status)"
  }

  @Test("A literal beats a parameter beats a catch-all, with backtracking")
  func precedence() {
    let tree = RouteTree(
      router([
        (.get, "/"), (.get, "/a"), (.get, "/a/"), (.get, "/a/b"), (.get, "/a/{x}"), (.get, "/a/{x}/c"), (.get, "/a/b/d"),
        (.get, "/{y}/b/e"),
        (.get, "/a/{rest...}"), (.get, "/long-literal-segment"), (.get, "/long-literal-segmenT"), (.put, "/a/b/only-put"),
        (.get, "/a/{x}/{y}"),
      ]))
    let expected = [
      ("/", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a/b", "/a/b"), ("/a/z", "/a/{x}|z"), ("/a/b/c", "/a/{x}/c|b"), ("/a/b/d", "/a/b/d"),
      ("/q/b/e", "/{y}/b/e|q"), ("/a/b/e", "/a/{x}/{y}|b|e"), ("/a/b/c/d", "/a/{rest...}|b/c/d"), ("/a//", "/a/{rest...}|/"),
      ("/long-literal-segment", "/long-literal-segment"), ("/long-literal-segmenT", "/long-literal-segmenT"),
      ("/long-literal-segmen", "404"),
      ("/b", "404"), ("/q/b", "404"), ("//", "404"), ("/a?x=/b", "/a"), ("/a/b/only-put", "/a/{x}/{y}|b|only-put"),
    ]
    for (target, answer) in expected { #expect(ask(tree, target) == answer, "\(target)") }
    #expect(ask(tree, "/a/b/only-put", "PUT") == "/a/b/only-put")
    #expect(ask(tree, "/a/b/only-put", "POST") == "405")
    #expect(ask(tree, "/" + String(repeating: "x/", count: 100)) == "404")
    #expect(ask(tree, "/a/" + String(repeating: "x/", count: 100)) == "/a/{rest...}|" + String(repeating: "x/", count: 100))
  }

  @Test("Percent-encoding is undone once, and encoded slashes stay inside a segment")
  func decoding() {
    let tree = RouteTree(router([(.get, "/käse/{x}"), (.get, "/a b/{x}/c"), (.get, "/r/{rest...}"), (.get, "/{x}/y")]))
    #expect(ask(tree, "/k%C3%A4se/%2525") == "/käse/{x}|%25")
    #expect(ask(tree, "/a%20b/1%2F2%2f3/c") == "/a b/{x}/c|1/2/3")
    #expect(ask(tree, "/%61%20%62/x/%63") == "/a b/{x}/c|x")
    #expect(ask(tree, "/r/a%2Fb/%00") == "/r/{rest...}|a/b/\0")
    #expect(ask(tree, "/%2F/y") == "/{x}/y|/")
    #expect(ask(tree, "/+/y") == "/{x}/y|+")
    for malformed in ["/%", "/%4", "/%4x/y", "/%%41/y", "/a%2", "/nothing/at/all/%g0"] {
      #expect(ask(tree, malformed) == "400", "\(malformed)")
    }
    var talk = Conversation(Routes.sample)
    talk.send("GET /items/%FF%00%80 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(talk.output.bytes.copied().suffix(3) == [0xFF, 0, 0x80])
  }

  @Test("An empty segment is no parameter, but may be the rest")
  func emptySegments() {
    let tree = RouteTree(router([(.get, "/c/{key}"), (.get, "/d/{rest...}"), (.get, "/e//f")]))
    #expect(ask(tree, "/c/") == "404")
    #expect(ask(tree, "/c") == "404")
    #expect(ask(tree, "/d/") == "/d/{rest...}|")
    #expect(ask(tree, "/d") == "404")
    #expect(ask(tree, "/e//f") == "/e//f")
    #expect(ask(tree, "/e/f") == "404")
  }

  @Test("Groups prefix their routes, and middleware wraps what is registered after it, outermost first")
  func groups() {
    func mark(_ name: StaticString) -> Middleware {
      { next in
        { request, response in
          response.field("X", name)
          try next(request, &response)
        }
      }
    }
    var router = Router()
    router.get("/before") { _, response in response.empty() }
    router.use(mark("1"))
    router.group("/v1", middleware: [mark("2")]) { v1 in
      v1.get("") { _, response in response.empty() }
      v1.use(mark("3"))
      v1.group("/deep") { deep in deep.get("/er") { _, response in response.empty() } }
    }
    router.get("/after") { _, response in response.empty() }
    let tree = RouteTree(router)
    #expect(tree.routes.map(\.label) == ["GET /before", "GET /v1", "GET /v1/deep/er", "GET /after"])
    func marks(_ target: String) -> [String] {
      var talk = Conversation(tree)
      return talk.exchange("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").split(separator: "\r\n").filter { $0.hasPrefix("X: ") }.map {
        String($0.dropFirst(3))
      }
    }
    #expect(marks("/before") == [])
    #expect(marks("/v1") == ["1", "2"])
    #expect(marks("/v1/deep/er") == ["1", "2", "3"])
    #expect(marks("/after") == ["1"])
    #expect(marks("/nothing") == ["1"])
  }

  @Test("Middleware may answer by itself, and may turn errors into replies")
  func shortcuts() {
    var router = Router()
    router.use { next in
      { request, response in
        if request.field("x-token") == nil {
          throw HTTPError(.unauthorized, "No token.", fields: [HTTPField("WWW-Authenticate", "Bearer")])
        }
        do { try next(request, &response) } catch let error as HTTPError where error.status == .conflict { response.body("mended") }
      }
    }
    router.get("/a") { _, response in response.body("a") }
    router.get("/b") { _, _ in throw HTTPError(.conflict, "b") }
    let tree = RouteTree(router)
    var talk = Conversation(tree)
    let refusal = talk.exchange("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(statuses(refusal) == [401] && refusal.contains("\r\nWWW-Authenticate: Bearer\r\n"))
    #expect(statuses(talk.exchange("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")) == [401])
    #expect(talk.exchange("GET /b HTTP/1.1\r\nHost: a\r\nX-Token: t\r\n\r\n").hasSuffix("mended"))
  }

  @Test("Patterns that cannot be meant stop the process with a sentence")
  func badPatterns() async {
    await #expect(processExitsWith: .failure) {
      var router = Router()
      router.get("/a/{x}") { _, _ in }
      router.get("/a/{y}") { _, _ in }
    }
    await #expect(processExitsWith: .failure) { _ = RoutePattern("a") }
    await #expect(processExitsWith: .failure) { _ = RoutePattern("/{x...}/a") }
    await #expect(processExitsWith: .failure) { _ = RoutePattern("/a{x}") }
    await #expect(processExitsWith: .failure) { _ = RoutePattern("/{}") }
    await #expect(processExitsWith: .failure) { _ = RoutePattern("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}") }
  }

  // MARK: Beside a naive matcher

  /// All patterns against the path, segment by segment; the best by (literal, parameter, catch-all) from the left that has the method.
  private func naive(_ routes: [(MartletHTTP.Method, String)], _ path: [String], _ method: MartletHTTP.Method) -> String {
    func rank(_ pattern: String) -> ([Int], [String])? {
      let parts = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      var ranks: [Int] = []
      var parameters: [String] = []
      for (index, part) in parts.enumerated() {
        if part == "{r...}" {
          guard index < path.count else { return nil }
          return (ranks + [2], parameters + [path[index...].joined(separator: "/")])
        }
        guard index < path.count else { return nil }
        if part == "{p}" {
          if path[index].isEmpty { return nil }
          ranks.append(1)
          parameters.append(path[index])
        } else if part == path[index] {
          ranks.append(0)
        } else {
          return nil
        }
      }
      return parts.count == path.count ? (ranks, parameters) : nil
    }
    let fitting = routes.compactMap { route in rank(route.1).map { (route: route, ranks: $0.0, parameters: $0.1) } }
    if fitting.isEmpty { return "404" }
    let best = fitting.filter { $0.route.0 == method }.min { $0.ranks.lexicographicallyPrecedes($1.ranks) }
    return best.map { ([$0.route.1] + $0.parameters).joined(separator: "|") } ?? "405"
  }

  @Test("Random trees match random paths as a naive matcher does")
  func property() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix(state: seed)
    let words = ["a", "b", "ab", "abcdefgh", "abcdefghi", ""]
    for _ in 0..<60 {
      var routes: [(MartletHTTP.Method, String)] = []
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        var pattern = ""
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          pattern += "/" + (Int.random(in: 0..<3, using: &random) == 0 ? "{p}" : words.randomElement(using: &random)!)
        }
        if Int.random(in: 0..<4, using: &random) == 0 { pattern += "/{r...}" }
        let method: MartletHTTP.Method = Bool.random(using: &random) ? .get : .put
        if !routes.contains(where: { $0.0 == method && $0.1 == pattern }) { routes.append((method, pattern)) }
      }
      let tree = RouteTree(router(routes))
      for _ in 0..<40 {
        let path = (0..<Int.random(in: 1...5, using: &random)).map { _ in words.randomElement(using: &random)! }
        let isGet = Bool.random(using: &random)
        var target = "/" + path.joined(separator: "/")
        if Bool.random(using: &random) { target = target.replacing("b", with: "%62") }
        let answer = ask(tree, target, isGet ? "GET" : "PUT")
        let expected = naive(routes, path, isGet ? .get : .put)
        if answer != expected { Issue.record("seed \(seed): \(target) → \(answer), not \(expected), among \(routes)") }
      }
    }
  }
}

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
