/// What the sessions of one thread share: what to send next, and what came of it. A struct behind its lane's pointer, touched by the lane's
/// thread only.

import MartletBytes

enum LoadPhase: Sendable {
  /// Connections wait until all of them are up.
  case waiting
  /// Every key is stored once.
  case preloading
  /// Each connection sends as soon as its last requests are answered.
  case closedLoop
  /// Requests are sent when they are due, by whichever connection has room.
  case openLoop
  /// Nothing more is sent; replies that are owed are waited for.
  case ending
}

struct LaneState: ~Copyable {
  /// Requests under way on a connection, in a run and while keys are stored before it.
  let pipeline: Int
  let preloadDepth: Int
  let timeoutNanoseconds: UInt64
  var dialect: LoadDialect
  var phase = LoadPhase.waiting
  var histogram = HDRHistogram()
  var tally = LoadTally()
  /// Requests from this time on count.
  var measureFrom: UInt64 = .max
  /// A closed loop's requests that may still be sent.
  var closedLoopLeft = 0
  var schedule = LoadSchedule()
  /// Keys to be stored before the run.
  var preload: Range<Int>
  /// Connections with a session that is past its greeting.
  var up = 0
  /// Of those, the ones with room for a request and nothing to send, the one that waits longest first.
  var idle = IdleList()
  /// How many requests that are due each connection that is woken now may take.
  var share = 1
  private let isBounded: Bool
  private var random: SplitMix64
  private var picker: KeyPicker
  private let mix: LoadMix
  private let batch: Int

  init(_ options: LoadOptions, lane index: Int) {
    dialect = LoadDialect(options)
    pipeline = options.pipeline
    preloadDepth = max(1, min(Self.preloadDepthMax, Self.preloadBytesMax / options.valueBytes.upperBound))
    timeoutNanoseconds = UInt64(options.timeoutSeconds * 1e9)
    isBounded = options.requestsMax != nil
    random = SplitMix64(seed: options.seed &+ UInt64(index) &* 0x9E37_79B9)
    let firstKey = options.keys * index / options.threads
    picker = KeyPicker(options.distribution, keys: options.keys, start: firstKey)
    preload = firstKey..<(options.keys * (index + 1) / options.threads)
    mix = options.mix
    batch = options.batch
  }

  static var preloadDepthMax: Int { 16 }
  static var preloadBytesMax: Int { 256 << 10 }

  /// Whether nothing is left to be sent, whatever the time: a bound on requests is reached, or the run is over.
  var hasEnded: Bool {
    switch phase {
    case .closedLoop: closedLoopLeft == 0
    case .openLoop: isBounded && schedule.isOver
    case .ending: true
    case .waiting, .preloading: false
    }
  }

  /// The next request of the mix, to be counted from `time`.
  mutating func draw(at time: UInt64) -> Flight {
    let operation = mix.next(&random)
    switch operation {
    case .path: return Flight(time: time, key: 0, operation: operation)
    case .mget where picker.isRandom: return Flight(time: time, key: random.below(Int.max), operation: operation)
    case .get, .set, .delete, .mget: return Flight(time: time, key: picker.next(&random), operation: operation)
    }
  }

  /// The next key to be stored before the run; nil when all are under way.
  mutating func nextPreload() -> Flight? {
    guard let key = preload.first else { return nil }
    preload = (key + 1)..<preload.upperBound
    return Flight(time: 0, key: key, operation: .set)
  }

  /// Counts a whole reply that came at `now`.
  mutating func record(_ flight: Flight, _ verdict: Verdict, at now: UInt64) {
    tally.lastReply = now
    guard flight.time >= measureFrom else { return }
    histogram.record(now > flight.time ? now &- flight.time : 0)
    guard verdict.outcome == .right else { return }
    tally.operations &+= 1
    switch flight.operation {
    case .get, .delete: tally.lookups &+= 1
    case .mget: tally.lookups &+= batch
    case .set, .path: return
    }
    tally.misses &+= verdict.misses
  }

  /// Counts a request that was never answered with the time that it has waited, or percentiles would be of the lucky ones only.
  mutating func recordUnanswered(_ flight: Flight, at now: UInt64) {
    if flight.time >= measureFrom { histogram.record(now > flight.time ? now &- flight.time : 0) }
  }

  /// As above for those that were due until `now` and never sent.
  mutating func recordUnsent(at now: UInt64) {
    while let time = schedule.take(at: now) {
      guard time >= measureFrom else { continue }
      histogram.record(now &- time)
      tally.unsent += 1
    }
  }
}

/// Connections in the order in which they became idle.
struct IdleList: ~Copyable {
  private var places: [ConnectionID] = []
  private var head = 0

  var count: Int { places.count - head }

  mutating func append(_ id: ConnectionID) {
    if head > 64 && head * 2 > places.count {
      places.removeFirst(head)
      head = 0
    }
    places.append(id)
  }

  mutating func popFirst() -> ConnectionID? {
    guard head < places.count else { return nil }
    head += 1
    return places[head - 1]
  }

  /// Takes out one that is gone: O(n).
  mutating func remove(_ id: ConnectionID) {
    if let index = places[head...].firstIndex(of: id) { places.remove(at: index) }
  }
}
