/// How a JSON document is edited. A small one under its shard's lock. A large one not, since reading it takes milliseconds, for which all
/// other keys of the shard would wait: the command is put off until no shard is held, done on the value as it is shared then, and what comes
/// out takes its place if nobody has changed it meanwhile. If somebody has, once more; after a few times under the lock.
///
/// Within a transaction shards are held anyway, and every edit is done at once.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

/// A command and its arguments, kept beyond the bytes that they came in.
struct KeptCommand {
  let command: Command
  private var bytes: [UInt8] = []
  private var slices: [RESPSlice] = []

  init(_ command: Command, _ args: borrowing RESPArguments) {
    self.command = command
    for index in 0..<args.count {
      slices.append(RESPSlice(start: bytes.count, count: args[index].byteCount))
      bytes += args[index].copied()
    }
  }

  var arguments: RESPArguments {
    @_lifetime(borrow self)
    get { RESPArguments(slices.span, of: bytes.rawSpan) }
  }
}

extension CommandError {
  /// No error and no reply: the command is to be run again once no shard is held.
  static let putOff = CommandError("")
  var isPutOff: Bool { text.isEmpty }
}

extension CommandExecution {
  enum EditMode { case small, unlocked, locked }
  enum EditOutcome { case absent, unchanged, changed }

  /// Tries without a lock, of one edit.
  private static var unlockedEditsMax: Int { 4 }

  /// Replaces a document by what `body` makes of it; nil: it stays. What else the entry has stays too. `body` may be called more than once.
  mutating func edit(
    _ key: RawSpan, _ shards: inout LockedShards, _ body: (RawSpan) throws(CommandError) -> ByteBuffer?
  ) throws(CommandError) -> EditOutcome {
    if editMode == .unlocked { return try editUnlocked(key, body) }
    let putsOff = editMode == .small && client != nil
    var isPutOff = false
    var isChanged = false
    var new = ByteBuffer()
    let found: Void? = try shards.peek(key, database: database, at: now) { (entry) throws(CommandError) in
      isPutOff = putsOff && entry.isLarge
      guard !isPutOff, let edited = try body(entry.value) else { return }
      if edited.count > store.valueBytesMax { throw .tooLong }
      new = edited
      isChanged = true
    }
    if isPutOff { throw .putOff }
    if found == nil { return .absent }
    if !isChanged { return .unchanged }
    try change(key, &shards) { _ in
      var taken = ByteBuffer()
      swap(&taken, &new)
      return taken
    }
    return .changed
  }

  private func editUnlocked(
    _ key: RawSpan, _ body: (RawSpan) throws(CommandError) -> ByteBuffer?
  ) throws(CommandError) -> EditOutcome {
    for _ in 0..<Self.unlockedEditsMax {
      var version: UInt64?
      let shared = store.withLockedShards(of: store.shards(of: key, database: database)) { shards in
        version = shards.peek(key, database: database, at: now) { $0.version }
        return shards.share(key, database: database, of: store, at: now)
      }
      guard let shared, let version else { break }
      var new: ByteBuffer?
      try shared.withValue { (value) throws(CommandError) in new = try body(value) }
      guard let edited = new.take() else { return .unchanged }
      if edited.count > store.valueBytesMax { throw .tooLong }
      if try replace(key, version: version, by: edited) { return .changed }
    }
    throw .putOff
  }

  /// False: it is another version by now.
  private func replace(_ key: RawSpan, version: UInt64, by value: consuming ByteBuffer) throws(CommandError) -> Bool {
    var value = value
    do {
      let new = try store.update(key, database: database, condition: .ifVersion(version), at: now) { (_) throws(CommandError) in
        var taken = ByteBuffer()
        swap(&taken, &value)
        return taken
      }
      return new != nil
    } catch {
      switch error {
      case .cache(.conditionFailed): return false
      case .cache(let error): throw CommandError(error)
      case .body(let error): throw error
      }
    }
  }

  // MARK: Once no shard is held

  mutating func finishEdit(_ kept: KeptCommand) throws(CommandError) {
    let mark = writer.output.count
    defer { editMode = .small }
    do throws(CommandError) {
      editMode = .unlocked
      return try edit(kept, holding: ShardSet())
    } catch {
      if !error.isPutOff {
        counts[kept.command].failed.count()
        throw error
      }
    }
    writer.output.truncate(to: mark)
    removeKeys()
    appendKeys(of: kept.command, kept.arguments)
    editMode = .locked
    do throws(CommandError) { try edit(kept, holding: keys.shards) } catch {
      counts[kept.command].failed.count()
      throw error
    }
  }

  private mutating func edit(_ kept: KeptCommand, holding held: ShardSet) throws(CommandError) {
    try store.withLockedShards(of: held) { (shards) throws(CommandError) in
      switch kept.command {
      case .jsonSet: try jsonSet(kept.arguments, &shards)
      case .jsonDel: try jsonDel(kept.arguments, &shards)
      case .jsonNumIncrBy: try jsonNumIncrBy(kept.arguments, &shards)
      case .jsonMerge: try jsonMerge(kept.arguments, &shards)
      case .jsonArrAppend: try jsonArrAppend(kept.arguments, &shards)
      default: preconditionFailure("a command that edits no document")
      }
    }
  }
}
