/// The hot state of a loop: one struct, which a session takes hold of once per call and hands down from there, so that nothing on the path of
/// a command pays for reference counts or exclusivity checks.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletLoop

struct RESPLoop: ~Copyable {
  let limits: RESPLimits
  private let shared: RESPShared
  private let totals: RESPShared.LoopTotals
  let counts: CommandCounts
  private let clock: SteadyClock
  var execution: CommandExecution
  var batch = RESPBatch()
  /// As read at the beginning of a call, and again after each command that may have changed them.
  var rules: RESPRules
  /// The server stops.
  var isDraining = false
  private var latency = LatencyHistogram()
  private var calls: UInt64 = 0
  /// When the call under way began.
  private var start = MonotonicTime(nanoseconds: 0)
  /// When the timer was started.
  private var ticked = MonotonicTime(nanoseconds: 0)
  private var isTiming = false

  init(_ shared: RESPShared, totals: RESPShared.LoopTotals) {
    self.shared = shared
    self.totals = totals
    counts = totals.counts
    clock = shared.clock
    limits = RESPLimits(bulkBytesMax: shared.store.valueBytesMax)
    rules = shared.rules
    execution = CommandExecution(
      store: shared.store, clock: shared.clock, wake: shared.wake, counts: totals.counts, errors: shared.errors)
  }

  // MARK: A call of a session

  /// Lends the connection's output to the writer.
  @inline(__always)
  mutating func open(_ output: inout ByteBuffer, _ version: RESPWriter.Version, client: ConnectionID, at now: MonotonicTime) {
    swap(&execution.writer.output, &output)
    execution.writer.version = version
    execution.now = clock.unixTime(at: now)
    execution.client = isDraining ? nil : client
    rules = shared.rules
    calls &+= 1
    start = now
  }

  /// Counts what was done. The caller takes the output back.
  @inline(__always)
  mutating func close(_ commands: Int, bytesIn: Int, bytesOut: Int) {
    if commands == 0 { return }
    totals.commands.count(UInt64(commands))
    totals.bytesIn.count(UInt64(bytesIn))
    totals.bytesOut.count(UInt64(max(bytesOut, 0)))
    latency.record(nanoseconds: MonotonicTime.now.nanoseconds(since: start), times: commands)
  }

  // MARK: How long commands take

  /// One call in so many is timed, of commands that are always quick: a look at the clock costs as much as half of one of them.
  private static var callsPerSample: UInt64 { 16 }
  /// With a lower threshold of SLOWLOG everything is timed.
  private static var quickNanosecondsMax: UInt64 { 1_000_000 }

  @inline(__always)
  mutating func beginTimer(quick: Bool) {
    if quick, calls % Self.callsPerSample != 1, rules.slowNanoseconds >= Self.quickNanosecondsMax { return }
    isTiming = true
    ticked = .now
  }

  /// Nanoseconds since `beginTimer`; nil if nobody wanted to know.
  @inline(__always)
  mutating func endTimer() -> UInt64? {
    if !isTiming { return nil }
    isTiming = false
    return MonotonicTime.now.nanoseconds(since: ticked)
  }

  /// Asked for on the loop's own thread.
  var statistics: RESPStatistics {
    RESPStatistics(calls: counts.calls, failures: execution.failures, latency: latency)
  }
}

/// What holds for all connections and may change at any time.
struct RESPRules: BitwiseCopyable {
  let databases: DatabaseMap
  /// Of SLOWLOG's threshold; `.max`: nothing is slow.
  let slowNanoseconds: UInt64
  /// After which a silent connection is closed; 0: never.
  let idleSeconds: Int
  /// Commands may have to wait: CLIENT PAUSE.
  let isPaused: Bool
}

/// The commands of one read, taken apart.
struct RESPBatch: ~Copyable {
  var commands = UniqueArray<RESPCommand>(capacity: commandsMax)
  var slices = UniqueArray<RESPSlice>(capacity: slicesMax)
  /// Of each command, what its name says.
  var names = UniqueArray<CommandName>(capacity: commandsMax)

  /// Commands, and arguments, that are parsed before any of them is run: enough that memory is waited for once, few enough that the
  /// locks are not held for long and other connections have their turn.
  static var commandsMax: Int { 256 }
  static var slicesMax: Int { 4096 }

  var count: Int { commands.count }

  @inline(__always)
  mutating func removeAll() {
    commands.removeAll()
    slices.removeAll()
    names.removeAll()
    if slices.capacity > Self.slicesMax * 2 { slices = UniqueArray(capacity: Self.slicesMax) }
  }

  @inline(__always)
  @_lifetime(borrow self, copy bytes)
  func arguments(_ index: Int, of bytes: RawSpan) -> RESPArguments {
    let command = commands[index]
    let first = Int(command.first)
    return RESPArguments(slices.span.extracting(first..<(first &+ Int(command.count))), of: bytes)
  }

  /// The argument behind the name, of a command that has one.
  @inline(__always)
  @_lifetime(copy bytes)
  func key(_ index: Int, of bytes: RawSpan) -> RawSpan { slices[Int(commands[index].first) &+ 1].of(bytes) }

  /// Where the commands end in the input.
  @inline(__always)
  var end: Int? { commands.last?.end }

  /// Arguments behind those of the commands: words of an inline one.
  var lineSlices: Range<Int> { (commands.last.map { Int($0.first) + Int($0.count) } ?? 0)..<slices.count }
}

/// What a command's name and the number of its arguments say.
struct CommandName: BitwiseCopyable {
  /// Nil: there is no such command.
  var found: CommandLookup.Found?
  /// The command, if it may be run with others under one taking of locks.
  var keyed: Command?

  init(_ found: CommandLookup.Found?) {
    self.found = found
    if let found, found.isKeyed, found.isArityRight, found.command != .memory { keyed = found.command }
  }
}
