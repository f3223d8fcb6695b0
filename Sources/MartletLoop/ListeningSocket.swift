/// An address that is listened on, and its share for each loop.
///
/// TCP under Linux: one socket per loop on the same port, among which the kernel balances (SO_REUSEPORT). The first is bound and
/// listens *without* the option, so that a port which anyone else listens on is an error, another Martlet of the same user
/// included; then it gets the option, and the others join. libuv 1.44 cannot do this; from 1.49 on `uv_tcp_bind` knows
/// UV_TCP_REUSEPORT, though still not this order. Unix sockets refuse the option and macOS does not balance: there one loop
/// accepts and deals to the loop with the fewest connections.

import CLibuv
import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@safe
package final class ListeningSocket: @unchecked Sendable {
  /// The address bound, with the port that was chosen if 0 was asked for.
  package let address: SocketAddress

  private let lock = ShardLock()
  // Under the lock: descriptors not given to a loop yet, and how many shares are not closed.
  private var descriptors: [Int32]
  private var openShares: Int
  /// Device and inode of the Unix socket's file, so that nobody else's is removed.
  private let file: (device: UInt64, inode: UInt64)?

  private init(address: SocketAddress, descriptors: [Int32], file: (UInt64, UInt64)?) {
    self.address = address
    self.descriptors = descriptors
    self.file = file
    openShares = descriptors.count
  }

  deinit {
    guard !descriptors.isEmpty else { return }
    for descriptor in descriptors { closeDescriptor(descriptor) }
    removeFile()
  }

  /// Listens. Connections wait in the kernel's queue until `start`. EADDRINUSE if anyone listens there already.
  package static func bind(_ address: SocketAddress, loops: Int) throws(UVError) -> ListeningSocket {
    precondition(loops > 0, "a listening socket needs a loop")
    if case .unix(let path) = address { return try bindUnix(path) }
    return try bindTCP(address, loops: loops)
  }

  /// Gives each loop its share; accepting begins once the loops run. `factory` is called for each loop, here.
  package func start(on loops: [EventLoop], budget: ConnectionBudget, factory: (EventLoop) -> SessionFactory) {
    precondition(!loops.isEmpty, "a listening socket needs a loop")
    let targets = loops.map { ListenerTarget(eventLoop: $0, factory: factory($0)) }
    let shares = lock.withLock {
      defer { descriptors = [] }
      return descriptors
    }
    precondition(shares.count == 1 || shares.count == loops.count, "a listening socket was bound for another number of loops")
    for (share, target) in zip(shares, targets) {
      let dealt = shares.count == 1 ? targets : [target]
      target.eventLoop.post { self.attach(share, dealt, budget) }
    }
  }

  private func attach(_ share: Int32, _ targets: [ListenerTarget], _ budget: ConnectionBudget) {
    let loop = targets[0].eventLoop.loop
    guard loop.core.life == .running, let listener = try? Listener(share, of: self, targets: targets, budget: budget) else {
      closeDescriptor(share)
      return didCloseShare()
    }
    loop.core.listeners.append(listener)
  }

  /// The last share removes the file of a Unix socket.
  func didCloseShare() {
    let remaining = lock.withLock {
      openShares -= 1
      return openShares
    }
    if remaining == 0 { removeFile() }
  }

  // MARK: TCP

  private static func bindTCP(_ address: SocketAddress, loops: Int) throws(UVError) -> ListeningSocket {
    #if os(Linux)
      let shares = loops
    #else
      let shares = 1
    #endif
    let first = try openTCP(address, sharesPort: false)
    var descriptors = [first]
    do throws(UVError) {
      let bound = try boundAddress(of: first, asked: address)
      if shares > 1 { try setOption(first, SOL_SOCKET, SO_REUSEPORT, bound) }
      while descriptors.count < shares { descriptors.append(try openTCP(bound, sharesPort: true)) }
      return ListeningSocket(address: bound, descriptors: descriptors, file: nil)
    } catch {
      for descriptor in descriptors { closeDescriptor(descriptor) }
      throw error
    }
  }

  private static func openTCP(_ address: SocketAddress, sharesPort: Bool) throws(UVError) -> Int32 {
    let descriptor = martlet_socket(address.family)
    try UVError.check(descriptor, "open a socket for \(address)")
    do throws(UVError) {
      try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, address)  // or a restart waits for old connections' TIME_WAIT
      if sharesPort { try setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, address) }
      if case .ipv6 = address { try setOption(descriptor, Int32(ipv6Protocol), IPV6_V6ONLY, address) }  // `[::]` means IPv6
      try setOption(descriptor, Int32(tcpProtocol), TCP_NODELAY, address)  // accepted sockets inherit it under Linux
      try bindAndListen(descriptor, address)
      return descriptor
    } catch {
      closeDescriptor(descriptor)
      throw error
    }
  }

  private static func bindAndListen(_ descriptor: Int32, _ address: SocketAddress) throws(UVError) {
    unsafe try UVError.check(address.withSystemAddress { unsafe bindDescriptor(descriptor, $0, $1) }, "listen on \(address)")
    try UVError.check(listen(descriptor, LoopLimits.backlog) == 0 ? 0 : -errno, "listen on \(address)")
  }

  private static func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ address: SocketAddress) throws(UVError) {
    try UVError.check(martlet_set_option(descriptor, level, option, 1), "set up a socket for \(address)")
  }

  private static func boundAddress(of descriptor: Int32, asked: SocketAddress) throws(UVError) -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return try unsafe withUnsafeMutablePointer(to: &storage) { storage throws(UVError) in
      let address = unsafe UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      try UVError.check(unsafe getsockname(descriptor, address, &length) == 0 ? 0 : -errno, "find the port of \(asked)")
      return unsafe SocketAddress(UnsafePointer(address)) ?? asked
    }
  }

  // MARK: Unix sockets

  private static func bindUnix(_ path: String) throws(UVError) -> ListeningSocket {
    let address = SocketAddress.unix(path)
    guard path.utf8.count <= SocketAddress.unixPathBytesMax else {
      throw UVError(code: UV_ENAMETOOLONG.rawValue, attempted: "listen on \(address)")
    }
    let descriptor = martlet_socket(AF_UNIX)
    try UVError.check(descriptor, "open a socket for \(address)")
    do throws(UVError) {
      do throws(UVError) {
        try bindUnix(descriptor, address, path)
      } catch  where error.code == UVError.addressInUse && isStale(path, address) {
        _ = unsafe unlink(path)
        try bindUnix(descriptor, address, path)
      }
      var status = stat()
      let file = unsafe lstat(path, &status) == 0 ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
      return ListeningSocket(address: address, descriptors: [descriptor], file: file)
    } catch {
      closeDescriptor(descriptor)
      throw error
    }
  }

  /// The mode is set before `listen`: until then nobody can connect.
  private static func bindUnix(_ descriptor: Int32, _ address: SocketAddress, _ path: String) throws(UVError) {
    let attempted = "listen on \(address)"
    unsafe try UVError.check(address.withSystemAddress { unsafe bindDescriptor(descriptor, $0, $1) }, attempted)
    unsafe try UVError.check(chmod(path, 0o700) == 0 ? 0 : -errno, attempted)
    try UVError.check(listen(descriptor, LoopLimits.backlog) == 0 ? 0 : -errno, attempted)
  }

  /// Whether a socket's file lies there that nobody listens on any more.
  private static func isStale(_ path: String, _ address: SocketAddress) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
    let probe = martlet_socket(AF_UNIX)
    guard probe >= 0 else { return false }
    defer { closeDescriptor(probe) }
    return unsafe address.withSystemAddress { unsafe connectDescriptor(probe, $0, $1) } == UVError.connectionRefused
  }

  private func removeFile() {
    guard case .unix(let path) = address, let file else { return }
    var status = stat()
    guard unsafe lstat(path, &status) == 0, UInt64(status.st_dev) == file.device, UInt64(status.st_ino) == file.inode else { return }
    _ = unsafe unlink(path)
  }
}
