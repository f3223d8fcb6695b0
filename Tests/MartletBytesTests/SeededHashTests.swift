import MartletBytes
import Testing

@Suite("SeededHash")
struct SeededHashTests {
  @Test("Each length and each single changed bit gives another hash")
  func spreads() {
    let hash = SeededHash(seed: 42)
    var seen: Set<UInt64> = []
    var count = 0
    for length in 0..<70 {
      var key = [UInt8](repeating: 0, count: length)
      seen.insert(hash.hash(key.rawSpan))
      count += 1
      for bit in 0..<length * 8 {
        key[bit / 8] ^= 1 << UInt8(bit % 8)
        seen.insert(hash.hash(key.rawSpan))
        count += 1
        key[bit / 8] ^= 1 << UInt8(bit % 8)
      }
    }
    #expect(seen.count == count)
  }

  @Test("The top bits of consecutive keys spread over 256 buckets evenly")
  func topBits() {
    let hash = SeededHash(seed: 7)
    var buckets = [Int](repeating: 0, count: 256)
    for number in 0..<100_000 { buckets[Int(hash.hash(Array("key:\(number)".utf8).rawSpan) >> 56)] += 1 }
    #expect(buckets.min()! > 300 && buckets.max()! < 500)
  }

  @Test("Another seed gives other hashes, the same seed the same")
  func seeds() {
    let key = Array("some key".utf8)
    #expect(SeededHash(seed: 1).hash(key.rawSpan) == SeededHash(seed: 1).hash(key.rawSpan))
    #expect(SeededHash(seed: 1).hash(key.rawSpan) != SeededHash(seed: 2).hash(key.rawSpan))
  }

  @Test("The low bits of consecutive keys spread over 256 buckets evenly")
  func lowBits() {
    let hash = SeededHash(seed: 7)
    var buckets = [Int](repeating: 0, count: 256)
    for number in 0..<100_000 { buckets[Int(hash.hash(Array("key:\(number)".utf8).rawSpan) & 255)] += 1 }
    #expect(buckets.min()! > 300 && buckets.max()! < 500)
  }

  @Test("Keys that hold a constant of the algorithm do not collide", arguments: [16, 24, 40])
  func constants(length: Int) {
    let hasher = SeededHash(seed: 12345)
    for constant: UInt64 in [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3, 0, .max] {
      for place in 0..<length / 8 {
        var hashes: Set<UInt64> = []
        for number: UInt64 in 0..<1000 {
          var words = [UInt64](repeating: number, count: length / 8)
          words[place] = constant
          let key = words.flatMap(bytes)
          hashes.insert(hasher.hash(key.rawSpan))
        }
        #expect(hashes.count == 1000, "constant \(String(constant, radix: 16)) as word \(place) of \(length) bytes")
      }
    }
  }

  private func bytes(_ word: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
}
