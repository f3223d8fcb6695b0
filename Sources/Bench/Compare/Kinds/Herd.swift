/// Readers of a stampede, a connection each: all are connected, then all ask at once, and nobody rests until everybody has the value.
///
///     connected ─ all are ─▶ asking ── value ──────────────────────────────▶ done
///                              ├────── lease, or plainly nothing ─▶ fetching ─ the origin's time ─▶ storing ─▶ done
///                              └────── neither: another fetches ─▶ asking
///
/// The origin is a delay: it takes as long for the ten thousandth as for the first. Thread rule: all of a herd's state is its loop's.

import MartletBytes
import MartletLoop

final class Herd: @unchecked Sendable {
  enum Style: Sendable {
    /// `MARTLET.LEASE` with a wait.
    case lease
    /// `GET`, then `SET`.
    case redis
    /// `get`, then `set`.
    case memcached
  }

  struct Outcome: Sendable {
    /// How often the origin was asked.
    var fills = 0
    /// From the first question to the last answer, and to the last question.
    var lastNanoseconds: UInt64 = 0
    var askedNanoseconds: UInt64 = 0
  }

  let style: Style
  let key: String
  let originSeconds: Double
  let readers: Int
  let loop: EventLoop
  private let address: SocketAddress
  private let core: Int?
  private let state = LoopLocal(State())

  private struct State {
    var outcome = Outcome()
    var waiting: [ConnectionID] = []
    var dialled = 0
    var asked = 0
    var done = 0
    var begun = MonotonicTime.never
    var trouble: String?
  }

  /// Dials under way: a listener's queue is shorter than a herd.
  private static let dialsMax = 100
  /// All must have their value within so long.
  static let secondsMax = 60.0
  static let value = String(repeating: "the value that all want; ", count: 40)

  init(at target: LoadTarget, style: Style, readers: Int, originSeconds: Double, key: String, core: Int?) throws(BenchError) {
    (self.style, self.readers, self.originSeconds, self.key, self.core) = (style, readers, originSeconds, key, core)
    do throws(UVError) {
      try DescriptorLimit.raise()
      address = try SocketAddress.resolve(target.address)
      loop = try EventLoop(index: 0)
    } catch { throw .failure("\(error)") }
  }

  /// Runs to the last answer. Blocks.
  func run(unless interruption: Interruption) throws(BenchError) -> Outcome {
    loop.post { [self] in
      if let core, let trouble = pin(to: core) { fail("\(trouble)") }
      for _ in 0..<min(readers, Self.dialsMax) { dial() }
      loop.schedule(afterSeconds: Self.secondsMax) { [self] in
        fail("\(readers - state.value.done) of \(readers) readers had no answer within \(short(Self.secondsMax)) s")
      }
      watch(interruption)
    }
    do throws(UVError) { try LoopThread(loop).join() } catch { throw .failure("\(error)") }
    if interruption.hasCome { throw .interrupted }
    if let trouble = state.value.trouble { throw .failure(trouble) }
    return state.value.outcome
  }

  private func watch(_ interruption: Interruption) {
    if interruption.hasCome { return loop.stop() }
    loop.schedule(afterSeconds: 0.1) { [self] in watch(interruption) }
  }

  private func dial() {
    guard state.value.dialled < readers else { return }
    state.value.dialled += 1
    let factory = SessionFactory.make(name: "stampede") { [self] id, _ in HerdSession(self, id) }
    loop.connect(to: address, factory: factory) { [self] error in fail("a reader cannot connect: \(error)") }
  }

  // MARK: Told by sessions

  func isUp(_ id: ConnectionID) {
    state.value.waiting.append(id)
    dial()
    guard state.value.waiting.count == readers else { return }
    state.value.begun = .now
    for id in state.value.waiting { loop.wake(id, HerdStep.ask) }
  }

  func hasAsked() {
    state.value.asked += 1
    if state.value.asked == readers { state.value.outcome.askedNanoseconds = MonotonicTime.now.nanoseconds(since: state.value.begun) }
  }

  /// The origin is asked.
  func fetch(_ id: ConnectionID) {
    state.value.outcome.fills += 1
    loop.schedule(afterSeconds: originSeconds) { [self] in loop.wake(id, HerdStep.store) }
  }

  func hasValue() {
    state.value.outcome.lastNanoseconds = MonotonicTime.now.nanoseconds(since: state.value.begun)
  }

  func isDone() {
    state.value.done += 1
    if state.value.done == readers { loop.stop() }
  }

  func fail(_ trouble: String) {
    if state.value.trouble == nil && state.value.done < readers { state.value.trouble = trouble }
    loop.stop()
  }
}

/// What wakes a reader.
enum HerdStep: Sendable { case ask, store }

/// One reader.
struct HerdSession: ByteSession, ~Copyable {
  private let herd: Herd
  private let id: ConnectionID
  private var stage = Stage.connected
  private var lease = ""
  private var hasAsked = false

  private enum Stage { case connected, asking, fetching, storing, done }

  init(_ herd: Herd, _ id: ConnectionID) { (self.herd, self.id) = (herd, id) }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected: herd.isUp(id)
    case .message(let step as HerdStep):
      if step == .ask { ask(into: &output) } else { store(into: &output) }
    case .endOfInput:
      herd.fail("it closed a reader's connection")
      return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    case .drain: return Progress(consumed: 0, next: .close(.finished), deadline: .never)
    case .deadline, .message: break
    }
    return Progress(consumed: 0, next: .read(atLeast: 1), deadline: .never)
  }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    let reply = stage == .storing ? HerdReply.stored(input, herd.style) : HerdReply.read(input, herd.style, key: herd.key)
    switch reply {
    case .incomplete: return Progress(consumed: 0, next: .read(atLeast: input.byteCount + 1), deadline: .never)
    case .value where stage == .asking:
      herd.hasValue()
      finish()
    case .stored: finish()
    case .nothing(let lease) where stage == .asking:
      self.lease = lease
      stage = .fetching
      herd.fetch(id)
    case .later where stage == .asking: ask(into: &output)
    default:
      if input.byteCount > 0 { herd.fail("it answers a reader wrongly: \(input[0..<min(input.byteCount, 60)].text)") }
    }
    return Progress(consumed: input.byteCount, next: .read(atLeast: 1), deadline: .never)
  }

  private mutating func finish() {
    stage = .done
    herd.isDone()
  }

  private mutating func ask(into output: inout ByteBuffer) {
    stage = .asking
    HerdRequest.ask(herd.style, key: herd.key, into: &output)
    if !hasAsked { herd.hasAsked() }
    hasAsked = true
  }

  /// The origin has answered: this reader has its value, and the others will.
  private mutating func store(into output: inout ByteBuffer) {
    stage = .storing
    herd.hasValue()
    HerdRequest.store(herd.style, key: herd.key, lease: lease, into: &output)
  }
}

enum HerdRequest {
  static func ask(_ style: Herd.Style, key: String, into output: inout ByteBuffer) {
    switch style {
    case .lease: appendCommand(["MARTLET.LEASE", key, "30", "WAIT", "30"], to: &output)
    case .redis: appendCommand(["GET", key], to: &output)
    case .memcached: output.append("get \(key)\r\n")
    }
  }

  static func store(_ style: Herd.Style, key: String, lease: String, into output: inout ByteBuffer) {
    switch style {
    case .lease: appendCommand(["MARTLET.FILL", key, lease, Herd.value], to: &output)
    case .redis: appendCommand(["SET", key, Herd.value], to: &output)
    case .memcached: output.append("set \(key) 0 0 \(Herd.value.utf8.count)\r\n\(Herd.value)\r\n")
    }
  }

  private static func appendCommand(_ words: [String], to output: inout ByteBuffer) {
    output.append("*\(words.count)\r\n")
    for word in words { output.append("$\(word.utf8.count)\r\n\(word)\r\n") }
  }
}

/// What a reply to a reader says.
enum HerdReply: Equatable {
  case incomplete
  case value
  /// There is nothing, and this reader may fetch it; with its lease, if there are leases.
  case nothing(lease: String)
  /// Another has been fetching for longer than this reader wanted to wait.
  case later
  case stored
  case wrong

  static func read(_ input: RawSpan, _ style: Herd.Style, key: String) -> HerdReply {
    let value = Herd.value
    switch style {
    case .redis: return whole(input, ["$-1\r\n": .nothing(lease: ""), "$\(value.utf8.count)\r\n\(value)\r\n": .value])
    case .memcached:
      return whole(input, ["END\r\n": .nothing(lease: ""), "VALUE \(key) 0 \(value.utf8.count)\r\n\(value)\r\nEND\r\n": .value])
    case .lease:
      let found = whole(
        input,
        [
          "*3\r\n$\(value.utf8.count)\r\n\(value)\r\n$-1\r\n:0\r\n": .value, "*3\r\n$-1\r\n$-1\r\n:0\r\n": .later,
          "*3\r\n$-1\r\n$16\r\n": .incomplete,
        ])
      guard found == .wrong, input.starts(with: "*3\r\n$-1\r\n$16\r\n") else { return found }
      guard input.byteCount >= leaseReplyBytes else { return .incomplete }
      return input.byteCount == leaseReplyBytes ? .nothing(lease: input[14..<30].text) : .wrong
    }
  }

  /// `*3`, nil, a lease of 16 characters, 0.
  private static let leaseReplyBytes = 14 + 16 + 2 + 4

  static func stored(_ input: RawSpan, _ style: Herd.Style) -> HerdReply {
    whole(input, [style == .memcached ? "STORED\r\n" : "+OK\r\n": .stored])
  }

  /// Which of these texts has come; `incomplete` if one may still become whole.
  private static func whole(_ input: RawSpan, _ texts: KeyValuePairs<String, HerdReply>) -> HerdReply {
    var result = HerdReply.wrong
    for (text, meaning) in texts {
      let bytes = Array(text.utf8)
      if input.equals(bytes.rawSpan) { return meaning }
      if input.byteCount < bytes.count, bytes[..<input.byteCount].elementsEqual(input.copied()) { result = .incomplete }
    }
    return result
  }
}
