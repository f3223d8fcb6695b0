/// Requests of memcached's text and meta protocols: a line of words, and for those that store something a block of bytes.
///
///     get key\r\n          set key 0 60 5\r\nvalue\r\n          ms key 5 T60\r\nvalue\r\n
///
/// One value per connection: between two calls it remembers how far the line at the front of the read buffer has been looked through, or
/// what that line said while its data block is yet to come. So a large block is not looked at twice, and lies in one piece when it is
/// complete; the next one after this is the store.
///
/// **The stream stays in step.** A line that announces a block takes the block with it, whatever else is wrong with that line; a block that
/// does not end where it should is skipped to the end of its line. memcached takes what follows for commands in both cases: whoever can
/// choose a key or a value could then choose commands.

internal import MartletBytes

package struct MemcachedParser: ~Copyable, Sendable {
  package enum Outcome: Sendable {
    /// Ends at `MemcachedRequest.end`.
    case request(MemcachedRequest)
    /// These bytes belong to a request that was refused; they are done with.
    case skipped(end: Int)
    /// It makes sense to call again once there are so many bytes, counted from where the request begins.
    case incomplete(bytesWanted: Int)
  }

  private enum State {
    case fresh
    /// The line has no end in its first so many bytes.
    case line(searched: Int)
    /// The line is read, the block is yet to come. Counted from the beginning of the request.
    case block(MemcachedRequest)
    case skipping(bytes: Int)
    /// To the end of a line.
    case skippingLine
  }

  private var state = State.fresh
  /// The words of the line whose block is yet to come, counted as its request.
  private var kept: [ArgumentSlice] = []

  package init() {}

  /// Whether a part of a request has been read.
  package var isUnderWay: Bool {
    if case .fresh = state { false } else { true }
  }

  /// Reads one request that begins at `start`; `words` takes what it has more than one of. After `.incomplete` the same request must be
  /// presented again, from its beginning, with more bytes. Offsets are counted from the beginning of `input`.
  @inline(__always)
  package mutating func parse(
    _ input: RawSpan, from start: Int, isAuthenticated: Bool = true, limits: borrowing MemcachedLimits, into words: inout [ArgumentSlice]
  ) -> Outcome {
    if case .fresh = state, isAuthenticated, let request = MemcachedFastLine.read(input, from: start, limits: limits) {
      return .request(request)
    }
    return parseSlowly(input, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &words)
  }

  @inline(never)
  private mutating func parseSlowly(
    _ input: RawSpan, from start: Int, isAuthenticated: Bool, limits: borrowing MemcachedLimits, into words: inout [ArgumentSlice]
  ) -> Outcome {
    if start >= input.byteCount { return .incomplete(bytesWanted: 1) }
    var searched = 0
    switch state {
    case .fresh: break
    case .line(let bytes): searched = bytes
    case .block(let request): return finish(restored(request, start, into: &words), input, from: start, &words)
    case .skipping(let bytes): return skip(bytes, input, from: start)
    case .skippingLine: return skipLine(input, from: start)
    }
    if input[start] == 0x80 { return refuse(.binaryProtocol, input) }
    guard let feed = input.firstIndex(of: ASCII.lineFeed, from: start &+ searched) else {
      let count = input.byteCount &- start
      if count > lineBytesMax(input, from: start, limits) { return refuse(.lineTooLong, input) }
      state = .line(searched: count)
      return .incomplete(bytesWanted: count &+ 1)
    }
    state = .fresh
    if feed &- start > limits.lineBytesMax, feed &- start > lineBytesMax(input, from: start, limits) { return refuse(.lineTooLong, input) }
    let hasReturn = feed > start && input[feed &- 1] == ASCII.carriageReturn
    let line = MemcachedLine(input, start..<(hasReturn ? feed &- 1 : feed), into: &words)
    let (request, block) = isAuthenticated ? line.request(&words, limits) : line.credentials(&words, limits)
    return settle(request, block, lineEnd: feed &+ 1, input, from: start, &words)
  }

  /// Lines of many keys may be longer than others.
  private func lineBytesMax(_ input: RawSpan, from start: Int, _ limits: borrowing MemcachedLimits) -> Int {
    var index = start
    while index < input.byteCount, index &- start < limits.lineBytesMax, input[index] == ASCII.space { index &+= 1 }
    let head = input[index..<min(index &+ 5, input.byteCount)]
    let isOfKeys =
      head.equals("gets ") || head.equals("gats ") || head.byteCount >= 4 && (head[0..<4].equals("get ") || head[0..<4].equals("gat "))
    return isOfKeys ? limits.keysLineBytesMax : limits.lineBytesMax
  }

  private mutating func refuse(_ error: MemcachedError, _ input: RawSpan) -> Outcome {
    state = .fresh
    var request = MemcachedRequest(.unknown)
    request.error = error
    request.end = input.byteCount
    return .request(request)
  }

  // MARK: Data blocks

  /// A request whose line is read, with the bytes it announces.
  private mutating func settle(
    _ read: MemcachedRequest, _ block: MemcachedLine.Block, lineEnd: Int, _ input: RawSpan, from start: Int,
    _ words: inout [ArgumentSlice]
  ) -> Outcome {
    var request = read
    request.end = lineEnd
    switch block {
    case .none: return .request(request)
    case .kept(let count):
      request.data = ArgumentSlice(start: lineEnd, count: count)
      return finish(request, input, from: start, &words)
    case .skipped(let count):
      state = .skipping(bytes: count &+ 2)
      return .request(request)
    }
  }

  private mutating func finish(
    _ complete: MemcachedRequest, _ input: RawSpan, from start: Int, _ words: inout [ArgumentSlice]
  ) -> Outcome {
    var request = complete
    let dataEnd = request.data.end
    if dataEnd &+ 2 > input.byteCount {
      keep(request, start, of: &words)
      return .incomplete(bytesWanted: dataEnd &+ 2 &- start)
    }
    state = .fresh
    if input[dataEnd] == ASCII.carriageReturn, input[dataEnd &+ 1] == ASCII.lineFeed {
      request.end = dataEnd &+ 2
      return .request(request)
    }
    request.error = request.command == .authenticate ? .badCredentialsEnd : .badData
    request.end = dataEnd
    state = .skippingLine
    return .request(request)
  }

  private mutating func keep(_ request: MemcachedRequest, _ start: Int, of words: inout [ArgumentSlice]) {
    state = .block(request.shifted(by: -start))
    if request.words.isEmpty { return }
    for index in request.words { kept.append(words[index].shifted(by: -start)) }
    words.removeLast(request.words.count)
  }

  private mutating func restored(_ request: MemcachedRequest, _ start: Int, into words: inout [ArgumentSlice]) -> MemcachedRequest {
    var restored = request.shifted(by: start)
    restored.words = words.count..<(words.count &+ kept.count)
    for slice in kept { words.append(slice.shifted(by: start)) }
    kept = []
    return restored
  }

  private mutating func skip(_ bytes: Int, _ input: RawSpan, from start: Int) -> Outcome {
    let there = min(bytes, input.byteCount &- start)
    state = there == bytes ? .fresh : .skipping(bytes: bytes &- there)
    return .skipped(end: start &+ there)
  }

  private mutating func skipLine(_ input: RawSpan, from start: Int) -> Outcome {
    guard let feed = input.firstIndex(of: ASCII.lineFeed, from: start) else { return .skipped(end: input.byteCount) }
    state = .fresh
    return .skipped(end: feed &+ 1)
  }
}
