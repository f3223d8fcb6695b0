import MartletBytes
import Synchronization
import Testing

@testable import MartletLoop

@Suite struct ConnectionTests {
  @Test("What is sent comes back, over IPv4, IPv6 and many reads", arguments: [SocketAddress.loopback(port: 0), .ipv6(0, 1, port: 0)])
  func echo(address: SocketAddress) throws {
    let server = try TestServer(address) { _ in LineEcho.factory() }
    defer { server.stop() }
    let peer = try server.connect()
    for round in 0..<100 {
      peer.send("hello \(round)\n")
      #expect(peer.receiveText("hello \(round)\n".utf8.count) == "hello \(round)\n")
    }
  }

  @Test("Pipelined requests are answered in order, cut at every byte")
  func pipelining() throws {
    let server = try TestServer { _ in LineEcho.factory() }
    defer { server.stop() }
    let text = (0..<6).map { "request \($0)\n" }.joined()
    let bytes = Array(text.utf8)
    for cut in 0..<bytes.count {
      let peer = try server.connect()
      peer.send(Array(bytes[..<cut]))
      if cut > 9 { _ = peer.receiveText(10) }  // the first reply is here: the two halves are two reads
      peer.send(Array(bytes[cut...]))
      peer.shutdownWrite()
      #expect(peer.receiveToEnd() == (cut > 9 ? String(text.dropFirst(10)) : text))
    }
  }
}
