/// The subcommands of commands that are but containers: CLIENT, CONFIG and their like. A row: container, name, arity (the container's name
/// included), flags, categories, tips, usage (for HELP), since, summary. Flags and categories are Redis's own.
///
/// One table, one idea, and long. What a subcommand does is a function of its name elsewhere.

internal import MartletBytes
internal import MartletCacheProtocols

enum Subcommand: UInt8, CaseIterable, Sendable {
  case clientCaching, clientGetname, clientGetredir, clientID, clientInfo, clientKill, clientList, clientNoEvict, clientNoTouch,
    clientPause,
    clientReply, clientSetinfo, clientSetname, clientTracking, clientTrackinginfo, clientUnblock, clientUnpause
  case commandCount, commandDocs, commandGetkeys, commandGetkeysAndFlags, commandInfo, commandList
  case configGet, configResetstat, configRewrite, configSet
  case pubsubChannels, pubsubNumpat, pubsubNumsub, pubsubShardChannels, pubsubShardNumsub
  case slowlogGet, slowlogLen, slowlogReset
  case latencyDoctor, latencyGraph, latencyHistogram, latencyHistory, latencyLatest, latencyReset
  case clusterInfo, clusterMyID, clusterNodes, clusterShards, clusterSlots, clusterKeyslot, clusterLinks, clusterCountKeysInSlot,
    clusterGetKeysInSlot, clusterReplicas, clusterReset
  case aclCat, aclDeluser, aclDryrun, aclGenpass, aclGetuser, aclList, aclLoad, aclLog, aclSave, aclSetuser, aclUsers, aclWhoami
  case moduleList, moduleLoad, moduleLoadex, moduleUnload
  case objectEncoding, objectFreq, objectIdletime, objectRefcount
  case memoryDoctor, memoryMallocStats, memoryPurge, memoryStats, memoryUsage

  var row: SubcommandRow { SubcommandRow.all[Int(rawValue)] }
}

struct SubcommandRow: Sendable {
  let subcommand: Subcommand
  let container: Command
  /// In lower case.
  let name: StaticString
  let arity: Int
  let flags: String
  /// As those of `CommandRow`.
  let keys: String
  let categories: String
  let tips: String
  let usage: String
  let since: String
  let summary: String

  init(
    _ subcommand: Subcommand, _ container: Command, _ name: StaticString, _ arity: Int, _ flags: String, keys: String = "",
    _ categories: String,
    tips: String = "", usage: String = "", _ since: String, _ summary: String
  ) {
    self.subcommand = subcommand
    self.container = container
    self.name = name
    self.arity = arity
    self.flags = flags
    self.keys = keys
    self.categories = categories
    self.tips = tips
    self.usage = usage
    self.since = since
    self.summary = summary
  }

  /// `client|list`.
  var fullName: String { "\(container.row.name)|\(name)" }

  func isArityRight(_ count: Int) -> Bool { arity >= 0 ? count == arity : count >= -arity }

  /// Those of a container, by its number; empty for the others.
  private static let byContainer: [[SubcommandRow]] = Command.allCases.map { command in all.filter { $0.container == command } }

  static func all(of container: Command) -> [SubcommandRow] { byContainer[Int(container.rawValue)] }

  static func find(_ name: RawSpan, of container: Command) -> SubcommandRow? {
    for row in all(of: container) where name.equalsIgnoringCase(row.name) { return row }
    return nil
  }

  // MARK: The table

  private static let plain = "noscript loading stale"
  private static let admin = "admin noscript loading stale"
  private static let forAdmins = "@admin @slow @dangerous"

  static let all: [SubcommandRow] = [
    // CLIENT
    SubcommandRow(
      .clientCaching, .client, "caching", 3, plain, "@slow @connection", usage: "YES|NO", "6.0.0", "Tracking is not offered: an error"),
    SubcommandRow(.clientGetname, .client, "getname", 2, plain, "@slow @connection", "2.6.9", "The name of this connection"),
    SubcommandRow(
      .clientGetredir, .client, "getredir", 2, plain, "@slow @connection", "6.0.0", "Where tracking is redirected to: nowhere, -1"),
    SubcommandRow(.clientID, .client, "id", 2, plain, "@slow @connection", "5.0.0", "The number of this connection"),
    SubcommandRow(
      .clientInfo, .client, "info", 2, plain, "@slow @connection", tips: "nondeterministic_output", "6.2.0", "Facts about this connection"),
    SubcommandRow(
      .clientKill, .client, "kill", -3, admin, "\(forAdmins) @connection",
      usage: "<ip:port> | [ID id] [TYPE normal|pubsub|master|replica] [ADDR ip:port] [LADDR ip:port] [USER name] [SKIPME yes|no]", "2.4.0",
      "Close connections"),
    SubcommandRow(
      .clientList, .client, "list", -2, admin, "\(forAdmins) @connection", tips: "nondeterministic_output",
      usage: "[TYPE normal|pubsub|master|replica | ID id [id ...]]", "2.4.0", "Facts about all connections"),
    SubcommandRow(
      .clientNoEvict, .client, "no-evict", 3, admin, "\(forAdmins) @connection", usage: "ON|OFF", "7.0.0",
      "Accepted: no connection is closed to make room"),
    SubcommandRow(
      .clientNoTouch, .client, "no-touch", 3, plain, "@slow @connection", usage: "ON|OFF", "7.2.0",
      "Accepted: reading counts for eviction all the same"),
    SubcommandRow(
      .clientPause, .client, "pause", -3, admin, "\(forAdmins) @connection", usage: "<milliseconds> [WRITE|ALL]", "3.0.0",
      "Have commands wait"),
    SubcommandRow(
      .clientReply, .client, "reply", 3, plain, "@slow @connection", usage: "ON|OFF|SKIP", "3.2.0", "Whether to answer this connection"),
    SubcommandRow(
      .clientSetinfo, .client, "setinfo", 4, plain, "@slow @connection", usage: "LIB-NAME|LIB-VER <text>", "7.2.0",
      "Which library the client uses"),
    SubcommandRow(.clientSetname, .client, "setname", 3, plain, "@slow @connection", usage: "<name>", "2.6.9", "Name this connection"),
    SubcommandRow(
      .clientTracking, .client, "tracking", -3, plain, "@slow @connection", usage: "ON|OFF", "6.0.0", "Tracking is not offered: OFF only"),
    SubcommandRow(.clientTrackinginfo, .client, "trackinginfo", 2, plain, "@slow @connection", "6.2.0", "Tracking is off"),
    SubcommandRow(
      .clientUnblock, .client, "unblock", -3, admin, "\(forAdmins) @connection", usage: "<id> [TIMEOUT|ERROR]", "5.0.0",
      "End the wait of a connection"),
    SubcommandRow(.clientUnpause, .client, "unpause", 2, admin, "\(forAdmins) @connection", "6.2.0", "End CLIENT PAUSE"),
    // COMMAND
    SubcommandRow(.commandCount, .command, "count", 2, "loading stale", "@slow @connection", "2.8.13", "How many commands there are"),
    SubcommandRow(
      .commandDocs, .command, "docs", -2, "loading stale", "@slow @connection", tips: "nondeterministic_output_order",
      usage: "[command ...]", "7.0.0", "What commands are for"),
    SubcommandRow(
      .commandGetkeys, .command, "getkeys", -4, "loading stale", "@slow @connection", usage: "<command> [arg ...]", "2.8.13",
      "The keys of a command line"),
    SubcommandRow(
      .commandGetkeysAndFlags, .command, "getkeysandflags", -4, "loading stale", "@slow @connection", usage: "<command> [arg ...]", "7.0.0",
      "The keys of a command line, and what is done to them"),
    SubcommandRow(
      .commandInfo, .command, "info", -2, "loading stale", "@slow @connection", tips: "nondeterministic_output_order",
      usage: "[command ...]", "2.8.13", "Arity, flags and keys of commands"),
    SubcommandRow(
      .commandList, .command, "list", -2, "loading stale", "@slow @connection", tips: "nondeterministic_output_order",
      usage: "[FILTERBY MODULE name|ACLCAT category|PATTERN pattern]", "7.0.0", "The names of commands"),
    // CONFIG
    SubcommandRow(.configGet, .config, "get", -3, admin, forAdmins, usage: "<pattern> [pattern ...]", "2.0.0", "Settings that match"),
    SubcommandRow(.configResetstat, .config, "resetstat", 2, admin, forAdmins, "2.0.0", "Begin counting anew"),
    SubcommandRow(.configRewrite, .config, "rewrite", 2, admin, forAdmins, "2.8.0", "There is no file to write to: an error"),
    SubcommandRow(
      .configSet, .config, "set", -4, admin, forAdmins, tips: "request_policy:all_nodes response_policy:all_succeeded",
      usage: "<name> <value> [name value ...]", "2.0.0", "Change settings"),
    // PUBSUB
    SubcommandRow(
      .pubsubChannels, .pubsub, "channels", -2, "pubsub loading stale", "@pubsub @slow", usage: "[pattern]", "2.8.0",
      "Channels that somebody listens to"),
    SubcommandRow(
      .pubsubNumpat, .pubsub, "numpat", 2, "pubsub loading stale", "@pubsub @slow", "2.8.0", "How many patterns somebody listens to"),
    SubcommandRow(
      .pubsubNumsub, .pubsub, "numsub", -2, "pubsub loading stale", "@pubsub @slow", usage: "[channel ...]", "2.8.0",
      "How many listen to each channel"),
    SubcommandRow(
      .pubsubShardChannels, .pubsub, "shardchannels", -2, "pubsub loading stale", "@pubsub @slow", usage: "[pattern]", "7.0.0",
      "Shard channels that somebody listens to"),
    SubcommandRow(
      .pubsubShardNumsub, .pubsub, "shardnumsub", -2, "pubsub loading stale", "@pubsub @slow", usage: "[channel ...]", "7.0.0",
      "How many listen to each shard channel"),
    // SLOWLOG
    SubcommandRow(
      .slowlogGet, .slowlog, "get", -2, "admin loading stale", forAdmins, tips: "request_policy:all_nodes nondeterministic_output",
      usage: "[count]", "2.2.12", "The latest slow commands (10; -1: all)"),
    SubcommandRow(
      .slowlogLen, .slowlog, "len", 2, "admin loading stale", forAdmins,
      tips: "request_policy:all_nodes response_policy:agg_sum nondeterministic_output", "2.2.12", "How many slow commands are kept"),
    SubcommandRow(
      .slowlogReset, .slowlog, "reset", 2, "admin loading stale", forAdmins,
      tips: "request_policy:all_nodes response_policy:all_succeeded", "2.2.12", "Forget them"),
    // LATENCY
    SubcommandRow(
      .latencyDoctor, .latency, "doctor", 2, admin, forAdmins, tips: "nondeterministic_output", "2.8.13", "Where latency is measured here"),
    SubcommandRow(
      .latencyGraph, .latency, "graph", 3, admin, forAdmins, tips: "nondeterministic_output", usage: "<event>", "2.8.13",
      "No samples are kept: an error"),
    SubcommandRow(
      .latencyHistogram, .latency, "histogram", -2, admin, forAdmins, tips: "nondeterministic_output", usage: "[command ...]", "7.0.0",
      "Not kept by command: empty"),
    SubcommandRow(
      .latencyHistory, .latency, "history", 3, admin, forAdmins, tips: "nondeterministic_output", usage: "<event>", "2.8.13",
      "No samples are kept: empty"),
    SubcommandRow(
      .latencyLatest, .latency, "latest", 2, admin, forAdmins, tips: "nondeterministic_output", "2.8.13", "No samples are kept: empty"),
    SubcommandRow(
      .latencyReset, .latency, "reset", -2, admin, forAdmins, tips: "request_policy:all_nodes response_policy:all_succeeded",
      usage: "[event ...]", "2.8.13", "How many events were forgotten: none"),
    // CLUSTER
    SubcommandRow(.clusterInfo, .cluster, "info", 2, "stale", "@slow", tips: "nondeterministic_output", "3.0.0", noCluster),
    SubcommandRow(.clusterMyID, .cluster, "myid", 2, "stale", "@slow", "3.0.0", noCluster),
    SubcommandRow(.clusterNodes, .cluster, "nodes", 2, "stale", "@slow", tips: "nondeterministic_output", "3.0.0", noCluster),
    SubcommandRow(.clusterShards, .cluster, "shards", 2, "stale", "@slow", tips: "nondeterministic_output", "7.0.0", noCluster),
    SubcommandRow(.clusterSlots, .cluster, "slots", 2, "stale", "@slow", tips: "nondeterministic_output", "3.0.0", noCluster),
    SubcommandRow(.clusterKeyslot, .cluster, "keyslot", 3, "stale", "@slow", usage: "<key>", "3.0.0", noCluster),
    SubcommandRow(.clusterLinks, .cluster, "links", 2, "stale", "@slow", tips: "nondeterministic_output", "7.0.0", noCluster),
    SubcommandRow(
      .clusterCountKeysInSlot, .cluster, "countkeysinslot", 3, "stale", "@slow", usage: "<slot>", "3.0.0", noCluster),
    SubcommandRow(
      .clusterGetKeysInSlot, .cluster, "getkeysinslot", 4, "stale", "@slow", tips: "nondeterministic_output", usage: "<slot> <count>",
      "3.0.0",
      noCluster),
    SubcommandRow(
      .clusterReplicas, .cluster, "replicas", 3, "admin stale", forAdmins, tips: "nondeterministic_output", usage: "<node-id>", "5.0.0",
      noCluster),
    SubcommandRow(.clusterReset, .cluster, "reset", -2, "admin noscript stale", forAdmins, usage: "[HARD|SOFT]", "3.0.0", noCluster),
    // ACL
    SubcommandRow(.aclCat, .acl, "cat", -2, plain, "@slow", usage: "[category]", "6.0.0", "Categories, or the commands of one"),
    SubcommandRow(
      .aclDeluser, .acl, "deluser", -3, admin, forAdmins, usage: "<name> [name ...]", "6.0.0", "There is one user: none is deleted"),
    SubcommandRow(
      .aclDryrun, .acl, "dryrun", -4, admin, forAdmins, usage: "<name> <command> [arg ...]", "7.0.0", "Whether a user may run a command"),
    SubcommandRow(.aclGenpass, .acl, "genpass", -2, plain, "@slow", usage: "[bits]", "6.0.0", "A random password"),
    SubcommandRow(.aclGetuser, .acl, "getuser", 3, admin, forAdmins, usage: "<name>", "6.0.0", "What a user may do"),
    SubcommandRow(.aclList, .acl, "list", 2, admin, forAdmins, "6.0.0", "The users and what they may do"),
    SubcommandRow(.aclLoad, .acl, "load", 2, admin, forAdmins, "6.0.0", "There is no file of users: an error"),
    SubcommandRow(.aclLog, .acl, "log", -2, admin, forAdmins, usage: "[count|RESET]", "6.0.0", "Nothing is kept: empty"),
    SubcommandRow(.aclSave, .acl, "save", 2, admin, forAdmins, "6.0.0", "There is no file of users: an error"),
    SubcommandRow(.aclSetuser, .acl, "setuser", -3, admin, forAdmins, usage: "<name> [rule ...]", "6.0.0", "There is one user: an error"),
    SubcommandRow(.aclUsers, .acl, "users", 2, admin, forAdmins, "6.0.0", "The names of users: default"),
    SubcommandRow(.aclWhoami, .acl, "whoami", 2, plain, "@slow", "6.0.0", "The user of this connection: default"),
    // MODULE
    SubcommandRow(
      .moduleList, .module, "list", 2, "admin noscript", forAdmins, tips: "nondeterministic_output_order", "4.0.0", "Modules: none"),
    SubcommandRow(.moduleLoad, .module, "load", -3, noModules, forAdmins, usage: "<path> [arg ...]", "4.0.0", "There are none: an error"),
    SubcommandRow(
      .moduleLoadex, .module, "loadex", -3, noModules, forAdmins, usage: "<path> [arg ...]", "7.0.0", "There are none: an error"),
    SubcommandRow(.moduleUnload, .module, "unload", 3, noModules, forAdmins, usage: "<name>", "4.0.0", "There are none: an error"),
    // OBJECT
    SubcommandRow(
      .objectEncoding, .object, "encoding", 3, "readonly", keys: "2 0 1 RO", "@keyspace @read @slow", tips: "nondeterministic_output",
      usage: "<key>", "2.2.3", "How Redis would hold the value"),
    SubcommandRow(
      .objectFreq, .object, "freq", 3, "readonly", keys: "2 0 1 RO", "@keyspace @read @slow", tips: "nondeterministic_output",
      usage: "<key>", "4.0.0", "How often the key was used, as eviction counts"),
    SubcommandRow(
      .objectIdletime, .object, "idletime", 3, "readonly", keys: "2 0 1 RO", "@keyspace @read @slow", tips: "nondeterministic_output",
      usage: "<key>", "2.2.3", "Seconds since the value was written"),
    SubcommandRow(
      .objectRefcount, .object, "refcount", 3, "readonly", keys: "2 0 1 RO", "@keyspace @read @slow", tips: "nondeterministic_output",
      usage: "<key>", "2.2.3", "1 if the key is there"),
    // MEMORY
    SubcommandRow(
      .memoryDoctor, .memory, "doctor", 2, "", "@slow", tips: "nondeterministic_output", "4.0.0", "How much of its memory the cache uses"),
    SubcommandRow(.memoryMallocStats, .memory, "malloc-stats", 2, "", "@slow", tips: "nondeterministic_output", "4.0.0", "The allocator"),
    SubcommandRow(
      .memoryPurge, .memory, "purge", 2, "", "@slow", tips: "request_policy:all_shards response_policy:all_succeeded", "4.0.0",
      "Accepted: free memory is given back by itself"),
    SubcommandRow(.memoryStats, .memory, "stats", 2, "", "@slow", tips: "nondeterministic_output", "4.0.0", "Figures of memory"),
    SubcommandRow(
      .memoryUsage, .memory, "usage", -3, "readonly", keys: "2 0 1 RO", "@read @slow", usage: "<key> [SAMPLES count]", "4.0.0",
      "The bytes that a key uses"),
  ]

  private static let noCluster = "There is no cluster: an error"
  private static let noModules = "admin noscript no_async_loading"
}
