import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Literal paths")
struct LiteralPathsTests {
  private func find(_ table: LiteralPaths, _ path: String) -> Int {
    let bytes = Array("GET \(path) HTTP/1.1".utf8)
    return table.endpoint(bytes.rawSpan, ByteRange(4, 4 + path.utf8.count))
  }

  @Test("Each path is found by exactly its bytes, short and long")
  func exact() {
    var paths = [
      "/", "/a", "//", "/aa", "/abcdefg", "/abcdefgh", "/abcdefghi", "/xbcdefghi", "/v1/cache", "/v2/cache",
      "/a/very/long/path/of/literals",
    ]
    for index in 0..<200 { paths.append("/generated/\(index)") }
    let table = LiteralPaths(paths.enumerated().map { (Array($1.utf8), $0) })
    for (index, path) in paths.enumerated() {
      #expect(find(table, path) == index, "\(path)")
      #expect(find(table, path + "/") == (paths.firstIndex(of: path + "/") ?? -1))
      #expect(find(table, "/\(path)") == (paths.firstIndex(of: "/\(path)") ?? -1))
    }
    #expect(find(LiteralPaths([]), "/") == -1)
  }
}
