/// What a shard does about invalidated tags: asks the registry about an entry, removes what is dead, sweeps in steps of one page.

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

  /// Checks the entries of the page at `tag`, removes the dead. Where to go on; nil after the last page.
  mutating func sweepTags(from tag: UInt32, at now: UnixTime) -> UInt32? {
    guard !table.isEmpty else { return nil }
    let page = table.page(for: tag)
    page.forEach { line, index in
      let place = table.place(line, index)
      guard place.entry.fields.contains(.tags), tagState(of: place.entry) == .dead else { return }
      invalidate(place, at: now)
    }
    return page.endTag >= 1 << UInt32(Slot.tagBits) ? nil : page.endTag
  }
}
