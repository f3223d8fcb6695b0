/// Requests of RESP2 and RESP3 (they are the same): an array of bulk strings, or a line of words.
///
///     *2\r\n$3\r\nGET\r\n$1\r\nk\r\n          GET k\r\n
///
/// One value per connection: between two calls it remembers how far the command has been read that stands, unfinished, at the front of
/// the read buffer. So a large bulk string is not looked at twice, and a command of a million arguments that drips in costs what it
/// costs in one piece. As Redis does, it trusts the two bytes after a bulk string and the one after `\r` without looking at them.

package import MartletBytes

package struct RESPParser: ~Copyable, Sendable {
  package enum Outcome: Equatable, Sendable {
    /// A command is complete; it ends at this offset. Without arguments (an empty line, `*0`, `*-1`) it is nothing, and has no reply.
    case command(end: Int)
    /// As `command`, but its arguments are in `unquoted`, not in the input.
    case inlineCommand(end: Int)
    /// It makes sense to call again once the command, from its beginning, has so many bytes.
    case incomplete(bytesWanted: Int)
  }

  /// How far the unfinished command at the front has been read, from its beginning.
  private var position = 0
  /// Bulk strings yet to come; nil: the first line has not been read.
  private var bulksLeft: Int?
  /// Where arguments are that have been read, from the beginning of the command.
  private var slices: [RESPSlice] = []
  /// Where the search for the end of a line goes on, from the beginning of the command. Never beyond that end.
  private var searched = 0
  /// Of the command that `parseUsual` noted last.
  var head = RESPHead()
  /// The words of an inline command, without quotes and escapes, one after another.
  package var unquoted = ByteBuffer()

  package init() {}

  /// Whether a part of a command has been read.
  package var isUnderWay: Bool { bulksLeft != nil || searched > 0 }

  /// Reads one command that begins at `start`, and appends where its arguments lie, counted from the beginning of `input` (of an inline
  /// command: of `unquoted`). After `.incomplete` the same command must be presented again, from its beginning, with more bytes.
  package mutating func parse(
    _ input: RawSpan, from start: Int, isAuthenticated: Bool = true, limits: borrowing RESPLimits,
    into arguments: inout UniqueArray<RESPSlice>
  ) throws(RESPProtocolError) -> Outcome {
    if start >= input.byteCount { return .incomplete(bytesWanted: 1) }
    if input[start] != UInt8(ascii: "*") { return try parseInline(input, from: start, limits: limits, into: &arguments) }
    return try parseMultibulk(input, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &arguments)
  }

  // MARK: Multibulk

  private mutating func parseMultibulk(
    _ input: RawSpan, from start: Int, isAuthenticated: Bool, limits: borrowing RESPLimits, into arguments: inout UniqueArray<RESPSlice>
  ) throws(RESPProtocolError) -> Outcome {
    let count: Int
    if let bulksLeft {
      count = bulksLeft
    } else {
      guard let line = numberLine(input, at: start, start) else {
        return try waitForLine(input, start, start, limits, .multibulkLineTooLong)
      }
      guard let number = line.number, number <= Int64(limits.argumentsMax) else { throw .multibulkLength }
      if number > Int64(limits.argumentsMaxUnauthenticated), !isAuthenticated { throw .unauthenticatedMultibulkLength }
      if number <= 0 {
        reset()
        return .command(end: line.end)
      }
      count = Int(number)
      position = line.end &- start
    }
    return try parseBulks(count, input, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &arguments)
  }

  private mutating func parseBulks(
    _ count: Int, _ input: RawSpan, from start: Int, isAuthenticated: Bool, limits: borrowing RESPLimits,
    into arguments: inout UniqueArray<RESPSlice>
  ) throws(RESPProtocolError) -> Outcome {
    let first = arguments.count
    let known = slices.count
    var left = count
    var place = start &+ position
    while left > 0 {
      if place >= input.byteCount { return pause(left, at: place, start, wants: 4, &arguments, from: first) }
      if input[place] != UInt8(ascii: "$") { throw .expectedBulk(input[place]) }
      guard let line = numberLine(input, at: place, start) else {
        _ = pause(left, at: place, start, wants: 1, &arguments, from: first)
        return try waitForLine(input, place, start, limits, .bulkLineTooLong)
      }
      guard let number = line.number, number >= 0, number <= Int64(limits.bulkBytesMax) else { throw .bulkLength }
      if number > Int64(limits.bulkBytesMaxUnauthenticated), !isAuthenticated { throw .unauthenticatedBulkLength }
      let end = line.end &+ Int(number) &+ 2
      if end &- start > limits.commandBytesMax { throw .commandTooLong }
      if end > input.byteCount { return pause(left, at: place, start, wants: end &- place, &arguments, from: first) }
      arguments.append(RESPSlice(start: line.end, count: Int(number)))
      place = end
      left &-= 1
    }
    if known > 0 { restore(&arguments, before: first, start) }
    reset()
    return .command(end: place)
  }

  /// Keeps what has been read of a command; it goes on at `place`, where `wants` bytes make sense.
  private mutating func pause(
    _ left: Int, at place: Int, _ start: Int, wants: Int, _ arguments: inout UniqueArray<RESPSlice>, from first: Int
  ) -> Outcome {
    for index in first..<arguments.count {
      slices.append(RESPSlice(start: Int(arguments[index].start) &- start, count: Int(arguments[index].count)))
    }
    arguments.truncate(to: first)
    bulksLeft = left
    position = place &- start
    return .incomplete(bytesWanted: position &+ wants)
  }

  /// Puts the arguments of earlier calls before those of this one.
  private func restore(_ arguments: inout UniqueArray<RESPSlice>, before first: Int, _ start: Int) {
    let own = (first..<arguments.count).map { index in arguments[index] }
    arguments.truncate(to: first)
    for slice in slices { arguments.append(RESPSlice(start: Int(slice.start) &+ start, count: Int(slice.count))) }
    for slice in own { arguments.append(slice) }
  }

  private mutating func reset() {
    position = 0
    bulksLeft = nil
    searched = 0
    if slices.capacity > 0 { slices = [] }
  }

  /// The number of the line that begins at `place` with `*` or `$`, and where the line ends; nil: it has no end yet. The number is nil if
  /// it is none.
  @inline(__always)
  private func numberLine(_ input: RawSpan, at place: Int, _ start: Int) -> (number: Int64?, end: Int)? {
    // Nearly always one to four digits: read and judged in one pass.
    var index = place &+ 1
    var value: Int64 = 0
    while index < input.byteCount, index &- place <= 5 {
      let digit = input[index] &- 0x30
      if digit >= 10 { break }
      value = value &* 10 &+ Int64(digit)
      index &+= 1
    }
    if index &+ 1 < input.byteCount, index > place &+ 1, input[index] == ASCII.carriageReturn,
      input[place &+ 1] != 0x30 || index == place &+ 2
    {
      return (value, index &+ 2)
    }
    guard let end = input.firstIndex(of: ASCII.carriageReturn, from: max(index, start &+ searched)), end &+ 1 < input.byteCount else {
      return nil
    }
    return (RESPNumber.integer(input[(place &+ 1)..<end]), end &+ 2)
  }

  /// The line at `place` has no end yet: remembers how far it was looked through.
  private mutating func waitForLine(
    _ input: RawSpan, _ place: Int, _ start: Int, _ limits: borrowing RESPLimits, _ failure: RESPProtocolError
  ) throws(RESPProtocolError) -> Outcome {
    if input.byteCount &- place > limits.inlineBytesMax { throw failure }
    searched = input.byteCount &- start &- 1  // the last byte may be the line's `\r`
    return .incomplete(bytesWanted: input.byteCount &- start &+ 1)
  }

  // MARK: Inline

  private mutating func parseInline(
    _ input: RawSpan, from start: Int, limits: borrowing RESPLimits, into arguments: inout UniqueArray<RESPSlice>
  ) throws(RESPProtocolError) -> Outcome {
    guard let feed = input.firstIndex(of: ASCII.lineFeed, from: start &+ searched) else {
      if input.byteCount &- start > limits.inlineBytesMax { throw .inlineTooLong }
      searched = input.byteCount &- start
      return .incomplete(bytesWanted: searched &+ 1)
    }
    reset()
    let end = feed > start && input[feed &- 1] == ASCII.carriageReturn ? feed &- 1 : feed
    guard InlineWords.split(input[start..<end], into: &unquoted, &arguments) else { throw .unbalancedQuotes }
    return .inlineCommand(end: feed &+ 1)
  }
}
