import MartletBytes
import Testing

@testable import MartletLoop

@Suite struct DeadlineWheelTests {
  static let tick = DeadlineWheel.tickNanoseconds

  @Test("A deadline is never early and at most one tick late")
  func accuracy() {
    for offset in [0, 1, Self.tick - 1, Self.tick, Self.tick + 1, 60_000_000_000, 200_000_000_000] {
      let start = MonotonicTime(nanoseconds: 123_456_789_012_345)
      var wheel = DeadlineWheel(start: start)
      let deadline = start.advanced(byNanoseconds: offset)
      wheel.set(3, to: deadline)
      var now = start
      var fired: MonotonicTime?
      for _ in 0..<20 {
        if wheel.popDue(at: now) == 3 {
          fired = now
          break
        }
        now = max(wheel.nextDue(), now)  // sleeps exactly as long as the wheel says
      }
      #expect(fired != nil)
      if let fired { #expect(fired >= deadline && fired.nanoseconds(since: deadline) <= Self.tick) }
    }
  }

  @Test("Putting off does not file again; an earlier deadline counts")
  func putOff() {
    let start = MonotonicTime(nanoseconds: 0)
    var wheel = DeadlineWheel(start: start)
    wheel.set(0, to: start.advanced(bySeconds: 1))
    let filed = wheel.nextDue()
    for second in 2..<60 { wheel.set(0, to: start.advanced(bySeconds: Double(second))) }
    #expect(wheel.nextDue() == filed)
    #expect(wheel.popDue(at: start.advanced(bySeconds: 2)) == nil)
    #expect(wheel.nextDue() >= start.advanced(bySeconds: 59))
    wheel.set(0, to: start.advanced(bySeconds: 3))
    #expect(wheel.popDue(at: start.advanced(bySeconds: 4)) == 0)
    #expect(wheel.popDue(at: start.advanced(bySeconds: 400)) == nil)
    #expect(wheel.nextDue() == .never)
  }

  @Test("A deadline set in the past while others fire waits for the next look")
  func pastDeadline() {
    let now = MonotonicTime(nanoseconds: 1 << 30)
    var wheel = DeadlineWheel(start: MonotonicTime(nanoseconds: 0))
    wheel.set(0, to: MonotonicTime(nanoseconds: 5))
    #expect(wheel.popDue(at: now) == 0)
    wheel.set(0, to: MonotonicTime(nanoseconds: 5))
    #expect(wheel.popDue(at: now) == nil)
    #expect(wheel.popDue(at: now.advanced(byNanoseconds: Self.tick)) == 0)
  }

  @Test("It does what a plain list of deadlines does", arguments: 0..<20)
  func twin(round: Int) {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(state: seed)
    var now = MonotonicTime(nanoseconds: UInt64.random(in: 0..<1 << 50, using: &random))
    var wheel = DeadlineWheel(start: now)
    var twin: [UInt32: UInt64] = [:]
    for _ in 0..<5_000 {
      let entry = UInt32.random(in: 0..<50, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        let spread: UInt64 = [1_000_000, 100_000_000, 10_000_000_000, 300_000_000_000].randomElement(using: &random)!
        let deadline = now.advanced(byNanoseconds: UInt64.random(in: 0..<spread, using: &random))
        wheel.set(entry, to: deadline)
        twin[entry] = deadline.nanoseconds
      case 5:
        wheel.remove(entry)
        twin[entry] = nil
      case 6:
        wheel.set(entry, to: .never)
        twin[entry] = nil
      default:
        let steps: [UInt64] = [1, 1_000_000, 20_000_000, 1_000_000_000, 100_000_000_000]
        now = now.advanced(byNanoseconds: UInt64.random(in: 0..<steps.randomElement(using: &random)!, using: &random))
        var fired: Set<UInt32> = []
        while let entry = wheel.popDue(at: now) {
          guard let deadline = twin.removeValue(forKey: entry), deadline <= now.nanoseconds else {
            Issue.record("fired \(entry) early, seed \(seed)")
            return
          }
          fired.insert(entry)
        }
        let late = twin.filter { $0.value &+ Self.tick <= now.nanoseconds }
        guard late.isEmpty else {
          Issue.record("late: \(late) at \(now), seed \(seed)")
          return
        }
        let next = wheel.nextDue()
        for deadline in twin.values where next > MonotonicTime(nanoseconds: deadline + 2 * Self.tick) {
          Issue.record("would sleep until \(next) past \(deadline), seed \(seed)")
          return
        }
      }
    }
  }
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
