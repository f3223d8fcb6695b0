import MartletBytes
import Testing

@testable import Bench

@Suite struct LoadContentTests {
  private func value(of key: Int, _ content: borrowing LoadContent) -> [UInt8] {
    var output = ByteBuffer()
    content.appendValue(of: key, count: content.valueBytes(of: key), to: &output)
    return output.copied()
  }

  private func isValue(_ bytes: [UInt8], of key: Int, _ content: borrowing LoadContent) -> Bool { content.isValue(bytes.rawSpan, of: key) }

  @Test("A value is its key's and no other's, and any byte that differs shows", arguments: [1, 7, 8, 9, 64, 1000])
  func values(count: Int) {
    let content = LoadContent(keyBytes: 16, valueBytes: count...count)
    for key in [0, 1, 42, 999_999] {
      var bytes = value(of: key, content)
      #expect(bytes.count == count)
      let isRight = isValue(bytes, of: key, content)
      #expect(isRight)
      for index in bytes.indices {
        bytes[index] ^= 1
        let isStillRight = isValue(bytes, of: key, content)
        #expect(!isStillRight)
        bytes[index] ^= 1
      }
      let isAnothers = count >= 8 && isValue(bytes, of: key + 1, content)
      #expect(!isAnothers)
      let isShorter = isValue(Array(bytes.dropLast()), of: key, content)
      let isLonger = isValue(bytes + [0], of: key, content)
      #expect(!isShorter && !isLonger)
    }
  }

  @Test("Sizes of a range are all used, each key has its own, and every value is right")
  func sizes() {
    let content = LoadContent(keyBytes: 16, valueBytes: 3...20)
    var sizes: [Int: Int] = [:]
    for key in 0..<5000 {
      let bytes = value(of: key, content)
      sizes[bytes.count, default: 0] += 1
      let isRight = isValue(bytes, of: key, content)
      #expect(isRight)
    }
    #expect(Set(sizes.keys) == Set(3...20))
    #expect(sizes.values.allSatisfy { 150...420 ~= $0 })
  }

  @Test("Keys have the length asked for: a word and digits where there is room, else digits alone")
  func keys() {
    for (bytes, keys, expected) in [(16, 1000, "key:000000000000"), (7, 1000, "key:000"), (6, 1000, "000000"), (1, 10, "0")] {
      var output = ByteBuffer()
      LoadContent(keyBytes: bytes, valueBytes: 1...1).appendKeyTemplate(to: &output, keys: keys)
      let text = output.text
      #expect(text == expected)
    }
    #expect([1, 10, 11, 1_000_000].map(LoadContent.digits) == [1, 1, 2, 6])
  }
}
