/// The databases that Redis clients number, and those of the store that they mean: SWAPDB exchanges two in one step, however full they are.
///
/// Database 0 stays what it is, since HTTP and memcached live in it, too: swapped away from under them, they would go on serving what Redis
/// clients have just replaced.

internal import MartletBytes
internal import MartletCacheProtocols
internal import Synchronization

/// Which database of the store is meant by each number: four bits each.
struct DatabaseMap: Equatable, BitwiseCopyable {
  fileprivate(set) var bits: UInt64

  static let identity = DatabaseMap(bits: 0xFEDC_BA98_7654_3210)

  /// `number` in 0...15.
  @inline(__always)
  subscript(number: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: bits &>> (UInt64(number) &* 4)) & 15 }

  func swapping(_ one: UInt8, _ other: UInt8) -> DatabaseMap {
    let difference = UInt64(self[one] ^ self[other])
    let exchanged = one == other ? 0 : difference &<< (UInt64(one) &* 4) | difference &<< (UInt64(other) &* 4)
    return DatabaseMap(bits: bits ^ exchanged)
  }
}

/// The map of all connections. Each looks at it once before it runs commands; a transaction keeps what it saw.
final class Databases: Sendable {
  private let bits = Atomic<UInt64>(DatabaseMap.identity.bits)

  @inline(__always)
  var map: DatabaseMap { DatabaseMap(bits: bits.load(ordering: .relaxed)) }

  /// The map afterwards.
  func swap(_ one: UInt8, _ other: UInt8) -> DatabaseMap {
    while true {
      let old = map
      let new = old.swapping(one, other)
      if bits.compareExchange(expected: old.bits, desired: new.bits, ordering: .relaxed).exchanged { return new }
    }
  }
}

extension RESPSession {
  func swapdb(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    let one = try Self.number(args[1], "first")
    let other = try Self.number(args[2], "second")
    let (first, second) = (try CommandExecution.inRange(one), try CommandExecution.inRange(other))
    if first != second, first == 0 || second == 0 {
      throw CommandError("ERR database 0 cannot be swapped: HTTP and memcached clients live in it, too")
    }
    execution.databases = service.shared.databases.swap(first, second)
    execution.writer.ok()
  }

  private static func number(_ text: RawSpan, _ which: String) throws(CommandError) -> Int64 {
    guard let number = RESPNumber.integer(text), Int64(Int32.min)...Int64(Int32.max) ~= number else {
      throw CommandError("ERR invalid \(which) DB index")
    }
    return number
  }
}
