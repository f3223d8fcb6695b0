import MartletBytes
import Testing

@testable import MartletLoop

@Suite struct PreciseTimerTests {
  @Test("It fires when its time has come, not before, and once for each time that it is set")
  func fires() throws {
    let loop = try EventLoop(index: 0)
    var due: [MonotonicTime] = []
    var fired: [MonotonicTime] = []
    var timer: PreciseTimer?
    func set() {
      due.append(MonotonicTime.now.advanced(byNanoseconds: UInt64(due.count) * 300_000))
      timer?.set(to: due[due.count - 1])
    }
    timer = try loop.makePreciseTimer {
      fired.append(.now)
      if fired.count < 10 { set() } else { loop.stop() }
    }
    set()
    #expect(timer?.due == due[0])
    loop.run()
    #expect(fired.count == 10 && due.count == 10)
    for (time, expected) in zip(fired, due) { #expect(time >= expected) }
    #expect(timer?.due == .never)
    timer = nil  // it holds what it calls, which holds it
  }

  @Test("It can be set to another time, or to none")
  func changed() throws {
    let loop = try EventLoop(index: 0)
    var fired = 0
    let timer = try loop.makePreciseTimer {
      fired += 1
      loop.stop()
    }
    let other = try loop.makePreciseTimer { fired += 100 }
    timer.set(to: .now.advanced(bySeconds: 1000))
    timer.set(to: .now.advanced(bySeconds: 0.001))
    other.set(to: .now)
    other.set(to: .never)
    loop.run()
    #expect(fired == 1)
    timer.set(to: .now)  // its loop has ended: nothing happens
  }
}
