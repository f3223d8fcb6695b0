import MartletBytes
import Synchronization
import Testing

@testable import CacheServer

@Suite("CLIENT PAUSE")
struct ClientPauseTests {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000)
  private static func after(_ seconds: Double) -> MonotonicTime { start.advanced(bySeconds: seconds) }

  @Test("A pause ends by its time")
  func time() {
    let pause = ClientPause()
    #expect(!pause.isOn)
    pause.begin(.writes, until: Self.after(10), at: Self.start)
    #expect(pause.isOn && pause.state(at: Self.after(9)) == (.writes, Self.after(10)))
    #expect(pause.state(at: Self.after(10)).kind == .none && !pause.isOn)
  }

  @Test("Two pauses are as long as the longer, as strict as the stricter")
  func both() {
    let pause = ClientPause()
    pause.begin(.all, until: Self.after(5), at: Self.start)
    pause.begin(.writes, until: Self.after(10), at: Self.start)
    #expect(pause.state(at: Self.after(9)) == (.all, Self.after(10)))
    pause.begin(.writes, until: Self.after(20), at: Self.after(15))
    #expect(pause.state(at: Self.after(16)) == (.writes, Self.after(20)))
  }

  @Test("Its end names those who wait, once, and none of an earlier pause")
  func waiting() {
    let pause = ClientPause()
    let ids = (0..<2).map { ConnectionID(loop: 0, slot: $0, generation: 1) }
    pause.begin(.all, until: Self.after(5), at: Self.start)
    pause.wait(ids[0])
    pause.begin(.all, until: Self.after(20), at: Self.after(10))
    pause.wait(ids[1])
    #expect(pause.end() == [ids[1]])
    #expect(pause.end().isEmpty && !pause.isOn)
  }
}

@Suite("SLOWLOG")
struct SlowLogTests {
  private static let client = ClientRecord(
    id: 1, connection: ConnectionID(loop: 0, slot: 0, generation: 1), address: "127.0.0.1:1", localAddress: "",
    at: MonotonicTime(nanoseconds: 1))

  private static func add(_ name: String, to log: SlowLog) {
    log.add([Array(name.utf8)], nanoseconds: 20_000_000, client: client, unixSeconds: 7)
  }

  @Test("The threshold is in microseconds; negative, nothing is slow")
  func threshold() {
    let log = SlowLog()
    #expect(log.thresholdNanoseconds == 10_000_000)
    log.thresholdMicroseconds.store(0, ordering: .relaxed)
    #expect(log.thresholdNanoseconds == 0)
    log.thresholdMicroseconds.store(-1, ordering: .relaxed)
    #expect(log.thresholdNanoseconds == .max)
  }

  @Test("The latest are kept and told first; numbers go on")
  func bound() {
    let log = SlowLog()
    log.lengthMax.store(2, ordering: .relaxed)
    for name in ["a", "b", "c"] { Self.add(name, to: log) }
    #expect(log.latest(10).map(\.id) == [2, 1] && log.latest(1).map(\.id) == [2])
    #expect(log.latest(nil).map(\.microseconds) == [20_000, 20_000])
    log.removeAll()
    #expect(log.count == 0)
    log.lengthMax.store(0, ordering: .relaxed)
    Self.add("d", to: log)
    #expect(log.count == 0)
  }
}
