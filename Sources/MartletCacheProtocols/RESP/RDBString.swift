/// What DUMP gives and RESTORE takes: a string as Redis 7.0 serialises it (RDB version 10), with a footer.
///
///     0  type            UInt8        0: a string
///     1  string          a length and the bytes, or another encoding
///        version         UInt16       little-endian, 10; not above it when read
///        checksum        UInt64       little-endian, CRC-64 (Jones) of all before
///
/// A string's first byte tells how it goes on:
///
///     00xxxxxx  length in 6 bits                   11000000  a signed byte
///     01xxxxxx  in 14, high bits first             11000001  a signed 16-bit integer, little-endian
///     10000000  in the next 32, big-endian         11000010  of 32 bits
///     10000001  in the next 64, big-endian         11000011  compressed (LZF): two lengths, packed and unpacked, then the bytes
///
/// Written are lengths with bytes, and integers as Redis does it; never compressed.

package import MartletBytes

package enum RDBString {
  package enum Failure: Error, Equatable {
    /// Too short, of a later version, or the checksum is another.
    case damaged
    /// Something else than a string, or a malformed one.
    case notAString
    /// Unpacked it would be larger than `bytesMax`.
    case tooLarge
  }

  private static let version: UInt16 = 10
  package static var footerBytes: Int { 10 }

  // MARK: Writing

  /// The beginning of the payload of a value that is dumped with its own bytes behind.
  package static func appendHead(ofCount count: Int, to output: inout ByteBuffer) {
    output.append(UInt8(0))
    if count < 1 << 6 {
      output.append(UInt8(count))
    } else if count < 1 << 14 {
      output.append(0x40 | UInt8(count >> 8))
      output.append(UInt8(truncatingIfNeeded: count))
    } else {
      output.append(UInt8(0x80))
      for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }
  }

  /// The bytes that `appendHead` writes.
  package static func headBytes(ofCount count: Int) -> Int { count < 1 << 6 ? 2 : count < 1 << 14 ? 3 : 6 }

  /// The end of the payload that begins at `start` of `output`.
  package static func appendFooter(from start: Int, to output: inout ByteBuffer) {
    output.append(footer(of: output.bytes[start..<output.count], RawSpan()))
  }

  /// The end of a payload that `head` and `value` make together.
  package static func footer(of head: RawSpan, _ value: RawSpan) -> [UInt8] {
    let version = [UInt8(truncatingIfNeeded: version), UInt8(truncatingIfNeeded: version >> 8)]
    let checksum = CRC64.of(version.rawSpan, after: CRC64.of(value, after: CRC64.of(head)))
    return version + stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: checksum >> UInt64($0)) }
  }

  /// The beginning of the payload of a value that is the shortest text of a 32-bit integer: all but the footer. False for another value.
  package static func appendInteger(_ value: RawSpan, to output: inout ByteBuffer) -> Bool {
    guard value.byteCount <= 11, let number = RESPNumber.integer(value).flatMap(Int32.init(exactly:)) else { return false }
    output.append(UInt8(0))
    let size = Int8(exactly: number) != nil ? 1 : Int16(exactly: number) != nil ? 2 : 4
    output.append(0xC0 | UInt8(size / 2))
    for index in 0..<size { output.append(UInt8(truncatingIfNeeded: number >> Int32(index * 8))) }
    return true
  }

  // MARK: Reading

  /// The string in a payload.
  package static func read(_ payload: RawSpan, bytesMax: Int) throws(Failure) -> ByteBuffer {
    let end = payload.byteCount - footerBytes
    guard end >= 0 else { throw .damaged }
    let version = UInt16(payload[end]) | UInt16(payload[end + 1]) << 8
    guard version <= self.version, CRC64.of(payload[0..<(end + 2)]) == payload.paddedWord(at: end + 2) else { throw .damaged }
    guard end > 1, payload[0] == 0 else { throw .notAString }
    var reader = Reader(payload[0..<end])
    let value = try reader.string(bytesMax: bytesMax)
    guard reader.offset == end else { throw .notAString }
    return value
  }

  private struct Reader: ~Escapable {
    private let bytes: RawSpan
    /// Behind the type.
    private(set) var offset = 1

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    private mutating func take(_ count: Int) throws(Failure) -> Range<Int> {
      guard count <= bytes.byteCount - offset else { throw .notAString }
      offset += count
      return (offset - count)..<offset
    }

    private mutating func number(_ count: Int) throws(Failure) -> UInt64 {
      var number: UInt64 = 0
      for index in try take(count) { number = number << 8 | UInt64(bytes[index]) }
      return number
    }

    /// A length, or the number of another encoding.
    private mutating func length() throws(Failure) -> (UInt64, isEncoding: Bool) {
      let first = try number(1)
      switch first >> 6 {
      case 0: return (first, false)
      case 1: return ((first & 0x3F) << 8 | (try number(1)), false)
      case 3: return (first & 0x3F, true)
      default:
        guard first == 0x80 || first == 0x81 else { throw .notAString }
        return (try number(first == 0x80 ? 4 : 8), false)
      }
    }

    mutating func string(bytesMax: Int) throws(Failure) -> ByteBuffer {
      let (length, isEncoding) = try length()
      if isEncoding, length == 3 { return try unpacked(bytesMax: bytesMax) }
      var value = ByteBuffer()
      if isEncoding {
        guard length < 3 else { throw .notAString }
        value.append(decimal: try integer(bytes: 1 << Int(length)))
      } else {
        value.append(bytes[try take(Int(clamping: length))])
      }
      if value.count > bytesMax { throw .tooLarge }
      return value
    }

    private mutating func integer(bytes count: Int) throws(Failure) -> Int64 {
      let pattern = try number(count).byteSwapped >> UInt64(64 - count * 8)
      switch count {
      case 1: return Int64(Int8(truncatingIfNeeded: pattern))
      case 2: return Int64(Int16(truncatingIfNeeded: pattern))
      default: return Int64(Int32(truncatingIfNeeded: pattern))
      }
    }

    private mutating func unpacked(bytesMax: Int) throws(Failure) -> ByteBuffer {
      let (packedCount, isOdd) = try length()
      let (count, isOddToo) = try length()
      if isOdd || isOddToo { throw .notAString }
      if count > UInt64(bytesMax) { throw .tooLarge }
      guard let value = LZF.unpack(bytes[try take(Int(clamping: packedCount))], count: Int(count)) else { throw .notAString }
      return value
    }
  }
}

/// Liblzf's format, as far as reading needs it: runs of literal bytes, and references to what was written before.
///
///     000lllll                     lllll + 1 bytes follow as they are
///     lllooooo oooooooo            lll + 2 bytes from ooooo oooooooo + 1 before the end
///     111ooooo llllllll oooooooo   the same with llllllll + 9 bytes
enum LZF {
  /// Nil if `packed` is malformed, or does not hold exactly `count` bytes.
  static func unpack(_ packed: RawSpan, count: Int) -> ByteBuffer? {
    var output = ByteBuffer()
    var index = 0
    while index < packed.byteCount {
      let control = Int(packed[index])
      index += 1
      if control < 32 {
        guard index + control < packed.byteCount, output.count + control < count else { return nil }
        output.append(packed[index..<(index + control + 1)])
        index += control + 1
        continue
      }
      var length = control >> 5
      if length == 7 {
        guard index < packed.byteCount else { return nil }
        length += Int(packed[index])
        index += 1
      }
      guard index < packed.byteCount else { return nil }
      let start = output.count - (control & 0x1F) << 8 - Int(packed[index]) - 1
      index += 1
      guard start >= 0, output.count + length + 2 <= count else { return nil }
      // A reference may reach into what it writes itself.
      for place in start..<(start + length + 2) {
        let byte = output.bytes[place]
        output.append(byte)
      }
    }
    if output.count != count { return nil }
    return output
  }
}

/// CRC-64 with the polynomial of Jones, bits reflected, without inversion: the checksum of Redis's dumps. Eight bytes a step, by eight
/// tables.
enum CRC64 {
  private static let tables: [UInt64] = {
    let polynomial: UInt64 = 0x95AC_9329_AC4B_C9B5  // 0xAD93D23594C935A9, its bits in reverse
    var tables = [UInt64](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt64(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
      tables[byte] = value
    }
    for index in 256..<(8 * 256) { tables[index] = tables[index - 256] >> 8 ^ tables[Int(tables[index - 256] & 0xFF)] }
    return tables
  }()

  /// `before`: of the bytes in front of these.
  static func of(_ bytes: RawSpan, after before: UInt64 = 0) -> UInt64 {
    let tables = tables
    var value = before
    var index = 0
    while index + 8 <= bytes.byteCount {
      var word = value ^ bytes.paddedWord(at: index)
      value = 0
      for table in stride(from: 7 * 256, through: 0, by: -256) {
        value ^= tables[table + Int(word & 0xFF)]
        word >>= 8
      }
      index += 8
    }
    while index < bytes.byteCount {
      value = value >> 8 ^ tables[Int((value ^ UInt64(bytes[index])) & 0xFF)]
      index += 1
    }
    return value
  }
}
