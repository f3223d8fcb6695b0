/// One request of a memcached client, taken apart: what `MemcachedParser` makes of a line and its data block.

internal import MartletBytes

package enum MemcachedCommand: UInt8, CaseIterable, Sendable {
  // On keys.
  case get, gets, gat, gats
  case set, add, replace, append, prepend, cas
  case incr, decr, delete, touch
  case mg, ms, md, ma, me
  // On nothing: a fixed reply.
  case mn, version, verbosity
  // On the server.
  case flushAll, stats, metadump, quit
  /// The `set` by which a client shows its token, where one is wanted.
  case authenticate
  /// No command: an error is the answer.
  case unknown

  /// As clients write it; of `authenticate` and `unknown`, as statistics do.
  package var name: String {
    switch self {
    case .flushAll: "flush_all"
    case .metadump: "lru_crawler"
    default: "\(self)"
    }
  }

  // Switches, since `==` of an enumeration in another module is a call through its protocol.

  /// Whether it works on the keys it names and on nothing else.
  @inlinable @inline(__always)
  package var isKeyed: Bool {
    switch self {
    case .get, .gets, .gat, .gats, .set, .add, .replace, .append, .prepend, .cas, .incr, .decr, .delete, .touch: true
    case .mg, .ms, .md, .ma, .me: true
    case .mn, .version, .verbosity, .flushAll, .stats, .metadump, .quit, .authenticate, .unknown: false
    }
  }

  @inlinable @inline(__always)
  package var isMeta: Bool {
    switch self {
    case .mg, .ms, .md, .ma, .me: true
    default: false
    }
  }

  /// Whether it wants versions beside values.
  @inlinable @inline(__always)
  package var showsVersion: Bool {
    switch self {
    case .gets, .gats: true
    default: false
    }
  }

  /// Whether it sets the expiry of what it reads.
  @inlinable @inline(__always)
  package var touches: Bool {
    switch self {
    case .gat, .gats: true
    default: false
    }
  }
}

package struct MemcachedRequest: Sendable {
  package var command: MemcachedCommand
  /// What is wrong with it; then this is the answer, and nothing is done.
  package var error: MemcachedError?
  /// `noreply`: nothing is to be answered, whatever happens.
  package var isQuiet = false
  package var key = ArgumentSlice(start: 0, count: 0)
  /// Without the line end behind it.
  package var data = ArgumentSlice(start: 0, count: 0)
  /// Among the words that the parser has handed out: the keys of a `get` that has more than one, the flags of a meta command, the
  /// arguments of `stats`.
  package var words = 0..<0
  /// Of `set` and its kin.
  package var flags: UInt32 = 0
  /// An expiry as the client wrote it, in seconds; of `flush_all`, when.
  package var time: Int64 = 0
  /// The version that `cas` wants, the amount of `incr` and `decr`.
  package var number: UInt64 = 0
  /// Where it ends in the input.
  package var end = 0

  package init(_ command: MemcachedCommand) { self.command = command }

  /// The same, `distance` further back in the input.
  func shifted(by distance: Int) -> MemcachedRequest {
    var shifted = self
    if key.count > 0 { shifted.key = key.shifted(by: distance) }  // none lies at 0, wherever the request begins
    shifted.data = data.shifted(by: distance)
    shifted.end = end &+ distance
    return shifted
  }
}
