import Testing

@testable import MartletBytes

@Suite("UniqueBox")
struct UniqueBoxTests {
  @Test("A value stays where it is when its owner moves, and ends with it")
  func life() {
    final class Witness: Sendable {}
    weak var witness: Witness?
    do {
      let object = Witness()
      witness = object
      var box = UniqueBox(object)
      let place = unsafe box.span.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
      let moved = box
      let newPlace = unsafe moved.span.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
      #expect(newPlace == place)
      box = UniqueBox(Witness())
      #expect(moved.value === object)
      #expect(box.value !== object)
    }
    #expect(witness == nil)
  }

  @Test("What is changed through the owner is seen by whoever borrows it afterwards")
  func change() {
    var box = UniqueBox([1, 2])
    box.value.append(3)
    let span = box.span
    let seen = span[0]
    #expect(seen == [1, 2, 3] && span.count == 1)
  }
}
