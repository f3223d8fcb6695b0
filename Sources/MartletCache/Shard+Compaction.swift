/// Memory of dead entries, back before eviction comes by: sparse segments are copied together. Engine.
///
/// Walks the queues from old to young, a few entries at a time. What lives in a sparse segment is copied into a fresh one that takes its place
/// in the queue, so that the order of ages stays.

internal import MartletBytes

extension Shard {
  /// Whether so much is dead that copying pays: an eighth of the log, and more than a page.
  var isSparse: Bool { log.deadBytes > log.bytes / 8 && log.deadBytes > AddressRange.pageBytes }

  /// Whether a quarter of a segment is dead (`isEager`: anything), and nobody else works on it.
  private func isWorth(_ number: UInt32, isEager: Bool) -> Bool {
    let segment = log.segment(number)
    if log.isOpen(number) || number == victim.segment || number == log.held[2] { return false }
    return segment.deadBytes > (isEager ? 0 : segment.end / 4)
  }

  /// Copies up to 16 entries of a segment that is worth it. How many it has looked at, dead ones included; nil: there is no such segment,
  /// or no memory to copy to.
  mutating func compactStep(isEager: Bool) -> Int? {
    if compaction.segment == Segment.none, !chooseSparse(isEager: isEager) { return nil }
    let segment = log.segment(compaction.segment)
    let begin = compaction.offset
    let batch = gather(from: compaction)
    compaction.offset = batch.end
    for index in 0..<batch.count {
      let (offset, hash) = batch[index]
      let entry = segment.entry(at: offset)
      guard let place = table.find(entry, hash: hash) else { preconditionFailure("a live entry that the table does not know") }
      guard let target = target(for: entry.logBytes) else {
        compaction.offset = begin
        return nil
      }
      move(place, to: target, uses: place.slot.uses)
    }
    if compaction.offset >= segment.end {
      let number = compaction.segment
      compaction = SegmentWalk()
      log.held[1] = Segment.none
      log.free(number)
    }
    return batch.looked
  }

  private mutating func chooseSparse(isEager: Bool) -> Bool {
    for kind in [SegmentQueue.Kind.small, .main] {
      var number = log[kind].oldest
      while number != Segment.none {
        if isWorth(number, isEager: isEager) {
          compaction = SegmentWalk(segment: number, offset: Segment.headBytes)
          log.held[1] = number
          return true
        }
        number = log.segment(number).next
      }
    }
    return false
  }

  /// A segment just before (older than) the one that is copied, with room for `count` bytes.
  private mutating func target(for count: Int) -> Segment? {
    let source = log.segment(compaction.segment)
    if log.held[2] != Segment.none {
      let target = log.segment(log.held[2])
      if target.queue == source.queue, target.room >= count { return target }
      log.held[2] = Segment.none
    }
    let order = max(log.order(for: count), ChunkPool.order(of: count + Segment.headBytes))
    guard let unit = memory.segments.allocate(order: order, within: nil) else { return nil }
    log.add(unit, order: order, source.queue, before: compaction.segment)
    log.held[2] = UInt32(unit)
    return log.segment(UInt32(unit))
  }
}
