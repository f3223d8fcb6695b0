/// The bounds of a request that have a name.

package struct RESPLimits: Sendable {
  /// Arguments of one command, its name included.
  package var argumentsMax = 1024 * 1024
  /// Bytes of one argument.
  package var bulkBytesMax: Int
  /// Bytes of one command together, so that offsets in it are 32 bits: Redis's `client-query-buffer-limit`.
  package var commandBytesMax = 1 << 30
  /// Bytes of an inline command, and of the line that announces a number.
  package var inlineBytesMax = 64 << 10
  /// What a peer may announce who has not shown his token yet: arguments, and bytes of each.
  package var argumentsMaxUnauthenticated = 10
  package var bulkBytesMaxUnauthenticated = 16384

  package init(bulkBytesMax: Int) { self.bulkBytesMax = bulkBytesMax }
}

/// What is wrong with a frame. The stream cannot be read on: the error is told, and the connection closed.
package enum RESPProtocolError: Error, Equatable, Sendable {
  case multibulkLength
  case bulkLength
  /// Another byte where `$` should be.
  case expectedBulk(UInt8)
  case unauthenticatedMultibulkLength
  case unauthenticatedBulkLength
  case multibulkLineTooLong
  case bulkLineTooLong
  case inlineTooLong
  case unbalancedQuotes
  /// More bytes than a command may have. Redis closes without a word.
  case commandTooLong

  /// The error's text as Redis 7.0.15 words it, `ERR` included.
  package var text: [UInt8] {
    let words: StaticString =
      switch self {
      case .multibulkLength: "invalid multibulk length"
      case .bulkLength: "invalid bulk length"
      case .expectedBulk: "expected '$', got '"
      case .unauthenticatedMultibulkLength: "unauthenticated multibulk length"
      case .unauthenticatedBulkLength: "unauthenticated bulk length"
      case .multibulkLineTooLong: "too big mbulk count string"
      case .bulkLineTooLong: "too big bulk count string"
      case .inlineTooLong: "too big inline request"
      case .unbalancedQuotes: "unbalanced quotes in request"
      case .commandTooLong: "too big request"
      }
    var text = Array("ERR Protocol error: \(words)".utf8)
    if case .expectedBulk(let byte) = self { text += [byte == 0x0D || byte == 0x0A ? 0x20 : byte, UInt8(ascii: "'")] }
    return text
  }
}
