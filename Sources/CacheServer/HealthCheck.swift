/// `martlet health`: asks `/readyz` once over a connection of its own; for container health checks.

internal import MartletBytes
internal import MartletLoop
internal import MartletServer

public struct HealthCheck {
  let address: ListenAddress
  static let timeoutSeconds = 5.0

  /// Takes `http` from `raw` and the environment.
  public init(completing raw: RawSettings) throws(UsageError) {
    var raw = raw
    raw.offer(environment: ProcessEnvironment.value)
    let address = try raw.httpAddress()
    guard address != .off else { throw UsageError("\(raw.place(.http)): off cannot be asked; name the address that the server listens on") }
    self.address = address.reachable
  }

  /// Returns if the server is ready; throws a line that says why not.
  public func run() throws(ServeFailure) {
    let failure = "\(address) is not ready"
    let outcome = LoopLocal<String?>("no answer within \(Int(Self.timeoutSeconds)) s")
    do throws(UVError) {
      let loop = try EventLoop(index: 0)
      let factory = SessionFactory.make(name: "health") { _, _ in HealthSession(loop: loop, outcome: outcome) }
      try loop.connect(to: SocketAddress.resolve(address.description), factory: factory) { error in
        outcome.value = "\(error)"
        loop.stop()
      }
      loop.schedule(afterSeconds: Self.timeoutSeconds) { loop.stop() }
      loop.run()
    } catch { outcome.value = "\(error)" }
    if let reason = outcome.value { throw ServeFailure("\(failure): \(reason)") }
  }
}

extension ListenAddress {
  /// Where a client on this machine reaches a listener on this address: a wildcard by loopback.
  var reachable: ListenAddress {
    guard case .tcp(let host, let port) = self else { return self }
    if host == "0.0.0.0" { return .tcp(host: "127.0.0.1", port: port) }
    if host == "::" { return .tcp(host: "::1", port: port) }
    return self
  }
}

/// Asks, reads the status line, and lets the loop end.
private struct HealthSession: ByteSession, ~Copyable {
  let loop: EventLoop
  let outcome: LoopLocal<String?>

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    switch cause {
    case .connected:
      output.append("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
      return Progress(consumed: 0, next: .read(atLeast: 12), deadline: .never)
    default:
      outcome.value = "the connection ended early"
      return finish(consumed: 0)
    }
  }

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    guard input.byteCount >= 12 else { return Progress(consumed: 0, next: .read(atLeast: 12), deadline: .never) }
    let status = input[9..<12].text
    outcome.value = status == "200" ? nil : "it answered \(status)"
    return finish(consumed: input.byteCount)
  }

  private func finish(consumed: Int) -> Progress {
    loop.stop()
    return Progress(consumed: consumed, next: .close(.finished), deadline: .never)
  }
}
