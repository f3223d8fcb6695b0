/// The two requests of which there are most, `get` of one key and a plain `set`, read in one pass over their bytes. Whatever does not look
/// exactly so is left to `MemcachedLine`, which reads everything: this is only quicker, and says the same.

internal import MartletBytes

enum MemcachedFastLine {
  /// Nil: not one of these, or not complete.
  @inline(__always)
  static func read(_ input: RawSpan, from start: Int, limits: borrowing MemcachedLimits) -> MemcachedRequest? {
    if start &+ 8 > input.byteCount { return nil }
    let word = input.paddedWord(at: start) & 0xFFFF_FFFF
    if word == getWord { return get(input, from: start &+ 4) }
    if word == setWord { return set(input, from: start &+ 4, limits) }
    return nil
  }

  /// `get ` and `set ` in memory order.
  private static var getWord: UInt64 { 0x2074_6567 }
  private static var setWord: UInt64 { 0x2074_6573 }

  @inline(__always)
  private static func get(_ input: RawSpan, from start: Int) -> MemcachedRequest? {
    let end = keyEnd(input, from: start)
    guard let keyCount = keyCount(end &- start), end &+ 1 < input.byteCount, input[end] == ASCII.carriageReturn,
      input[end &+ 1] == ASCII.lineFeed
    else { return nil }
    var request = MemcachedRequest(.get)
    request.key = ArgumentSlice(start: start, count: keyCount)
    request.end = end &+ 2
    return request
  }

  /// With flags, expiry and length of digits alone, and all of the data there.
  @inline(__always)
  private static func set(_ input: RawSpan, from start: Int, _ limits: borrowing MemcachedLimits) -> MemcachedRequest? {
    var place = keyEnd(input, from: start)
    guard let keyCount = keyCount(place &- start), place < input.byteCount, input[place] == ASCII.space else { return nil }
    place &+= 1
    guard let flags = number(input, &place, ASCII.space), let time = number(input, &place, ASCII.space),
      let count = number(input, &place, ASCII.carriageReturn), count <= limits.dataBytesMax, place < input.byteCount,
      input[place] == ASCII.lineFeed
    else { return nil }
    let data = place &+ 1
    let end = data &+ count
    guard end &+ 2 <= input.byteCount, input[end] == ASCII.carriageReturn, input[end &+ 1] == ASCII.lineFeed else { return nil }
    var request = MemcachedRequest(.set)
    request.key = ArgumentSlice(start: start, count: keyCount)
    request.flags = UInt32(truncatingIfNeeded: flags)
    request.time = Int64(time)
    request.data = ArgumentSlice(start: data, count: count)
    request.end = end &+ 2
    return request
  }

  /// Where the first blank, carriage return or other control byte stands: eight bytes a step.
  @inline(__always)
  private static func keyEnd(_ input: RawSpan, from start: Int) -> Int {
    var place = start
    while place &+ 8 <= input.byteCount {
      let word = input.paddedWord(at: place)
      // The highest bit of each byte below 0x21; may err after one that is.
      let blanks = (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
      if blanks != 0 { return place &+ blanks.trailingZeroBitCount / 8 }
      place &+= 8
    }
    while place < input.byteCount, input[place] > 0x20 { place &+= 1 }
    return place
  }

  @inline(__always)
  private static func keyCount(_ count: Int) -> Int? { count > 0 && count <= MemcachedLimits.keyBytesMax ? count : nil }

  /// A number of one to seven digits and the byte behind it, which is left behind.
  @inline(__always)
  private static func number(_ input: RawSpan, _ place: inout Int, _ stop: UInt8) -> Int? {
    // Zeros where the input ends: no digits, and not `stop`.
    var word = input.paddedWord(at: place)
    var value = 0
    var count = 0
    while true {
      let byte = UInt8(truncatingIfNeeded: word)
      let digit = byte &- 0x30
      if digit >= 10 {
        if byte != stop || count == 0 { return nil }
        place &+= count &+ 1
        return value
      }
      if count == 7 { return nil }
      value = value &* 10 &+ Int(digit)
      count &+= 1
      word &>>= 8
    }
  }
}
