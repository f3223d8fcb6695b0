import MartletBytes
import MartletLoop
import Synchronization
import Testing

@testable import CacheServer

@Suite("Publishing and subscribing")
struct PubSubTests {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

  private static func make(memoryBytes: Int = 256 << 20) -> PubSub { PubSub(loops: [], limits: PubSubLimits(memoryBytes: memoryBytes)) }

  @Test("What fits a connection's own buffer is not counted")
  func uncounted() {
    let pubsub = Self.make()
    var backlog = SubscriberBacklog()
    backlog.willAppend(behind: 0)
    #expect(backlog.didAppend(PubSubLimits.uncountedBytesMax - 1, of: pubsub, at: Self.start) == nil)
    #expect(backlog.counted == 0 && pubsub.waitingBytes.load(ordering: .relaxed) == 0)
  }

  @Test("What has been handed on waits, too, until all is written")
  func handedOn() {
    let pubsub = Self.make()
    var backlog = SubscriberBacklog()
    #expect(backlog.didAppend(1_000_000, of: pubsub, at: Self.start) == nil)
    backlog.willAppend(behind: 0)
    #expect(backlog.didAppend(500_000, of: pubsub, at: Self.start) == nil)
    #expect(backlog.counted == 1_500_000)
    #expect(pubsub.waitingBytes.load(ordering: .relaxed) == 1_500_000)
    #expect(backlog.settle() == 1_500_000)
    #expect(backlog.counted == 0)
  }

  @Test("The hard limit is a bound at once")
  func hard() {
    let pubsub = Self.make()
    pubsub.limits.hardBytes.store(1_000_000, ordering: .relaxed)
    var backlog = SubscriberBacklog()
    #expect(backlog.didAppend(1_000_000, of: pubsub, at: Self.start) == nil)
    #expect(backlog.didAppend(1_000_001, of: pubsub, at: Self.start) == .hard)
    pubsub.limits.hardBytes.store(0, ordering: .relaxed)
    #expect(backlog.didAppend(1_000_002, of: pubsub, at: Self.start) == nil)
  }

  @Test("The soft limit is one for whoever stays above it without a pause")
  func soft() {
    let pubsub = Self.make()
    pubsub.limits.softBytes.store(100_000, ordering: .relaxed)
    pubsub.limits.softSeconds.store(10, ordering: .relaxed)
    var backlog = SubscriberBacklog()
    #expect(backlog.didAppend(100_001, of: pubsub, at: Self.start) == nil)
    #expect(backlog.didAppend(100_002, of: pubsub, at: Self.start.advanced(bySeconds: 9)) == nil)
    #expect(backlog.didAppend(99_000, of: pubsub, at: Self.start.advanced(bySeconds: 9.5)) == nil)
    #expect(backlog.didAppend(100_001, of: pubsub, at: Self.start.advanced(bySeconds: 12)) == nil)
    #expect(backlog.didAppend(100_002, of: pubsub, at: Self.start.advanced(bySeconds: 22)) == .soft)
  }

  @Test("All subscribers together have a bound, whoever adds to it")
  func total() {
    let pubsub = Self.make(memoryBytes: 32 << 20)
    var one = SubscriberBacklog()
    var other = SubscriberBacklog()
    pubsub.limits.hardBytes.store(0, ordering: .relaxed)
    pubsub.limits.softBytes.store(0, ordering: .relaxed)
    #expect(one.didAppend(4 << 20, of: pubsub, at: Self.start) == nil)
    #expect(other.didAppend(100_000, of: pubsub, at: Self.start) == .total)
  }

  @Test("A message is a push in RESP3 and an array before, the same but for its first byte")
  func frames() {
    let channel = PublishedMessage(.channel, Array("news".utf8), Array("news".utf8).rawSpan, Array("hello".utf8).rawSpan)
    #expect(channel.frame.copied() == Array("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n".utf8))
    let pattern = PublishedMessage(.pattern, Array("n*".utf8), Array("news".utf8).rawSpan, RawSpan())
    #expect(pattern.frame.copied() == Array("*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$0\r\n\r\n".utf8))
    let shard = PublishedMessage(.shardChannel, Array("s".utf8), Array("s".utf8).rawSpan, RawSpan())
    #expect(shard.frame.copied() == Array("*3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$0\r\n\r\n".utf8))
  }

  @Test("Names are left in the order in which they came")
  func order() {
    var subscriptions = Subscriptions()
    let areNew = ["c", "a", "b", "a"].map { subscriptions.insert(Array($0.utf8), .channel) }
    #expect(areNew == [true, true, true, false])
    #expect(subscriptions.all(.channel) == ["c", "a", "b"].map { Array($0.utf8) })
    #expect(!subscriptions.contains(Array("a".utf8), .pattern))
    let wereThere = ["a", "a"].map { subscriptions.remove(Array($0.utf8), .channel) }
    #expect(wereThere == [true, false])
    #expect(!subscriptions.isEmpty)
  }
}
