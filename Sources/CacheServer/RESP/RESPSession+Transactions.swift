/// MULTI, EXEC, DISCARD, WATCH, UNWATCH. EXEC locks the shards of every key of every command, and of what is watched, at once: nobody
/// sees a state in between, on whatever thread.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

/// Commands queued since MULTI, their bytes copied.
struct Transaction: ~Copyable {
  struct Queued {
    let command: Command
    let first: Int
    let count: Int
  }

  var commands: [Queued] = []
  var slices: [RESPSlice] = []
  var bytes = ByteBuffer()
  /// Something would be changed, or published, by it.
  var writes = false
  /// A command could not be queued: EXEC refuses.
  var isSpoilt = false

  /// What a transaction may hold, in bytes.
  static var bytesMax: Int { 64 << 20 }

  @_lifetime(borrow self)
  func arguments(_ queued: Queued) -> RESPArguments {
    RESPArguments(slices.span.extracting(queued.first..<(queued.first + queued.count)), of: bytes.bytes)
  }
}

extension RESPSession {
  mutating func multi(_ execution: inout CommandExecution) throws(CommandError) {
    if transaction != nil { throw CommandError("ERR MULTI calls can not be nested") }
    transaction = Transaction()
    record.queued.store(0, ordering: .relaxed)
    execution.writer.ok()
  }

  mutating func queue(_ command: Command, _ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    guard var queue = transaction.take() else { return }
    let first = queue.slices.count
    for index in 0..<args.count {
      queue.slices.append(RESPSlice(start: queue.bytes.count, count: args[index].byteCount))
      queue.bytes.append(args[index])
    }
    queue.writes = queue.writes || command.isWrite || command == .publish || command == .spublish
    let isTooMuch = queue.bytes.count > Transaction.bytesMax
    if !isTooMuch { queue.commands.append(Transaction.Queued(command: command, first: first, count: args.count)) }
    record.queued.store(queue.commands.count, ordering: .relaxed)
    transaction = consume queue
    if isTooMuch { throw CommandError("ERR the transaction is larger than \(Transaction.bytesMax) bytes") }
    execution.writer.simple("QUEUED")
  }

  mutating func discard(_ execution: inout CommandExecution) throws(CommandError) {
    guard transaction != nil else { throw CommandError("ERR DISCARD without MULTI") }
    endTransaction()
    execution.writer.ok()
  }

  mutating func endTransaction() {
    transaction = nil
    unwatch()
    record.queued.store(-1, ordering: .relaxed)
  }

  mutating func exec(_ execution: inout CommandExecution) throws(CommandError) {
    guard let queue = transaction.take() else { throw CommandError("ERR EXEC without MULTI") }
    defer { endTransaction() }
    if queue.isSpoilt { throw CommandError("EXECABORT Transaction discarded because of previous errors.") }
    let shards = lockSet(queue, &execution)
    // What locks for itself is read before.
    execution.statistics = store.statistics
    defer { execution.statistics = nil }
    let now = execution.now
    // Nobody waits while shards are held.
    let client = execution.client.take()
    defer { execution.client = client }
    let prepared = prepare(queue, execution)
    // Kept until the shards are unlocked: when it goes, it unregisters with them.
    let isSwapped = watches != nil && execution.databases != watchedDatabases
    let watched = watches.take() ?? WatchList(store: store)
    let start = execution.writer.output.count
    execution.store.withLockedShards(of: shards) { locked in
      if isSwapped || watched.isChanged(in: &locked, at: now) { return execution.writer.nullArray() }
      execution.writer.array(queue.commands.count)
      for (queued, values) in zip(queue.commands, prepared) {
        execution.prepared = values
        let mark = execution.writer.output.count
        run(queued, queue.arguments(queued), &execution, &locked)
        execution.limitReply(from: mark, of: start)
      }
      execution.prepared = []
    }
    execution.settle()
  }

  /// The large values of each command, in the store's memory before any shard is locked.
  private func prepare(_ queue: borrowing Transaction, _ execution: borrowing CommandExecution) -> [[PreparedValue]] {
    var prepared: [[PreparedValue]] = []
    for queued in queue.commands {
      prepared.append(queued.command.isKeyed ? execution.prepare(queued.command, queue.arguments(queued)) : [])
    }
    return prepared
  }

  /// The shards that the commands and the watched keys need.
  private func lockSet(_ queue: borrowing Transaction, _ execution: inout CommandExecution) -> ShardSet {
    execution.removeKeys()
    var everything = false
    for queued in queue.commands {
      let args = queue.arguments(queued)
      if queued.command.isKeyed {
        execution.appendKeys(of: queued.command, args)
      } else if queued.command == .select {
        // Keys after it lie elsewhere.
        if let target = try? CommandExecution.database(args[1]) { execution.database = execution.databases[target] }
      } else {
        everything = everything || queued.command.isAboutEverything || queued.command == .swapdb
      }
    }
    execution.database = execution.databases[database]
    if everything { return store.allShards }
    var shards = execution.keys.shards
    shards.formUnion(watchedShards)
    return shards
  }

  private mutating func run(
    _ queued: Transaction.Queued, _ args: borrowing RESPArguments, _ execution: inout CommandExecution, _ locked: inout LockedShards
  ) {
    if queued.command.isKeyed {
      execution.removeKeys()
      execution.appendKeys(of: queued.command, args)
      return execution.execute(queued.command, args, &locked)
    }
    let mark = execution.writer.output.count
    execution.counts[queued.command].calls.count()
    do throws(CommandError) {
      if queued.command.isAboutEverything {
        try execution.keyspace(queued.command, args, &locked)
      } else {
        try call(queued.command, args, &execution)
        execution.database = execution.databases[database]
      }
    } catch {
      execution.writer.output.truncate(to: mark)
      execution.counts[queued.command].failed.count()
      execution.fail(error)
    }
  }

  mutating func unwatch() {
    watches = nil
    watchedShards = ShardSet()
  }

  mutating func watch(_ args: borrowing RESPArguments, _ execution: inout CommandExecution) throws(CommandError) {
    if transaction != nil { throw CommandError("ERR WATCH inside MULTI is not allowed") }
    if watches == nil { watchedDatabases = execution.databases }
    var list = watches.take() ?? WatchList(store: store)
    var isFull = false
    for index in 1..<args.count where !list.add(args[index], database: execution.database, at: execution.now) { isFull = true }
    watchedShards = list.shards
    watches = consume list
    if isFull { throw CommandError("ERR too many keys are watched") }
    execution.writer.ok()
  }
}

extension Command {
  /// It works on the keys it names and on nothing else.
  var isKeyed: Bool { rawValue <= Command.move.rawValue }

  /// Of a command on keys: it has one, its first argument.
  var hasItsKeyFirst: Bool {
    switch self {
    case .mget, .mset, .msetnx, .bitop, .lcs, .del, .unlink, .exists, .touch, .rename, .renamenx, .copy, .object, .memory, .move: false
    default: true
    }
  }

  /// It works on whole databases.
  var isAboutEverything: Bool {
    switch self {
    case .randomkey, .scan, .keys, .dbsize, .flushdb, .flushall: true
    default: false
    }
  }
}
