/// The usual command: all there, of at most 999 arguments of at most 999 bytes. Nearly every one is, and a stream of them is read in one go,
/// without a detour; the rest, and what is incomplete or wrong, is left to `parse`.
///
///     *2\r\n$3\r\nGET\r\n$16\r\n…        the head: up to the end of the name, here 13 bytes
///
/// A stream is mostly of like commands, so the head of the one before it is compared (two loads) rather than taken apart: a third of what
/// reading a GET costs, and nobody has to look for the name again.

package import MartletBytes

/// One command among those of a stream. Public, since only what is public and frozen is inlined into another module.
@frozen
public struct RESPCommand: BitwiseCopyable, Sendable {
  /// What is known of its name by what stood before it.
  @frozen
  public enum Name: UInt8, BitwiseCopyable, Sendable {
    /// Nothing.
    case other
    /// Nothing; it is kept in mind from here on, with the number of arguments.
    case noted
    /// It is the one noted last, with as many arguments.
    case same
  }

  /// Its arguments among the slices: at `first..<(first + count)`.
  public let first: UInt32
  public let count: UInt32
  /// Where it ends in the input.
  public let end: Int
  public let name: Name

  @inlinable @inline(__always)
  public init(first: Int, count: Int, end: Int, name: Name = .other) {
    self.first = UInt32(truncatingIfNeeded: first)
    self.count = UInt32(truncatingIfNeeded: count)
    self.end = end
    self.name = name
  }
}

/// The beginning of a command, up to the end of its name: at most sixteen bytes, as two words.
struct RESPHead: BitwiseCopyable, Sendable {
  fileprivate var low: UInt64 = 0
  /// Under the mask. So no command begins until one is noted.
  fileprivate var high: UInt64 = 1
  fileprivate var highMask: UInt64 = 0
  fileprivate var name = RESPSlice(start: 0, count: 0)
  fileprivate var byteCount = 0
  fileprivate var argumentCount = 0

  fileprivate static var bytesMax: Int { 16 }
}

extension RESPParser {
  /// Reads the usual commands that begin at `start`, until one is not, or the arrays hold as many as they should. Where they end.
  /// Only between two commands, and for a peer who is known.
  package mutating func parseUsual(
    _ input: RawSpan, from start: Int, limits: borrowing RESPLimits, into arguments: inout UniqueArray<RESPSlice>,
    _ commands: inout UniqueArray<RESPCommand>, argumentsMax: Int, commandsMax: Int
  ) -> Int {
    var position = start
    while commands.count < commandsMax, arguments.count < argumentsMax,
      let command = parseUsual(input, from: position, limits: limits, into: &arguments)
    {
      commands.append(command)
      position = command.end
    }
    return position
  }

  /// Nil, and nothing appended: the command is no usual one.
  @inline(__always)
  private mutating func parseUsual(
    _ input: RawSpan, from start: Int, limits: borrowing RESPLimits, into arguments: inout UniqueArray<RESPSlice>
  ) -> RESPCommand? {
    let first = arguments.count
    let low = input.paddedWord(at: start)
    let high = input.paddedWord(at: start &+ 8)
    var name = RESPCommand.Name.other
    var place = start
    var left = 0
    // It ends with a line's end, not with the zeros behind the input: so if it is the same, it is all there.
    if low == head.low, high & head.highMask == head.high {
      name = .same
      arguments.append(RESPSlice(start: start &+ Int(head.name.start), count: Int(head.name.count)))
      place = start &+ head.byteCount
      left = head.argumentCount &- 1
    } else {
      let line = Self.shortLine(low, UInt8(ascii: "*"))
      guard line.byteCount > 0, line.number > 0, line.number <= limits.argumentsMax else { return nil }
      place = start &+ line.byteCount
      left = line.number
    }
    let count = left &+ (arguments.count &- first)
    while left > 0 {
      let bulk = Self.shortLine(input.paddedWord(at: place), UInt8(ascii: "$"))
      let bytes = place &+ bulk.byteCount
      place = bytes &+ bulk.number &+ 2
      guard bulk.byteCount > 0, place <= input.byteCount, bulk.number <= limits.bulkBytesMax else { break }
      arguments.append(RESPSlice(start: bytes, count: bulk.number))
      left &-= 1
    }
    guard left == 0, place &- start <= limits.commandBytesMax else {
      arguments.truncate(to: first)
      return nil
    }
    if name == .other, note(arguments[first], low, high, in: input, from: start, count: count) { name = .noted }
    return RESPCommand(first: first, count: count, end: place, name: name)
  }

  /// Keeps the head of a command in mind, if it is a short one; `name` is its first argument.
  @inline(never)
  private mutating func note(_ name: RESPSlice, _ low: UInt64, _ high: UInt64, in input: RawSpan, from start: Int, count: Int) -> Bool {
    let byteCount = name.end &+ 2 &- start
    guard byteCount <= RESPHead.bytesMax, input[name.end] == ASCII.carriageReturn, input[name.end &+ 1] == ASCII.lineFeed else {
      return false
    }
    let mask = byteCount == RESPHead.bytesMax ? .max : (UInt64(1) &<< UInt64((byteCount &- 8) &* 8)) &- 1
    head = RESPHead(
      low: low, high: high & mask, highMask: mask, name: name.shifted(by: -start), byteCount: byteCount, argumentCount: count)
    return true
  }

  /// What the first bytes of a line say, if those are `type`, one to three digits and `\r`: the number, and the length of the line. A
  /// length of 0: they are not.
  @inline(__always)
  private static func shortLine(_ word: UInt64, _ type: UInt8) -> (number: Int, byteCount: Int) {
    func byte(_ index: UInt64) -> Int { Int(truncatingIfNeeded: word &>> (index &* 8) & 0xFF) }
    let (first, second, third) = (byte(1) &- 0x30, byte(2) &- 0x30, byte(3) &- 0x30)
    let carriageReturn = Int(ASCII.carriageReturn)
    if byte(0) != Int(type) || UInt(bitPattern: first) > 9 { return (0, 0) }
    if byte(2) == carriageReturn { return (first, 4) }
    if first == 0 || UInt(bitPattern: second) > 9 { return (0, 0) }
    if byte(3) == carriageReturn { return (first &* 10 &+ second, 5) }
    if UInt(bitPattern: third) > 9 || byte(4) != carriageReturn { return (0, 0) }
    return ((first &* 10 &+ second) &* 10 &+ third, 6)
  }
}
