import MartletBytes
import Testing

@Suite("ByteBuffer")
struct ByteBufferTests {
  @Test("Appended bytes come back in order, through every growth")
  func appends() {
    var buffer = ByteBuffer()
    var expected: [UInt8] = []
    for index in 0..<5000 {
      buffer.append(UInt8(truncatingIfNeeded: index))
      expected.append(UInt8(truncatingIfNeeded: index))
    }
    #expect(buffer.copied() == expected)
    #expect(buffer.capacity >= 5000)
  }

  @Test("Literals, text, arrays and spans append their bytes")
  func kinds() {
    var buffer = ByteBuffer()
    buffer.append("lit")
    buffer.append(String("té"))
    buffer.append([1, 2] as [UInt8])
    let tail: [UInt8] = [3, 4]
    buffer.append(tail.rawSpan)
    #expect(buffer.copied() == Array("litté".utf8) + [1, 2, 3, 4])
  }

  @Test("Four literals at once, and the beginning of another buffer")
  func several() {
    var buffer = ByteBuffer()
    buffer.append("Content-Type", ": ", "text/plain; charset=utf-8, and so on beyond the first memory", "\r\n")
    #expect(buffer.text == "Content-Type: text/plain; charset=utf-8, and so on beyond the first memory\r\n")
    var other = ByteBuffer()
    other.append(buffer, first: 7)
    other.append(buffer, first: 0)
    #expect(other.text == "Content")
  }

  @Test("Removing from the front keeps the rest")
  func removesFirst() {
    var buffer = ByteBuffer()
    buffer.append("abcdef")
    buffer.removeFirst(2)
    #expect(buffer.text == "cdef")
    buffer.removeFirst(4)
    #expect(buffer.count == 0)
    buffer.removeFirst(0)
    #expect(buffer.count == 0)
  }

  @Test("A tail shifts both ways", arguments: [-2, -1, 0, 1, 5, 200])
  func shifts(distance: Int) {
    var buffer = ByteBuffer()
    buffer.append("head....tail")
    buffer.shiftTail(from: 8, by: distance)
    #expect(buffer.count == 12 + distance)
    #expect(buffer.bytes[8 + distance..<12 + distance].text == "tail")
    #expect(buffer.bytes[0..<4].text == "head")
  }

  @Test("Truncation keeps the memory, and an empty buffer has none")
  func truncates() {
    var buffer = ByteBuffer()
    #expect(buffer.capacity == 0)
    #expect(buffer.bytes.byteCount == 0)
    buffer.append("abc")
    let capacity = buffer.capacity
    buffer.truncate(to: 1)
    #expect(buffer.text == "a")
    buffer.removeAll()
    #expect(buffer.count == 0 && buffer.capacity == capacity)
  }

  @Test("Lent free bytes count once written")
  func lends() {
    var buffer = ByteBuffer()
    buffer.append("x")
    unsafe buffer.withFreeBytes(atLeast: 100) { space in
      unsafe space[0] = UInt8(ascii: "y")
      return space.count >= 100 ? 1 : 0
    }
    #expect(buffer.text == "xy")
  }
}

@Suite("Digits")
struct DigitsTests {
  static let edges: [UInt64] =
    (0...19).flatMap { power -> [UInt64] in
      let value = (0..<power).reduce(UInt64(1)) { result, _ in result * 10 }
      return [value - 1, value, value + 1]
    } + [.max - 1, .max]

  @Test("Every power of ten and its neighbours is written as String writes it", arguments: edges)
  func writes(value: UInt64) {
    var buffer = ByteBuffer()
    buffer.append(decimal: value)
    #expect(buffer.text == String(value))
    #expect(Digits.count(value) == String(value).utf8.count)
    #expect(Digits.parseUnsigned(buffer.bytes) == value)
  }

  @Test("Signed numbers keep their sign", arguments: [Int64.min, .min + 1, -10, -1, 0, 1, .max])
  func signed(value: Int64) {
    var buffer = ByteBuffer()
    buffer.append(decimal: value)
    #expect(buffer.text == String(value))
    #expect(Digits.parseSigned(buffer.bytes) == value)
  }

  @Test("Anything but digits is refused", arguments: ["", "-", "+1", "1 ", " 1", "1a", "18446744073709551616", "99999999999999999999"])
  func refuses(text: String) {
    #expect(Digits.parseUnsigned(Array(text.utf8).rawSpan) == nil)
  }

  @Test("Beyond Int64 is refused", arguments: ["9223372036854775808", "-9223372036854775809", "--1", "-"])
  func refusesSigned(text: String) {
    #expect(Digits.parseSigned(Array(text.utf8).rawSpan) == nil)
  }

  @Test("Hexadecimal has no leading zeros", arguments: [0, 1, 15, 16, 255, 256, 0xDEAD_BEEF, UInt64.max])
  func hexadecimal(value: UInt64) {
    var buffer = ByteBuffer()
    buffer.append(hexadecimal: value)
    #expect(buffer.text == String(value, radix: 16))
  }

  @Test("Digits written over a gap end where told")
  func replaces() {
    var buffer = ByteBuffer()
    buffer.append("n=....;")
    buffer.replace(decimal: 123, endingAt: 6)
    #expect(buffer.text == "n=.123;")
  }
}
