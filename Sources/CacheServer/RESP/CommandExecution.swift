/// Commands on keys, one short function each (`CommandExecution+Strings.swift`, `+Keys.swift`, `+Leases.swift`): arguments in, a reply out, over shards that
/// are locked already. `execute` is the one place where a command's name becomes a call, and where an error becomes a reply.
///
/// One per loop, reused from batch to batch.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import MartletJSON
internal import MartletLoop

struct CommandExecution: ~Copyable {
  let lookup = CommandLookup()
  let store: CacheStore
  let clock: SteadyClock
  let wake: Waker
  var writer = RESPWriter()
  /// Of the session whose commands are run.
  var database: UInt8 = 0
  /// As the store numbers them; `database` is one of these.
  var databases = DatabaseMap.identity
  var now = UnixTime(milliseconds: 0)
  /// Whose commands are run, if it can be blocked; nil within a transaction.
  var client: ConnectionID?
  /// The command run last waits, and no other is to be run before it has its reply.
  private(set) var waiting: WaitingLease?
  /// Large values to be put into the output once the shards are unlocked.
  private var large: [LargePiece] = []
  /// The rest of replies that hold large values, too much for the output at once. For the session to take.
  private var pending: PendingReply?
  /// Large values of the command under way that lie in the store's memory already.
  var prepared: [PreparedValue] = []
  /// Bytes of one reply, or of all replies to a transaction, large values not counted: those are not copied.
  let replyBytesMax: Int
  /// What else the command run last has left to be done then.
  private var remainder: Remainder?
  var editMode = EditMode.small
  /// The shards are to be unlocked, and `settle` called, before another command is run. Within a transaction: after the last.
  private(set) var isPaused = false
  var keys = KeyBatch()
  /// Per command of the batch, the number in `keys` of its first key.
  private var firstKeys = UniqueArray<Int>()
  /// Of the command under way.
  private(set) var firstKey = 0
  /// Calls by command, for INFO and metrics.
  let counts: CommandCounts
  private let errors: ErrorCounts
  var failures: UInt64 = 0
  /// Within a transaction the store must not be asked, since shards are held: what INFO needs, read before.
  var statistics: CacheStatistics?

  init(store: CacheStore, clock: SteadyClock, wake: Waker, counts: CommandCounts, errors: ErrorCounts) {
    self.counts = counts
    self.errors = errors
    self.store = store
    self.clock = clock
    self.wake = wake
    replyBytesMax = min(store.limitBytes, Self.replyBytesMax)
  }

  /// Of `replyBytesMax`, at most; a store of less cannot fill a reply of more but by repetition.
  private static var replyBytesMax: Int { 256 << 20 }

  /// How a large value is told.
  enum LargeForm {
    case plain
    /// As DUMP does: the checksum comes behind.
    case dump
  }

  /// Work that nobody should wait for at a lock.
  enum Remainder {
    case subsequence(LongestCommonSubsequence)
    case jsonGet(JSONGet, SharedValue)
    case jsonType(JSONPath, SharedValue)
    case jsonEdit(KeptCommand)
  }

  // MARK: Keys

  /// Commands from here on are about `number` of the databases as `map` has them.
  @inline(__always)
  mutating func enter(_ number: UInt8, of map: DatabaseMap) {
    databases = map
    database = map[number]
  }

  @inline(__always)
  mutating func removeKeys() {
    keys.removeAll()
    firstKeys.removeAll()
  }

  /// Notes the key of one more command, which has no other, to be locked and read ahead.
  @inline(__always)
  mutating func appendKey(_ key: RawSpan) {
    firstKeys.append(keys.count)
    keys.append(key, database: database, of: store)
  }

  /// Notes the keys of one more command.
  mutating func appendKeys(of command: Command, _ args: borrowing RESPArguments) {
    if command.hasItsKeyFirst { return appendKey(args[1]) }
    firstKeys.append(keys.count)
    switch command {
    case .mget, .del, .unlink, .exists, .touch:
      for index in 1..<args.count { keys.append(args[index], database: database, of: store) }
    case .mset, .msetnx:
      for index in stride(from: 1, to: args.count, by: 2) { keys.append(args[index], database: database, of: store) }
    case .bitop:
      for index in 2..<args.count { keys.append(args[index], database: database, of: store) }
    case .object, .memory:
      if args.count > 2 { keys.append(args[2], database: database, of: store) }
    case .rename, .renamenx, .lcs:
      keys.append(args[1], database: database, of: store)
      keys.append(args[2], database: database, of: store)
    case .copy:
      keys.append(args[1], database: database, of: store)
      keys.append(args[2], database: (try? copyOptions(args))?.database ?? database, of: store)
    case .move:
      keys.append(args[1], database: database, of: store)
      if let target = try? databases[Self.database(args[2])] { keys.append(args[1], database: target, of: store) }
    default: preconditionFailure("a command that has one key")
    }
  }

  // MARK: Running

  /// GET, the command of which there are most: as `execute`, without what is for those that have options and can fail.
  @inline(__always)
  mutating func get(_ key: RawSpan, number index: Int, _ shards: inout LockedShards) {
    counts[.get].calls.count()
    firstKey = firstKeys[index]
    get(key, &shards)
  }

  /// Runs one command on keys: the one whose keys were noted as number `index`, from 0. `shards` holds what `appendKeys` noted.
  mutating func execute(_ command: Command, number index: Int = 0, _ args: borrowing RESPArguments, _ shards: inout LockedShards) {
    counts[command].calls.count()
    firstKey = firstKeys[index]
    let mark = writer.output.count
    let largeMark = large.count
    do throws(CommandError) {
      try call(command, args, &shards)
    } catch {
      large.removeLast(large.count - largeMark)
      writer.output.truncate(to: mark)
      if error.isPutOff { return putOff(KeptCommand(command, args)) }
      counts[command].failed.count()
      fail(error)
    }
  }

  mutating func fail(_ error: CommandError) {
    failures &+= 1
    errors.count(error.text)
    writer.error(error.text)
  }

  @inline(__always)
  private mutating func call(
    _ command: Command, _ args: borrowing RESPArguments, _ shards: inout LockedShards
  ) throws(CommandError) {
    switch command {
    case .get: get(args[1], &shards)
    case .set: try set(args, &shards)
    case .setnx: try setnx(args, &shards)
    case .setex: try setex(args, &shards, .setex, unit: 1000)
    case .psetex: try setex(args, &shards, .psetex, unit: 1)
    case .getset: try getset(args, &shards)
    case .getdel: try getdel(args, &shards)
    case .getex: try getex(args, &shards)
    case .mget: try mget(args, &shards)
    case .mset: try mset(args, &shards)
    case .msetnx: try msetnx(args, &shards)
    case .append: try append(args, &shards)
    case .strlen: strlen(args, &shards)
    case .getrange, .substr: try getrange(args, &shards)
    case .setrange: try setrange(args, &shards)
    case .incr: try increment(args[1], by: 1, &shards)
    case .decr: try increment(args[1], by: -1, &shards)
    case .incrby: try increment(args[1], by: Self.integer(args[2]), &shards)
    case .decrby: try decrby(args, &shards)
    case .incrbyfloat: try incrbyfloat(args, &shards)
    case .getbit: try getbit(args, &shards)
    case .setbit: try setbit(args, &shards)
    case .bitcount: try bitcount(args, &shards)
    case .bitpos: try bitpos(args, &shards)
    case .bitop: try bitop(args, &shards)
    case .bitfield: try bitfield(args, &shards, isReadOnly: false)
    case .bitfieldRO: try bitfield(args, &shards, isReadOnly: true)
    case .lcs: try lcs(args, &shards)
    case .jsonGet: try jsonGet(args, &shards)
    case .jsonSet: try jsonSet(args, &shards)
    case .jsonDel: try jsonDel(args, &shards)
    case .jsonType: try jsonType(args, &shards)
    case .jsonNumIncrBy: try jsonNumIncrBy(args, &shards)
    case .jsonMerge: try jsonMerge(args, &shards)
    case .jsonArrAppend: try jsonArrAppend(args, &shards)
    case .del, .unlink: try del(args, &shards)
    case .exists, .touch: exists(args, &shards, isTouch: command == .touch)
    case .type: type(args, &shards)
    case .expire: try expire(args, &shards, .expire, unit: 1000, isRelative: true)
    case .pexpire: try expire(args, &shards, .pexpire, unit: 1, isRelative: true)
    case .expireat: try expire(args, &shards, .expireat, unit: 1000, isRelative: false)
    case .pexpireat: try expire(args, &shards, .pexpireat, unit: 1, isRelative: false)
    case .ttl: ttl(args, &shards, unit: 1000, isRelative: true)
    case .pttl: ttl(args, &shards, unit: 1, isRelative: true)
    case .expiretime: ttl(args, &shards, unit: 1000, isRelative: false)
    case .pexpiretime: ttl(args, &shards, unit: 1, isRelative: false)
    case .persist: try persist(args, &shards)
    case .rename: try rename(args, &shards, onlyIfAbsent: false)
    case .renamenx: try rename(args, &shards, onlyIfAbsent: true)
    case .copy: try copy(args, &shards)
    case .move: try move(args, &shards)
    case .dump: dump(args, &shards)
    case .restore: try restore(args, &shards)
    case .object: try object(args, &shards)
    case .memory: try memory(args, &shards)
    case .martletLease: try lease(args, &shards)
    case .martletFill: try fill(args, &shards)
    case .martletUnlease: unlease(args, &shards)
    case .martletTag: try tag(args, &shards)
    default: preconditionFailure("a command that is not about keys")
    }
  }

  // MARK: What they share

  static func integer(_ text: RawSpan) throws(CommandError) -> Int64 {
    guard let number = RESPNumber.integer(text) else { throw .notAnInteger }
    return number
  }

  /// A database as clients number it.
  static func database(_ text: RawSpan) throws(CommandError) -> UInt8 {
    let number = try integer(text)
    guard Int64(Int32.min)...Int64(Int32.max) ~= number else { throw .notAnInteger }
    return try inRange(number)
  }

  static func inRange(_ number: Int64) throws(CommandError) -> UInt8 {
    guard 0..<Int64(CacheLimits.databaseCount) ~= number else { throw .databaseRange }
    return UInt8(number)
  }

  /// Calls the store, whose errors have words of Redis.
  @inline(__always)
  func stored<Result: ~Copyable>(_ body: () throws(CacheError) -> Result) throws(CommandError) -> Result {
    do throws(CacheError) { return try body() } catch { throw CommandError(error) }
  }

  /// The value of the command's key number `index`, from 0, as a bulk string; nothing is written, and false, if there is none.
  @inline(__always)
  mutating func writeValue(of key: RawSpan, number index: Int = 0, _ shards: inout LockedShards) -> Bool {
    var isLarge = false
    let found: Void? = shards.get(key, number: firstKey &+ index, of: keys, database: database, at: now) { entry in
      if entry.isLarge { isLarge = true } else { writer.bulk(entry.value) }
    }
    if isLarge { return writeLarge(key, &shards) }
    return found != nil
  }

  /// As `writeValue`, of a value that is not to be copied under the lock.
  mutating func writeLarge(
    _ key: RawSpan, _ shards: inout LockedShards, range: Range<Int>? = nil, allowsStale: Bool = false, as form: LargeForm = .plain
  ) -> Bool {
    guard let value = shards.share(key, database: database, allowsStale: allowsStale, of: store, at: now) else { return false }
    let range = range ?? 0..<value.withValue { $0.byteCount }
    var tail: [UInt8] = []
    switch form {
    case .plain: writer.bulkHead(range.count)
    case .dump:
      writer.bulkHead(RDBString.headBytes(ofCount: range.count) + range.count + RDBString.footerBytes)
      let start = writer.output.count
      RDBString.appendHead(ofCount: range.count, to: &writer.output)
      let head = writer.output.bytes[start..<writer.output.count]
      tail = value.withValue { RDBString.footer(of: head, $0) }
    }
    large.append(LargePiece(offset: writer.output.count, value: value, range: range, tail: tail))
    writer.output.append("\r\n")
    isPaused = true
    return true
  }

  /// Leaves the rest of a command for when the shards are unlocked; within a transaction it is done at once.
  mutating func leave(_ rest: Remainder) throws(CommandError) {
    if client == nil { return try finish(rest) }
    remainder = rest
    isPaused = true
  }

  /// Runs a command again once the shards are unlocked.
  private mutating func putOff(_ kept: KeptCommand) {
    remainder = .jsonEdit(kept)
    isPaused = true
  }

  /// The command under way waits.
  mutating func leave(to wait: WaitingLease?) {
    waiting = wait
    isPaused = true
  }

  /// Who waits, once.
  mutating func takeWaiting() -> WaitingLease? { waiting.take() }

  /// Does what was left to be done with no shard locked.
  @inline(__always)
  mutating func settle() {
    if isPaused { settleNow() }
  }

  private mutating func settleNow() {
    isPaused = false
    if !large.isEmpty { placeLarge() }
    guard let rest = remainder.take() else { return }
    let mark = writer.output.count
    do throws(CommandError) { try finish(rest) } catch {
      writer.output.truncate(to: mark)
      fail(error)
    }
  }

  private mutating func finish(_ rest: Remainder) throws(CommandError) {
    switch rest {
    case .subsequence(let task): task.write(to: &writer)
    case .jsonEdit(let kept): try finishEdit(kept)
    case .jsonGet(let request, let value): try value.withValue { (value) throws(CommandError) in try request.write(value, to: &writer) }
    case .jsonType(let path, let value):
      try value.withValue { (value) throws(CommandError) in try path.writeType(in: value, to: &writer) }
    }
  }

  /// Puts the large values in their places.
  private mutating func placeLarge() {
    var reply = PendingReply(takingFrom: &writer.output, large)
    large.removeAll(keepingCapacity: true)
    if !reply.pour(into: &writer.output) { pending = consume reply }
  }

  /// What did not fit into the output, once.
  mutating func takePending() -> PendingReply? { pending.take() }

  var hasPending: Bool { pending != nil }

  /// A reply that begins at `mark`, in one that begins at `start`, is an error if it makes that too large.
  mutating func limitReply(from mark: Int, of start: Int) {
    if writer.output.count - start <= replyBytesMax { return }
    while let last = large.last, last.offset >= mark { large.removeLast() }
    writer.output.truncate(to: mark)
    fail(.replyTooLarge(replyBytesMax))
  }
}
