/// From the name in a request to the command: its first sixteen letters, in lower case, as two words in a small open table; what a name has
/// beyond them is compared after that.

internal import MartletBytes
internal import MartletCacheProtocols

extension Command {
  var row: CommandRow { CommandRow.all[Int(rawValue)] }
  var isWrite: Bool { CommandRow.writes[Int(rawValue)] }
}

/// Made once per loop, so that a look-up touches the loop's own memory alone.
struct CommandLookup: ~Copyable {
  // Not private: the compiler (6.3.1) breaks off where a struct in another file holds an array of it.
  struct Slot {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count = 0
    var command = Command.get
    /// Negative: at least so many.
    var arity: Int16 = 0
    var isKeyed = false
  }

  struct Found: BitwiseCopyable {
    let command: Command
    let isArityRight: Bool
    /// It works on the keys it names and on nothing else, so it may be part of a batch.
    let isKeyed: Bool
  }

  private var slots = FixedArray(repeating: Slot(), count: slotCount)

  private static var slotCount: Int { 512 }

  init() {
    precondition(CommandRow.all.indices.allSatisfy { CommandRow.all[$0].command.rawValue == UInt8($0) }, "rows stand in order")
    for row in CommandRow.all {
      let name = Array(row.name.utf8)
      let (low, high) = Self.words(name.rawSpan, from: 0, count: name.count)
      var index = Self.home(low, high)
      while slots[index].count > 0 { index = (index + 1) % Self.slotCount }
      slots[index] = Slot(
        low: low, high: high, count: name.count, command: row.command, arity: Int16(row.arity),
        isKeyed: row.command.isKeyed)
    }
  }

  /// Nil: there is no such command.
  func find(_ name: RawSpan, argumentCount: Int) -> Found? { find(name, from: 0, to: name.byteCount, argumentCount: argumentCount) }

  /// The command whose name stands at `start..<end` of `input`.
  @inline(__always)
  func find(_ input: RawSpan, from start: Int, to end: Int, argumentCount: Int) -> Found? {
    let count = end &- start
    let (low, high) = Self.words(input, from: start, count: count)
    var index = Self.home(low, high)
    while true {
      let slot = slots[index]
      if slot.count == 0 { return nil }
      if slot.low == low, slot.high == high, slot.count == count, count <= 16 || Self.isRest(of: input[start..<end], slot.command) {
        let arity = Int(slot.arity)
        let isRight = arity >= 0 ? argumentCount == arity : argumentCount >= -arity
        return Found(command: slot.command, isArityRight: isRight, isKeyed: slot.isKeyed)
      }
      index = (index &+ 1) & (Self.slotCount &- 1)
    }
  }

  /// Whether a name that is longer than what is told apart at once goes on as the command's does.
  private static func isRest(of name: RawSpan, _ command: Command) -> Bool {
    zip(16..<name.byteCount, command.row.name.utf8.dropFirst(16)).allSatisfy { ASCII.lowercased(name[$0]) == $1 }
  }

  /// The first sixteen bytes of a name, zeros behind it. Read where the name stands: behind it there are more bytes, so that eight of them
  /// are one load.
  @inline(__always)
  private static func words(_ input: RawSpan, from start: Int, count: Int) -> (UInt64, UInt64) {
    (word(input, start, count), count <= 8 ? 0 : word(input, start &+ 8, count &- 8))
  }

  @inline(__always)
  private static func word(_ input: RawSpan, _ start: Int, _ count: Int) -> UInt64 {
    let word = ASCII.lowercased(input.paddedWord(at: start))
    return count >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
  }

  private static func home(_ low: UInt64, _ high: UInt64) -> Int {
    Int(truncatingIfNeeded: ((low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xBF58_476D_1CE4_E5B9) &>> 55)
  }
}
