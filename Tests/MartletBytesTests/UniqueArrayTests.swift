import MartletBytes
import Testing

@Suite struct UniqueArrayTests {
  /// Something that exists once and tells when it goes.
  struct Token: ~Copyable {
    let name: Int
    let gone: Gone
    deinit { gone.names.append(name) }
  }

  final class Gone {
    var names: [Int] = []
  }

  @Test("Elements stay in order through growth, and go with the array, once each")
  func order() {
    let gone = Gone()
    do {
      var array = UniqueArray<Token>(capacity: 1)
      let wasEmpty = array.isEmpty
      for name in 1...5 { array.append(Token(name: name, gone: gone)) }
      let (count, capacity, first, last) = (array.count, array.capacity, array[0].name, array[4].name)
      #expect(wasEmpty && count == 5 && capacity >= 5)
      #expect(first == 1 && last == 5)
      #expect(gone.names.isEmpty)
    }
    #expect(gone.names.sorted() == [1, 2, 3, 4, 5])
  }

  @Test("Truncating ends the elements behind, and the rest can be changed and lent")
  func truncation() {
    let gone = Gone()
    var tokens = UniqueArray<Token>(capacity: 4)
    for name in 1...4 { tokens.append(Token(name: name, gone: gone)) }
    tokens.truncate(to: 1)
    #expect(gone.names.sorted() == [2, 3, 4])
    tokens.removeAll()
    #expect(gone.names.sorted() == [1, 2, 3, 4])

    var numbers = UniqueArray<Int>(capacity: 1)
    for number in 0..<100 { numbers.append(number) }
    numbers[7] = 70
    let (last, none) = (numbers.last, UniqueArray<Int>().last)
    #expect(last == 99 && none == nil)
    let span = numbers.span
    var sum = 0
    for index in span.indices { sum += span[index] }
    #expect(sum == 4950 + 63)
  }

  @Test("An index beyond what was appended, and truncating to more, stop the process")
  func bounds() async {
    await #expect(processExitsWith: .failure) {
      var array = UniqueArray<Int>(capacity: 2)
      array.append(1)
      print(array[1])
    }
    await #expect(processExitsWith: .failure) {
      var array = UniqueArray<Int>()
      array.append(1)
      array.truncate(to: 2)
    }
  }
}
