import MartletBytes
import Testing

@Suite("SplitMix64")
struct SplitMix64Tests {
  @Test("The first numbers of a seed are those of the reference implementation")
  func reference() {
    var random = SplitMix64(seed: 0)
    #expect([random.next(), random.next(), random.next()] == [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F])
  }

  @Test("Numbers below a bound, and parts of one, stay below it and reach all of it")
  func ranges() {
    var random = SplitMix64(seed: 5)
    var seen = Set<Int>()
    for _ in 0..<1000 {
      seen.insert(random.below(7))
      let unit = random.unit()
      #expect(unit >= 0 && unit < 1)
    }
    #expect(seen == Set(0..<7))
  }
}
