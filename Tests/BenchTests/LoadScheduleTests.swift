import Testing

@testable import Bench

@Suite struct LoadScheduleTests {
  @Test("Requests are due one interval apart, and are taken once they are due, not before")
  func taking() {
    var schedule = LoadSchedule(start: 1000, intervalNanoseconds: 10, count: 3)
    #expect(schedule.take(at: 999) == nil)
    #expect(schedule.take(at: 1000) == 1000)
    #expect(schedule.take(at: 1009) == nil)
    #expect(schedule.dueCount(at: 1009) == 0)
    #expect(schedule.dueCount(at: 1019) == 1)
    #expect(schedule.dueCount(at: 9999) == 2)
    #expect(schedule.take(at: 9999) == 1010)  // late, and counted from when it was due
    #expect(schedule.take(at: 9999) == 1020)
    #expect(schedule.isOver)
    #expect(schedule.take(at: .max) == nil)
    #expect(schedule.nextTime == .max)
    #expect(schedule.dueCount(at: .max) == 0)
  }

  @Test("The lanes of a load share its requests out, at even times together", arguments: [1, 2, 3, 7])
  func lanes(count: Int) {
    var times: [UInt64] = []
    for index in 0..<count {
      var schedule = LoadSchedule(start: 500, rate: 1000, seconds: 0.1, countMax: .max, lane: index, of: count)
      while let time = schedule.take(at: .max - 1) { times.append(time) }
    }
    #expect(times.sorted() == (0..<100).map { 500 + $0 * 1_000_000 })
  }

  @Test("A bound on the number of requests holds over all lanes")
  func bounded() {
    let counts = (0..<3).map { LoadSchedule(start: 0, rate: 1e6, seconds: 10, countMax: 100, lane: $0, of: 3).count }
    #expect(counts.reduce(0, +) == 100)
  }

  @Test("Times do not drift, however odd the rate and far the request")
  func drift() {
    let schedule = LoadSchedule(start: 0, rate: 3, seconds: 86_400, countMax: .max, lane: 0, of: 1)
    #expect(schedule.count == 259_200)
    #expect(schedule.time(of: 259_200 - 3) == 86_399_000_000_000)
  }

  @Test("None is none")
  func none() {
    var schedule = LoadSchedule()
    #expect(schedule.isOver)
    #expect(schedule.take(at: .max) == nil)
  }
}
