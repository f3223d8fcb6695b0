/// Every bound of an HTTP conversation, by name. What exceeds one is answered with the status beside it and the connection closed.

public struct HTTPLimits: Sendable {
  /// The request target: 414 beyond.
  public var targetBytesMax = 8 << 10
  /// Request line, fields and the empty line: 431 beyond. At most 65535, since offsets are kept in 16 bits.
  public var headBytesMax = 16 << 10
  /// Field lines of a head, and of a trailer section: 431 beyond. At most `FieldTable.capacity` (100).
  public var fieldCountMax = 100
  /// A body, decoded: 413 beyond, before it is read where its length is told.
  public var bodyBytesMax = 8 << 20
  /// One chunk's size line with its extensions: 400 beyond.
  public var chunkLineBytesMax = 1 << 10
  /// All chunk extensions of one body together: 400 beyond.
  public var chunkExtensionBytesMax = 16 << 10
  /// Empty lines before a request line that are overlooked (RFC 9112 section 2.2): 400 beyond.
  public var leadingLineBreaksMax = 4
  /// From a head's first byte to its last: 408 beyond.
  public var headSeconds = 10.0
  /// A body is given this long before its rate counts.
  public var bodyGraceSeconds = 5.0
  /// The least average rate of a body since it began: 408 below.
  public var bodyBytesPerSecondMin = 240
  /// Without a request (silently), or without any byte of a body that is under way (408).
  public var idleSeconds = 60.0
  /// Replies to pipelined requests are flushed when they reach this size, so that memory per connection stays small.
  public var flushBytesMark = 64 << 10

  public init() {}

  /// Stops the process if a value cannot be kept.
  func check() {
    precondition(headBytesMax <= 65535, "HTTPLimits.headBytesMax is at most 65535")
    precondition(fieldCountMax <= FieldTable.capacity, "HTTPLimits.fieldCountMax is at most \(FieldTable.capacity)")
    precondition(targetBytesMax <= headBytesMax, "HTTPLimits.targetBytesMax is at most headBytesMax")
    precondition(bodyBytesPerSecondMin > 0, "HTTPLimits.bodyBytesPerSecondMin is above zero")
  }
}
