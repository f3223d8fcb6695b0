/// What a shard does about invalidated tags: asks the registry about an entry, removes what is dead, sweeps in steps of a few lines.

internal import MartletBytes

extension Shard {
  /// What invalidations have made of an entry with tags. Notes in its stamp how far that was checked.
  @inline(__always)
  mutating func tagState(of entry: Entry) -> TagRegistry.State {
    let stamp = entry.tagStamp
    // The registry is the engine's, which outlives this shard.
    let counter = unsafe tags._withUnsafeGuaranteedRef { $0.now }
    if stamp.counter >= counter { return stamp.isSoftened ? .softened : .current }
    return check(entry, stamp, upTo: counter)
  }

  @inline(never)
  private mutating func check(_ entry: Entry, _ stamp: TagStamp, upTo counter: UInt64) -> TagRegistry.State {
    let state = unsafe tags._withUnsafeGuaranteedRef { $0.state(of: entry.tags, since: stamp.counter) }
    if state == .dead { return .dead }
    let isSoftened = stamp.isSoftened || state == .softened
    entry.tagStamp = TagStamp(counter, isSoftened: isSoftened)
    return isSoftened ? .softened : .current
  }

  /// Removes an entry one of whose tags was invalidated.
  mutating func invalidate(_ place: Place, at now: UnixTime) {
    counters.invalidations += 1
    unlink(place, as: .invalidated, at: now)
  }

  /// Entries of a sweep that are asked of memory together.
  private static var sweepCount: Int { 32 }

  /// Lines of a step: fifty entries, tens of microseconds.
  private static var sweepLines: Int { 8 }

  /// Checks the entries of some lines of a page, removes the dead. Where to go on; nil after the last page.
  ///
  /// No entry that was there when its page was begun is missed: between two steps one may be moved to a line at most three further on, round the
  /// page's end (`Page.insert`), so the first lines are looked at again with the last; and when lines were taken or laid out anew the page is
  /// begun again, and done in this one step, so that the sweep comes to an end.
  mutating func sweepTags(from position: PagePosition, at now: UnixTime) -> PagePosition? {
    guard !table.isEmpty else { return nil }
    let page = table.page(for: position.tag)
    let count = page.lineCount
    let isAnew = position.isOutdated(in: table)
    let first = isAnew ? 0 : position.offset
    let end = isAnew ? count : min(first + Shard.sweepLines, count)
    unsafe withUnsafeTemporaryAllocation(of: UInt.self, capacity: Shard.sweepCount) { words in
      var slots = unsafe Addresses(words)
      sweepTags(first..<end, of: page, &slots, at: now)
      if end == count { sweepTags(0..<min(first, Page.windowLines - 1), of: page, &slots, at: now) }
      sweepTags(&slots, at: now)
    }
    if end < count { return PagePosition(tag: position.tag, offset: end, layout: table.layout) }
    return page.endTag >= 1 << UInt32(Slot.tagBits) ? nil : PagePosition(tag: page.endTag)
  }

  private mutating func sweepTags(_ lines: Range<Int>, of page: Page, _ slots: inout Addresses, at now: UnixTime) {
    for number in lines {
      let line = page.line(number)
      for index in 0..<Line.slotCount where line[index].isFull {
        unsafe slots.append(line.base + index &* 8)
        if slots.room == 0 { sweepTags(&slots, at: now) }
      }
    }
  }

  /// The same for the entries of a few slots, all of them asked for first.
  private mutating func sweepTags(_ slots: inout Addresses, at now: UnixTime) {
    for index in 0..<slots.count { prefetchToBury(unsafe Slot(bits: slots[index].unsafelyUnwrapped.load(as: UInt64.self))) }
    for index in 0..<slots.count {
      let place = unsafe table.place(atSlot: slots[index].unsafelyUnwrapped)
      guard place.entry.fields.contains(.tags), tagState(of: place.entry) == .dead else { continue }
      invalidate(place, at: now)
    }
    slots.removeAll()
  }
}
