/// Rounds over the ticks of the table: expired entries go, a few at a time. Engine.

internal import MartletBytes

extension Shard {
  /// A step of what is done for a shard now and then: a round over its deadlines, then compaction as long as it is sparse.
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
      if !compactStep(isEager: false) { break }
      budget -= Shard.entryCost * WalkBatch.countMax
    }
    isRoundOver = false
    return (expired, true)
  }

  /// What reading an entry that is due, or moving one, costs of a budget.
  private static var entryCost: Int { 16 }

  /// Goes on with a round, or begins one, until `budget` is spent or the round is over. A line costs 1, an entry that is due 16.
  mutating func expireStep(at now: UnixTime, budget: inout Int) -> (expired: Int, isDone: Bool) {
    budget -= 1
    if deadlineCount == 0 {
      if clock.position == nil, !clock.begin(at: now) { return (0, true) }
      clock.end()
      return (0, true)
    }
    if clock.position == nil, !clock.begin(at: now) { return (0, true) }
    let due = clock.due
    var expired = 0
    // Whole pages, so that one that grows or splits between two steps is not seen in part.
    while budget > 0, let tag = clock.position {
      let page = table.page(for: tag)
      budget -= page.lineCount
      for block in 0..<page.blockCount {
        let first = page.line(block &* Page.linesPerBlock)
        // One branch for eight lines: so the processor reads on into blocks that are elsewhere while it waits for this one.
        if Shard.mayBeDue(first, due) { expired += expireBlock(first, due, at: now, &budget) }
      }
      clock.position = page.endTag < 1 << UInt32(Slot.tagBits) ? page.endTag : nil
    }
    if clock.position != nil { return (expired, false) }
    clock.end()
    return (expired, true)
  }

  @inline(__always)
  private static func mayBeDue(_ first: Line, _ due: DueCodes) -> Bool {
    var hits: UInt64 = 0
    // The lines of a block lie one behind the other.
    for index in 0..<Page.linesPerBlock { hits |= due.hits(unsafe Line(base: first.base + index &* Line.bytes).ticks) }
    return hits != 0
  }

  @inline(never)
  private mutating func expireBlock(_ first: Line, _ due: DueCodes, at now: UnixTime, _ budget: inout Int) -> Int {
    var expired = 0
    for index in 0..<Page.linesPerBlock {
      let line = unsafe Line(base: first.base + index &* Line.bytes)
      let matches = due.matches(line.ticks)
      if matches != 0 { expired += expire(matches, of: line, at: now, &budget) }
    }
    return expired
  }

  private mutating func expire(_ matches: UInt8, of line: Line, at now: UnixTime, _ budget: inout Int) -> Int {
    var matches = matches
    var expired = 0
    while matches != 0 {
      let index = matches.trailingZeroBitCount
      matches &= matches - 1
      budget -= Shard.entryCost
      let place = table.place(line, index)
      let deadline = place.entry.deadline
      if deadline <= now {
        expire(place, at: now)
        expired += 1
      } else {
        place.tick = clock.code(for: deadline)
      }
    }
    return expired
  }

  /// Under pressure, where no loop runs rounds: one in each tenth of a second, or as much of it as one put may take.
  mutating func expireDue(at now: UnixTime) {
    guard deadlineCount > 0, now >= pressureTime else { return }
    var budget = 8192
    if expireStep(at: now, budget: &budget).isDone { pressureTime = now.advanced(byMilliseconds: 100) }
  }
}
