/// The flags of a meta command, each a letter, some with a token behind it: understood once, before the command is run.

internal import MartletBytes

package struct MemcachedMetaFlags: Sendable, BitwiseCopyable {
  /// The letters that were given, as bits from `A` on.
  private var letters: UInt64 = 0
  /// `F`: the client's flags.
  package private(set) var clientFlags: UInt32 = 0
  /// `C`: the version that must be there.
  package private(set) var version: UInt64 = 0
  /// `T`, `N`, `R`: times as the client wrote them, in seconds.
  package private(set) var time: Int64 = 0
  package private(set) var vivifyTime: Int64 = 0
  package private(set) var recacheTime: Int64 = 0
  /// `M`, one letter.
  package private(set) var mode: UInt8 = 0
  /// `D` and `J`.
  package private(set) var delta: UInt64 = 1
  package private(set) var initial: UInt64 = 0

  package init() {}

  /// Understands the flags of `command`.
  package init(_ command: MemcachedCommand, _ words: borrowing ArgumentList) throws(MemcachedError) {
    do throws(MemcachedError) {
      for index in 0..<words.count { try take(words[index]) }
    } catch {
      // Of `md` and `ma` memcached tells less.
      if command == .md || command == .ma, error != .opaqueTooLong { throw .invalidOrDuplicateFlag }
      throw error
    }
  }

  @inline(__always)
  package func has(_ letter: Unicode.Scalar) -> Bool { letters & Self.bit(UInt8(ascii: letter)) != 0 }

  private static func bit(_ letter: UInt8) -> UInt64 { 1 << UInt64(letter &- 65) }

  private mutating func take(_ word: RawSpan) throws(MemcachedError) {
    let letter = word[0]
    if letter >= 127 { throw .duplicateFlag }
    guard 65...122 ~= letter else { throw .invalidFlag }
    if letters & Self.bit(letter) != 0 { throw .duplicateFlag }
    letters |= Self.bit(letter)
    let token = word[1..<word.byteCount]
    switch letter {
    case UInt8(ascii: "b"), UInt8(ascii: "c"), UInt8(ascii: "f"), UInt8(ascii: "h"), UInt8(ascii: "k"), UInt8(ascii: "l"),
      UInt8(ascii: "q"), UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "u"), UInt8(ascii: "v"), UInt8(ascii: "I"),
      UInt8(ascii: "P"), UInt8(ascii: "L"):
      return
    case UInt8(ascii: "O"): if token.byteCount > MemcachedLimits.opaqueBytesMax { throw .opaqueTooLong }
    case UInt8(ascii: "F"):
      guard let flags = MemcachedNumber.unsigned(token).flatMap({ UInt32(exactly: $0) }) else { throw .badLine }
      clientFlags = flags
    case UInt8(ascii: "C"): version = try Self.number(token)
    case UInt8(ascii: "D"): delta = try Self.number(token)
    case UInt8(ascii: "J"): initial = try Self.number(token)
    case UInt8(ascii: "T"): time = try Self.time(token)
    case UInt8(ascii: "N"): vivifyTime = try Self.time(token)
    case UInt8(ascii: "R"): recacheTime = try Self.time(token)
    case UInt8(ascii: "M"):
      if token.byteCount != 1 { throw .modeLength }
      mode = token[0]
    default: throw .invalidFlag
    }
  }

  private static func number(_ token: RawSpan) throws(MemcachedError) -> UInt64 {
    guard let number = MemcachedNumber.unsigned(token) else { throw .badToken }
    return number
  }

  private static func time(_ token: RawSpan) throws(MemcachedError) -> Int64 {
    guard let time = MemcachedNumber.time(token) else { throw .badToken }
    return time
  }
}
