/// The grammar of lines: which command with which arguments, and how many bytes follow. As memcached 1.6.18 reads them; see
/// `doc/protocol.txt` there, and for what it leaves open its `proto_text.c`.

internal import MartletBytes

struct MemcachedLine: ~Escapable {
  /// What follows the line.
  enum Block {
    case none
    case kept(Int)
    /// So many bytes, of a request that is refused.
    case skipped(Int)
  }

  private let input: RawSpan
  /// Of its words, among those handed out.
  private let first: Int
  private let count: Int

  /// Takes the line apart at its blanks.
  @_lifetime(copy input)
  init(_ input: RawSpan, _ line: Range<Int>, into words: inout [ArgumentSlice]) {
    self.input = input
    first = words.count
    var place = line.lowerBound
    while true {
      while place < line.upperBound, input[place] == ASCII.space { place &+= 1 }
      if place == line.upperBound { break }
      let start = place
      while place < line.upperBound, input[place] != ASCII.space { place &+= 1 }
      words.append(ArgumentSlice(start: start, count: place &- start))
    }
    count = words.count &- first
  }

  @_lifetime(copy self)
  private func word(_ index: Int, _ words: [ArgumentSlice]) -> RawSpan { words[first &+ index].of(input) }

  // MARK: Commands

  /// The request that the line makes. Words that it does not keep are taken back.
  func request(_ words: inout [ArgumentSlice], _ limits: borrowing MemcachedLimits) -> (MemcachedRequest, Block) {
    if count == 0 { return drop(.unknown, .unknownCommand, &words) }
    let name = word(0, words)
    if name.byteCount == 2, name[0] == UInt8(ascii: "m") { return meta(name[1], &words, limits) }
    guard let command = Self.command(name) else {
      let last = word(count &- 1, words)
      let isHTTP = last.byteCount >= 5 && last[0..<5].equals("HTTP/")
      return drop(.unknown, isHTTP ? .httpRequest : .unknownCommand, &words)
    }
    switch command {
    case .get, .gets: return retrieval(command, from: 1, &words)
    case .gat, .gats: return touchingRetrieval(command, &words)
    case .set, .add, .replace, .append, .prepend, .cas: return storage(command, &words, limits)
    case .incr, .decr: return arithmetic(command, &words)
    case .delete: return delete(&words)
    case .touch: return touch(&words)
    case .flushAll: return flushAll(&words)
    case .verbosity: return verbosity(&words)
    case .stats: return stats(&words)
    case .metadump: return metadump(&words)
    case .version, .quit: return drop(command, nil, &words)
    case .mg, .ms, .md, .ma, .me, .mn, .authenticate, .unknown: return drop(.unknown, .unknownCommand, &words)
    }
  }

  private static func command(_ name: RawSpan) -> MemcachedCommand? {
    if name.byteCount > 11 { return nil }
    if name.equals("get") { return .get }
    if name.equals("gets") { return .gets }
    if name.equals("set") { return .set }
    if name.equals("gat") { return .gat }
    if name.equals("gats") { return .gats }
    if name.equals("add") { return .add }
    if name.equals("replace") { return .replace }
    if name.equals("append") { return .append }
    if name.equals("prepend") { return .prepend }
    if name.equals("cas") { return .cas }
    if name.equals("incr") { return .incr }
    if name.equals("decr") { return .decr }
    if name.equals("delete") { return .delete }
    if name.equals("touch") { return .touch }
    if name.equals("flush_all") { return .flushAll }
    if name.equals("verbosity") { return .verbosity }
    if name.equals("version") { return .version }
    if name.equals("stats") { return .stats }
    if name.equals("quit") { return .quit }
    if name.equals("lru_crawler") { return .metadump }
    return nil
  }

  private func drop(_ command: MemcachedCommand, _ error: MemcachedError?, _ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    words.removeLast(count)
    var request = MemcachedRequest(command)
    request.error = error
    return (request, .none)
  }

  /// A request of which only the key is kept of the words.
  private func keep(
    _ command: MemcachedCommand, key: Int, isQuiet: Bool = false, _ words: inout [ArgumentSlice]
  ) -> MemcachedRequest {
    var request = MemcachedRequest(command)
    request.isQuiet = isQuiet
    request.key = words[first &+ key]
    words.removeLast(count)
    if Int(request.key.count) > MemcachedLimits.keyBytesMax { request.error = .badLine }
    return request
  }

  private func isQuiet(_ words: [ArgumentSlice]) -> Bool { word(count &- 1, words).equals("noreply") }

  // MARK: Retrieval

  private func retrieval(
    _ command: MemcachedCommand, from start: Int, _ words: inout [ArgumentSlice]
  ) -> (MemcachedRequest, Block) {
    if count <= start { return drop(command, .unknownCommand, &words) }
    for index in start..<count where Int(words[first &+ index].count) > MemcachedLimits.keyBytesMax {
      return drop(command, .badLine, &words)
    }
    var request = MemcachedRequest(command)
    request.key = words[first &+ start]
    if count == start &+ 1 { words.removeLast(count) } else { request.words = (first &+ start)..<(first &+ count) }
    return (request, .none)
  }

  private func touchingRetrieval(_ command: MemcachedCommand, _ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    if count < 2 { return drop(command, .unknownCommand, &words) }
    guard let time = MemcachedNumber.time(word(1, words)) else { return drop(command, .badExpiry, &words) }
    if count == 2 {
      // No key at all: nothing is found.
      var (request, block) = drop(command, nil, &words)
      request.words = 0..<0
      request.key = ArgumentSlice(start: 0, count: 0)
      request.time = time
      return (request, block)
    }
    var (request, block) = retrieval(command, from: 2, &words)
    request.time = time
    return (request, block)
  }

  // MARK: Storage

  private func storage(
    _ command: MemcachedCommand, _ words: inout [ArgumentSlice], _ limits: borrowing MemcachedLimits
  ) -> (MemcachedRequest, Block) {
    let usual = command == .cas ? 6 : 5
    guard count == usual || count == usual &+ 1 else { return drop(command, .unknownCommand, &words) }
    let flags = MemcachedNumber.unsigned(word(2, words)).flatMap { UInt32(exactly: $0) }
    let time = MemcachedNumber.time(word(3, words))
    let length = MemcachedNumber.length(word(4, words))
    let version = command == .cas ? MemcachedNumber.unsigned(word(5, words)) : 0
    var request = keep(command, key: 1, isQuiet: isQuiet(words), &words)
    if let flags, let time, let version, length != nil {
      request.flags = flags
      request.time = time
      request.number = version
    } else {
      request.error = .badLine
    }
    let block = block(length, &request, limits)
    return (request, block)
  }

  private func block(_ length: Int?, _ request: inout MemcachedRequest, _ limits: borrowing MemcachedLimits) -> Block {
    guard let length else { return .none }
    if request.error != nil { return .skipped(length) }
    if length > limits.dataBytesMax {
      request.error = .tooLarge
      return .skipped(length)
    }
    return .kept(length)
  }

  // MARK: Changes

  private func arithmetic(_ command: MemcachedCommand, _ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard count == 3 || count == 4 else { return drop(command, .unknownCommand, &words) }
    let amount = MemcachedNumber.unsigned(word(2, words))
    var request = keep(command, key: 1, isQuiet: isQuiet(words), &words)
    if let amount { request.number = amount } else if request.error == nil { request.error = .badDelta }
    return (request, .none)
  }

  private func delete(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard 2...4 ~= count else { return drop(.delete, .unknownCommand, &words) }
    var isValid = true
    var isQuiet = false
    if count > 2 {
      let isNow = word(2, words).equals("0")  // a time to wait, which older versions knew
      isQuiet = self.isQuiet(words)
      isValid = count == 3 ? isNow || isQuiet : isNow && isQuiet
    }
    var request = keep(.delete, key: 1, isQuiet: isQuiet, &words)
    if !isValid { request.error = .badDelete }
    return (request, .none)
  }

  private func touch(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard count == 3 || count == 4 else { return drop(.touch, .unknownCommand, &words) }
    let time = MemcachedNumber.time(word(2, words))
    var request = keep(.touch, key: 1, isQuiet: isQuiet(words), &words)
    if let time { request.time = time } else if request.error == nil { request.error = .badExpiry }
    return (request, .none)
  }

  // MARK: The server

  private func flushAll(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard 1...3 ~= count else { return drop(.flushAll, .unknownCommand, &words) }
    let isQuiet = isQuiet(words)
    let time = count == (isQuiet ? 2 : 1) ? 0 : MemcachedNumber.time(word(1, words))
    var (request, block) = drop(.flushAll, time == nil ? .badExpiry : nil, &words)
    request.isQuiet = isQuiet
    request.time = time ?? 0
    return (request, block)
  }

  private func verbosity(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard count == 2 || count == 3 else { return drop(.verbosity, .unknownCommand, &words) }
    let isQuiet = isQuiet(words)
    let isNumber = MemcachedNumber.unsigned(word(1, words)) != nil
    var (request, block) = drop(.verbosity, isNumber ? nil : .badLine, &words)
    request.isQuiet = isQuiet
    return (request, block)
  }

  private func stats(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    var request = MemcachedRequest(.stats)
    request.words = (first &+ 1)..<(first &+ count)
    return (request, .none)
  }

  /// `lru_crawler metadump all`: the one thing of the crawler that is there. Items have one class, 1.
  private func metadump(_ words: inout [ArgumentSlice]) -> (MemcachedRequest, Block) {
    guard count == 3, word(1, words).equals("metadump") else { return drop(.metadump, .unknownCommand, &words) }
    let scope = word(2, words)
    let isKnown = scope.equals("all") || scope.equals("hash") || scope.equals("1")
    return drop(.metadump, isKnown ? nil : .badClass, &words)
  }

  // MARK: Meta

  private func meta(
    _ letter: UInt8, _ words: inout [ArgumentSlice], _ limits: borrowing MemcachedLimits
  ) -> (MemcachedRequest, Block) {
    let command: MemcachedCommand
    switch letter {
    case UInt8(ascii: "g"): command = .mg
    case UInt8(ascii: "s"): command = .ms
    case UInt8(ascii: "d"): command = .md
    case UInt8(ascii: "a"): command = .ma
    case UInt8(ascii: "e"): command = .me
    case UInt8(ascii: "n"): return drop(.mn, nil, &words)
    default: return drop(.unknown, .unknownCommand, &words)
    }
    if count < 2 { return drop(command, command == .me ? .badLine : .unknownCommand, &words) }
    var request = MemcachedRequest(command)
    request.key = words[first &+ 1]
    request.words = (first &+ 2)..<(first &+ count)
    if Int(request.key.count) > MemcachedLimits.keyBytesMax { request.error = .badLine }
    if count > MemcachedLimits.metaWordsMax { request.error = .tooManyFlags }
    guard command == .ms else { return (request, .none) }
    guard count > 2, let length = MemcachedNumber.length(word(2, words)) else {
      request.error = .badLine
      return (request, .none)
    }
    request.words = (first &+ 3)..<(first &+ count)
    let block = block(length, &request, limits)
    return (request, block)
  }

  // MARK: Credentials

  /// What a line says of a client that has not shown its token yet: the `set` that shows it, or that it should.
  func credentials(_ words: inout [ArgumentSlice], _ limits: borrowing MemcachedLimits) -> (MemcachedRequest, Block) {
    guard count >= 5, word(0, words).equals("set"), let length = MemcachedNumber.length(word(4, words)) else {
      return drop(.authenticate, .unauthenticated, &words)
    }
    let (request, _) = drop(.authenticate, length > limits.credentialsBytesMax ? .badCredentials : nil, &words)
    return (request, length > limits.credentialsBytesMax ? .skipped(length) : .kept(length))
  }
}
