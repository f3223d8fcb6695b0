/// Rounds over the ticks of the table: expired entries go, a few at a time. Engine.

internal import CPrefetch
internal import MartletBytes

/// What a round has in hand, in memory that the caller lends.
@safe
private struct RoundMemory {
  var blocks: Addresses
  var slots: Addresses

  private static var blocksMax: Int { 128 }
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
      guard let looked = compactStep(isEager: false, at: now) else { break }
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

  /// What reading an entry that is due costs of a budget, or passing one on the way through a segment that is compacted: nobody may have
  /// touched its memory for long.
  private static var entryCost: Int { 32 }
  /// What looking at a page costs, and now and then laying it out anew.
  private static var pageCost: Int { 64 }
  /// What reading the notes of a block costs.
  private static var blockCost: Int { 1 }
  /// How many blocks ahead notes are asked for.
  private static var blocksAhead: Int { 32 }

  /// Goes on with a round, or begins one, until `budget` is spent or the round is over. `looksAhead`: see `ExpiryClock.begin`.
  mutating func expireStep(at now: UnixTime, looksAhead: Bool = false, budget: inout Int) -> (expired: Int, isDone: Bool) {
    budget -= 1
    if clock.position == nil, !clock.begin(at: now, looksAhead: looksAhead) { return (0, true) }
    if deadlineCount == 0 {
      clock.end()
      return (0, true)
    }
    var expired = 0
    unsafe withUnsafeTemporaryAllocation(of: UInt.self, capacity: RoundMemory.words) { words in
      var memory = unsafe RoundMemory(words)
      while budget > 0, clock.position != nil { expired += expireGroup(&memory, at: now, &budget) }
    }
    if clock.position != nil { return (expired, false) }
    clock.end()
    return (expired, true)
  }

  /// Some blocks of a round: their notes are asked for, and looked at when those of some more have been asked for.
  ///
  /// No entry that was there when its page was begun is missed: between two steps one may be moved a few lines further on, round the page's
  /// end (`Page.insert`), so the first block is looked at again after the last; and when the table was laid out anew meanwhile the page is
  /// begun again, and done in this one step, so that the round comes to an end.
  private mutating func expireGroup(_ memory: inout RoundMemory, at now: UnixTime, _ budget: inout Int) -> Int {
    guard var position = clock.position else { return 0 }
    let isAnew = position.isOutdated(in: table)
    if isAnew { position.offset = 0 }
    let resumedTag = position.offset > 0 ? position.tag : nil
    let blocksAtOnce = isAnew ? table.page(for: position.tag).blockCount : 1
    // So many that the budget is likely to reach for them and the entries they name.
    let countMax = max(budget / (4 * Shard.blockCost), blocksAtOnce)

    memory.blocks.removeAll()
    let due = clock.due
    var end: PagePosition? = position
    var expired = 0
    var done = 0
    while budget > 0 || done < blocksAtOnce {
      while let block = end, memory.blocks.count < min(done + Shard.blocksAhead, countMax), memory.blocks.room > 0 {
        if block.offset == 0 { table.prefetchPage(soonAfter: block.tag) }
        unsafe memory.blocks.append(notes(at: block).base)
        end = self.position(after: block, resumedTag: resumedTag)
      }
      if done == memory.blocks.count { break }
      let notes = unsafe BlockNotes(base: memory.blocks[done].unsafelyUnwrapped)
      done += 1
      var matches = due.matches(notes)
      budget -= Shard.blockCost + Shard.entryCost * matches.nonzeroBitCount
      while matches != 0 {
        let (line, index) = notes.slot(ofTick: matches.trailingZeroBitCount)
        matches &= matches &- 1
        unsafe memory.slots.append(line.base + index &* 8)
        if memory.slots.room == 0 { expired += expire(&memory.slots, at: now) }
      }
    }
    expired += expire(&memory.slots, at: now)

    if done < memory.blocks.count {
      end = position
      for _ in 0..<done { end = end.flatMap { self.position(after: $0, resumedTag: resumedTag) } }
    }
    clock.position = end
    return expired
  }

  /// What the block at a position notes; past the last of its page, those of the first once more.
  private func notes(at position: PagePosition) -> BlockNotes {
    let page = table.page(for: position.tag)
    return page.notes(position.offset < page.blockCount ? position.offset : 0)
  }

  /// The block that follows; nil after the last. `resumedTag`: of a page that was begun in an earlier step.
  private func position(after position: PagePosition, resumedTag: UInt32?) -> PagePosition? {
    let page = table.page(for: position.tag)
    let next = position.offset + 1
    if next < page.blockCount || next == page.blockCount && position.tag == resumedTag {
      return PagePosition(tag: position.tag, offset: next, layout: table.layout)
    }
    return page.endTag < 1 << UInt32(Slot.tagBits) ? PagePosition(tag: page.endTag) : nil
  }

  /// Looks at the entries of slots whose ticks are due, all of them asked for first: removes what is over, sets the ticks of the rest anew.
  private mutating func expire(_ slots: inout Addresses, at now: UnixTime) -> Int {
    var expired = 0
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
    if expireStep(at: now, looksAhead: true, budget: &budget).isDone { pressureTime = now.advanced(byMilliseconds: 100) }
  }
}
