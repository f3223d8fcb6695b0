/// A command on keys by itself: one of many bytes, or one that other things surround. What it brings that is large is copied into the
/// store's memory before a shard is locked, so that under the lock a pointer moves.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

extension CommandExecution {
  mutating func executeAlone(_ command: Command, _ args: borrowing RESPArguments) throws(CommandError) {
    prepared = prepare(command, args)
    removeKeys()
    appendKeys(of: command, args)
    store.withLockedShards(of: keys.shards) { shards in execute(command, args, &shards) }
    prepared = []
    settle()
  }

  /// Keys of a batch are of commands too short to hold one that is too long.
  func checkKeys(of command: Command, _ args: borrowing RESPArguments) throws(CommandError) {
    guard (1..<args.count).contains(where: { args[$0].byteCount > CacheLimits.keyBytesMax }) else { return }
    for spec in KeySpec.all(command.row.keys) {
      let last = spec.last < 0 ? args.count + spec.last : spec.first + spec.last
      for index in stride(from: spec.first, through: last, by: spec.step) where args[index].byteCount > CacheLimits.keyBytesMax {
        throw .keyTooLong
      }
    }
  }

  /// The large values that a command will put, in the order in which it puts them. One for which there is no room is left out: then the
  /// put says so.
  func prepare(_ command: Command, _ args: borrowing RESPArguments) -> [PreparedValue] {
    switch command {
    case .set, .setnx, .getset: return prepare(args, [2])
    case .setex, .psetex: return prepare(args, [3])
    case .mset, .msetnx: return prepare(args, Array(stride(from: 2, to: args.count, by: 2)))
    case .jsonSet:
      let type: StaticString = "application/json"
      return prepare(args, [3], PutAttributes(database: database, contentType: type.rawSpan, tags: RawSpan()))
    case .martletFill:
      guard args[3].byteCount >= CacheLimits.largeValueBytesMin, let tags = try? fillTags(args) else { return [] }
      return prepare(args, [3], PutAttributes(database: database, contentType: RawSpan(), tags: tags.rawSpan))
    case .restore:
      guard let value = try? RDBString.read(args[3], bytesMax: store.valueBytesMax), value.count >= CacheLimits.largeValueBytesMin else {
        return []
      }
      return store.prepare(value.bytes, for: args[1], PutAttributes(database: database), at: now).map { [$0] } ?? []
    default: return []
    }
  }

  private func prepare(_ args: borrowing RESPArguments, _ values: [Int]) -> [PreparedValue] {
    prepare(args, values, PutAttributes(database: database))
  }

  private func prepare(
    _ args: borrowing RESPArguments, _ values: [Int], _ attributes: borrowing PutAttributes
  ) -> [PreparedValue] {
    var prepared: [PreparedValue] = []
    for index in values where index < args.count && args[index].byteCount >= CacheLimits.largeValueBytesMin {
      let key = values.count == 1 ? args[1] : args[index - 1]
      guard let value = store.prepare(args[index], for: key, attributes, at: now) else { return prepared }
      prepared.append(value)
    }
    return prepared
  }

  /// The prepared value for the put under way, if there is one.
  mutating func takePrepared(count: Int) -> PreparedValue? {
    guard let first = prepared.first, first.count == count else { return nil }
    return prepared.removeFirst()
  }
}
