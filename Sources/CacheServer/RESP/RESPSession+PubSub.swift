/// SUBSCRIBE and its like, PUBLISH, PUBSUB, and the arrival of a message.

internal import Logging
internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols
internal import Synchronization

/// What one connection has subscribed to.
struct Subscriptions {
  /// By `PubSub.Kind.rawValue`: names, with numbers that rise, so that they are left in the order in which they came.
  private var names: [[[UInt8]: UInt64]] = Array(repeating: [:], count: PubSub.Kind.allCases.count)
  private var last: UInt64 = 0
  var backlog = SubscriberBacklog()
  /// Messages that came in the midst of a reply: they follow it.
  private var held: [PublishedMessage] = []
  private(set) var heldBytes = 0

  var isEmpty: Bool { names.allSatisfy(\.isEmpty) }
  func count(_ kind: PubSub.Kind) -> Int { names[kind.rawValue].count }
  func contains(_ name: [UInt8], _ kind: PubSub.Kind) -> Bool { names[kind.rawValue][name] != nil }

  /// By age.
  func all(_ kind: PubSub.Kind) -> [[UInt8]] { names[kind.rawValue].sorted { $0.value < $1.value }.map(\.key) }

  mutating func hold(_ message: PublishedMessage) {
    held.append(message)
    heldBytes += message.frame.count
  }

  mutating func takeHeld() -> [PublishedMessage] {
    let messages = held
    (held, heldBytes) = ([], 0)
    return messages
  }

  /// Whether it is new.
  mutating func insert(_ name: [UInt8], _ kind: PubSub.Kind) -> Bool {
    if contains(name, kind) { return false }
    last += 1
    names[kind.rawValue][name] = last
    return true
  }

  /// Whether it was there.
  mutating func remove(_ name: [UInt8], _ kind: PubSub.Kind) -> Bool { names[kind.rawValue].removeValue(forKey: name) != nil }
}

extension RESPSession {
  private var pubsub: PubSub { service.shared.pubsub }

  /// A subscriber that speaks RESP2 cannot tell messages from replies: it may but subscribe, and little else.
  var isSubscriberOnly: Bool { subscriptions != nil && version == .two }

  static func isForSubscribers(_ command: Command) -> Bool {
    switch command {
    case .subscribe, .unsubscribe, .psubscribe, .punsubscribe, .ssubscribe, .sunsubscribe, .ping, .quit, .reset: true
    default: false
    }
  }

  mutating func pubsub(
    _ command: Command, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch command {
    case .subscribe: try subscribe(.channel, "subscribe", args, &execution)
    case .psubscribe: try subscribe(.pattern, "psubscribe", args, &execution)
    case .ssubscribe: try subscribe(.shardChannel, "ssubscribe", args, &execution)
    case .unsubscribe: unsubscribe(.channel, "unsubscribe", args, &execution)
    case .punsubscribe: unsubscribe(.pattern, "punsubscribe", args, &execution)
    case .sunsubscribe: unsubscribe(.shardChannel, "sunsubscribe", args, &execution)
    case .publish: publish(.channel, args, &execution)
    default: publish(.shardChannel, args, &execution)
    }
  }

  // MARK: Subscribing

  private mutating func subscribe(
    _ kind: PubSub.Kind, _ word: StaticString, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    // Redis says so within a transaction, of shard channels alone.
    if kind == .shardChannel, execution.statistics != nil {
      throw CommandError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
    }
    var cost = 0
    for index in 1..<args.count { cost += PubSub.cost(args[index]) }
    guard pubsub.hasRoom(for: cost) else {
      throw CommandError("OOM subscriptions would use more than \(pubsub.limits.subscribedBytesMax) bytes")
    }
    for index in 1..<args.count {
      let name = args[index].copied()
      if subscriptions == nil { subscriptions = LoopLocal(Subscriptions()) }
      if subscriptions?.value.insert(name, kind) == true { pubsub.add(id, to: name, kind) }
      confirm(word, name, kind, &execution)
    }
    settleSubscriptions(&execution)
  }

  private mutating func unsubscribe(
    _ kind: PubSub.Kind, _ word: StaticString, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) {
    var names: [[UInt8]] = []
    if args.count == 1 { names = subscriptions?.value.all(kind) ?? [] }
    for index in 1..<max(args.count, 1) { names.append(args[index].copied()) }
    for name in names {
      if subscriptions?.value.remove(name, kind) == true { pubsub.remove(id, from: name, kind) }
      confirm(word, name, kind, &execution)
    }
    if names.isEmpty { confirm(word, nil, kind, &execution) }
    settleSubscriptions(&execution)
  }

  private func confirm(_ word: StaticString, _ name: [UInt8]?, _ kind: PubSub.Kind, _ execution: inout CommandExecution) {
    execution.writer.push(3)
    execution.writer.bulk(word)
    if let name { execution.writer.bulk(name.rawSpan) } else { execution.writer.null() }
    execution.writer.integer(subscriptionCount(kind))
  }

  /// Channels and patterns are counted together, shard channels apart.
  private func subscriptionCount(_ kind: PubSub.Kind) -> Int {
    guard let subscriptions else { return 0 }
    if kind == .shardChannel { return subscriptions.value.count(.shardChannel) }
    return subscriptions.value.count(.channel) + subscriptions.value.count(.pattern)
  }

  private mutating func settleSubscriptions(_ execution: inout CommandExecution) {
    // Confirmations are pushes: they are told whatever CLIENT REPLY says.
    keptOutput = execution.writer.output.count
    guard subscriptions != nil else { return }
    if subscriptions?.value.isEmpty == true { return endSubscriptions() }
    noteSubscriptions()
  }

  /// Leaves everything without a word.
  mutating func endSubscriptions() {
    leaveTopics()
    subscriptions = nil
    noteSubscriptions()
  }

  /// For CLIENT LIST.
  private func noteSubscriptions() {
    record.channels.store(subscriptions?.value.count(.channel) ?? 0, ordering: .relaxed)
    record.patterns.store(subscriptions?.value.count(.pattern) ?? 0, ordering: .relaxed)
    record.shardChannels.store(subscriptions?.value.count(.shardChannel) ?? 0, ordering: .relaxed)
  }

  /// Of the subscriptions, what others know: they are about to go.
  func leaveTopics() {
    let (id, pubsub) = (id, pubsub)
    for kind in PubSub.Kind.allCases {
      for name in subscriptions?.value.all(kind) ?? [] { pubsub.remove(id, from: name, kind) }
    }
    uncount(subscriptions?.value.backlog.counted ?? 0)
  }

  // MARK: Publishing

  private mutating func publish(_ kind: PubSub.Kind, _ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    let result = pubsub.publish(args[2], to: args[1], kind, from: id)
    if subscriptions != nil { publishToItself(kind, args, &execution) }
    execution.writer.integer(result.receivers)
    if let loop = result.fullLoop, pubsub.waitForRoom(id, on: loop) { isWaitingForRoom = true }
  }

  /// Who listens to itself has the message before the reply.
  private mutating func publishToItself(_ kind: PubSub.Kind, _ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    let name = args[1].copied()
    if subscriptions?.value.contains(name, kind) == true {
      append(PublishedMessage(kind, name, args[1], args[2]), to: &execution.writer.output)
    }
    if kind == .channel {
      for pattern in subscriptions?.value.all(.pattern) ?? [] where GlobPattern.matches(args[1], pattern.rawSpan) {
        append(PublishedMessage(.pattern, pattern, args[1], args[2]), to: &execution.writer.output)
      }
    }
    keptOutput = execution.writer.output.count
  }

  private func append(_ message: PublishedMessage, to output: inout ByteBuffer) {
    let start = output.count
    output.append(message.frame)
    if version == .three { output.replace(at: start, with: UInt8(ascii: ">")) }
  }

  // MARK: A message

  /// Puts a message into the output. Not nil: what the connection is to do instead of going on.
  mutating func deliver(_ message: PublishedMessage, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress.Next? {
    // It may have unsubscribed while the message was on its way.
    guard subscriptions?.value.contains(message.topic, message.kind) == true else { return nil }
    let pubsub = pubsub
    let before = subscriptions?.value.backlog.counted ?? 0
    subscriptions?.value.backlog.willAppend(behind: output.count + (subscriptions?.value.heldBytes ?? 0))
    if pending == nil { append(message, to: &output) } else { subscriptions?.value.hold(message) }
    let waiting = output.count + (subscriptions?.value.heldBytes ?? 0)
    let excess = subscriptions?.value.backlog.didAppend(waiting, of: pubsub, at: now) ?? nil
    let counted = subscriptions?.value.backlog.counted ?? 0
    if counted == before { return nil }
    store.charge(counted - before)
    record.waitingBytes.store(counted, ordering: .relaxed)
    if let excess { return overflow(excess, counted) }
    // Asks to be called again once all is written.
    return .full
  }

  /// The reply in whose midst they came is all there.
  mutating func releaseHeld(into output: inout ByteBuffer) {
    for message in subscriptions?.value.takeHeld() ?? [] { append(message, to: &output) }
  }

  private func overflow(_ excess: SubscriberBacklog.Excess, _ bytes: Int) -> Progress.Next {
    pubsub.overflows.wrappingAdd(1, ordering: .relaxed)
    service.shared.logger.warning(
      "a subscriber does not read: closed",
      metadata: ["id": "\(record.id)", "address": "\(record.address)", "waiting": "\(bytes)", "passed": "\(excess.rawValue)"])
    return .close(.outputLimit)
  }

  /// What waited is written.
  mutating func settleBacklog() { uncount(subscriptions?.value.backlog.settle() ?? 0) }

  private func uncount(_ bytes: Int) {
    if bytes == 0 { return }
    store.charge(-bytes)
    pubsub.waitingBytes.subtract(bytes, ordering: .relaxed)
    record.waitingBytes.store(0, ordering: .relaxed)
  }

  // MARK: PUBSUB

  func pubsubCommand(
    _ subcommand: Subcommand, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    switch subcommand {
    case .pubsubChannels: try listTopics(.channel, args, &execution)
    case .pubsubShardChannels: try listTopics(.shardChannel, args, &execution)
    case .pubsubNumsub: countSubscribers(.channel, args, &execution)
    case .pubsubShardNumsub: countSubscribers(.shardChannel, args, &execution)
    default: execution.writer.integer(pubsub.count(.pattern))
    }
  }

  private func listTopics(
    _ kind: PubSub.Kind, _ args: borrowing RESPArguments, _ execution: inout CommandExecution
  ) throws(CommandError) {
    guard args.count < 4 else {
      throw CommandError("ERR unknown subcommand or wrong number of arguments for '\(args[1].text)'. Try PUBSUB HELP.")
    }
    var names = pubsub.names(kind)
    if args.count == 3 {
      let pattern = args[2].copied()
      names = names.filter { GlobPattern.matches($0.rawSpan, pattern.rawSpan) }
    }
    execution.writer.array(names.count)
    for name in names { execution.writer.bulk(name.rawSpan) }
  }

  private func countSubscribers(_ kind: PubSub.Kind, _ args: borrowing RESPArguments, _ execution: inout CommandExecution) {
    execution.writer.array((args.count - 2) * 2)
    for index in 2..<args.count {
      execution.writer.bulk(args[index])
      execution.writer.integer(pubsub.subscribers(args[index], kind))
    }
  }
}
