/// A load from the first dial to the last reply: lanes on threads, steered by the main thread.
///
///     connecting ─ all tried ─▶ preloading ─▶ warm-up ─▶ measuring ─ time, count or Ctrl-C ─▶ ending ─ replies owed ─▶ report
///                                                                                              └─ after the timeout: cut
///
/// What to know before editing: lanes tell what happens on their own threads, and every such word is posted to `control`, where all
/// decisions are made. CPU time is read when the measured time begins and when the last reply is in.

import MartletBytes
import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

public struct LoadRun {
  let options: LoadOptions

  public init(_ options: LoadOptions) { self.options = options }

  /// Puts the load on the target and tells what came of it. Blocks; on the main thread, whose signals it watches.
  public func run() throws(BenchError) -> LoadReport {
    try LoadDirector(options).run()
  }
}

/// Touched by the thread of `control` only, once it runs.
private final class LoadDirector: @unchecked Sendable {
  private let options: LoadOptions
  private let control: EventLoop
  private let address: SocketAddress
  private var lanes: [LoadLane] = []
  private var stage = Stage.connecting
  /// Lanes that have told what this stage waits for.
  private var told = 0
  private var begun = 0
  private var up = 0
  private var trouble = ""
  private var lanesRunning = 0
  private var failure: BenchError?
  private var wasInterrupted = false
  private var measureFrom: UInt64 = 0
  private var endedAt: UInt64 = 0
  private var ownCPU: UInt64 = 0
  private var serverCPU: UInt64?
  private let server: ServerCPU?
  private var progress = ProgressLine()

  private enum Stage { case connecting, preloading, sending, ending }

  init(_ options: LoadOptions) throws(BenchError) {
    self.options = options
    if let process = options.serverPID {
      guard let server = ServerCPU(process: process) else {
        throw .usage("--server-pid \(process): there is no such process here")
      }
      self.server = server
    } else {
      server = nil
    }
    do throws(UVError) {
      try DescriptorLimit.raise()
      address = try SocketAddress.resolve(options.target.address)
      control = try EventLoop(index: UInt32(options.threads))
    } catch { throw .failure("\(error)") }
  }

  func run() throws(BenchError) -> LoadReport {
    var threads: [LoopThread] = []
    do throws(UVError) {
      for index in 0..<options.threads {
        lanes.append(
          try LoadLane(index, options, to: address) { [unowned self] news in control.post { self.didHear(news) } })
      }
      try control.watchSignals([SIGINT, SIGTERM]) { [unowned self] _ in interrupted() }
      for (index, lane) in lanes.enumerated() {
        lane.loop.post { [options, self] in
          if !options.cores.isEmpty, let trouble = pin(to: options.cores[index]) { control.post { self.stop(trouble) } }
          lane.connect()
        }
        threads.append(try LoopThread(lane.loop) { [unowned self] in control.post { self.laneEnded() } })
        lanesRunning += 1
      }
    } catch {
      for lane in lanes.prefix(threads.count) { lane.loop.stop() }
      for thread in threads { thread.join() }
      throw .failure("\(error)")
    }
    if ProgressLine.isWanted { control.schedule(afterSeconds: ProgressLine.intervalSeconds) { [unowned self] in showProgress() } }
    control.run()
    for thread in threads { thread.join() }
    progress.clear()
    if let failure { throw failure }
    return report()
  }

  // MARK: Stages

  private func didHear(_ news: LoadLane.News) {
    told += 1
    switch news {
    case .connected(let count, let reason):
      up += count
      if !reason.isEmpty { trouble = reason }
    case .preloaded, .finished: break
    }
    guard told == lanes.count else { return }
    told = 0
    switch stage {
    case .connecting:
      guard up > 0 else { return stop(.failure(trouble.isEmpty ? "no connection to \(options.target)" : trouble)) }
      options.preload ? preload() : begin()
    case .preloading: begin()
    case .sending: end()
    case .ending: break
    }
  }

  private func preload() {
    stage = .preloading
    for lane in lanes { lane.loop.post { lane.beginPreload() } }
  }

  private func begin() {
    stage = .sending
    let start = MonotonicTime.now
    let from = start.advanced(bySeconds: options.warmUpSeconds)
    measureFrom = from.nanoseconds
    for lane in lanes {
      lane.loop.post { [control, self] in
        lane.begin(at: start.nanoseconds, measureFrom: from.nanoseconds)
        control.post { self.didBegin(from) }
      }
    }
    control.schedule(at: from) { [unowned self] in readCPU() }
  }

  /// The end is set once every lane has begun: on a machine that is busy with other things that may take longer than a short run.
  private func didBegin(_ from: MonotonicTime) {
    begun += 1
    guard begun == lanes.count else { return }
    control.schedule(at: from.advanced(bySeconds: options.durationSeconds)) { [unowned self] in end() }
  }

  private func readCPU() {
    ownCPU = MonotonicTime.processCPUNanoseconds
    serverCPU = server?.nanoseconds
  }

  /// Stops sending; what is owed is waited for, as long as for any reply.
  private func end() {
    guard stage != .ending else { return }
    stage = .ending
    endedAt = MonotonicTime.now.nanoseconds
    for lane in lanes { lane.loop.post { lane.end() } }
    control.schedule(afterSeconds: options.timeoutSeconds) { [unowned self] in for lane in lanes { lane.loop.stop() } }
  }

  /// Gives up.
  private func stop(_ failure: BenchError) {
    if self.failure == nil { self.failure = failure }
    stage = .ending
    for lane in lanes { lane.loop.stop() }
  }

  private func interrupted() {
    if stage == .ending {  // a second time: at once
      wasInterrupted = true
      for lane in lanes { lane.loop.stop() }
      return
    }
    if stage != .sending { return stop(.interrupted) }
    wasInterrupted = true
    end()
  }

  private func laneEnded() {
    lanesRunning -= 1
    if lanesRunning == 0 { control.stop() }
  }

  // MARK: What came of it

  private func report() -> LoadReport {
    let cpu = MonotonicTime.processCPUNanoseconds
    let histogram = LoopLocal(HDRHistogram())
    var tally = LoadTally()
    for lane in lanes {  // their threads have ended
      histogram.value.add(lane.state.value.histogram)
      tally.add(lane.state.value.tally)
    }
    let end = max(min(endedAt, measureFrom), tally.lastReply, tally.errors + tally.unsent > 0 || options.requestsMax == nil ? endedAt : 0)
    let wasMeasured = end > measureFrom
    var used: UInt64?
    if let before = serverCPU, let after = server?.nanoseconds { used = after &- before }
    return LoadReport(
      options: options, tally: tally, latency: LatencyFigures(histogram.value),
      seconds: wasMeasured ? Double(end &- measureFrom) / 1e9 : 0,
      clientCPUNanoseconds: ownCPU == 0 ? 0 : cpu &- ownCPU, serverCPUNanoseconds: used,
      pathReply: lanes[0].state.value.dialect.pathReply, wasInterrupted: wasInterrupted)
  }

  private func showProgress() {
    guard stage != .ending else { return }
    let count = lanes.count
    for lane in lanes {
      lane.loop.post { [control, self] in
        let (answered, errors) = (Int(lane.state.value.histogram.count), lane.state.value.tally.errors)
        let slow = lane.state.value.histogram.nanoseconds(atPercentile: 99)
        control.post { self.progress.add(answered, errors: errors, p99: slow, of: count) }
      }
    }
    control.schedule(afterSeconds: ProgressLine.intervalSeconds) { [unowned self] in showProgress() }
  }
}

/// Keeps the calling thread on a core; why that was not possible.
func pin(to core: Int) -> BenchError? {
  do throws(UVError) {
    try ProcessorCount.pinThread(to: core)
    return nil
  } catch { return .failure("--pin: \(error)") }
}
