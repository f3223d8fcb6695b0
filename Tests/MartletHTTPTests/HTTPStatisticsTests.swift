import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("HTTP statistics")
struct HTTPStatisticsTests {
  @Test("Replies are counted by route and status, with their latencies; what no route took is the last one's")
  func counts() async {
    var talk = Conversation(Routes.sample)
    let json = "GET /json HTTP/1.1\r\nHost: a\r\n\r\n"
    // More changes of route in one batch than there are runs to remember them.
    talk.send(String(repeating: json + "GET /items/a HTTP/1.1\r\nHost: a\r\n\r\n", count: 40) + "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.send(String(repeating: json, count: 30) + "GET /throws HTTP/1.1\r\nHost: a\r\n\r\nGET /later?x HTTP/1.1\r\nHost: a\r\n\r\n")
    await talk.settle()
    talk.send("GET / HTTP/1.1\r\n\r\n")
    let service = talk.service
    let statistics = service.statistics.value
    func replies(_ label: String) -> [Int: UInt64] {
      let route = service.labels.firstIndex(of: label)!
      #expect(statistics.latency(route: route).count == statistics.replies(route: route).reduce(0) { $0 + $1.count })
      return Dictionary(uniqueKeysWithValues: statistics.replies(route: route).map { ($0.status, $0.count) })
    }
    #expect(replies("GET /json") == [200: 70])
    #expect(replies("GET /items/{key}") == [200: 40])
    #expect(replies("GET /throws") == [409: 1])
    #expect(replies("GET /later") == [200: 1])
    #expect(replies("unmatched") == [404: 1, 400: 1])
    #expect(replies("PUT /items/{key}") == [:])
  }

  @Test("Statistics of several loops add up, and odd statuses do not run out of room")
  func sum() {
    var one = HTTPStatistics(routeCount: 2)
    var other = HTTPStatistics(routeCount: 2)
    for status in 400..<480 { one.record(route: 0, status: status, times: 1, nanoseconds: 1000) }
    other.record(route: 0, status: 479, times: 2, nanoseconds: 5000)
    other.record(route: 1, status: 200, times: 3, nanoseconds: 5000)
    one.add(other)
    #expect(one.replies(route: 0).reduce(0) { $0 + $1.count } == 82)
    #expect(one.replies(route: 1).reduce(0) { $0 + $1.count } == 3)
    #expect(one.latency(route: 0).count == 82)
    #expect(one.latency(route: 1).nanosecondsTotal == 15_000)
  }
}
