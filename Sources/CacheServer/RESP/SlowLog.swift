/// SLOWLOG: the latest commands that took longer than `slowlog-log-slower-than` microseconds, at most `slowlog-max-len` of them.
///
/// Commands on keys that are run together, under one taking of locks, are timed together: an entry holds the first of them and says how
/// many more there were.

internal import MartletBytes
internal import MartletCacheProtocols
internal import Synchronization

final class SlowLog: Sendable {
  struct Entry: Sendable {
    let id: UInt64
    let unixSeconds: Int64
    let microseconds: UInt64
    let arguments: [[UInt8]]
    let address: String
    let name: String
  }

  /// Negative: nothing is logged.
  let thresholdMicroseconds = Atomic<Int>(10_000)
  let lengthMax = Atomic<Int>(128)
  private let lock = ShardLock()
  /// The latest last; under the lock.
  private let entries = LoopLocal<[Entry]>([])
  private let lastID = LoopLocal<UInt64>(0)

  /// Of a command, what an entry keeps.
  private static let argumentsMax = 32
  private static let argumentBytesMax = 128
  /// Entries that are kept at most, whatever `slowlog-max-len` says.
  static let entriesMax = 10_000

  /// `.max`: nothing is logged.
  @inline(__always)
  var thresholdNanoseconds: UInt64 {
    let threshold = thresholdMicroseconds.load(ordering: .relaxed)
    return threshold >= 0 ? UInt64(threshold) &* 1000 : .max
  }

  func add(_ arguments: [[UInt8]], nanoseconds: UInt64, client: ClientRecord, unixSeconds: Int64) {
    let name = client.named.name
    lock.withLock {
      let bound = min(lengthMax.load(ordering: .relaxed), Self.entriesMax)
      entries.value.append(
        Entry(
          id: lastID.value, unixSeconds: unixSeconds, microseconds: nanoseconds / 1000, arguments: arguments, address: client.address,
          name: name))
      lastID.value += 1
      if entries.value.count > bound { entries.value.removeFirst(entries.value.count - bound) }
    }
  }

  /// What an entry keeps of a command, in Redis's words; `more`: commands behind it.
  static func abridged(_ args: borrowing RESPArguments, more: Int = 0) -> [[UInt8]] {
    let kept = args.count > argumentsMax ? argumentsMax - 1 : args.count
    var words: [[UInt8]] = []
    for index in 0..<kept {
      let word = args[index]
      if word.byteCount > argumentBytesMax {
        words.append(word[0..<argumentBytesMax].copied() + Array("... (\(word.byteCount - argumentBytesMax) more bytes)".utf8))
      } else {
        words.append(word.copied())
      }
    }
    if kept < args.count { words.append(Array("... (\(args.count - kept) more arguments)".utf8)) }
    if more > 0 { words.append(Array("... (\(more) more commands)".utf8)) }
    return words
  }

  var count: Int { lock.withLock { entries.value.count } }

  /// The latest first.
  func latest(_ count: Int?) -> [Entry] {
    lock.withLock { entries.value.suffix(count ?? .max).reversed() }
  }

  func removeAll() { lock.withLock { entries.value = [] } }
}

extension RESPSession {
  /// Secrets are not kept.
  func noteSlow(_ command: Command, _ args: borrowing RESPArguments, more: Int, nanoseconds: UInt64, _ now: UnixTime) {
    var words = SlowLog.abridged(args, more: more)
    if command == .auth || command == .hello { words.replaceSubrange(1..., with: words.dropFirst().map { _ in Array("(redacted)".utf8) }) }
    service.shared.slowlog.add(words, nanoseconds: nanoseconds, client: record, unixSeconds: now.milliseconds / 1000)
  }
}
