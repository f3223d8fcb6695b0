/// Every RESP connection of the process, as CLIENT LIST tells of them: the only thing that their loops share beside the store.
///
/// A record is written by its own connection; what CLIENT LIST of another loop may read meanwhile is atomic, or under the lock.

internal import MartletBytes
internal import Synchronization

final class ClientRecord: Sendable {
  let id: UInt64
  let connection: ConnectionID
  let address: String
  let localAddress: String
  let since: MonotonicTime
  let lastSeen: Atomic<UInt64>
  let database = Atomic<UInt8>(0)
  let version = Atomic<UInt8>(2)
  /// Commands queued since MULTI; -1 outside of it.
  let queued = Atomic<Int>(-1)
  /// By MARTLET.LEASE, which waits.
  let isBlocked = Atomic<Bool>(false)
  /// `Command.rawValue` of the last command; above it that of its subcommand and 1, if it has one.
  let lastCommand = Atomic<UInt16>(.max)
  let channels = Atomic<Int>(0)
  let patterns = Atomic<Int>(0)
  let shardChannels = Atomic<Int>(0)
  /// Messages that wait to be read by it, as far as they are counted.
  let waitingBytes = Atomic<Int>(0)
  private let names = LoopLocal(Names())
  private let lock = ShardLock()

  struct Names: Sendable {
    var name = ""
    var library = ""
    var libraryVersion = ""
    var isNoEvict = false
    var isNoTouch = false
  }

  init(id: UInt64, connection: ConnectionID, address: String, localAddress: String, at now: MonotonicTime) {
    self.id = id
    self.connection = connection
    self.address = address
    self.localAddress = localAddress
    since = now
    lastSeen = Atomic(now.nanoseconds)
  }

  var named: Names {
    get { lock.withLock { names.value } }
    set { lock.withLock { names.value = newValue } }
  }

  var isSubscriber: Bool {
    channels.load(ordering: .relaxed) + patterns.load(ordering: .relaxed) + shardChannels.load(ordering: .relaxed) > 0
  }

  func note(_ command: Command, _ subcommand: SubcommandRow?) {
    let above = subcommand.map { UInt16($0.subcommand.rawValue) + 1 } ?? 0
    lastCommand.store(UInt16(command.rawValue) | above << 8, ordering: .relaxed)
  }

  private var lastCommandName: String {
    let last = lastCommand.load(ordering: .relaxed)
    if last == .max { return "NULL" }
    return last >> 8 > 0 ? SubcommandRow.all[Int(last >> 8) - 1].fullName : CommandRow.all[Int(last)].name
  }

  /// A line of CLIENT LIST.
  func line(at now: MonotonicTime) -> String {
    let named = named
    let seconds: (UInt64) -> UInt64 = { now.nanoseconds(since: MonotonicTime(nanoseconds: $0)) / 1_000_000_000 }
    let queued = queued.load(ordering: .relaxed)
    let channels = channels.load(ordering: .relaxed)
    let patterns = patterns.load(ordering: .relaxed)
    let shardChannels = shardChannels.load(ordering: .relaxed)
    let waiting = waitingBytes.load(ordering: .relaxed)
    let flags =
      (isSubscriber ? "P" : "") + (queued >= 0 ? "x" : "") + (isBlocked.load(ordering: .relaxed) ? "b" : "")
      + (named.isNoEvict ? "e" : "") + (named.isNoTouch ? "T" : "")
    return """
      id=\(id) addr=\(address) laddr=\(localAddress) fd=-1 name=\(named.name) age=\(seconds(since.nanoseconds)) \
      idle=\(seconds(lastSeen.load(ordering: .relaxed))) flags=\(flags.isEmpty ? "N" : flags) \
      db=\(database.load(ordering: .relaxed)) sub=\(channels) psub=\(patterns) ssub=\(shardChannels) multi=\(queued) qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 \
      rbp=0 obl=0 oll=\(waiting > 0 ? 1 : 0) omem=\(waiting) tot-mem=\(waiting) events=\(waiting > 0 ? "rw" : "r") cmd=\(lastCommandName) user=default redir=-1 resp=\(version.load(ordering: .relaxed)) \
      lib-name=\(named.library) lib-ver=\(named.libraryVersion)
      """
  }
}

final class ClientRegistry: Sendable {
  private let lock = ShardLock()
  private let records = LoopLocal<[UInt64: ClientRecord]>([:])
  private let lastID = LoopLocal<UInt64>(0)

  func add(_ connection: ConnectionID, address: String, localAddress: String, at now: MonotonicTime) -> ClientRecord {
    lock.withLock {
      lastID.value += 1
      let record = ClientRecord(id: lastID.value, connection: connection, address: address, localAddress: localAddress, at: now)
      records.value[record.id] = record
      return record
    }
  }

  func remove(_ record: ClientRecord) { lock.withLock { _ = records.value.removeValue(forKey: record.id) } }

  var count: Int { lock.withLock { records.value.count } }
  /// Connections since the start.
  var total: UInt64 { lock.withLock { lastID.value } }

  /// By rising id.
  var all: [ClientRecord] { lock.withLock { records.value.values.sorted { $0.id < $1.id } } }
}
