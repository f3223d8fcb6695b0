/// Steps through a shard in the order of hashes. Engine.

internal import MartletBytes

extension Shard {
  /// The hash with which the tag after all of this page's begins; nil after the last of the last shard.
  private func position(after page: Page, shard: Int) -> UInt64? { position(ofTag: page.endTag, shard: shard) }

  private func position(ofTag tag: UInt32, shard: Int) -> UInt64? {
    let bits = table.shardBits
    let unit = (UInt64(shard) << UInt64(Slot.tagBits)) + UInt64(tag)
    if unit >= 1 << UInt64(bits + Slot.tagBits) { return nil }
    return unit << UInt64(64 - bits - Slot.tagBits)
  }

  /// Whether a walk of this shard has just begun.
  func isStart(_ position: UInt64) -> Bool { table.tag(position) == 0 }

  /// Gives the entries of the page at `position` from there on, by rising hash, to `body` until it says no. Returns the position of
  /// the first entry it was not given, or of the next page or shard; nil at the end of the store.
  mutating func walk(from position: UInt64, shard: Int, _ body: (Entry) -> Bool) -> UInt64? {
    guard !table.isEmpty else { return self.position(ofTag: 1 << UInt32(Slot.tagBits), shard: shard) }
    let first = table.tag(position)
    let page = table.page(for: first)
    var next: UInt64?
    let end = self.position(after: page, shard: shard)
    // Slots with their tags in front, so that sorting them sorts the tags; entries are read only when they are given.
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Page.slotsMax) { order in
      var count = 0
      for number in 0..<page.lineCount {
        let line = page.line(number)
        for index in 0..<Line.slotCount where line[index].isFull && line[index].tag >= first {
          unsafe order[count] = UInt64(line[index].tag) << 32 | UInt64(number * Line.slotCount + index)
          count += 1
        }
      }
      unsafe order[0..<count].sort()
      var start = 0
      while start < count, next == nil {
        var stop = start + 1
        while stop < count, unsafe order[stop] >> 32 == order[start] >> 32 { stop += 1 }
        next = unsafe walkGroup(page, UnsafeMutableBufferPointer(rebasing: order[start..<stop]), from: position, body)
        start = stop
      }
    }
    return next ?? end
  }

  private func entry(_ page: Page, _ word: UInt64) -> Entry {
    let number = Int(word & 0xFFFF_FFFF)
    return table.entry(page.line(number / Line.slotCount)[number % Line.slotCount])
  }

  /// The entries of one tag (nearly always one): by rising hash, those at or after `position`.
  private func walkGroup(
    _ page: Page, _ group: UnsafeMutableBufferPointer<UInt64>, from position: UInt64, _ body: (Entry) -> Bool
  ) -> UInt64? {
    var last: UInt64?
    while true {
      // The least hash not given yet: groups are tiny, so looking through again is cheaper than sorting.
      var least: UInt64?
      for index in group.indices {
        let hash = unsafe hash(of: entry(page, group[index]))
        if hash < position || last.map({ hash <= $0 }) ?? false { continue }
        least = min(least ?? hash, hash)
      }
      guard let least else { return nil }
      var isFirst = true
      for index in group.indices {
        let entry = unsafe entry(page, group[index])
        guard hash(of: entry) == least else { continue }
        // Keys of one and the same hash cannot be told apart by a cursor: given together, or not at all.
        if !body(entry), isFirst { return least }
        isFirst = false
      }
      last = least
    }
  }

  /// Removes the entries of the page at `position` whose keys begin with `prefix`.
  mutating func remove(
    prefix: RawSpan, database: UInt8, from position: UInt64, shard: Int, at now: UnixTime
  ) -> (deleted: Int, steps: Int, next: UInt64?) {
    guard !table.isEmpty else { return (0, 1, self.position(ofTag: 1 << UInt32(Slot.tagBits), shard: shard)) }
    let page = table.page(for: table.tag(position))
    var deleted = 0
    let steps = page.count
    page.forEach { line, index in
      let place = table.place(line, index)
      guard place.entry.database == database, place.entry.key.begins(with: prefix) else { return }
      if now < place.entry.expiry { deleted += 1 }
      delete(place, at: now)
    }
    return (deleted, steps + 1, self.position(after: page, shard: shard))
  }
}

extension RawSpan {
  func begins(with prefix: RawSpan) -> Bool {
    byteCount >= prefix.byteCount && extracting(first: prefix.byteCount).equals(prefix)
  }
}
