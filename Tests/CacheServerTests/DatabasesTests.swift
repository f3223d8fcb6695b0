import Testing

@testable import CacheServer

@Suite("Databases by number")
struct DatabasesTests {
  @Test("Each number means its own database until two are swapped")
  func swapping() {
    let map = DatabaseMap.identity
    #expect((0..<16).allSatisfy { map[$0] == $0 })
    let swapped = map.swapping(3, 15)
    #expect((0..<16).map { swapped[$0] } == [0, 1, 2, 15, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 3])
    #expect(swapped.swapping(15, 3) == map && map.swapping(7, 7) == map)
  }

  @Test("Swaps add up")
  func twice() {
    let databases = Databases()
    _ = databases.swap(1, 2)
    #expect(databases.swap(2, 3) == databases.map)
    #expect((1...3).map { databases.map[$0] } == [2, 3, 1])
  }
}
