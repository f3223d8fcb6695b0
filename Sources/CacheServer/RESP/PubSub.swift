/// Who listens to which channel, over all loops: the one place that SUBSCRIBE writes and PUBLISH reads.
///
///     PUBLISH ─ lock: who listens, counted ─ unlock ─ for each loop concerned: one call ─> its thread ─ wake each subscriber
///
/// Who listens at the moment of PUBLISH gets the message, and is counted in its reply. Sets of subscribers are values: the copy that a
/// call takes along is a reference until somebody subscribes meanwhile.
///
/// A publisher may be faster than the loop that delivers. What is on its way to a loop is counted, and a publisher that goes on beyond
/// `PubSubLimits.underwayBytesMax` is not read until half of it is delivered. What waits for a single subscriber: `SubscriberBacklog`.

internal import MartletBytes
internal import MartletCacheProtocols
internal import MartletLoop
internal import Synchronization

final class PubSub: Sendable {
  enum Kind: Int, CaseIterable { case channel, pattern, shardChannel }

  private struct Topic {
    /// By loop.
    var subscribers: [Set<ConnectionID>]
    var count = 0
  }

  private typealias Topics = [[UInt8]: Topic]

  private let lock = ShardLock()
  /// By `Kind.rawValue`; under the lock.
  private let topics = LoopLocal([Topics](repeating: [:], count: Kind.allCases.count))
  /// What subscriptions use, in bytes; under the lock.
  private let subscribedBytes = LoopLocal(0)
  private let loops: [EventLoop]
  /// By loop.
  private let roads: [Road]
  let limits: PubSubLimits

  /// Messages published, and how often they were sent on.
  let published = Atomic<UInt64>(0)
  let deliveries = Atomic<UInt64>(0)
  /// Messages that wait for subscribers to read them, in bytes, as far as they are counted (`PubSubLimits.uncountedBytesMax`).
  let waitingBytes = Atomic<Int>(0)
  /// Subscribers closed since too much waited for them.
  let overflows = Atomic<UInt64>(0)

  init(loops: [EventLoop], limits: PubSubLimits) {
    self.loops = loops
    self.limits = limits
    roads = loops.map { _ in Road() }
  }

  // MARK: Subscribing

  /// Room for subscriptions to these names; false if there is none.
  func hasRoom(for bytes: Int) -> Bool { lock.withLock { subscribedBytes.value + bytes <= limits.subscribedBytesMax } }

  /// What a subscription costs: its name, in the tables here and of the session, and its place.
  static func cost(_ name: RawSpan) -> Int { name.byteCount * 2 + 160 }

  func add(_ id: ConnectionID, to name: [UInt8], _ kind: Kind) {
    lock.withLock {
      var topic = topics.value[kind.rawValue].removeValue(forKey: name) ?? Topic(subscribers: loops.map { _ in [] })
      if topic.subscribers[Int(id.loop)].insert(id).inserted {
        topic.count += 1
        subscribedBytes.value += Self.cost(name.rawSpan)
      }
      topics.value[kind.rawValue][name] = topic
    }
  }

  func remove(_ id: ConnectionID, from name: [UInt8], _ kind: Kind) {
    lock.withLock {
      guard var topic = topics.value[kind.rawValue].removeValue(forKey: name) else { return }
      if topic.subscribers[Int(id.loop)].remove(id) != nil {
        topic.count -= 1
        subscribedBytes.value -= Self.cost(name.rawSpan)
      }
      if topic.count > 0 { topics.value[kind.rawValue][name] = topic }
    }
  }

  // MARK: Asking

  func subscribers(_ name: RawSpan, _ kind: Kind) -> Int {
    let name = name.copied()
    return lock.withLock { topics.value[kind.rawValue][name]?.count ?? 0 }
  }

  func count(_ kind: Kind) -> Int { lock.withLock { topics.value[kind.rawValue].count } }

  func names(_ kind: Kind) -> [[UInt8]] { lock.withLock { Array(topics.value[kind.rawValue].keys) } }

  var statistics: PubSubStatistics {
    PubSubStatistics(
      channels: count(.channel), patterns: count(.pattern), shardChannels: count(.shardChannel),
      published: published.load(ordering: .relaxed), deliveries: deliveries.load(ordering: .relaxed),
      waitingBytes: max(waitingBytes.load(ordering: .relaxed), 0), overflows: overflows.load(ordering: .relaxed))
  }

  // MARK: Publishing

  struct Published {
    var receivers = 0
    /// A loop concerned has more on its way than it should: its index.
    var fullLoop: Int?
  }

  /// Sends `payload` to those who listen to `channel`. `publisher`, if it listens itself, is counted and left out: it is told directly,
  /// before its reply.
  func publish(_ payload: RawSpan, to channel: RawSpan, _ kind: Kind, from publisher: ConnectionID) -> Published {
    let name = channel.copied()
    let (topic, patterns) = lock.withLock {
      (topics.value[kind.rawValue][name], kind == .channel ? topics.value[Kind.pattern.rawValue] : [:])
    }
    var result = Published()
    if let topic { send(PublishedMessage(kind, name, channel, payload), to: topic, from: publisher, &result) }
    for (pattern, topic) in patterns where GlobPattern.matches(channel, pattern.rawSpan) {
      send(PublishedMessage(.pattern, pattern, channel, payload), to: topic, from: publisher, &result)
    }
    published.wrappingAdd(1, ordering: .relaxed)
    if result.receivers > 0 { deliveries.wrappingAdd(UInt64(result.receivers), ordering: .relaxed) }
    return result
  }

  private func send(_ message: PublishedMessage, to topic: Topic, from publisher: ConnectionID, _ result: inout Published) {
    result.receivers += topic.count
    for (index, subscribers) in topic.subscribers.enumerated() where !subscribers.isEmpty {
      let (loop, road) = (loops[index], roads[index])
      let bytes = message.frame.count + subscribers.count * PubSubLimits.deliveryBytes
      if road.add(bytes) > limits.underwayBytesMax { result.fullLoop = index }
      loop.post {
        for id in subscribers where id != publisher { loop.wake(id, message) }
        loop.post { [self] in for id in road.remove(bytes, limits) { loops[Int(id.loop)].wake(id, RoadIsFree()) } }
      }
    }
  }

  /// Has the publisher woken by `RoadIsFree` once the loop has caught up. False: it has already.
  func waitForRoom(_ id: ConnectionID, on loop: Int) -> Bool { roads[loop].wait(id, limits) }

  /// What is on its way to one loop, and the publishers who wait until it is less.
  private final class Road: Sendable {
    private let bytes = Atomic<Int>(0)
    private let lock = ShardLock()
    private let waiting = LoopLocal<[ConnectionID]>([])

    func add(_ count: Int) -> Int { bytes.add(count, ordering: .relaxed).newValue }

    /// Those to be woken.
    func remove(_ count: Int, _ limits: PubSubLimits) -> [ConnectionID] {
      // First the count, then the lock: who has seen the old count under the lock is on the list by now.
      let left = bytes.subtract(count, ordering: .acquiringAndReleasing).newValue
      if left > limits.underwayBytesMax / 2 { return [] }
      return lock.withLock {
        if waiting.value.isEmpty { return [] }
        let all = waiting.value
        waiting.value = []
        return all
      }
    }

    func wait(_ id: ConnectionID, _ limits: PubSubLimits) -> Bool {
      lock.withLock {
        guard bytes.load(ordering: .acquiring) > limits.underwayBytesMax / 2 else { return false }
        waiting.value.append(id)
        return true
      }
    }
  }
}

/// For metrics and INFO.
struct PubSubStatistics: Sendable {
  var channels: Int
  var patterns: Int
  var shardChannels: Int
  var published: UInt64
  var deliveries: UInt64
  var waitingBytes: Int
  var overflows: UInt64
}

/// A message on its way, as its subscribers will see it; made once for all of them.
final class PublishedMessage: Sendable {
  let kind: PubSub.Kind
  /// The channel, or pattern, that was subscribed to.
  let topic: [UInt8]
  /// The reply but for its first byte, which is another in RESP3.
  let frame: ByteBuffer

  init(_ kind: PubSub.Kind, _ topic: [UInt8], _ channel: RawSpan, _ payload: RawSpan) {
    self.kind = kind
    self.topic = topic
    var writer = RESPWriter(output: ByteBuffer(capacity: topic.count + channel.byteCount + payload.byteCount + 96))
    writer.array(kind == .pattern ? 4 : 3)
    switch kind {
    case .channel: writer.bulk("message")
    case .pattern:
      writer.bulk("pmessage")
      writer.bulk(topic.rawSpan)
    case .shardChannel: writer.bulk("smessage")
    }
    writer.bulk(channel)
    writer.bulk(payload)
    var frame = ByteBuffer()
    swap(&frame, &writer.output)
    self.frame = frame
  }
}

/// Wakes a publisher: the loop it has published to is no longer behind.
struct RoadIsFree: Sendable {}
