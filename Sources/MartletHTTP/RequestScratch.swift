/// What is known about the request under way, in memory that serves one request after another: one per loop, since a loop
/// handles one request at a time from head to reply.

internal import MartletBytes

package struct RequestScratch: ~Copyable {
  package internal(set) var head = RequestHead()
  package internal(set) var match = RouteMatch()
  /// The path's segments, percent-decoded, where there was something to decode.
  var decoded = ByteBuffer()
  /// The loop's clock when the request's last bytes were read.
  var now = MonotonicTime(nanoseconds: 0)
  /// Whose request it is.
  var connection = ConnectionID(loop: 0, slot: 0, generation: 0)

  package init() {}
}
