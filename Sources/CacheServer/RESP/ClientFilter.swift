/// Which connections CLIENT KILL and CLIENT LIST are about.

internal import MartletBytes
internal import MartletCacheProtocols
internal import Synchronization

struct ClientFilter {
  enum Kind { case normal, pubsub, master, replica }

  var ids: Set<UInt64>?
  var kind: Kind?
  var address: String?
  var localAddress: String?
  /// One to be left out.
  var butID: UInt64?

  /// `CLIENT KILL` with its pairs of filters.
  init(killing args: borrowing RESPArguments, by own: UInt64) throws(CommandError) {
    butID = own
    var index = 2
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      let (name, value) = (args[index], args[index + 1])
      if name.equalsIgnoringCase("id") {
        guard let id = RESPNumber.integer(value), id > 0 else { throw CommandError("ERR client-id should be greater than 0") }
        ids = [UInt64(id)]
      } else if name.equalsIgnoringCase("type") {
        kind = try Self.kind(value)
      } else if name.equalsIgnoringCase("addr") {
        address = value.text
      } else if name.equalsIgnoringCase("laddr") {
        localAddress = value.text
      } else if name.equalsIgnoringCase("user") {
        guard value.equals("default") else { throw CommandError("ERR No such user '\(value.text)'") }
      } else if name.equalsIgnoringCase("skipme") {
        if value.equalsIgnoringCase("yes") {
          butID = own
        } else if value.equalsIgnoringCase("no") {
          butID = nil
        } else {
          throw .syntax
        }
      } else {
        throw .syntax
      }
      index += 2
    }
  }

  /// `CLIENT LIST` with TYPE or ID.
  init(listing args: borrowing RESPArguments) throws(CommandError) {
    if args.count == 2 { return }
    if args.count == 4, args[2].equalsIgnoringCase("type") {
      kind = try Self.kind(args[3])
    } else if args.count > 3, args[2].equalsIgnoringCase("id") {
      var wanted: Set<UInt64> = []
      for index in 3..<args.count {
        guard let id = RESPNumber.integer(args[index]) else { throw CommandError("ERR Invalid client ID") }
        wanted.insert(UInt64(bitPattern: id))
      }
      ids = wanted
    } else {
      throw .syntax
    }
  }

  private static func kind(_ name: RawSpan) throws(CommandError) -> Kind {
    if name.equalsIgnoringCase("normal") { return .normal }
    if name.equalsIgnoringCase("pubsub") { return .pubsub }
    if name.equalsIgnoringCase("master") { return .master }
    if name.equalsIgnoringCase("replica") || name.equalsIgnoringCase("slave") { return .replica }
    throw CommandError("ERR Unknown client type '\(name.text)'")
  }

  func admits(_ client: ClientRecord) -> Bool {
    if let ids, !ids.contains(client.id) { return false }
    if let kind, kind != (client.isSubscriber ? .pubsub : .normal) { return false }
    if let address, address != client.address { return false }
    if let localAddress, localAddress != client.localAddress { return false }
    return client.id != butID
  }
}

/// Has a session end: CLIENT KILL.
struct ConnectionKilled: Sendable {}

/// Ends the wait of a session: CLIENT UNBLOCK.
struct WaitEnded: Sendable {
  let asError: Bool
}
