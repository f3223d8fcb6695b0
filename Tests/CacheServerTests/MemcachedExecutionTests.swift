/// memcached's commands where time decides: told to a store whose clock is the test's. What they answer otherwise is compared with a real
/// memcached in Tests/Integration.

import MartletBytes
import MartletCache
import MartletCacheProtocols
import Testing

@testable import CacheServer

@Suite("memcached commands over time")
struct MemcachedExecutionTests {
  private let start = UnixTime(milliseconds: 1_750_000_000_000)
  private let store: CacheStore
  private let local: LoopLocal<MemcachedExecution>

  init() {
    store = CacheStore(options: CacheStore.Options(limitBytes: 16 << 20, versionOrigin: start))
    local = LoopLocal(MemcachedExecution(store: store))
  }

  /// Runs what `text` asks, `seconds` after the start; the replies.
  private func ask(_ text: String, at seconds: Double = 0) -> String {
    let input = Array(text.utf8)
    var parser = MemcachedParser()
    var words: [ArgumentSlice] = []
    var position = 0
    local.value.now = start.advanced(byMilliseconds: Int64(seconds * 1000))
    local.value.writer.output.removeAll()
    while case .request(let request) = parser.parse(
      input.rawSpan, from: position, limits: MemcachedLimits(dataBytesMax: 1 << 20), into: &words)
    {
      position = request.end
      Self.run(request, words, input, &local.value)
      words.removeAll()
    }
    return local.value.writer.output.text.replacing("\r\n", with: "|")
  }

  private static func run(
    _ request: MemcachedRequest, _ words: [ArgumentSlice], _ input: [UInt8], _ execution: inout MemcachedExecution
  ) {
    let list = ArgumentList(words.span.extracting(request.words), of: input.rawSpan)
    execution.removeKeys()
    execution.noteKeys(of: request, list, input.rawSpan, from: 0)
    execution.store.withLockedShards(of: execution.keys.shards) { shards in
      _ = execution.execute(request, list, input.rawSpan, from: 0, &shards)
    }
  }

  @Test("Expiry is relative up to thirty days, Unix time beyond, at once below 0")
  func expiry() {
    #expect(
      ask(
        "set a 0 10 1\r\n1\r\nset b 0 1750000005 1\r\n1\r\nset c 0 -1 1\r\n1\r\nset d 0 2592000 1\r\n1\r\nset e 0 9000000000000 1\r\n1\r\n")
        == "STORED|STORED|STORED|STORED|STORED|")
    #expect(ask("mg a t\r\nmg b t\r\nmg c t\r\nmg d t\r\n") == "HD t10|HD t5|EN|HD t2592000|")
    #expect(ask("mg a\r\nmg b\r\nmg e\r\n", at: 9.999) == "HD|EN|HD|")
    #expect(ask("get a\r\n", at: 10) == "END|")
    #expect(ask("touch d 5\r\ngat 20 d\r\nmg d t\r\n", at: 10) == "TOUCHED|VALUE d 0 1|1|END|HD t20|")
    #expect(ask("mg d t\r\nmg d T-1 v\r\nmg d\r\n", at: 29) == "HD t1|VA 1|1|EN|")
    #expect(ask("ma d N10 J5 v t\r\nma d T100 v t\r\nmd d\r\n", at: 30) == "VA 1 t10|5|VA 1 t100|6|HD|")
  }

  @Test("The seconds since the last access are those since the last change, for reads leave no time")
  func age() {
    #expect(ask("set a 0 0 1\r\n1\r\nmg a l\r\n", at: 1) == "STORED|HD l0|")
    #expect(ask("mg a l\r\nget a\r\nmg a l\r\n", at: 8.5) == "HD l7|VALUE a 0 1|1|END|HD l7|")
    #expect(ask("incr a 1\r\nmg a l\r\n", at: 9) == "2|HD l0|")
  }

  @Test("Who vivifies has its time; then the next may win, and the fill of the first is refused")
  func vivify() throws {
    let won = ask("mg k N5 c v\r\n")
    let lease = try #require(won.split(separator: " ").first { $0.hasPrefix("c") })
    #expect(won == "VA 0 \(lease) W||" && ask("mg k N5 v\r\nmg k v\r\nget k\r\nme k\r\n", at: 4.9) == "VA 0 Z||EN|END|EN|")
    #expect(ask("mg k N5 t\r\n", at: 5) == "HD t5 W|")
    #expect(ask("ms k 3 C\(lease.dropFirst())\r\nold\r\n", at: 5) == "NF|")
    #expect(ask("ms k 3\r\nnew\r\nmg k N5 v\r\n", at: 6) == "HD|VA 3|new|")
    #expect(
      ask("mg other N0 t\r\n", at: 6) == "HD t-1 W|" && ask("mg other N0 t\r\n", at: 305) == "HD t-1 Z|"
        && ask("mg other N0 t\r\n", at: 306) == "HD t-1 W|")
  }

  @Test("Near expiry one reader wins; if it does not fill, another after its time")
  func recache() {
    #expect(ask("set k 0 100 1\r\n1\r\nmg k R30\r\n") == "STORED|HD|")
    #expect(ask("mg k R30 t\r\nmg k R30\r\nmg k\r\nmg k R200\r\n", at: 71) == "HD t29 W|HD Z|HD Z|HD Z|")
    #expect(ask("mg k R30\r\n", at: 100.9) == "EN|" && ask("set k 0 100 1\r\n1\r\nmg k R30\r\n", at: 101) == "STORED|HD|")
    #expect(ask("mg k R30\r\nmg k R30\r\n", at: 172) == "HD W|HD Z|")
    #expect(ask("touch k 1000\r\nmg k R30\r\nmg k R2000\r\n", at: 172) == "TOUCHED|HD Z|HD Z|")
    #expect(ask("mg k R2000\r\n", at: 202) == "HD W|")
  }

  @Test("A stale value is there until it would have expired, and one reader at a time is to renew it")
  func stale() {
    #expect(
      ask("set k 3 100 1\r\n1\r\nmd k I\r\nget k\r\nmg k v f t\r\nmg k v t\r\n") == "STORED|HD|END|VA 1 f3 t100 X W|1|VA 1 t100 Z X|1|")
    #expect(ask("mg k v t\r\n", at: 29.9) == "VA 1 t70 Z X|1|" && ask("mg k v t\r\n", at: 30) == "VA 1 t70 X W|1|")
    #expect(ask("mg k v\r\n", at: 100) == "EN|")
    #expect(ask("ms k 1\r\n2\r\nmd k I T10\r\nmg k t\r\n", at: 100) == "HD|HD|HD t10 X W|" && ask("mg k\r\n", at: 110) == "EN|")
    #expect(ask("ms k 1\r\n2\r\nmd k I\r\nmg k N30 v\r\nms k 1\r\n3\r\nmg k v\r\n", at: 110) == "HD|HD|VA 1 X W|2|HD|VA 1|3|")
  }

  @Test("What is done is counted")
  func counts() {
    _ = ask(
      "set k 0 0 1\r\n1\r\nget k n\r\ngat 5 k n\r\nincr k 1\r\nincr n 1\r\ndecr k 1\r\ndelete n\r\ndelete k\r\ncas n 0 0 1 1\r\n1\r\ntouch n 0\r\nmg n\r\n"
    )
    let statistics = local.value.statistics
    #expect(statistics.getHits == 2 && statistics.getMisses == 3 && statistics.touchHits == 1 && statistics.touchMisses == 2)
    #expect(statistics.incrHits == 1 && statistics.incrMisses == 1 && statistics.decrHits == 1 && statistics.deleteHits == 1)
    #expect(statistics.deleteMisses == 1 && statistics.casMisses == 1 && statistics.metas == 1 && statistics.sets == 2)
    #expect(statistics.calls[Int(MemcachedCommand.get.rawValue)] == 1 && statistics.calls[Int(MemcachedCommand.mg.rawValue)] == 1)
    var sum = MemcachedStatistics()
    sum.add(statistics)
    sum.add(statistics)
    #expect(sum.getHits == 4 && sum.since(statistics).getHits == 2 && sum.since(statistics).calls == statistics.calls)
  }
}
