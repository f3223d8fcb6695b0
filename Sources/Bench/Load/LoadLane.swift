/// One thread of a load: a loop, its share of the connections, what they send.
///
/// Thread rule: what is not a constant belongs to the lane's own thread; the run that steers it posts to the loop, and is told what happens
/// by `tell`, on the lane's thread.

import MartletBytes
import MartletLoop

final class LoadLane: @unchecked Sendable {
  enum News: Sendable {
    /// Every connection has been tried once; so many are up, and this is why others are not.
    case connected(up: Int, trouble: String)
    /// Every key is stored, or has failed.
    case preloaded
    /// All requests that were to be made are answered.
    case finished
  }

  let loop: EventLoop
  let state: LoopLocal<LaneState>
  let greeting: [UInt8]
  let greetingReply: [UInt8]
  private let index: Int
  private let options: LoadOptions
  private let address: SocketAddress
  private let connections: Int
  private let tell: @Sendable (News) -> Void
  private let hot: LoopLocal<Hot>

  /// The lane's own affairs, beside what sessions share.
  private struct Hot {
    var alarm: PreciseTimer?
    /// Connections whose first attempt is over.
    var tried = 0
    /// Sessions, and dials under way or waiting for their time.
    var alive = 0
    var trouble = ""
    var hasToldPreload = false
    var hasToldEnd = false
  }

  /// A connection that broke is dialled again after so long, in seconds.
  static var redialSeconds: Double { 0.1 }

  /// `news` is called on the lane's thread.
  init(
    _ index: Int, _ options: LoadOptions, to address: SocketAddress, tell: @escaping @Sendable (News) -> Void
  ) throws(UVError) {
    self.index = index
    self.options = options
    self.address = address
    self.tell = tell
    connections = options.connections * (index + 1) / options.threads - options.connections * index / options.threads
    var limits = LoopLimits()
    limits.connectTimeoutSeconds = min(limits.connectTimeoutSeconds, options.timeoutSeconds)
    limits.writeTimeoutSeconds = options.timeoutSeconds
    loop = try EventLoop(index: UInt32(index), limits: limits)
    state = LoopLocal(LaneState(options, lane: index))
    (greeting, greetingReply) = state.value.dialect.greeting
    hot = LoopLocal(Hot())
    if options.rate != nil { hot.value.alarm = try loop.makePreciseTimer { [unowned self] in sendDue() } }
  }

  // MARK: Steered by the run, on the lane's thread

  /// Dials all connections.
  func connect() {
    for _ in 0..<connections { dial() }
  }

  func beginPreload() {
    state.value.phase = .preloading
    wakeIdle()
  }

  /// Begins to send. Requests count from `measureFrom` on; an open loop's schedule begins at `start`.
  func begin(at start: UInt64, measureFrom: UInt64) {
    state.value.measureFrom = measureFrom
    if let rate = options.rate {
      state.value.schedule = LoadSchedule(
        start: start, rate: rate, seconds: options.warmUpSeconds + options.durationSeconds, countMax: options.requestsMax ?? .max,
        lane: index, of: options.threads)
      state.value.phase = .openLoop
    } else {
      let total = options.requestsMax ?? .max
      state.value.closedLoopLeft = total == .max ? .max : total * (index + 1) / options.threads - total * index / options.threads
      state.value.phase = .closedLoop
    }
    wakeIdle()
  }

  /// Sends no more, and lets the loop end once what is owed has come.
  func end() {
    guard state.value.phase != .ending else { return }
    if state.value.phase == .openLoop { state.value.recordUnsent(at: MonotonicTime.now.nanoseconds) }
    state.value.phase = .ending
    loop.beginDrain()
  }

  // MARK: Connections

  private func dial() {
    hot.value.alive += 1
    let factory = SessionFactory.make(name: "load") { [self] id, _ in LoadSession(self, id) }
    loop.connect(to: address, factory: factory) { [self] error in
      hot.value.alive -= 1
      guard state.value.phase != .ending else { return }
      state.value.tally.fail(.notConnected, example: "\(error)")
      didTry(up: state.value.up, trouble: "\(error)")
      redial(afterSeconds: Self.redialSeconds)
    }
  }

  private func redial(afterSeconds seconds: Double) {
    guard state.value.phase != .ending, !state.value.hasEnded else { return tellIfEnded() }
    hot.value.alive += 1
    loop.schedule(afterSeconds: seconds) { [self] in
      hot.value.alive -= 1
      if state.value.phase != .ending { dial() }
    }
  }

  /// A first attempt is over, or a later one.
  private func didTry(up: Int, trouble: String = "") {
    if !trouble.isEmpty { hot.value.trouble = trouble }
    hot.value.tried += 1
    if hot.value.tried == connections { tell(.connected(up: up, trouble: hot.value.trouble)) }
  }

  func sessionIsUp(_ state: inout LaneState) {
    state.up += 1
    didTry(up: state.up)
  }

  /// A session is gone; it has counted what it owed. Its connection is dialled again: at once if the peer closed in good order.
  func sessionEnded(wasUp: Bool, hadTrouble: Bool) {
    hot.value.alive -= 1
    if wasUp { state.value.up -= 1 }
    if state.value.phase == .ending { return }
    if !wasUp { didTry(up: state.value.up, trouble: state.value.tally.failuresInWords) }
    redial(afterSeconds: hadTrouble || !wasUp ? Self.redialSeconds : 0)
    if state.value.phase == .preloading { preloadMayBeDone(state.value) }
    // It may have been woken for a request that it can no longer send.
    if state.value.phase == .openLoop { loop.schedule(afterSeconds: 0) { [self] in sendDue() } }
  }

  // MARK: What to send next

  private func tellIfEnded() {
    guard hot.value.alive == 0, state.value.phase != .ending, !hot.value.hasToldEnd else { return }
    hot.value.hasToldEnd = true
    tell(.finished)
  }

  /// Told when every connection that is up has nothing to store any more.
  func preloadMayBeDone(_ state: borrowing LaneState) {
    guard state.preload.isEmpty, state.idle.count >= state.up, !hot.value.hasToldPreload else { return }
    hot.value.hasToldPreload = true
    tell(.preloaded)
  }

  private func wakeIdle() {
    state.value.share = .max
    while let id = state.value.idle.popFirst() { loop.wake(id, Go()) }
  }

  /// Requests are due: gives them to the connections that have waited longest.
  private func sendDue() {
    let now = MonotonicTime.now.nanoseconds
    let due = state.value.schedule.dueCount(at: now)
    let count = min(due, state.value.idle.count)
    if count > 0 { state.value.share = (due + count - 1) / count }
    for _ in 0..<count {
      if let id = state.value.idle.popFirst() { loop.wake(id, Go()) }
    }
    setAlarm(for: state.value.schedule.nextTime, after: now)
  }

  /// Sees to it that the next request that is not due yet is sent in time. One that is due already waits for room, not for a clock.
  func setAlarm(for next: UInt64, after now: UInt64) {
    guard let alarm = hot.value.alarm else { return }
    if next > now && next != .max && (alarm.due == .never || alarm.due.nanoseconds <= now) {
      alarm.set(to: MonotonicTime(nanoseconds: next))
    }
  }
}

/// What wakes a session that has room: it looks for itself what there is to send.
struct Go: Sendable {}
