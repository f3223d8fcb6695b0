/// Commands on values as strings of bits, the first bit being the highest of the first byte.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  // MARK: One bit

  func bitOffset(_ text: RawSpan) throws(CommandError) -> (byte: Int, shift: UInt8) {
    guard let offset = RESPNumber.integer(text), offset >= 0, offset >> 3 < Int64(store.valueBytesMax) else {
      throw .bitOffset
    }
    return (Int(offset >> 3), 7 - UInt8(offset & 7))
  }

  mutating func getbit(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let (byte, shift) = try bitOffset(args[2])
    let bit = shards.get(args[1], database: database, at: now) { entry in
      byte < entry.value.byteCount ? entry.value[byte] >> shift & 1 : 0
    }
    writer.integer(Int(bit ?? 0))
  }

  mutating func setbit(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let (byte, shift) = try bitOffset(args[2])
    guard let bit = RESPNumber.integer(args[3]), 0...1 ~= bit else { throw CommandError("ERR bit is not an integer or out of range") }
    var old: UInt8 = 0
    let large: UInt8?? = shards.peek(args[1], database: database, at: now) { entry in
      if !entry.isLarge { return nil }
      return byte < entry.value.byteCount ? entry.value[byte] : 0
    }
    if let current = large ?? nil {
      let written = [current & ~(1 << shift) | UInt8(bit) << shift]
      if try writeInPlace(args[1], offset: byte, written.rawSpan, &shards) != nil { return writer.integer(Int(current >> shift & 1)) }
    }
    try change(args[1], &shards) { (value) throws(CommandError) in
      var new = ByteBuffer(capacity: max(value.byteCount, byte + 1))
      new.append(value)
      while new.count <= byte { new.append(UInt8(0)) }
      let current = new.bytes[byte]
      old = current >> shift & 1
      new.replace(at: byte, with: current & ~(1 << shift) | UInt8(bit) << shift)
      return new
    }
    writer.integer(Int(old))
  }

  // MARK: Runs of bits

  mutating func bitcount(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    guard args.count == 2 || args.count == 4 || args.count == 5 else { throw .syntax }
    var first: Int64 = 0
    var last: Int64 = -1
    var isBits = false
    if args.count > 2 {
      first = try Self.integer(args[2])
      last = try Self.integer(args[3])
      if args.count == 5 { isBits = try Self.isBitUnit(args[4]) }
    }
    let count = shards.get(args[1], database: database, at: now) { entry in
      let range = Self.range(first, last, of: entry.value.byteCount * (isBits ? 8 : 1))
      return isBits ? Self.bits(entry.value, range) : Self.bits(entry.value, (range.lowerBound * 8)..<(range.upperBound * 8))
    }
    writer.integer(count ?? 0)
  }

  private static func bits(_ value: RawSpan, _ range: Range<Int>) -> Int {
    var count = 0
    var index = range.lowerBound
    while index < range.upperBound {
      if index & 7 == 0, index + 8 <= range.upperBound {
        count += value[index >> 3].nonzeroBitCount
        index += 8
      } else {
        count += Int(value[index >> 3] >> (7 - UInt8(index & 7)) & 1)
        index += 1
      }
    }
    return count
  }

  // MARK: BITPOS key bit [start [end [BYTE|BIT]]]

  mutating func bitpos(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let bit = try Self.integer(args[2])
    guard 0...1 ~= bit else { throw CommandError("ERR The bit argument must be 1 or 0.") }
    guard args.count <= 6 else { throw .syntax }
    // An absent key is a run of zeros without an end.
    guard isPresent(args[1], &shards) else { return writer.integer(bit == 1 ? -1 : 0) }
    let first = args.count > 3 ? try Self.integer(args[3]) : 0
    let isBits = args.count == 6 ? try Self.isBitUnit(args[5]) : false
    let last = args.count > 4 ? try Self.integer(args[4]) : -1
    let position = shards.get(args[1], database: database, at: now) { entry in
      let count = entry.value.byteCount
      var range = Self.range(first, last, of: isBits ? count * 8 : count)
      if range.isEmpty { return -1 }
      if !isBits { range = (range.lowerBound * 8)..<(range.upperBound * 8) }
      if let found = Self.firstBit(bit == 1, entry.value, range) { return found }
      // Without an end given, zeros follow the value.
      return bit == 0 && args.count < 5 ? count * 8 : -1
    }
    writer.integer(position ?? -1)
  }

  private static func isBitUnit(_ text: RawSpan) throws(CommandError) -> Bool {
    if text.equalsIgnoringCase("bit") { return true }
    if text.equalsIgnoringCase("byte") { return false }
    throw .syntax
  }

  private static func firstBit(_ isSet: Bool, _ value: RawSpan, _ range: Range<Int>) -> Int? {
    let without: UInt8 = isSet ? 0 : 0xFF
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = value[index >> 3]
      if index & 7 == 0, byte == without {
        index += 8
      } else if (byte >> (7 - UInt8(index & 7)) & 1 == 1) == isSet {
        return index
      } else {
        index += 1
      }
    }
    return nil
  }

  // MARK: BITOP AND|OR|XOR|NOT target source…

  mutating func bitop(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let name = args[1]
    let isNot = name.equalsIgnoringCase("not")
    let isAnd = name.equalsIgnoringCase("and")
    let isOr = name.equalsIgnoringCase("or")
    guard isNot || isAnd || isOr || name.equalsIgnoringCase("xor") else { throw .syntax }
    if isNot, args.count != 4 { throw CommandError("ERR BITOP NOT must be called with a single source key.") }
    var result = ByteBuffer()
    for index in 3..<args.count {
      // An absent key, like the end of a shorter value, is zeros.
      let isFirst = index == 3
      let count = result.count
      let found: Void? = shards.get(args[index], database: database, at: now) { entry in
        if isFirst {
          result.append(entry.value)
        } else {
          while result.count < entry.value.byteCount { result.append(UInt8(0)) }
          if isAnd { result.and(entry.value) } else { result.combine(entry.value, isOr ? { $0 | $1 } : { $0 ^ $1 }) }
        }
      }
      if found == nil, isAnd, count > 0 { result.and(RawSpan()) }
    }
    if isNot { for index in 0..<result.count { result.replace(at: index, with: ~result.bytes[index]) } }
    if result.isEmpty {
      _ = try delete(args[2], &shards)
    } else {
      try put(args[2], result.bytes, &shards)
    }
    writer.integer(result.count)
  }
}

extension ByteBuffer {
  /// Combines each byte with the one of `other` in its place, as far as `other` goes; it is not the longer one.
  fileprivate mutating func combine(_ other: RawSpan, _ body: (UInt8, UInt8) -> UInt8) {
    for index in 0..<other.byteCount { replace(at: index, with: body(bytes[index], other[index])) }
  }

  /// The same by AND, where zeros follow `other`.
  fileprivate mutating func and(_ other: RawSpan) {
    combine(other) { $0 & $1 }
    for index in other.byteCount..<count { replace(at: index, with: 0) }
  }
}
