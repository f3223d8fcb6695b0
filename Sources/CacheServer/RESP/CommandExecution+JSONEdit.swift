/// How a JSON document is edited. A small one under its shard's lock. A large one not, since reading it takes milliseconds, for which all
/// other keys of the shard would wait: the command is put off until no shard is held, and done by `CacheStore.revise`; if others change the
/// document each time, under the lock after all.
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
    do throws(UpdateError<CommandError>) {
      switch try store.revise(key, database: database, at: now, { (held) throws(CommandError) in try body(held.value) }) {
      case .made: return .changed
      case .unchanged: return .unchanged
      case .notMade: break
      }
    } catch {
      switch error {
      case .cache(let error): throw CommandError(error)
      case .body(let error): throw error
      }
    }
    throw .putOff
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
