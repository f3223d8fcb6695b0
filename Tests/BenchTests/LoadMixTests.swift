import MartletBytes
import Testing

@testable import Bench

@Suite struct LoadMixTests {
  @Test("Operations come as often as their weights say")
  func weights() throws {
    let mix = try LoadMix("get:7,set:2,delete")
    var random = SplitMix64(seed: 5)
    var counts: [LoadOperation: Int] = [:]
    for _ in 0..<100_000 { counts[mix.next(&random), default: 0] += 1 }
    for (operation, expected) in [(LoadOperation.get, 70_000), (.set, 20_000), (.delete, 10_000)] {
      #expect(abs(counts[operation]! - expected) < 900)
    }
    #expect("\(mix)" == "get 70 %, set 20 %, delete 10 %")
  }

  @Test("One operation alone needs no weight")
  func alone() throws {
    let mix = try LoadMix("set")
    var random = SplitMix64(seed: 5)
    #expect(mix.next(&random) == .set)
    #expect("\(mix)" == "set")
    #expect(mix == LoadMix(.set))
  }

  @Test(
    "A mix that means nothing is told with what is wrong",
    arguments: [
      ("", "no operation ''"), ("get,put", "no operation 'put'"), ("path", "no operation 'path'"), ("get:0", "'get:0'"),
      ("get:-1", "'get:-1'"), ("get:1:2", "'get:1:2'"), ("get:x", "'get:x'"), ("get:1000001", "'get:1000001'"), ("get,get", "twice"),
    ])
  func wrong(text: String, words: String) {
    let error = #expect(throws: BenchError.self) { try LoadMix(text) }
    #expect(error?.kind == .usage)
    #expect(error?.description.hasPrefix("--mix: ") == true)
    #expect(error?.description.contains(words) == true)
  }
}
