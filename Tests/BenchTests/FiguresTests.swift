import MartletBytes
import Testing

@testable import Bench

@Suite struct FiguresTests {
  @Test("The median is the middle one, or lies between the two")
  func median() {
    #expect(Figures([3, 1, 2]).median == 2)
    #expect(Figures([4, 1, 3, 2]).median == 2.5)
    #expect(Figures([]).median == 0)
  }

  @Test(
    "The median's interval holds it in 19 of 20 cases; few values give their least and most",
    arguments: [(1, 0, 0), (5, 0, 4), (6, 0, 5), (8, 0, 7), (9, 1, 7), (12, 2, 9), (20, 5, 14)])
  func interval(count: Int, from: Int, to: Int) {
    // The places are those of the sign test's tables.
    #expect(Figures((0..<count).map(Double.init)).interval == Double(from)...Double(to))
  }

  @Test("Drawn medians lie in the interval about as often as it says")
  func coverage() {
    var random = SplitMix64(seed: 17)
    var held = 0
    for _ in 0..<2000 {
      let interval = Figures((0..<15).map { _ in random.unit() * random.unit() }).interval
      if interval.contains(0.1866823) { held += 1 }  // where the product of two even draws has its median
    }
    #expect(held > 1860)
  }

  private func showing(_ name: String, _ cpu: [Double]) -> Showing {
    Showing(name: name, samples: cpu.map { [$0, 1 / $0, 7] })
  }

  private let measures: [Measure] = [.less("time", "s", "takes {} times as long as"), .more("speed", "1/s", "…"), .told("other", "")]

  @Test("A ratio is of values of the same round, and judged by its interval")
  func ratios() throws {
    let ours = showing("martlet", [1, 2, 4])
    let twice = try #require(Ratio(ours, showing("a", [2, 4, 8]), measures, 0))
    #expect(twice.figures.median == 0.5 && twice.judgement == .win && twice.text == "0.50 (0.50–0.50)")
    #expect(Ratio(ours, showing("b", [2, 2, 2]), measures, 0)?.judgement == .even)
    #expect(Ratio(ours, showing("c", [0.5, 1]), measures, 0)?.judgement == .loss)
    #expect(Ratio(ours, showing("d", []), measures, 0) == nil)
    #expect(Ratio(ours, showing("e", [0]), measures, 0) == nil)
  }

  @Test("Where more is better a ratio is turned over; what is told only has none")
  func turned() {
    let (ours, other) = (showing("martlet", [1, 2]), showing("a", [4, 8]))
    #expect(Ratio(ours, other, measures, 1)?.figures.sorted == [0.25, 0.25])
    #expect(Ratio(ours, other, measures, 2) == nil)
  }

  @Test("Numbers have as many digits as mean something")
  func digits() {
    #expect([0, 0.12345, 1.2345, 12.345, 123.45, 12345.6].map(threeDigits) == ["0", "0.123", "1.23", "12.3", "123", "12346"])
    #expect([850, 12_345, 1_234_567, 1_500_000_000].map { duration(nanoseconds: $0) } == ["850 ns", "12.3 µs", "1.23 ms", "1.5 s"])
    #expect([0, 0.005, 1, 12.346].map(twoDecimals) == ["0.00", "0.01", "1.00", "12.35"])
    #expect([0, 0.0001, 0.00996, 0.0949, 0.096, 2.5].map(ratioText) == ["0.00", "0.00010", "0.010", "0.095", "0.10", "2.50"])
    #expect(percent(0.9) == "90 %" && percent(0.001) == "0.1 %" && short(1e16) == "1e+16")
  }

  @Test(
    "A time is told in UTC",
    arguments: [(0, "1970-01-01 00:00 UTC"), (951_827_640_000, "2000-02-29 12:34 UTC"), (4_102_444_799_999, "2099-12-31 23:59 UTC")])
  func utc(milliseconds: Int64, text: String) {
    #expect(utcText(UnixTime(milliseconds: milliseconds)) == text)
  }
}
