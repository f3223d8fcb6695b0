import MartletBytes
import Testing

@Suite("FixedArray")
struct FixedArrayTests {
  @Test("Elements begin as told, keep what is written, and are lent in order")
  func elements() {
    var array = FixedArray(repeating: UInt16(7), count: 5)
    array[0] = 1
    array[4] = 9
    let span = array.span
    var seen: [UInt16] = []
    for index in span.indices { seen.append(span[index]) }
    #expect(seen == [1, 7, 7, 7, 9])
  }

  @Test("Reading or writing outside of it stops the process")
  func bounds() async {
    await #expect(processExitsWith: .failure) {
      let array = FixedArray(repeating: UInt8(0), count: 2)
      _ = array[2]
    }
    await #expect(processExitsWith: .failure) {
      var array = FixedArray(repeating: UInt8(0), count: 2)
      array[-1] = 1
    }
  }
}
