/// What one loop has counted: plain integers, written and read on the loop's own thread; others ask by `EventLoop.call`.

package import MartletBytes

package struct LoopStatistics: Sendable {
  /// Connections taken from listeners, refused ones included.
  package var accepted: UInt64 = 0
  /// Connections dialled, once they are up.
  package var dialled: UInt64 = 0
  package var bytesIn: UInt64 = 0
  package var bytesOut: UInt64 = 0
  /// Turns of the loop: each is one wait for events.
  package var turns: UInt64 = 0
  /// Times that a listener had to rest because no file descriptor was left.
  package var acceptPauses: UInt64 = 0
  /// In the order in which the loop first heard of them.
  package var protocols: [ProtocolStatistics] = []

  package init() {}

  /// Connections that have a session now.
  package var open: Int { protocols.reduce(0) { $0 + $1.open } }

  /// The statistics of the protocol of that name; zeroes if the loop never heard of it.
  package func named(_ name: String) -> ProtocolStatistics { protocols.first { $0.name == name } ?? ProtocolStatistics(name: name) }

  mutating func index(of name: String) -> Int {
    if let index = protocols.firstIndex(where: { $0.name == name }) { return index }
    protocols.append(ProtocolStatistics(name: name))
    return protocols.count - 1
  }
}

package struct ProtocolStatistics: Sendable {
  package let name: String
  package var open = 0
  /// By `CloseReason.rawValue`.
  package var closes: [UInt64] = Array(repeating: 0, count: CloseReason.allCases.count)

  package init(name: String) { self.name = name }

  package func closed(_ reason: CloseReason) -> UInt64 { closes[Int(reason.rawValue)] }
}
