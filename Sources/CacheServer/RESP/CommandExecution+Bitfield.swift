/// `BITFIELD key [GET type offset | [OVERFLOW WRAP|SAT|FAIL] SET type offset value | INCRBY type offset amount …]`: integers of 1 to 64
/// bits anywhere in a value. All operations are read before the first is done.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

/// One operation of BITFIELD.
private struct BitfieldOperation {
  enum Verb { case get, set, increment }
  enum Overflow { case wrap, saturate, fail }

  let verb: Verb
  let isSigned: Bool
  /// 1 to 64, or 63 of an unsigned one.
  let bits: Int
  /// Of the first bit.
  fileprivate(set) var offset: Int
  /// To be set, or to be added.
  let operand: Int64
  let overflow: Overflow

  /// The numbers that fit.
  var range: ClosedRange<Int128> {
    isSigned ? -(1 << (bits - 1))...(1 << (bits - 1) - 1) : 0...(1 << bits - 1)
  }

  /// Bytes that a value has at least when this has been written.
  var byteCount: Int { (offset + bits + 7) / 8 }

  func read(_ value: RawSpan) -> Int128 {
    var number: UInt64 = 0
    for index in offset..<(offset + bits) {
      let byte = index >> 3 < value.byteCount ? value[index >> 3] : 0
      number = number << 1 | UInt64(byte >> (7 - UInt8(index & 7)) & 1)
    }
    return wrapped(Int128(number))
  }

  func write(_ number: Int128, to value: inout ByteBuffer) {
    let pattern = UInt64(truncatingIfNeeded: number)
    for place in 0..<bits {
      let index = offset + place
      let mask: UInt8 = 1 << (7 - UInt8(index & 7))
      let byte = value.bytes[index >> 3]
      let isSet = pattern >> UInt64(bits - 1 - place) & 1 == 1
      value.replace(at: index >> 3, with: isSet ? byte | mask : byte & ~mask)
    }
  }

  /// What the field holds after the operation; nil if it would not fit and is to fail then.
  func result(from old: Int128) -> Int128? {
    var number = Int128(operand)
    if verb == .increment {
      number += old
    } else if !isSigned, operand < 0 {
      number = Int128(UInt64(bitPattern: operand))
    }
    if range.contains(number) { return number }
    switch overflow {
    case .wrap: return wrapped(number)
    case .saturate: return number < range.lowerBound ? range.lowerBound : range.upperBound
    case .fail: return nil
    }
  }

  /// The lowest bits of a number, as this field reads them.
  private func wrapped(_ number: Int128) -> Int128 {
    let low = number & (1 << bits - 1)
    return isSigned && low > range.upperBound ? low - (1 << bits) : low
  }
}

extension CommandExecution {
  mutating func bitfield(_ args: borrowing RESPArguments, _ shards: inout LockedShards, isReadOnly: Bool) throws(CommandError) {
    let operations = try bitfieldOperations(args, isReadOnly: isReadOnly)
    let lastWritten = operations.filter { $0.verb != .get }.map(\.byteCount).max()
    writer.array(operations.count)
    guard let lastWritten else {
      let key = args[1]
      let found: Void? = shards.get(key, database: database, at: now) { entry in
        for operation in operations { writer.integer(Int64(operation.read(entry.value))) }
      }
      if found == nil { for _ in operations { writer.integer(0) } }
      return
    }
    if try bitfieldInPlace(args[1], operations, &shards) { return }
    var replies = ByteBuffer()
    let version = writer.version
    try change(args[1], &shards) { (value) throws(CommandError) in
      var new = ByteBuffer(capacity: max(value.byteCount, lastWritten))
      new.append(value)
      while new.count < lastWritten { new.append(UInt8(0)) }
      var replier = RESPWriter(version: version)
      for operation in operations { replier.bitfield(operation, on: &new) }
      swap(&replies, &replier.output)
      return new
    }
    writer.output.append(replies)
  }

  /// Of a large value: the bytes around the fields are copied, changed, and written where they lie. False, and nothing has changed or been
  /// replied: it is to be written anew.
  private mutating func bitfieldInPlace(
    _ key: RawSpan, _ operations: [BitfieldOperation], _ shards: inout LockedShards
  ) throws(CommandError) -> Bool {
    let start = operations.map { $0.offset / 8 }.min() ?? 0
    let end = operations.map(\.byteCount).max() ?? 0
    if end - start > CacheLimits.largeValueBytesMin { return false }
    var part: ByteBuffer?
    shards.peek(key, database: database, at: now) { entry in
      if !entry.isLarge || end > entry.value.byteCount { return }
      var bytes = ByteBuffer(capacity: end - start)
      bytes.append(entry.value[start..<end])
      part = consume bytes
    }
    guard var bytes = part.take() else { return false }
    var replier = RESPWriter(version: writer.version)
    for var operation in operations {
      operation.offset -= start * 8
      replier.bitfield(operation, on: &bytes)
    }
    guard try writeInPlace(key, offset: start, bytes.bytes, &shards) != nil else { return false }
    writer.output.append(replier.output)
    return true
  }

  private func bitfieldOperations(_ args: borrowing RESPArguments, isReadOnly: Bool) throws(CommandError) -> [BitfieldOperation] {
    var operations: [BitfieldOperation] = []
    var overflow = BitfieldOperation.Overflow.wrap
    var index = 2
    while index < args.count {
      let left = args.count - index - 1
      if args[index].equalsIgnoringCase("overflow"), left >= 1 {
        overflow = try Self.bitfieldOverflow(args[index + 1])
        index += 2
        continue
      }
      let verb: BitfieldOperation.Verb
      if args[index].equalsIgnoringCase("get"), left >= 2 {
        verb = .get
      } else if args[index].equalsIgnoringCase("set"), left >= 3 {
        verb = .set
      } else if args[index].equalsIgnoringCase("incrby"), left >= 3 {
        verb = .increment
      } else {
        throw .syntax
      }
      let (isSigned, bits) = try Self.bitfieldType(args[index + 1])
      let offset = try bitfieldOffset(args[index + 2], bits: bits)
      if verb != .get, isReadOnly { throw CommandError("ERR BITFIELD_RO only supports the GET subcommand") }
      let operand = verb == .get ? 0 : try Self.integer(args[index + 3])
      operations.append(
        BitfieldOperation(verb: verb, isSigned: isSigned, bits: bits, offset: offset, operand: operand, overflow: overflow))
      index += verb == .get ? 3 : 4
    }
    return operations
  }

  private static func bitfieldOverflow(_ text: RawSpan) throws(CommandError) -> BitfieldOperation.Overflow {
    if text.equalsIgnoringCase("wrap") { return .wrap }
    if text.equalsIgnoringCase("sat") { return .saturate }
    if text.equalsIgnoringCase("fail") { return .fail }
    throw CommandError("ERR Invalid OVERFLOW type specified")
  }

  /// `i1` to `i64`, `u1` to `u63`.
  private static func bitfieldType(_ text: RawSpan) throws(CommandError) -> (isSigned: Bool, bits: Int) {
    let isSigned = text.byteCount > 0 && text[0] == UInt8(ascii: "i")
    guard text.byteCount > 1, isSigned || text[0] == UInt8(ascii: "u"), let bits = RESPNumber.integer(text[1..<text.byteCount]),
      1...(isSigned ? 64 : 63) ~= bits
    else { throw CommandError("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.") }
    return (isSigned, Int(bits))
  }

  /// In bits, or, behind a `#`, in fields.
  private func bitfieldOffset(_ text: RawSpan, bits: Int) throws(CommandError) -> Int {
    let isFields = text.byteCount > 0 && text[0] == UInt8(ascii: "#")
    guard let number = RESPNumber.integer(text[(isFields ? 1 : 0)..<text.byteCount]), number >= 0 else { throw .bitOffset }
    let (offset, overflow) = number.multipliedReportingOverflow(by: isFields ? Int64(bits) : 1)
    guard !overflow, offset <= Int64(store.valueBytesMax) * 8 - Int64(bits) else { throw .bitOffset }
    return Int(offset)
  }
}

extension RESPWriter {
  /// Does one operation and replies to it.
  fileprivate mutating func bitfield(_ operation: BitfieldOperation, on value: inout ByteBuffer) {
    let old = operation.read(value.bytes)
    if operation.verb == .get { return integer(Int64(old)) }
    guard let new = operation.result(from: old) else { return null() }
    operation.write(new, to: &value)
    integer(Int64(operation.verb == .set ? old : new))
  }
}
