import Testing

@testable import Bench

@Suite struct RepliesTests {
  private func difference(_ one: String, _ two: String) -> String? {
    do throws(BenchError) {
      try Replies.requireSame(Array(one.utf8), as: Array(two.utf8), of: "martlet")
      return nil
    } catch { return error.description }
  }

  @Test("Replies are the same if they are the same JSON, in whatever order and notation")
  func same() {
    #expect(difference("hello", "hello") == nil)
    #expect(difference(#"{"a":1,"b":[2.50,"x"]}"#, #"{ "b": [2.5, "\u0078"], "a": 1.0 }"#) == nil)
  }

  @Test("What differs is told with both beginnings")
  func different() {
    #expect(difference(#"{"a":1}"#, #"{"a":2}"#) == #"it answers otherwise than martlet: {"a":1} instead of {"a":2}"#)
    #expect(difference("hello", "hallo") != nil && difference(#"{"a":1}"#, #"{"a":1,"b":null}"#) != nil)
    #expect(difference(String(repeating: "x", count: 101), "")?.hasSuffix("x… instead of ") == true)
  }
}
