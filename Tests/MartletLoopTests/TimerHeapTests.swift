import MartletBytes
import Testing

@testable import MartletLoop

@Suite struct TimerHeapTests {
  @Test("Timers come in the order in which they are due, equal ones in the order of asking; cancelled ones never", arguments: 0..<10)
  func order(round: Int) {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(state: seed)
    var heap = TimerHeap()
    var expected: [(due: UInt64, number: Int)] = []
    let log = Log()
    var tokens: [(TimerToken, Int)] = []
    for number in 0..<500 {
      let due = UInt64.random(in: 0..<100, using: &random)
      tokens.append((heap.schedule(at: MonotonicTime(nanoseconds: due)) { log.numbers.append(number) }, number))
      expected.append((due, number))
    }
    for (token, number) in tokens.shuffled(using: &random).prefix(Int.random(in: 0...500, using: &random)) {
      let (first, second) = (heap.cancel(token), heap.cancel(token))
      #expect(first && !second)
      expected.removeAll { $0.number == number }
    }
    let count = heap.count
    #expect(count == expected.count)
    for now in [UInt64(30), 60, 200] {
      while let action = heap.popDue(at: MonotonicTime(nanoseconds: now), upTo: heap.latest) { action() }
      let due = expected.filter { $0.due <= now }.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
      #expect(log.numbers == due.map(\.number), "seed \(seed)")
    }
    let (left, next) = (heap.count, heap.nextDue)
    #expect(left == 0 && next == .never)
  }

  private final class Log { var numbers: [Int] = [] }
}
