/// What a command answers instead of a reply: text as Redis 7.0.15 words it, code included.

internal import MartletBytes
internal import MartletCache

struct CommandError: Error {
  let text: [UInt8]

  init(_ text: String) { self.text = Array(text.utf8) }
  init(_ text: [UInt8]) { self.text = text }

  static let syntax = CommandError("ERR syntax error")
  static let notAnInteger = CommandError("ERR value is not an integer or out of range")
  static let notAFloat = CommandError("ERR value is not a valid float")
  static let noSuchKey = CommandError("ERR no such key")
  static let sameObject = CommandError("ERR source and destination objects are the same")
  static let databaseRange = CommandError("ERR DB index is out of range")
  static let offsetRange = CommandError("ERR offset is out of range")
  static let bitOffset = CommandError("ERR bit offset is not an integer or out of range")
  static let tooLong = CommandError("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
  static let outOfMemory = CommandError("OOM command not allowed when used memory > 'maxmemory'.")
  static let notAuthenticated = CommandError("NOAUTH Authentication required.")
  static let wrongPassword = CommandError("WRONGPASS invalid username-password pair or user is disabled.")
  static let invalidTag = CommandError("ERR invalid tag")
  static let keyTooLong = CommandError("ERR key too long")

  static func arity(_ name: String) -> CommandError { CommandError("ERR wrong number of arguments for '\(name)' command") }

  static func subscriber(_ name: String) -> CommandError {
    CommandError(
      "ERR Can't execute '\(name)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
  }

  static func replyTooLarge(_ limit: Int) -> CommandError { CommandError("ERR the reply is larger than \(limit) bytes") }

  static func expireTime(_ command: Command) -> CommandError {
    CommandError("ERR invalid expire time in '\(command.row.name)' command")
  }

  static func unknownSubcommand(_ given: RawSpan, of command: Command) -> CommandError {
    CommandError("ERR unknown subcommand '\(given[0..<min(given.byteCount, 128)].text)'. Try \(command.row.name.uppercased()) HELP.")
  }

  /// What the store refused.
  init(_ error: CacheError) {
    switch error {
    case .keyTooLarge: self = .keyTooLong
    case .valueTooLarge: self = .tooLong
    case .outOfMemory: self = .outOfMemory
    case .notAnInteger: self = .notAnInteger
    case .overflow: self = CommandError("ERR increment or decrement would overflow")
    case .tagsTooLarge: self = .invalidTag
    case .leaseOver: self = CommandError("LEASELOST the lease is over")
    case .conditionFailed, .contentTypeTooLarge: preconditionFailure("no command asks for what can fail so")
    }
  }
}
