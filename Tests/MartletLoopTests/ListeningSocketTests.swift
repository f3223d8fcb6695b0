import MartletBytes
import Testing

@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct ListeningSocketTests {
  @Test("Port 0 picks a free port, and says which", arguments: [SocketAddress.loopback(port: 0), .ipv6(0, 1, port: 0)])
  func freePort(address: SocketAddress) throws {
    let socket = try ListeningSocket.bind(address, loops: 3)
    #expect(socket.address.port! > 0)
    #expect(socket.address == address.withPort(socket.address.port!))
  }

  @Test("A port that anyone listens on is an error, also when both would share it with themselves", arguments: [1, 2])
  func inUse(loops: Int) throws {
    let first = try ListeningSocket.bind(.loopback(port: 0), loops: loops)
    let error = #expect(throws: UVError.self) { try ListeningSocket.bind(first.address, loops: loops) }
    #expect(error?.name == "EADDRINUSE")
    #expect(error?.description == "cannot listen on \(first.address): address already in use (EADDRINUSE)")
  }

  @Test("A port is free again once its socket is gone")
  func reuse() throws {
    var address = SocketAddress.loopback(port: 0)
    for _ in 0..<3 { address = try ListeningSocket.bind(address, loops: 2).address }
  }

  @Test("An address that is not this machine's is an error that names it")
  func foreign() throws {
    let error = #expect(throws: UVError.self) { try ListeningSocket.bind(.ipv4(0xC000_0201, port: 0), loops: 1) }  // 192.0.2.1: RFC 5737
    #expect(error?.name == "EADDRNOTAVAIL")
    #expect(error?.description.contains("192.0.2.1:0") == true)
  }

  @Test("A Unix socket is for its owner only, echoes, and is removed at the end")
  func unix() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/socket"
    let server = try TestServer(.unix(path)) { _ in LineEcho.factory() }
    #expect(server.address.description == "unix:\(path)")
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
    let peer = try server.connect()
    peer.send("hello\n")
    #expect(peer.receiveText(6) == "hello\n")
    server.stop()
    #expect(unsafe lstat(path, &status) != 0)
  }

  @Test("A stale socket file is replaced; a live one and any other file are errors")
  func stale() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/socket"
    // A socket that was bound and whose process has gone leaves its file.
    let descriptor = socket(AF_UNIX, streamType, 0)
    let code = unsafe SocketAddress.unix(path).withSystemAddress { unsafe bindDescriptor(descriptor, $0, $1) }
    #expect(code == 0)
    closeDescriptor(descriptor)
    do {
      let live = try ListeningSocket.bind(.unix(path), loops: 2)
      let error = #expect(throws: UVError.self) { try ListeningSocket.bind(.unix(path), loops: 2) }
      #expect(error?.name == "EADDRINUSE")
      _ = try Peer(live.address)
    }
    let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
    closeDescriptor(file)
    #expect(throws: UVError.self) { try ListeningSocket.bind(.unix(path), loops: 2) }
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0, "a file that is no socket is not ours to remove")
  }

  @Test("A path that is too long or in no folder is an error")
  func badPaths() {
    let long = #expect(throws: UVError.self) { try ListeningSocket.bind(.unix("/" + String(repeating: "x", count: 200)), loops: 1) }
    #expect(long?.name == "ENAMETOOLONG")
    let missing = #expect(throws: UVError.self) { try ListeningSocket.bind(.unix("/nonexistent/folder/socket"), loops: 1) }
    #expect(missing?.name == "ENOENT")
  }
}
