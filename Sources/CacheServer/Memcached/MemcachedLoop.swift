/// The hot state of a loop: one struct, which a session takes hold of once per call and hands down from there.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

struct MemcachedLoop: ~Copyable {
  let limits: MemcachedLimits
  private let clock: SteadyClock
  var execution: MemcachedExecution
  var batch = MemcachedBatch()
  /// The server stops.
  var isDraining = false

  init(_ shared: MemcachedShared) {
    limits = MemcachedLimits(dataBytesMax: shared.store.valueBytesMax)
    clock = shared.clock
    execution = MemcachedExecution(store: shared.store)
  }

  /// Lends the connection's output to the writer for one call of a session.
  @inline(__always)
  mutating func open(_ output: inout ByteBuffer, at now: MonotonicTime) {
    swap(&execution.writer.output, &output)
    execution.now = clock.unixTime(at: now)
  }

  /// Counts what was done since `start`. The caller takes the output back.
  @inline(__always)
  mutating func close(_ requests: Int, bytesIn: Int, bytesOut: Int, since start: MonotonicTime) {
    execution.statistics.bytesIn &+= UInt64(bytesIn)
    execution.statistics.bytesOut &+= UInt64(max(bytesOut, 0))
    if requests > 0 { execution.statistics.latency.record(nanoseconds: MonotonicTime.now.nanoseconds(since: start), times: requests) }
  }
}

/// The requests of one read, taken apart.
struct MemcachedBatch: ~Copyable {
  private(set) var requests = UniqueArray<MemcachedRequest>(capacity: requestsMax)
  var words: [ArgumentSlice] = []
  private var firstStart = 0
  /// Where what is taken apart ends.
  private(set) var end = 0

  /// Requests, and words of them, that are parsed before any of them is run: enough that memory is waited for once, few enough that the
  /// locks are not held for long and other connections have their turn.
  static var requestsMax: Int { 256 }
  static var wordsMax: Int { 4096 }
  /// Keys that are looked up under one taking of locks.
  static var keysMax: Int { 256 }

  @inline(__always)
  mutating func removeAll(from start: Int) {
    requests.removeAll()
    if !words.isEmpty { words.removeAll(keepingCapacity: words.count <= Self.wordsMax * 2) }
    firstStart = start
    end = start
  }

  @inline(__always)
  mutating func append(_ request: MemcachedRequest) {
    requests.append(request)
    end = request.end
  }

  /// What was skipped belongs to the request before it.
  mutating func skip(to end: Int) {
    if requests.isEmpty { firstStart = end } else { requests[requests.count - 1].end = end }
    self.end = end
  }

  func start(of index: Int) -> Int { index == 0 ? firstStart : requests[index - 1].end }

  @inline(__always)
  @_lifetime(borrow self, copy bytes)
  func words(of request: MemcachedRequest, in bytes: RawSpan) -> ArgumentList {
    ArgumentList(words.span.extracting(request.words), of: bytes)
  }
}
