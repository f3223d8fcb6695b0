/// Whether somebody wants the comparison to end. A loop of its own listens, beside those of the loads, which end on the same signal.

import MartletLoop
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

final class Interruption: Sendable {
  private let flag = Atomic(false)
  private let loop: EventLoop
  private let thread: LoopThread

  var hasCome: Bool { flag.load(ordering: .relaxed) }

  init() throws(BenchError) {
    do throws(UVError) {
      loop = try EventLoop(index: .max)
      thread = try LoopThread(loop)
      loop.post { [self] in try? loop.watchSignals([SIGINT, SIGTERM]) { [self] _ in note() } }
    } catch { throw .failure("\(error)") }
  }

  /// A load that was on has been told before this.
  func note() { flag.store(true, ordering: .relaxed) }

  func stop() {
    loop.stop()
    thread.join()
  }
}
