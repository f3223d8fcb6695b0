/// What is stored: keys of one length, and values that are functions of their keys, so that every byte of a reply can be checked without
/// remembering what was written.
///
///     key 42 of 16 bytes:   key:000000000042
///     its value:            8 bytes mixed from 42, then bytes from a fixed text, beginning where 42 says
///
/// Bytes are printable and no JSON. Two keys' values differ in their first 8 bytes (48 random bits), as far as they are that long.

import MartletBytes

struct LoadContent: ~Copyable {
  let keyBytes: Int
  let valueBytes: ClosedRange<Int>
  private let text: ByteBuffer
  /// Places in `text` where a value may begin.
  private static var startCount: UInt64 { 4096 }
  private static var mixedBytes: Int { 8 }

  init(keyBytes: Int, valueBytes: ClosedRange<Int>) {
    self.keyBytes = keyBytes
    self.valueBytes = valueBytes
    var random = SplitMix64(seed: 0x6D61_7274_6C65_74)
    let count = valueBytes.upperBound + Int(Self.startCount)
    var text = ByteBuffer(capacity: count + 8)
    while text.count < count { text.append(littleEndian: Self.printable(random.next())) }
    self.text = text
  }

  // MARK: Keys

  /// Digits that numbers below `keys` have.
  static func digits(keys: Int) -> Int { Digits.count(UInt64(max(keys - 1, 0))) }

  /// Appends a key whose number is 0; its digits end the output.
  func appendKeyTemplate(to output: inout ByteBuffer, keys: Int) {
    let prefix: StaticString = keyBytes >= Self.digits(keys: keys) + 4 ? "key:" : ""
    output.append(prefix)
    for _ in 0..<(keyBytes - prefix.utf8CodeUnitCount) { output.append(UInt8(ascii: "0")) }
  }

  // MARK: Values

  func valueBytes(of key: Int) -> Int {
    let range = valueBytes
    if range.lowerBound == range.upperBound { return range.lowerBound }
    let spread = Self.mixed(key ^ Int.min).multipliedFullWidth(by: UInt64(range.count)).high
    return range.lowerBound &+ Int(truncatingIfNeeded: spread)
  }

  /// Appends the first `count` bytes of the key's value: all that there are, by `valueBytes(of:)`.
  func appendValue(of key: Int, count: Int, to output: inout ByteBuffer) {
    let mixed = Self.mixed(key)
    var word = Self.printable(mixed)
    guard count >= Self.mixedBytes else {
      for _ in 0..<count {
        output.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
      return
    }
    output.append(littleEndian: word)
    let start = Int(truncatingIfNeeded: mixed % Self.startCount)
    output.append(text.bytes[start..<(start &+ count &- Self.mixedBytes)])
  }

  /// Whether `bytes` are the key's value, whole.
  func isValue(_ bytes: RawSpan, of key: Int) -> Bool {
    let count = bytes.byteCount
    guard count == valueBytes(of: key) else { return false }
    let mixed = Self.mixed(key)
    let word = Self.printable(mixed)
    guard count >= Self.mixedBytes else {
      return bytes.paddedWord(at: 0) == word & ((1 &<< UInt64(count &* 8)) &- 1)
    }
    guard bytes.paddedWord(at: 0) == word else { return false }
    let start = Int(truncatingIfNeeded: mixed % Self.startCount)
    return bytes[Self.mixedBytes..<count].equals(text.bytes[start..<(start &+ count &- Self.mixedBytes)])
  }

  private static func mixed(_ key: Int) -> UInt64 {
    var generator = SplitMix64(seed: UInt64(bitPattern: Int64(key)))
    return generator.next()
  }

  /// Eight bytes from `0` to `o`, six random bits each.
  private static func printable(_ random: UInt64) -> UInt64 { (random & 0x3F3F_3F3F_3F3F_3F3F) &+ 0x3030_3030_3030_3030 }
}
