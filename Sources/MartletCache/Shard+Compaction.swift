/// Memory of dead entries, back before eviction comes by: sparse segments are copied together. Engine.
///
/// Walks the queues from old to young, a few entries at a time. What lives in a sparse segment is copied into a fresh one that takes its place
/// in the queue, so that the order of ages stays. What nobody may be served any more is not copied but removed.

internal import MartletBytes

/// Which segment is compacted next: passes over all of them, a few in a step.
struct SparseSearch {
  /// The segments of a pass that were worth it.
  var found = 0
  /// How much of the log must be dead, in thirty-seconds, before a pass begins. It rises after a pass that found nothing: the heads of the
  /// segments lie far apart, and memory that was idle for long takes its time.
  var shareToBegin = shareMin

  /// An eighth.
  static var shareMin: Int { 4 }
  /// A quarter: with so much, some segment is worth it.
  static var shareMax: Int { 8 }
}

extension Shard {
  /// Whether so much is dead that copying pays: an eighth of the log or more (see `SparseSearch`), and more than a page.
  var isSparse: Bool { log.deadBytes > log.bytes / 32 * search.shareToBegin && log.deadBytes > AddressRange.pageBytes }

  /// Whether a quarter of a segment is dead (`isEager`: anything), and nobody else works on it.
  private func isWorth(_ number: UInt32, isEager: Bool) -> Bool {
    let segment = log.segment(number)
    if log.isOpen(number) || number == victim.segment || number == log.held[2] { return false }
    return segment.deadBytes > (isEager ? 0 : segment.end / 4)
  }

  /// Heads of segments that are looked at in one step.
  private static var searchCount: Int { 8 }

  /// Copies up to 16 entries of a segment that is worth it, or looks for one among the next. How many entries or segments it has looked at,
  /// dead ones included; nil: there is no such segment, or no memory to copy to. `isEager`: any that can be found, at once.
  mutating func compactStep(isEager: Bool, at now: UnixTime) -> Int? {
    if compaction.segment == Segment.none {
      if !isEager { return searchStep() }
      guard let number = log.first(where: { isWorth($0, isEager: true) }) else { return nil }
      beginCompaction(of: number)
    }
    let segment = log.segment(compaction.segment)
    let begin = compaction.offset
    let batch = gather(from: compaction)
    compaction.offset = batch.end
    for index in 0..<batch.count {
      let (offset, hash) = batch[index]
      let entry = segment.entry(at: offset)
      guard let place = table.find(entry, hash: hash) else { preconditionFailure("a live entry that the table does not know") }
      if removeIfOver(place, at: now) { continue }
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

  private mutating func beginCompaction(of number: UInt32) {
    compaction = SegmentWalk(segment: number, offset: Segment.headBytes)
    log.held[1] = number
  }

  /// Goes on with a pass over the segments, from old to young, or begins one. How many it has looked at; nil: a pass is over that has found
  /// nothing.
  private mutating func searchStep() -> Int? {
    if log.searchPosition == Segment.none {
      log.searchPosition = log.oldest
      search.found = 0
    }
    var looked = 0
    while log.searchPosition != Segment.none, looked < Shard.searchCount {
      let number = log.searchPosition
      log.searchPosition = log.segment(after: number)
      looked += 1
      if isWorth(number, isEager: false) {
        search.found += 1
        beginCompaction(of: number)
        return looked
      }
    }
    if log.searchPosition != Segment.none { return looked }
    let isVain = search.found == 0
    search.shareToBegin = isVain ? min(log.deadBytes * 32 / max(log.bytes, 1) + 1, SparseSearch.shareMax) : SparseSearch.shareMin
    return isVain ? nil : looked
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
