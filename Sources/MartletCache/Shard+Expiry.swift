/// Rounds over the ticks of the table: expired entries go, a few at a time. Engine.

internal import CPrefetch
internal import MartletBytes

/// What a round has in hand, in memory that the caller lends.
@safe
private struct RoundMemory {
  var blocks: Addresses
  var slots: Addresses

  private static var blocksMax: Int { 64 }
  private static var slotsMax: Int { 32 }
  static var words: Int { blocksMax + slotsMax }

  @unsafe
  init(_ words: UnsafeMutableBufferPointer<UInt>) {
    blocks = unsafe Addresses(words.extracting(..<RoundMemory.blocksMax))
    slots = unsafe Addresses(words.extracting(RoundMemory.blocksMax...))
  }
}

extension Shard {
  /// A step of what is done for a shard now and then: a round over its deadlines, then compaction as long as its log is sparse, then a walk
  /// over its table if that is.
  mutating func maintain(at now: UnixTime, budget: inout Int) -> (expired: Int, isDone: Bool) {
    var expired = 0
    if !isRoundOver {
      let step = expireStep(at: now, budget: &budget)
      expired = step.expired
      if !step.isDone { return (expired, false) }
      isRoundOver = true
    }
    while isSparse {
      if budget <= 0 { return (expired, false) }
      guard let looked = compactStep(isEager: false) else { break }
      budget -= Shard.entryCost * looked
    }
    while table.isSparse {
      if budget <= 0 { return (expired, false) }
      budget -= Shard.pageCost
      if !table.shrinkStep() { break }
    }
    isRoundOver = false
    return (expired, true)
  }

  /// What reading an entry that is due costs of a budget, or passing one on the way through a segment that is compacted.
  private static var entryCost: Int { 16 }
  /// What looking at a page costs, and now and then laying it out anew.
  private static var pageCost: Int { 64 }
  /// What reading the notes of a block costs.
  private static var blockCost: Int { 2 }

  /// Goes on with a round, or begins one, until `budget` is spent or the round is over.
  mutating func expireStep(at now: UnixTime, budget: inout Int) -> (expired: Int, isDone: Bool) {
    budget -= 1
    if deadlineCount == 0 {
      if clock.position == nil, !clock.begin(at: now) { return (0, true) }
      clock.end()
      return (0, true)
    }
    if clock.position == nil, !clock.begin(at: now) { return (0, true) }
    var expired = 0
    unsafe withUnsafeTemporaryAllocation(of: UInt.self, capacity: RoundMemory.words) { words in
      var memory = unsafe RoundMemory(words)
      while budget > 0, clock.position != nil { expired += expireGroup(&memory, at: now, &budget) }
    }
    if clock.position != nil { return (expired, false) }
    clock.end()
    return (expired, true)
  }

  /// Some pages of a round: all their notes are asked for, then each is looked at.
  private mutating func expireGroup(_ memory: inout RoundMemory, at now: UnixTime, _ budget: inout Int) -> Int {
    memory.blocks.removeAll()
    // Whole pages, so that one that grows or splits between two steps is not seen in part.
    while let tag = clock.position, memory.blocks.room >= Page.blocksMax {
      let page = table.page(for: tag)
      for block in 0..<page.blockCount { unsafe memory.blocks.append(page.notes(block).base) }
      clock.position = page.endTag < 1 << UInt32(Slot.tagBits) ? page.endTag : nil
    }
    budget -= Shard.blockCost * memory.blocks.count
    let due = clock.due
    var expired = 0
    for index in 0..<memory.blocks.count {
      let notes = unsafe BlockNotes(base: memory.blocks[index].unsafelyUnwrapped)
      var matches = due.matches(notes)
      while matches != 0 {
        let (line, index) = notes.slot(ofTick: matches.trailingZeroBitCount)
        matches &= matches &- 1
        unsafe memory.slots.append(line.base + index &* 8)
        if memory.slots.room == 0 { expired += expire(&memory.slots, at: now, &budget) }
      }
    }
    return expired + expire(&memory.slots, at: now, &budget)
  }

  /// Looks at the entries of slots whose ticks are due, all of them asked for first: removes what is over, sets the ticks of the rest anew.
  private mutating func expire(_ slots: inout Addresses, at now: UnixTime, _ budget: inout Int) -> Int {
    var expired = 0
    budget -= Shard.entryCost * slots.count
    for index in 0..<slots.count { prefetchToBury(unsafe Slot(bits: slots[index].unsafelyUnwrapped.load(as: UInt64.self))) }
    for index in 0..<slots.count {
      let place = unsafe table.place(atSlot: slots[index].unsafelyUnwrapped)
      let deadline = place.entry.deadline
      if deadline <= now {
        expire(place, at: now)
        expired += 1
      } else {
        place.tick = clock.code(for: deadline)
      }
    }
    slots.removeAll()
    return expired
  }

  /// Asks for an entry that is probably going to be buried, and for the head of its segment.
  func prefetchToBury(_ slot: Slot) {
    let entry = table.entry(slot)
    entry.prefetch()
    unsafe martlet_prefetch_for_write(entry.base)
    unsafe martlet_prefetch_for_write(log.segment(log.number(of: entry)).base)
  }

  /// Under pressure, where no loop runs rounds: one in each tenth of a second, or as much of it as one put may take.
  mutating func expireDue(at now: UnixTime) {
    guard deadlineCount > 0, now >= pressureTime else { return }
    var budget = 8192
    if expireStep(at: now, budget: &budget).isDone { pressureTime = now.advanced(byMilliseconds: 100) }
  }
}
