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

@Suite struct DialTests {
  /// Speaks first, and says what it heard.
  static func client(_ heard: AsyncStream<String>.Continuation) -> SessionFactory {
    ScriptedSession.factory(
      wake: { cause, output, _ in
        if case .connected = cause { output.append("hello\n") }
        return .read(atLeast: 6)
      },
      receive: { input, _, _ in
        heard.yield(input.text)
        return (input.byteCount, .close(.finished))
      })
  }

  @Test("A dialled connection is served like an accepted one", arguments: [false, true])
  func dial(unix: Bool) async throws {
    let folder = try TemporaryFolder()
    let server = try TestServer(unix ? .unix(folder.path + "/s") : .loopback(port: 0)) { _ in LineEcho.factory() }
    defer { server.stop() }
    let loop = try EventLoop(index: 9)
    let (stream, continuation) = AsyncStream.makeStream(of: String.self)
    loop.connect(to: server.address, factory: Self.client(continuation)) { continuation.yield("\($0)") }
    let thread = try LoopThread(loop)
    for await text in stream {
      #expect(text == "hello\n")
      break
    }
    loop.beginDrain()
    thread.join()
    #expect(loop.statistics.dialled == 1)
    #expect(loop.statistics.named("script").closed(.finished) == 1)
  }

  @Test("A dial that fails tells whoever asked, by name", arguments: [false, true])
  func failure(unix: Bool) async throws {
    let address: SocketAddress
    if unix {
      address = .unix("/nonexistent/socket")
    } else {
      address = try ListeningSocket.bind(.loopback(port: 0), loops: 1).address  // free again at once
    }
    let loop = try EventLoop(index: 9)
    let (stream, continuation) = AsyncStream.makeStream(of: UVError.self)
    loop.connect(to: address, factory: LineEcho.factory()) { continuation.yield($0) }
    let thread = try LoopThread(loop)
    for await error in stream {
      #expect(error.name == (unix ? "ENOENT" : "ECONNREFUSED"))
      #expect(error.description.hasPrefix("cannot connect to \(address): "))
      break
    }
    loop.beginDrain()
    thread.join()
    #expect(loop.load.count == 0)
  }

  @Test("A dial that is not up in time has failed; one that is cut by the stop as well", arguments: [false, true])
  func timeout(stopped: Bool) async throws {
    // Nobody accepts, and the queue has room for one or two: the others hang.
    let listener = socket(AF_INET, streamType, 0)
    defer { closeDescriptor(listener) }
    let bound = unsafe SocketAddress.loopback(port: 0).withSystemAddress { unsafe bindDescriptor(listener, $0, $1) }
    #expect(bound == 0)
    #expect(listen(listener, 0) == 0)
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutableBytes(of: &name) {
      unsafe getsockname(listener, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    }
    #expect(code == 0)
    var limits = LoopLimits()
    limits.connectTimeoutSeconds = stopped ? 1000 : 0.1
    let loop = try EventLoop(index: 9, limits: limits)
    let (stream, continuation) = AsyncStream.makeStream(of: UVError.self)
    for _ in 0..<5 {
      loop.connect(to: .loopback(port: UInt16(bigEndian: name.sin_port)), factory: LineEcho.factory()) { continuation.yield($0) }
    }
    let thread = try LoopThread(loop)
    if stopped { loop.stop() }
    for await error in stream {
      #expect(error.name == (stopped ? "ECANCELED" : "ETIMEDOUT"))
      break
    }
    loop.stop()
    thread.join()
    #expect(loop.load.count == 0)
  }
}
