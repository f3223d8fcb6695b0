/// What the tests of this module share: a server on its own threads, a peer that uses plain blocking sockets, small sessions.

import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Loops on threads behind one address. `stop` it.
final class TestServer: Sendable {
  let loops: [EventLoop]
  let threads: [LoopThread]
  let address: SocketAddress
  let budget: ConnectionBudget

  init(
    _ address: SocketAddress = .loopback(port: 0), loops count: Int = 1, connectionsMax: Int = 1 << 20, limits: LoopLimits = LoopLimits(),
    factory: (EventLoop) -> SessionFactory
  ) throws {
    let loops = try (0..<count).map { try EventLoop(index: UInt32($0), limits: limits) }
    let socket = try ListeningSocket.bind(address, loops: count)
    budget = ConnectionBudget(max: connectionsMax)
    socket.start(on: loops, budget: budget, factory: factory)
    self.address = socket.address
    self.loops = loops
    threads = try loops.map { try LoopThread($0) }
  }

  func connect() throws -> Peer { try Peer(address) }

  /// The sum of one number over all loops.
  func sum(_ number: @escaping @Sendable (LoopStatistics) -> Int) async -> Int {
    var sum = 0
    for loop in loops { sum += await loop.call { number(loop.statistics) } }
    return sum
  }

  /// Waits until `condition` holds for the statistics, looking again after every turn that a look makes.
  func wait(until condition: @escaping @Sendable (LoopStatistics) -> Bool) async {
    for loop in loops {
      while !(await loop.call { condition(loop.statistics) }) { await Task.yield() }
    }
  }

  func stop() {
    for loop in loops { loop.stop() }
    join()
  }

  func join() {
    for thread in threads { thread.join() }
  }
}

/// One end of a connection, in plain blocking system calls.
final class Peer: @unchecked Sendable {
  let descriptor: Int32
  private var isClosed = false

  init(_ address: SocketAddress, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(address.family, streamType, 0)
    try UVError.check(descriptor < 0 ? -errno : 0, "socket")
    if let receiveBuffer { _ = martletSetOption(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
    let code = unsafe address.withSystemAddress { unsafe connectDescriptor(descriptor, $0, $1) }
    if code < 0 { closeDescriptor(descriptor) }
    try UVError.check(code, "connect")
  }

  deinit { close() }

  func close() {
    if !isClosed { closeDescriptor(descriptor) }
    isClosed = true
  }

  /// Closes with a reset instead of in good order.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func shutdownWrite() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress! + offset, bytes.count - offset) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      offset += count
    }
  }

  /// Sends what the kernel takes without waiting; how much that was.
  func sendSome(_ bytes: [UInt8]) -> Int {
    unsafe bytes.withUnsafeBytes { unsafe sendBytes(descriptor, $0.baseAddress!, $0.count, Int32(MSG_DONTWAIT)) }
  }

  /// At most `max` bytes, at least one; empty at the end; nil after a reset.
  func receive(atMost max: Int = 1 << 16) -> [UInt8]? {
    while true {
      var count = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, initialized in
        count = unsafe read(descriptor, buffer.baseAddress!, max)
        initialized = Swift.max(count, 0)
      }
      if count < 0 && errno == EINTR { continue }
      return count < 0 ? nil : bytes
    }
  }

  /// Exactly `count` bytes, fewer only at the end.
  func receive(exactly count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, let more = receive(atMost: count - bytes.count), !more.isEmpty { bytes += more }
    return bytes
  }

  func receiveText(_ count: Int) -> String { String(decoding: receive(exactly: count), as: UTF8.self) }

  /// All until the peer closes.
  func receiveToEnd() -> String {
    var bytes: [UInt8] = []
    while let more = receive(), !more.isEmpty { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
  }
}

func martletSetOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Int32 {
  var value = value
  return unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
}

/// Replies with each complete line as it came. A line `quit` ends the conversation after its reply.
struct LineEcho: ByteSession, ~Copyable {
  let id: ConnectionID
  var deadlineSeconds: Double?

  init(id: ConnectionID, deadlineSeconds: Double? = nil) {
    self.id = id
    self.deadlineSeconds = deadlineSeconds
  }

  private func deadline(_ now: MonotonicTime) -> MonotonicTime { deadlineSeconds.map { now.advanced(bySeconds: $0) } ?? .never }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    var start = 0
    while let end = input.firstIndex(of: ASCII.lineFeed, from: start) {
      if output.count >= SessionLimits.outputBytesMax { return Progress(consumed: start, next: .full, deadline: deadline(now)) }
      let line = input[start..<(end + 1)]
      output.append(line)
      start = end + 1
      if line.equals("quit\n") { return Progress(consumed: start, next: .close(.finished), deadline: .never) }
    }
    return Progress(consumed: start, next: .read(atLeast: 1), deadline: deadline(now))
  }

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected: return Progress(consumed: 0, next: .read(atLeast: 1), deadline: deadline(now))
    case .deadline: return Progress(consumed: 0, next: .close(.idleTimeout), deadline: .never)
    case .endOfInput: return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    case .drain: return Progress(consumed: 0, next: .close(.drained), deadline: .never)
    case .message(let message):
      output.append(message as? String ?? "?")
      return Progress(consumed: 0, next: .read(atLeast: 1), deadline: deadline(now))
    }
  }

  static func factory(refusal: String = "", deadlineSeconds: Double? = nil) -> SessionFactory {
    .make(name: "echo", refusal: Array(refusal.utf8)) { id, _ in LineEcho(id: id, deadlineSeconds: deadlineSeconds) }
  }
}

/// The system call, whose name `Peer` uses itself.
private func sendBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ flags: Int32) -> Int {
  unsafe send(descriptor, bytes, count, flags)
}

/// Runs `body`, which may block, on a thread that is nobody else's.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    do {
      let loop = try EventLoop(index: 0)
      loop.post {
        continuation.resume(returning: body())
        loop.stop()
      }
      _ = try LoopThread(loop)
    } catch {
      fatalError("\(error)")
    }
  }
}

/// A number that any thread may add to.
final class Counter: Sendable {
  private let number = Atomic(0)
  var value: Int { number.load(ordering: .relaxed) }
  func add(_ more: Int) { number.add(more, ordering: .relaxed) }
}

/// Holds a thread until another opens it.
final class Gate: Sendable {
  private let isOpen = Mutex(false)
  func open() { isOpen.withLock { $0 = true } }
  func wait() { while !isOpen.withLock({ $0 }) { sched_yield() } }
}

/// A folder of its own under the system's temporary folder, removed with all it holds.
final class TemporaryFolder: Sendable {
  let path: String
  /// What `write` has made, folders before what is in them.
  private let made = Mutex<[String]>([])

  init() throws {
    var template = Array("/tmp/martlet-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw UVError(code: -errno, attempted: "make a temporary folder") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a file and makes the folders above it.
  func write(_ text: String, to name: String) throws {
    let parts = name.split(separator: "/")
    for depth in 1..<parts.count {
      let folder = path + "/" + parts[..<depth].joined(separator: "/")
      if unsafe mkdir(folder, 0o700) == 0 { made.withLock { $0.append(folder) } }
    }
    let descriptor = unsafe open(path + name, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    try UVError.check(descriptor < 0 ? -errno : 0, "write a test's file")
    made.withLock { $0.append(path + name) }
    let bytes = Array(text.utf8)
    let count = sysWrite(descriptor, bytes)
    closeDescriptor(descriptor)
    #expect(count == bytes.count)
  }

  deinit {
    for name in made.withLock({ $0 }).reversed() { unsafe _ = remove(name) }
    for socket in ["/s", "/socket"] { unsafe _ = unlink(path + socket) }
    unsafe _ = rmdir(path)
  }
}

private func sysWrite(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
  unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
}
