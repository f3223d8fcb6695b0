/// Every command: its number, and a row of what COMMAND tells of it. What it does is a function of its name elsewhere.
///
/// One table, one idea, and long. A row: name, arity (negative: at least so many, the name included), flags, keys (first, last, step;
/// each with what is done to them, as key specifications say), categories, tips, since, group, complexity, summary. They are Redis's own
/// (`JSON.*`: RedisJSON's; `MARTLET.*`: in their manner).

enum Command: UInt8, CaseIterable, Sendable {
  // Strings
  case get, set, setnx, setex, psetex, getset, getdel, getex, mget, mset, msetnx, append, strlen, getrange, substr,
    setrange, incr, decr, incrby, decrby, incrbyfloat, getbit, setbit, bitcount,
    bitpos, bitop, bitfield, bitfieldRO, lcs
  // JSON
  case jsonGet, jsonSet, jsonDel, jsonType, jsonNumIncrBy, jsonMerge, jsonArrAppend
  // Leases and tags
  case martletLease, martletFill, martletUnlease, martletTag
  // Keys
  case del, unlink, exists, type, touch, expire, pexpire, expireat, pexpireat, ttl, pttl, expiretime, pexpiretime,
    persist, rename, renamenx, copy, dump, restore, object, memory, move
  // The keyspace
  case randomkey, scan, keys, dbsize, flushdb, flushall, martletInvalidate, swapdb
  // Transactions
  case multi, exec, discard, watch, unwatch
  // Publishing and subscribing
  case subscribe, unsubscribe, psubscribe, punsubscribe, publish, pubsub, ssubscribe, sunsubscribe, spublish
  // The connection and the server
  case hello, auth, ping, echo, select, quit, reset, client, command, info, config, time, slowlog, latency, role, lastsave, wait, lolwut,
    cluster, readonly, readwrite, asking, acl, module, bgsave, save, shutdown, debug

  /// Of those that may be run together: it never takes long, whatever the value.
  var isQuick: Bool {
    switch self {
    case .get, .set, .setnx, .setex, .psetex, .getset, .getdel, .getex, .strlen, .incr, .decr, .incrby, .decrby, .getbit, .del, .unlink,
      .exists, .type, .touch, .expire, .pexpire, .expireat, .pexpireat, .ttl, .pttl, .expiretime, .pexpiretime, .persist:
      true
    default: false
    }
  }
}

struct CommandRow: Sendable {
  let command: Command
  let name: String
  let arity: Int
  let flags: String
  /// One part for each group of keys, parted by `;`: first, last, step, then flags.
  let keys: String
  let categories: String
  let tips: String
  let since: String
  let group: String
  let complexity: String
  let summary: String

  init(
    _ command: Command, _ name: String, _ arity: Int, _ flags: String, keys: String = "", _ categories: String, tips: String = "",
    _ since: String, _ group: String, _ complexity: String, _ summary: String
  ) {
    self.command = command
    self.name = name
    self.arity = arity
    self.flags = flags
    self.keys = keys
    self.categories = categories
    self.tips = tips
    self.since = since
    self.group = group
    self.complexity = complexity
    self.summary = summary
  }

  /// By number, whether it is a write: asked for each command that is queued.
  static let writes = all.map { $0.flags.hasPrefix("write") }

  /// By the number of the command.
  static let all: [CommandRow] = [
    // Strings
    CommandRow(
      .get, "get", 2, "readonly fast", keys: "1 0 1 RO access", "@read @string @fast", "1.0.0", "string", "O(1)", "Get the value of a key"),
    CommandRow(
      .set, "set", -3, "write denyoom", keys: "1 0 1 RW access update variable_flags", "@write @string @slow", "1.0.0", "string", "O(1)",
      "Set the string value of a key"),
    CommandRow(
      .setnx, "setnx", 3, "write denyoom fast", keys: "1 0 1 OW insert", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Set the value of a key, only if the key does not exist"),
    CommandRow(
      .setex, "setex", 4, "write denyoom", keys: "1 0 1 OW update", "@write @string @slow", "2.0.0", "string", "O(1)",
      "Set the value and expiration of a key"),
    CommandRow(
      .psetex, "psetex", 4, "write denyoom", keys: "1 0 1 OW update", "@write @string @slow", "2.6.0", "string", "O(1)",
      "Set the value and expiration in milliseconds of a key"),
    CommandRow(
      .getset, "getset", 3, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Set the string value of a key and return its old value"),
    CommandRow(
      .getdel, "getdel", 2, "write fast", keys: "1 0 1 RW access delete", "@write @string @fast", "6.2.0", "string", "O(1)",
      "Get the value of a key and delete the key"),
    CommandRow(
      .getex, "getex", -2, "write fast", keys: "1 0 1 RW access update", "@write @string @fast", "6.2.0", "string", "O(1)",
      "Get the value of a key and optionally set its expiration"),
    CommandRow(
      .mget, "mget", -2, "readonly fast", keys: "1 -1 1 RO access", "@read @string @fast", tips: "request_policy:multi_shard", "1.0.0",
      "string", "O(N), N: the keys asked for", "Get the values of all the given keys"),
    CommandRow(
      .mset, "mset", -3, "write denyoom", keys: "1 -1 2 OW update", "@write @string @slow",
      tips: "request_policy:multi_shard response_policy:all_succeeded", "1.0.1", "string", "O(N), N: the keys set",
      "Set multiple keys to multiple values"),
    CommandRow(
      .msetnx, "msetnx", -3, "write denyoom", keys: "1 -1 2 OW insert", "@write @string @slow",
      tips: "request_policy:multi_shard response_policy:agg_min", "1.0.1", "string", "O(N), N: the keys set",
      "Set multiple keys to multiple values, only if none of the keys exist"),
    CommandRow(
      .append, "append", 3, "write denyoom fast", keys: "1 0 1 RW insert", "@write @string @fast", "2.0.0", "string",
      "O(N), N: the bytes of the new value",
      "Append a value to a key"),
    CommandRow(
      .strlen, "strlen", 2, "readonly fast", keys: "1 0 1 RO", "@read @string @fast", "2.2.0", "string", "O(1)",
      "Get the length of the value stored in a key"),
    CommandRow(
      .getrange, "getrange", 4, "readonly", keys: "1 0 1 RO access", "@read @string @slow", "2.4.0", "string",
      "O(N), N: the bytes returned",
      "Get a substring of the string stored at a key"),
    CommandRow(
      .substr, "substr", 4, "readonly", keys: "1 0 1 RO access", "@read @string @slow", "1.0.0", "string",
      "O(N), N: the bytes returned",
      "Get a substring of the string stored at a key"),
    CommandRow(
      .setrange, "setrange", 4, "write denyoom", keys: "1 0 1 RW update", "@write @string @slow", "2.2.0", "string",
      "O(N), N: the bytes of the new value",
      "Overwrite part of a string at key starting at the specified offset"),
    CommandRow(
      .incr, "incr", 2, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Increment the integer value of a key by one"),
    CommandRow(
      .decr, "decr", 2, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Decrement the integer value of a key by one"),
    CommandRow(
      .incrby, "incrby", 3, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Increment the integer value of a key by the given amount"),
    CommandRow(
      .decrby, "decrby", 3, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "1.0.0", "string", "O(1)",
      "Decrement the integer value of a key by the given number"),
    CommandRow(
      .incrbyfloat, "incrbyfloat", 3, "write denyoom fast", keys: "1 0 1 RW access update", "@write @string @fast", "2.6.0", "string",
      "O(1)", "Increment the float value of a key by the given amount"),
    CommandRow(
      .getbit, "getbit", 3, "readonly fast", keys: "1 0 1 RO access", "@read @bitmap @fast", "2.2.0", "bitmap", "O(1)",
      "Returns the bit value at offset in the string value stored at key"),
    CommandRow(
      .setbit, "setbit", 4, "write denyoom", keys: "1 0 1 RW access update", "@write @bitmap @slow", "2.2.0", "bitmap", "O(1)",
      "Sets or clears the bit at offset in the string value stored at key"),
    CommandRow(
      .bitcount, "bitcount", -2, "readonly", keys: "1 0 1 RO access", "@read @bitmap @slow", "2.6.0", "bitmap", "O(N)",
      "Count set bits in a string"),
    CommandRow(
      .bitpos, "bitpos", -3, "readonly", keys: "1 0 1 RO access", "@read @bitmap @slow", "2.8.7", "bitmap", "O(N)",
      "Find first bit set or clear in a string"),
    CommandRow(
      .bitop, "bitop", -4, "write denyoom", keys: "2 0 1 OW update;3 -1 1 RO access", "@write @bitmap @slow", "2.6.0", "bitmap", "O(N)",
      "Perform bitwise operations between strings"),
    CommandRow(
      .bitfield, "bitfield", -2, "write denyoom", keys: "1 0 1 RW access update variable_flags", "@write @bitmap @slow", "3.2.0", "bitmap",
      "O(N), N: the bytes of the value", "Perform arbitrary bitfield integer operations on strings"),
    CommandRow(
      .bitfieldRO, "bitfield_ro", -2, "readonly fast", keys: "1 0 1 RO access", "@read @bitmap @fast", "6.0.0", "bitmap",
      "O(1) for each subcommand specified",
      "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD"),
    CommandRow(
      .lcs, "lcs", -3, "readonly", keys: "1 1 1 RO access", "@read @string @slow", "7.0.0", "string",
      "O(N*M), N and M: the bytes of both values", "Find longest common substring"),
    // JSON
    CommandRow(
      .jsonGet, "json.get", -2, "readonly", keys: "1 0 1 RO access", "@json @read @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document, for each path", "Get JSON value at path"),
    CommandRow(
      .jsonSet, "json.set", -4, "write denyoom", keys: "1 0 1 RW access update", "@json @write @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document", "Set the JSON value at path in key"),
    CommandRow(
      .jsonDel, "json.del", -2, "write", keys: "1 0 1 RW access delete", "@json @write @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document", "Delete a value"),
    CommandRow(
      .jsonType, "json.type", -2, "readonly", keys: "1 0 1 RO access", "@json @read @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document", "Report the type of the JSON value at path"),
    CommandRow(
      .jsonNumIncrBy, "json.numincrby", 4, "write denyoom", keys: "1 0 1 RW access update", "@json @write @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document", "Increment the numeric value at path by a value"),
    CommandRow(
      .jsonMerge, "json.merge", 4, "write denyoom", keys: "1 0 1 RW access update", "@json @write @slow", "2.6.0", "json",
      "O(N), N: the bytes of the document", "Merge a given JSON value into the value at path"),
    CommandRow(
      .jsonArrAppend, "json.arrappend", -4, "write denyoom", keys: "1 0 1 RW access update", "@json @write @slow", "1.0.0", "json",
      "O(N), N: the bytes of the document", "Append one or more JSON values to the array at path, after the last element in it"),
    // Leases and tags
    CommandRow(
      .martletLease, "martlet.lease", -3, "write blocking fast", keys: "1 0 1 RW access insert", "@write @string @fast @blocking", "7.0.15",
      "string", "O(1)", "Get the value of a key, or the lease to fill it, or wait for whoever fills it"),
    CommandRow(
      .martletFill, "martlet.fill", -4, "write denyoom", keys: "1 0 1 OW update", "@write @string @slow", "7.0.15", "string",
      "O(N), N: the tags of the value and of the one before", "Set the value of a key that a lease was given for"),
    CommandRow(
      .martletUnlease, "martlet.unlease", 3, "write fast", keys: "1 0 1 RW", "@write @string @fast", "7.0.15", "string", "O(1)",
      "Give a lease up, so that the next one who waits has it"),
    CommandRow(
      .martletTag, "martlet.tag", -3, "write denyoom", keys: "1 0 1 RW update", "@keyspace @write @slow", "7.0.15", "generic",
      "O(N), N: the bytes of the value", "Replace the tags of a key"),
    // Keys
    CommandRow(
      .del, "del", -2, "write", keys: "1 -1 1 RM delete", "@keyspace @write @slow",
      tips: "request_policy:multi_shard response_policy:agg_sum", "1.0.0", "generic",
      "O(N), N: the keys given",
      "Delete a key"),
    CommandRow(
      .unlink, "unlink", -2, "write fast", keys: "1 -1 1 RM delete", "@keyspace @write @fast",
      tips: "request_policy:multi_shard response_policy:agg_sum", "4.0.0", "generic",
      "O(N), N: the keys given",
      "Delete keys, as DEL does"),
    CommandRow(
      .exists, "exists", -2, "readonly fast", keys: "1 -1 1 RO", "@keyspace @read @fast",
      tips: "request_policy:multi_shard response_policy:agg_sum", "1.0.0", "generic", "O(N), N: the keys given",
      "Determine if a key exists"),
    CommandRow(
      .type, "type", 2, "readonly fast", keys: "1 0 1 RO", "@keyspace @read @fast", "1.0.0", "generic", "O(1)",
      "Determine the type stored at key"),
    CommandRow(
      .touch, "touch", -2, "readonly fast", keys: "1 -1 1 RO", "@keyspace @read @fast",
      tips: "request_policy:multi_shard response_policy:agg_sum", "3.2.1", "generic",
      "O(N), N: the keys given",
      "Alters the last access time of a key(s). Returns the number of existing keys specified."),
    CommandRow(
      .expire, "expire", -3, "write fast", keys: "1 0 1 RW update", "@keyspace @write @fast", "1.0.0", "generic", "O(1)",
      "Set a key's time to live in seconds"),
    CommandRow(
      .pexpire, "pexpire", -3, "write fast", keys: "1 0 1 RW update", "@keyspace @write @fast", "2.6.0", "generic", "O(1)",
      "Set a key's time to live in milliseconds"),
    CommandRow(
      .expireat, "expireat", -3, "write fast", keys: "1 0 1 RW update", "@keyspace @write @fast", "1.2.0", "generic", "O(1)",
      "Set the expiration for a key as a UNIX timestamp"),
    CommandRow(
      .pexpireat, "pexpireat", -3, "write fast", keys: "1 0 1 RW update", "@keyspace @write @fast", "2.6.0", "generic", "O(1)",
      "Set the expiration for a key as a UNIX timestamp specified in milliseconds"),
    CommandRow(
      .ttl, "ttl", 2, "readonly fast", keys: "1 0 1 RO access", "@keyspace @read @fast", tips: "nondeterministic_output", "1.0.0",
      "generic", "O(1)", "Get the time to live for a key in seconds"),
    CommandRow(
      .pttl, "pttl", 2, "readonly fast", keys: "1 0 1 RO access", "@keyspace @read @fast", tips: "nondeterministic_output", "2.6.0",
      "generic", "O(1)", "Get the time to live for a key in milliseconds"),
    CommandRow(
      .expiretime, "expiretime", 2, "readonly fast", keys: "1 0 1 RO access", "@keyspace @read @fast", "7.0.0", "generic", "O(1)",
      "Get the expiration Unix timestamp for a key"),
    CommandRow(
      .pexpiretime, "pexpiretime", 2, "readonly fast", keys: "1 0 1 RO access", "@keyspace @read @fast", "7.0.0", "generic", "O(1)",
      "Get the expiration Unix timestamp for a key in milliseconds"),
    CommandRow(
      .persist, "persist", 2, "write fast", keys: "1 0 1 RW update", "@keyspace @write @fast", "2.2.0", "generic", "O(1)",
      "Remove the expiration from a key"),
    CommandRow(
      .rename, "rename", 3, "write", keys: "1 0 1 RW access delete;2 0 1 OW update", "@keyspace @write @slow", "1.0.0", "generic", "O(1)",
      "Rename a key"),
    CommandRow(
      .renamenx, "renamenx", 3, "write fast", keys: "1 0 1 RW access delete;2 0 1 OW insert", "@keyspace @write @fast", "1.0.0", "generic",
      "O(1)", "Rename a key, only if the new key does not exist"),
    CommandRow(
      .copy, "copy", -3, "write denyoom", keys: "1 0 1 RO access;2 0 1 OW update", "@keyspace @write @slow", "6.2.0", "generic",
      "O(N), N: the bytes of the value", "Copy a key"),
    CommandRow(
      .dump, "dump", 2, "readonly", keys: "1 0 1 RO access", "@keyspace @read @slow", tips: "nondeterministic_output", "2.6.0", "generic",
      "O(N), N: the bytes of the value", "Return a serialized version of the value stored at the specified key."),
    CommandRow(
      .restore, "restore", -4, "write denyoom", keys: "1 0 1 OW update", "@keyspace @write @slow @dangerous", "2.6.0", "generic",
      "O(N), N: the bytes of the value", "Create a key using the provided serialized value, previously obtained using DUMP."),
    CommandRow(
      .object, "object", -2, "", "@slow", "2.2.3", "generic", "Depends on subcommand.", "A container for object introspection commands"),
    CommandRow(
      .memory, "memory", -2, "", "@slow", "4.0.0", "server", "Depends on subcommand.", "A container for memory diagnostics commands"),
    CommandRow(
      .move, "move", 3, "write fast", keys: "1 0 1 RW access update", "@keyspace @write @fast", "1.0.0", "generic", "O(1)",
      "Move a key to another database"),
    // The keyspace
    CommandRow(
      .randomkey, "randomkey", 1, "readonly", "@keyspace @read @slow", tips: "request_policy:all_shards nondeterministic_output", "1.0.0",
      "generic", "O(1)", "Return a random key from the keyspace"),
    CommandRow(
      .scan, "scan", -2, "readonly", "@keyspace @read @slow", tips: "nondeterministic_output request_policy:special", "2.8.0", "generic",
      "O(1) for a call, O(N) for all of an iteration, N: the keys there are",
      "Incrementally iterate the keys space"),
    CommandRow(
      .keys, "keys", 2, "readonly", "@keyspace @read @slow @dangerous", tips: "request_policy:all_shards nondeterministic_output_order",
      "1.0.0", "generic",
      "O(N), N: the keys there are",
      "Find all keys matching the given pattern"),
    CommandRow(
      .dbsize, "dbsize", 1, "readonly fast", "@keyspace @read @fast", tips: "request_policy:all_shards response_policy:agg_sum", "1.0.0",
      "server", "O(1)", "Return the number of keys in the selected database"),
    CommandRow(
      .flushdb, "flushdb", -1, "write", "@keyspace @write @slow @dangerous",
      tips: "request_policy:all_shards response_policy:all_succeeded", "1.0.0", "server",
      "O(N), N: the keys of the database", "Remove all keys from the current database"),
    CommandRow(
      .flushall, "flushall", -1, "write", "@keyspace @write @slow @dangerous",
      tips: "request_policy:all_shards response_policy:all_succeeded", "1.0.0", "server",
      "O(N), N: the keys there are", "Remove all keys from all databases"),
    CommandRow(
      .martletInvalidate, "martlet.invalidate", -3, "write fast", "@keyspace @write @fast",
      tips: "request_policy:all_shards response_policy:agg_sum", "7.0.15", "generic", "O(N), N: the tags, however many keys have them",
      "Make every key with one of the tags absent, or stale"),
    CommandRow(
      .swapdb, "swapdb", 3, "write fast", "@keyspace @write @fast @dangerous", "4.0.0", "server", "O(1)",
      "Swap two databases, neither of them 0"),
    // Transactions
    CommandRow(
      .multi, "multi", 1, "noscript loading stale fast allow_busy", "@fast @transaction", "1.2.0", "transactions", "O(1)",
      "Mark the start of a transaction block"),
    CommandRow(
      .exec, "exec", 1, "noscript loading stale skip_slowlog", "@slow @transaction", "1.2.0", "transactions",
      "Depends on commands in the transaction", "Execute all commands issued after MULTI"),
    CommandRow(
      .discard, "discard", 1, "noscript loading stale fast allow_busy", "@fast @transaction", "2.0.0", "transactions",
      "O(N), N: the commands queued", "Discard all commands issued after MULTI"),
    CommandRow(
      .watch, "watch", -2, "noscript loading stale fast allow_busy", keys: "1 -1 1 RO", "@fast @transaction", "2.2.0", "transactions",
      "O(1) for every key.", "Watch the given keys to determine execution of the MULTI/EXEC block"),
    CommandRow(
      .unwatch, "unwatch", 1, "noscript loading stale fast allow_busy", "@fast @transaction", "2.2.0", "transactions", "O(1)",
      "Forget about all watched keys"),
    // Publishing and subscribing
    CommandRow(
      .subscribe, "subscribe", -2, "pubsub noscript loading stale", "@pubsub @slow", "2.0.0", "pubsub", "O(N), N: the channels given",
      "Listen for messages published to the given channels"),
    CommandRow(
      .unsubscribe, "unsubscribe", -1, "pubsub noscript loading stale", "@pubsub @slow", "2.0.0", "pubsub", "O(N), N: the channels left",
      "Stop listening for messages posted to the given channels"),
    CommandRow(
      .psubscribe, "psubscribe", -2, "pubsub noscript loading stale", "@pubsub @slow", "2.0.0", "pubsub", "O(N), N: the patterns given",
      "Listen for messages published to channels matching the given patterns"),
    CommandRow(
      .punsubscribe, "punsubscribe", -1, "pubsub noscript loading stale", "@pubsub @slow", "2.0.0", "pubsub", "O(N), N: the patterns left",
      "Stop listening for messages posted to channels matching the given patterns"),
    CommandRow(
      .publish, "publish", 3, "pubsub loading stale fast", "@pubsub @fast", "2.0.0", "pubsub",
      "O(N+M), N: the subscribers of the channel, M: the patterns that anyone has subscribed to", "Post a message to a channel"),
    CommandRow(
      .pubsub, "pubsub", -2, "", "@slow", "2.8.0", "pubsub", "Depends on subcommand.", "A container for Pub/Sub commands"),
    CommandRow(
      .ssubscribe, "ssubscribe", -2, "pubsub noscript loading stale", keys: "1 -1 1 not_key", "@pubsub @slow", "7.0.0", "pubsub",
      "O(N), N: the shard channels given", "Listen for messages published to the given shard channels"),
    CommandRow(
      .sunsubscribe, "sunsubscribe", -1, "pubsub noscript loading stale", keys: "1 -1 1 not_key", "@pubsub @slow", "7.0.0", "pubsub",
      "O(N), N: the shard channels left", "Stop listening for messages posted to the given shard channels"),
    CommandRow(
      .spublish, "spublish", 3, "pubsub loading stale fast", keys: "1 0 1 not_key", "@pubsub @fast", "7.0.0", "pubsub",
      "O(N), N: the subscribers of the shard channel", "Post a message to a shard channel"),
    // The connection and the server
    CommandRow(
      .hello, "hello", -1, "noscript loading stale fast no_auth allow_busy", "@fast @connection", "6.0.0", "connection", "O(1)",
      "Handshake with Redis"),
    CommandRow(
      .auth, "auth", -2, "noscript loading stale fast no_auth allow_busy", "@fast @connection", "1.0.0", "connection",
      "O(1)", "Authenticate to the server"),
    CommandRow(
      .ping, "ping", -1, "fast", "@fast @connection", tips: "request_policy:all_shards response_policy:all_succeeded", "1.0.0",
      "connection", "O(1)", "Ping the server"),
    CommandRow(.echo, "echo", 2, "loading stale fast", "@fast @connection", "1.0.0", "connection", "O(1)", "Echo the given string"),
    CommandRow(
      .select, "select", 2, "loading stale fast", "@fast @connection", "1.0.0", "connection", "O(1)",
      "Change the selected database for the current connection"),
    CommandRow(
      .quit, "quit", -1, "noscript loading stale fast no_auth allow_busy", "@fast @connection", "1.0.0", "connection", "O(1)",
      "Close the connection"),
    CommandRow(
      .reset, "reset", 1, "noscript loading stale fast no_auth allow_busy", "@fast @connection", "6.2.0", "connection", "O(1)",
      "Reset the connection"),
    CommandRow(
      .client, "client", -2, "", "@slow", "2.4.0", "connection", "Depends on subcommand.", "A container for client connection commands"),
    CommandRow(
      .command, "command", -1, "loading stale", "@slow @connection", tips: "nondeterministic_output_order", "2.8.13", "server",
      "O(N), N: the commands there are", "Get array of Redis command details"),
    CommandRow(
      .info, "info", -1, "loading stale", "@slow @dangerous",
      tips: "nondeterministic_output request_policy:all_shards response_policy:special", "1.0.0", "server", "O(1)",
      "Get information and statistics about the server"),
    CommandRow(
      .config, "config", -2, "", "@slow", "2.0.0", "server", "Depends on subcommand.", "A container for server configuration commands"),
    CommandRow(
      .time, "time", 1, "loading stale fast", "@fast", tips: "nondeterministic_output", "2.6.0", "server", "O(1)",
      "Return the current server time"),
    CommandRow(.slowlog, "slowlog", -2, "", "@slow", "2.2.12", "server", "Depends on subcommand.", "A container for slow log commands"),
    CommandRow(
      .latency, "latency", -2, "", "@slow", "2.8.13", "server", "Depends on subcommand.", "A container for latency diagnostics commands"),
    CommandRow(
      .role, "role", 1, "noscript loading stale fast", "@admin @fast @dangerous", "2.8.12", "server", "O(1)",
      "Return the role of the instance in the context of replication"),
    CommandRow(
      .lastsave, "lastsave", 1, "loading stale fast", "@admin @fast @dangerous", tips: "nondeterministic_output", "1.0.0", "server", "O(1)",
      "When the server started: it saves nothing"),
    CommandRow(
      .wait, "wait", 3, "noscript", "@slow @connection", tips: "request_policy:all_shards response_policy:agg_min", "3.0.0", "generic",
      "O(1)", "How many replicas have what was written: none"),
    CommandRow(.lolwut, "lolwut", -1, "readonly fast", "@read @fast", "5.0.0", "server", "", "Display the version"),
    CommandRow(.cluster, "cluster", -2, "", "@slow", "3.0.0", "cluster", "Depends on subcommand.", "A container for cluster commands"),
    CommandRow(
      .readonly, "readonly", 1, "loading stale fast", "@fast @connection", "3.0.0", "cluster", "O(1)", "There is no cluster: an error"),
    CommandRow(
      .readwrite, "readwrite", 1, "loading stale fast", "@fast @connection", "3.0.0", "cluster", "O(1)", "There is no cluster: an error"),
    CommandRow(.asking, "asking", 1, "fast", "@fast @connection", "3.0.0", "cluster", "O(1)", "There is no cluster: an error"),
    CommandRow(
      .acl, "acl", -2, "", "@slow", "6.0.0", "server", "Depends on subcommand.", "A container for Access List Control commands"),
    CommandRow(.module, "module", -2, "", "@slow", "4.0.0", "server", "Depends on subcommand.", "A container for module commands"),
    CommandRow(
      .bgsave, "bgsave", -1, "admin noscript no_async_loading", "@admin @slow @dangerous", "1.0.0", "server", "O(1)",
      "There is no file to save to: an error"),
    CommandRow(
      .save, "save", 1, "admin noscript no_async_loading no_multi", "@admin @slow @dangerous", "1.0.0", "server", "O(1)",
      "There is no file to save to: an error"),
    CommandRow(
      .shutdown, "shutdown", -1, "admin noscript loading stale no_multi allow_busy", "@admin @slow @dangerous", "1.0.0", "server", "O(1)",
      "Let open requests finish, then shut down the server"),
    CommandRow(
      .debug, "debug", -2, "admin noscript loading stale", "@admin @slow @dangerous", "1.0.0", "server", "Depends on subcommand.",
      "Help for testing clients, where it is allowed"),
  ]
}
