import MartletBytes
import Testing

@testable import CacheServer

@Suite("How long a client may take")
struct PatienceTests {
  private let start = MonotonicTime(nanoseconds: 1_000_000_000)

  private func closes(_ progress: Progress) -> CloseReason? {
    if case .close(let reason) = progress.next { reason } else { nil }
  }

  @Test("A data block that never comes is given up after a minute without a byte")
  func stalled() {
    var patience = Patience()
    let progress = patience.promise(.read(atLeast: 1000), consumed: 5, left: 20, at: start)
    let minute = start.advanced(bySeconds: Patience.stallSecondsMax)
    #expect(progress.consumed == 5 && progress.deadline == minute && patience.standing.consumed == 0)
    patience.deadlineCame(buffered: 21, at: minute)
    #expect(closes(patience.standing) == nil && patience.standing.deadline == minute.advanced(bySeconds: Patience.stallSecondsMax))
    patience.deadlineCame(buffered: 21, at: minute)
    #expect(closes(patience.standing) == .bodyTimeout)
  }

  @Test("A silent connection stays, unless a bound is set")
  func silent() {
    var patience = Patience()
    #expect(patience.promise(.read(atLeast: 1), at: start).deadline == .never)
    #expect(patience.promise(.read(atLeast: 1), idleSeconds: 5, at: start).deadline == start.advanced(bySeconds: 5))
    patience.deadlineCame(buffered: 0, at: start.advanced(bySeconds: 5))
    #expect(closes(patience.standing) == .idleTimeout)
  }
}
