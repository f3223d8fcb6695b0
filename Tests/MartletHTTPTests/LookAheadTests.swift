import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("LookAhead")
struct LookAheadTests {
  /// What is announced while `pipelines` are received one after another.
  static func announced(_ pipelines: [String], prefix: String = "/v1/cache/") -> [[String]] {
    let seen = LoopLocal<[[String]]>([])
    let look = LookAhead(prefix: prefix) { paths, input in
      var texts: [String] = []
      for index in 0..<paths.count { texts.append(input[paths[index]].text) }
      seen.value.append(texts)
    }
    var router = Router()
    router.get("/v1/cache/{key}") { request, response in response.body(request.parameter(0)) }
    let service = HTTPService(routes: RouteTree(router), lookAhead: look) { _, _ in }
    var session = HTTPSession(id: ConnectionID(loop: 0, slot: 0, generation: 1), service: service)
    var output = ByteBuffer()
    for pipeline in pipelines {
      let input = Array(pipeline.utf8)
      _ = session.receive(input.rawSpan, into: &output, at: MonotonicTime(nanoseconds: 1))
    }
    return seen.value
  }

  static func get(_ path: String, fields: String = "Host: x\r\n") -> String { "GET \(path) HTTP/1.1\r\n\(fields)\r\n" }

  @Test("The keys of a pipeline are announced together, once the field section is known")
  func pipeline() {
    let pipeline = Self.get("/v1/cache/one") + Self.get("/v1/cache/two") + Self.get("/v1/cache/" + String(repeating: "k", count: 40))
    #expect(Self.announced([Self.get("/v1/cache/first"), pipeline]) == [["one", "two", String(repeating: "k", count: 40)]])
  }

  @Test("One request alone, another prefix, another method or another field section end the look")
  func ends() {
    let known = Self.get("/v1/cache/first")
    #expect(Self.announced([known, Self.get("/v1/cache/one")]) == [])
    #expect(Self.announced([known, Self.get("/json") + Self.get("/v1/cache/one") + Self.get("/v1/cache/two")]) == [])
    #expect(Self.announced([known, Self.get("/v1/cache/one") + Self.get("/v1/cache/two") + Self.get("/json")]) == [["one", "two"]])
    let other = Self.get("/v1/cache/one", fields: "Host: y\r\n") + Self.get("/v1/cache/two") + Self.get("/v1/cache/three")
    #expect(Self.announced([known, other]) == [])
    let delete = Self.get("/v1/cache/one") + Self.get("/v1/cache/two") + "DELETE /v1/cache/three HTTP/1.1\r\nHost: x\r\n\r\n"
    #expect(Self.announced([known, delete]) == [["one", "two"]])
  }

  @Test("A pipeline cut anywhere is looked over without harm, and answered the same")
  func cut() {
    let pipeline = (0..<5).map { Self.get("/v1/cache/key\($0)") }.joined()
    for end in 0...pipeline.utf8.count {
      let part = String(pipeline.prefix(end))
      for keys in Self.announced([Self.get("/v1/cache/first"), part]) { #expect(keys.count > 1 && keys.count <= 5) }
    }
  }

  @Test("No more than the bound is looked for")
  func bound() {
    let pipeline = (0..<100).map { Self.get("/v1/cache/key\($0)") }.joined()
    #expect(Self.announced([Self.get("/v1/cache/first"), pipeline]).map(\.count) == [UpcomingPaths.countMax])
  }
}

@Suite("lastSlash")
struct LastSlashTests {
  @Test("The last slash is found wherever it stands, as the plain search finds it")
  func everyPlace() {
    for length in 0..<30 {
      for first in 0...length {
        for second in first...length {
          var bytes = [UInt8](repeating: 0xAF, count: length)
          if first < length { bytes[first] = UInt8(ascii: "/") }
          if second < length { bytes[second] = UInt8(ascii: "/") }
          for start in [0, 3] where start <= length {
            let found = ByteClasses.lastSlash(in: bytes.rawSpan, from: start, to: length)
            let expected = bytes[start...].lastIndex(of: UInt8(ascii: "/")) ?? -1
            #expect(found == expected)
          }
        }
      }
    }
  }
}
