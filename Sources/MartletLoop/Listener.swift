/// Accepts from one listening socket on one loop, and deals what it accepts.
///
/// Accepting is our own (`uv_poll` and accept4), not `uv_listen`'s: bounded per turn, refusals can say why, running out of file
/// descriptors neither spins nor loses the listener, and a descriptor can be dealt to another loop.

import CLibuv
import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A loop that takes connections, and how it makes their sessions.
struct ListenerTarget: Sendable {
  let eventLoop: EventLoop
  let factory: SessionFactory
}

@safe
final class Listener {
  private let loop: LoopRef
  private let socket: ListeningSocket
  private let descriptor: Int32
  private let budget: ConnectionBudget
  /// The own loop first; more than one if this listener deals for others.
  private var targets: [ListenerTarget]
  private let poll: Handle<uv_poll_t>
  private var isClosed = false

  /// Begins to accept, on the thread of the first target's loop.
  init(_ descriptor: Int32, of socket: ListeningSocket, targets: [ListenerTarget], budget: ConnectionBudget) throws(UVError) {
    loop = targets[0].eventLoop.loop
    self.socket = socket
    self.descriptor = descriptor
    self.targets = targets
    self.budget = budget
    let uv = unsafe loop.core.uv
    unsafe poll = try unsafe Handle.make("listen on \(socket.address)") { unsafe uv_poll_init(uv, $0, descriptor) }
    _ = loop.core.statistics.index(of: targets[0].factory.name)
    if loop.core.reserveDescriptor < 0 { loop.core.reserveDescriptor = martlet_open_reserve() }
    // Unretained: the loop's list of listeners keeps this object until `close`, after which libuv calls back no more.
    unsafe poll.setData(Unmanaged.passUnretained(self).toOpaque())
    startPolling()
  }

  private func startPolling() {
    unsafe _ = uv_poll_start(poll.pointer, Int32(UV_READABLE.rawValue)) { poll, _, _ in
      _ = unsafe Unmanaged<Listener>.fromOpaque(poll!.pointee.data).takeUnretainedValue().accept(atMost: LoopLimits.acceptsPerEventMax)
    }
  }

  /// Accepts what waits in the kernel's queue and closes.
  func drain() {
    _ = accept(atMost: Int(LoopLimits.backlog))
    close()
  }

  /// Removes the listener; its socket is closed when the loop of every share has done so.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe poll.close()
    closeDescriptor(descriptor)
    socket.didCloseShare()
    targets = []
  }

  // MARK: Accepting

  private func accept(atMost max: Int) -> Int {
    for count in 0..<max {
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let accepted = unsafe martlet_accept(descriptor, &storage, &length)
      if accepted >= 0 {
        take(accepted, peer: peer(&storage))
        continue
      }
      switch accepted {
      case UVError.again: return count
      case UVError.connectionAborted: continue  // gone before we looked
      case UVError.tooManyFiles, UVError.tooManyFilesInSystem:
        if !refuseWithReserve() {
          pause()
          return count
        }
      default:
        pause()  // ENOBUFS, ENOMEM, a network that is down: later, perhaps
        return count
      }
    }
    return max
  }

  private func peer(_ storage: inout sockaddr_storage) -> SocketAddress {
    if case .unix = socket.address { return socket.address }
    return unsafe withUnsafePointer(to: &storage) {
      unsafe SocketAddress(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self)) ?? socket.address
    }
  }

  private func take(_ accepted: Int32, peer: SocketAddress) {
    loop.core.statistics.accepted &+= 1
    #if !os(Linux)
      if case .unix = peer {} else { _ = martlet_set_option(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }  // Linux inherits it
    #endif
    guard budget.take() else { return loop.refuse(accepted, peer: peer, factory: targets[0].factory) }
    let target = leastLoadedTarget()
    target.eventLoop.load.add()
    if target.eventLoop.index == loop.core.index {
      return loop.open(accepted, peer: peer, factory: target.factory, budget: budget)
    }
    target.eventLoop.post { [budget] in
      target.eventLoop.loop.open(accepted, peer: peer, factory: target.factory, budget: budget)
    }
  }

  /// A loop that drains deals to nobody: the others may be at their end.
  private func leastLoadedTarget() -> ListenerTarget {
    if targets.count == 1 || loop.core.life != .running { return targets[0] }
    return targets.min { $0.eventLoop.load.count < $1.eventLoop.load.count }!
  }

  /// With no descriptor left the reserve is given up for a moment, so that a waiting peer is told instead of hanging in the queue.
  private func refuseWithReserve() -> Bool {
    guard loop.core.reserveDescriptor >= 0 else {
      loop.core.reserveDescriptor = martlet_open_reserve()
      return false
    }
    closeDescriptor(loop.core.reserveDescriptor)
    let accepted = martlet_accept(descriptor, nil, nil)
    if accepted >= 0 {
      let factory = targets[0].factory
      let index = loop.core.statistics.index(of: factory.name)
      loop.core.statistics.accepted &+= 1
      loop.core.statistics.protocols[index].closes[Int(CloseReason.refused.rawValue)] &+= 1
      factory.refused()
      loop.refuseBriefly(accepted, factory.refusal)
    }
    loop.core.reserveDescriptor = martlet_open_reserve()
    return accepted >= 0 && loop.core.reserveDescriptor >= 0
  }

  /// Stops looking at the socket for a moment: it stays readable, and looking would spin.
  private func pause() {
    loop.core.statistics.acceptPauses &+= 1
    unsafe _ = uv_poll_stop(poll.pointer)
    let resumption = loop.now.advanced(bySeconds: loop.core.limits.acceptPauseSeconds)
    _ = loop.core.timers.schedule(at: resumption) { [weak self] in
      if let self, !self.isClosed { self.startPolling() }
    }
  }
}
