/// The beginning of a connection: accepted (a descriptor), refused (a descriptor and a last word), or dialled (an address).

import CLibuv
package import MartletBytes

extension Connection {
  /// Memory for a stream and its state, in one block, the handle in front.
  fileprivate static func make(
    on loop: LoopRef, factory: SessionFactory, peer: SocketAddress, phase: ConnectionState.Phase
  ) -> Connection {
    let handleBytes = unsafe max(MemoryLayout<uv_tcp_t>.size, MemoryLayout<uv_pipe_t>.size)
    let stateOffset = (handleBytes + 15) & ~15
    let memory = UnsafeMutableRawPointer.allocate(byteCount: stateOffset + MemoryLayout<ConnectionState>.size, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: stateOffset)
    let stream = unsafe memory.assumingMemoryBound(to: uv_stream_t.self)
    let state = unsafe (memory + stateOffset).assumingMemoryBound(to: ConnectionState.self)
    let connection = unsafe Connection(state)
    let (slot, generation) = loop.core.table.insert(connection)
    unsafe state.initialize(
      to: ConnectionState(
        stream: stream, loop: loop, factory: Unmanaged.passRetained(factory), phase: phase, slot: slot, generation: generation,
        protocolIndex: loop.core.statistics.index(of: factory.name), peer: peer))
    if case .unix = peer {
      unsafe _ = uv_pipe_init(loop.core.uv, memory.assumingMemoryBound(to: uv_pipe_t.self), 0)
    } else {
      unsafe _ = uv_tcp_init(loop.core.uv, memory.assumingMemoryBound(to: uv_tcp_t.self))
    }
    unsafe stream.pointee.data = UnsafeMutableRawPointer(state)
    return connection
  }

  /// Gives the descriptor to libuv; it is closed with the handle, or here if that fails.
  fileprivate func adopt(_ descriptor: Int32) -> Bool {
    let memory = unsafe UnsafeMutableRawPointer(hot.stream)
    let code: Int32
    if case .unix = hot.peer {
      code = unsafe uv_pipe_open(memory.assumingMemoryBound(to: uv_pipe_t.self), descriptor)
    } else {
      code = unsafe uv_tcp_open(memory.assumingMemoryBound(to: uv_tcp_t.self), descriptor)
    }
    if code < 0 { closeDescriptor(descriptor) }
    return code == 0
  }

  /// The stream is up: makes the session and lets it speak.
  fileprivate func begin(isDialled: Bool) {
    let loop = hot.loop
    loop.core.statistics.protocols[hot.protocolIndex].open += 1
    let peer = PeerInfo(address: hot.peer, isDialled: isDialled)
    unsafe hot.session = hot.factory._withUnsafeGuaranteedRef { unsafe $0.create(id, peer) }
    hot.phase = .open
    wake(.connected)
    if loop.core.life == .draining { drain() }
  }

  /// Dialling is over without a connection.
  func failDial(_ code: Int32) {
    guard hot.phase == .connecting else { return }
    let failed = hot.dialFailed
    hot.dialFailed = nil
    let peer = hot.peer
    finish()
    failed?(UVError(code: code, attempted: "connect to \(peer)"))
  }

  fileprivate func dialled(_ status: Int32) {
    guard hot.phase == .connecting else { return }
    if status < 0 { return failDial(status) }
    let loop = hot.loop
    loop.core.statistics.dialled &+= 1
    hot.dialFailed = nil
    loop.core.wheel.set(hot.slot, to: .never)
    if case .unix = hot.peer {
    } else {
      unsafe uv_tcp_nodelay(UnsafeMutableRawPointer(hot.stream).assumingMemoryBound(to: uv_tcp_t.self), 1)
    }
    begin(isDialled: true)
  }
}

extension LoopRef {
  /// Serves an accepted descriptor, which has been counted in `load` and has its place in the budget.
  func open(_ descriptor: Int32, peer: SocketAddress, factory: SessionFactory, budget: ConnectionBudget) {
    guard core.life == .running || core.life == .draining else {  // it was dealt to us while we were stopped
      closeDescriptor(descriptor)
      budget.giveBack()
      return load.remove()
    }
    let connection = Connection.make(on: self, factory: factory, peer: peer, phase: .flushing)
    unsafe connection.hot.budget = Unmanaged.passRetained(budget)
    guard connection.adopt(descriptor) else { return connection.finish() }
    connection.begin(isDialled: false)
  }

  /// Tells the peer of a descriptor that it cannot be served, and lingers until it has heard.
  func refuse(_ descriptor: Int32, peer: SocketAddress, factory: SessionFactory) {
    let index = core.statistics.index(of: factory.name)
    core.statistics.protocols[index].closes[Int(CloseReason.refused.rawValue)] &+= 1
    factory.refused()
    guard core.refusalsLingering < core.limits.refusalsLingeringMax, !factory.refusal.isEmpty else {
      return refuseBriefly(descriptor, factory.refusal)
    }
    load.add()
    core.refusalsLingering += 1
    let connection = Connection.make(on: self, factory: factory, peer: peer, phase: .flushing)
    connection.hot.isRefusal = true
    connection.hot.closeReason = .refused
    guard connection.adopt(descriptor) else { return connection.finish() }
    connection.hot.output.append(factory.refusal)
    connection.flushAndSettle()
  }

  /// Says the last word and closes at once.
  func refuseBriefly(_ descriptor: Int32, _ word: [UInt8]) {
    // What has arrived is read first, or closing would reset the connection and the word might be lost.
    unsafe _ = martlet_discard(descriptor, core.scratch, LoopLimits.scratchBytes)
    unsafe word.withUnsafeBytes { unsafe _ = martlet_send(descriptor, $0.baseAddress, $0.count) }
    closeDescriptor(descriptor)
  }
}

extension EventLoop {
  /// Dials; the session is made once the connection is up and woken with `.connected`. On the loop's thread. `failed` is called
  /// there, later, if it does not come to that.
  @discardableResult
  package func connect(
    to address: SocketAddress, factory: SessionFactory, failed: @escaping (UVError) -> Void
  ) -> ConnectionID {
    precondition(executor.isCurrentOrIdle, "dialling belongs to the loop's thread")
    load.add()
    let connection = Connection.make(on: loop, factory: factory, peer: address, phase: .connecting)
    let id = connection.id
    connection.hot.dialFailed = failed
    loop.core.wheel.set(connection.hot.slot, to: currentTime.advanced(bySeconds: loop.core.limits.connectTimeoutSeconds))
    let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
    unsafe request.initialize(to: uv_connect_t())
    let memory = unsafe UnsafeMutableRawPointer(connection.hot.stream)
    var code: Int32 = 0
    if case .unix(let path) = address {
      unsafe uv_pipe_connect(request, memory.assumingMemoryBound(to: uv_pipe_t.self), path, connectCame)
    } else {
      code = unsafe address.withSystemAddress { address, _ in
        unsafe uv_tcp_connect(request, memory.assumingMemoryBound(to: uv_tcp_t.self), address, connectCame)
      }
    }
    if code < 0 {
      unsafe request.deallocate()
      let problem = code
      executor.deliver(.call { [loop] in loop.core.table.find(id)?.failDial(problem) })
    }
    return id
  }
}

/// The request is ours again (rule 4 in Handle.swift).
private func connectCame(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
  let connection = unsafe Connection(data: request!.pointee.handle.pointee.data)
  unsafe request!.deallocate()
  connection.dialled(status)
}
