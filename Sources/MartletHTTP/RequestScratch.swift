/// What is known about the request under way, in memory that serves one request after another: one per loop, since a loop
/// handles one request at a time from head to reply.

internal import MartletBytes

package struct RequestScratch: ~Copyable {
  package internal(set) var head = RequestHead()
  package internal(set) var match = RouteMatch()
  /// The path's segments, percent-decoded, where there was something to decode.
  var decoded = ByteBuffer()

  package init() {}
}
