/// The assembly: N loops on N threads, their listeners, and the life of the whole, from the first bind to the last drained
/// connection.
///
///     starting ── listeners accept ──▶ ready ── signal ──▶ draining ── drain delay ──▶ listeners close, sessions finish
///                                                              │                               │ all gone: stopped
///                                                              └── second signal: exit ◀───────┴── drain time over: cut
///
/// The main thread starts and stops. It runs a loop of its own (`control`) on which signals and the drain's timers arrive; that one
/// serves nobody. The others share nothing but what their sessions share, and `readiness`.

internal import MartletBytes
package import MartletLoop

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// How a server runs, whatever it speaks.
public struct ServerOptions: Sendable {
  /// Loops, one thread each; at least 1.
  public var threads: Int
  /// Connections at once, over all loops; more are refused in the words of their protocol.
  public var connectionsMax = 65_536
  /// How long open requests may take once the listeners are closed, in seconds.
  public var drainSeconds = 10.0
  /// How long the server says that it is not ready, and still accepts, before the listeners close, in seconds.
  public var drainDelaySeconds = 0.0

  /// As many threads as this process may use cores.
  public init() { threads = ProcessorCount.available }
}

/// What happens in a server's life, told on the main thread.
public enum ServerEvent: Sendable {
  /// Every listener accepts.
  case ready
  /// A signal has come (its number), or `stop` was called (0).
  case draining(signal: Int32)
  /// The drain time is over: what is still open is cut.
  case cut
  case stopped
}

package final class Server: Sendable {
  package let loops: [EventLoop]
  package let readiness = Readiness()
  /// The main thread's: serves nobody, so work that may keep a thread for some milliseconds belongs here.
  package let control: EventLoop
  private let budget: ConnectionBudget
  private let options: ServerOptions
  private let state = LoopLocal(State())

  /// Touched by the main thread only.
  private struct State {
    var threads: [LoopThread] = []
    var loopsStarted = 0
    var loopsRunning = 0
    var isDraining = false
    var tell: (ServerEvent) -> Void = { _ in }
    var drainActions: [@Sendable (EventLoop) -> Void] = []
  }

  package init(_ options: ServerOptions) throws(UVError) {
    precondition(options.threads > 0, "a server needs a thread")
    self.options = options
    budget = ConnectionBudget(max: options.connectionsMax)
    var loops: [EventLoop] = []
    for index in 0..<options.threads { loops.append(try EventLoop(index: UInt32(index))) }
    self.loops = loops
    control = try EventLoop(index: UInt32(options.threads))
  }

  /// Binds a listener on every loop; accepting begins with `run`. The address bound, with the port that the system chose for 0;
  /// nil for `off`.
  package func listen(on address: ListenAddress, _ factory: SessionFactory) throws(UVError) -> SocketAddress? {
    guard address != .off else { return nil }
    let socket = try ListeningSocket.bind(try SocketAddress.resolve(address.description), loops: loops.count)
    socket.start(on: loops, budget: budget) { _ in factory }
    return socket.address
  }

  /// Has `action` run on every loop's thread when the server drains, before the sessions are told. Before `run`.
  package func atDrain(_ action: @escaping @Sendable (EventLoop) -> Void) { state.value.drainActions.append(action) }

  /// Serves until a signal, or `stop`, has ended it in good order. On the main thread; once.
  package func run(_ tell: @escaping (ServerEvent) -> Void) throws(UVError) {
    state.value.tell = tell
    try control.watchSignals([SIGTERM, SIGINT]) { [self] signal in didReceive(signal) }
    for loop in loops {
      state.value.threads.append(try LoopThread(loop) { [self] in control.post { [self] in loopEnded() } })
      state.value.loopsRunning += 1
    }
    // Jobs run in order: when this one does, the listeners that were posted before it accept.
    for loop in loops { loop.post { [self] in control.post { [self] in loopStarted() } } }
    control.run()
    for thread in state.value.threads { thread.join() }
    state.value = State()  // what was told of events may hold on to this server
    tell(.stopped)
  }

  /// Begins to drain, as SIGTERM does. From any thread.
  package func stop() { control.post { [self] in if !state.value.isDraining { drain(signal: 0) } } }

  // MARK: On the main thread

  private func loopStarted() {
    state.value.loopsStarted += 1
    guard state.value.loopsStarted == loops.count, readiness.state == .starting else { return }
    readiness.becomeReady()
    state.value.tell(.ready)
  }

  private func didReceive(_ signal: Int32) {
    if state.value.isDraining { exit(EXIT_SUCCESS) }  // a second signal: at once
    drain(signal: signal)
  }

  private func drain(signal: Int32) {
    state.value.isDraining = true
    readiness.beginDraining()
    state.value.tell(.draining(signal: signal))
    control.schedule(afterSeconds: options.drainDelaySeconds) { [self] in
      for loop in loops {
        for action in state.value.drainActions { loop.post { action(loop) } }
        loop.beginDrain()
      }
      control.schedule(afterSeconds: options.drainSeconds) { [self] in cut() }
    }
  }

  private func cut() {
    state.value.tell(.cut)
    for loop in loops { loop.stop() }
  }

  private func loopEnded() {
    state.value.loopsRunning -= 1
    if state.value.loopsRunning == 0 { control.stop() }
  }
}
