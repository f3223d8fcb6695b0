/// Making room: S3-FIFO over the segments of the log. Engine.
///
/// In plain words (Yang et al., SOSP 2023): new entries go to a small queue, a tenth of the bytes. At its end those that were used
/// while they were in it move to the main queue, the others go, and leave a ghost; a ghost's key that comes back enters the main queue at
/// once. At the end of the main queue an entry that was used goes round again with one use less; the others go. So one pass of keys
/// that are never asked for again washes through the small queue only.
///
/// Here the queues are queues of segments. The oldest is walked from its beginning, a few entries at a time; what stays is copied to the
/// open segment of the main queue, and then the whole segment is free: eviction and compaction are one mechanism.

internal import CPrefetch
internal import MartletBytes

/// Where a walk over a segment stands.
struct SegmentWalk {
  /// `Segment.none`: none is being walked.
  var segment = Segment.none
  var offset = 0
}

/// A few live entries of a walk, with their hashes.
struct WalkBatch {
  static var countMax: Int { 16 }
  private var offsets = InlineArray<16, UInt32>(repeating: 0)
  private var hashes = InlineArray<16, UInt64>(repeating: 0)
  private(set) var count = 0
  /// The offset at which the walk goes on.
  var end = 0
  /// Entries passed to get there, dead ones included.
  var looked = 0

  mutating func append(_ offset: Int, _ hash: UInt64) {
    offsets[count] = UInt32(offset)
    hashes[count] = hash
    count += 1
  }

  subscript(index: Int) -> (offset: Int, hash: UInt64) { (Int(offsets[index]), hashes[index]) }
}

extension Shard {
  /// How often an entry of the small queue must have been used to stay.
  private static var usesToStay: UInt64 { 1 }
  /// Steps of compaction that are tried before anything is evicted.
  private static var compactionsPerEviction: Int { 32 }
  /// What is copied, beside what was asked for, before an entry needs one use more to stay: no put waits for a whole round.
  private static var patienceBytes: Int { 64 << 10 }
  /// Entries looked at in one step of a walk, dead ones included.
  private static var stepEntries: Int { 64 }

  /// Evicts until `wanted` bytes are gone or nothing is left to evict. Returns the bytes that went (below 0: it had to copy first).
  mutating func evict(bytes wanted: Int, at now: UnixTime) -> Int {
    let before = bytes
    var walked = 0
    let walkedMax = 5 * log.bytes
    var compactions = 0
    while before - bytes < wanted, walked <= walkedMax {
      // What is dead already goes first.
      if compactions < Shard.compactionsPerEviction, isSparse, compactStep(isEager: false, at: now) != nil {
        compactions += 1
        continue
      }
      if !evictStep(&walked, patience: wanted + Shard.patienceBytes, at: now) { break }
    }
    return before - bytes
  }

  /// One step of the walk over the oldest segment. False: there is nothing to evict.
  mutating func evictStep(_ walked: inout Int, patience: Int, at now: UnixTime) -> Bool {
    if victim.segment == Segment.none, !chooseVictim() { return false }
    let segment = log.segment(victim.segment)
    let begin = victim.offset
    let batch = gather(from: victim)
    victim.offset = batch.end
    walked += victim.offset - begin
    let isSmall = segment.queue == .small
    let usesEnough = UInt64(max(0, walked / patience)) + (isSmall ? Shard.usesToStay : 1)
    for index in 0..<batch.count {
      let (offset, hash) = batch[index]
      let entry = segment.entry(at: offset)
      guard let place = table.find(entry, hash: hash) else { preconditionFailure("a live entry that the table does not know") }
      let uses = place.slot.uses
      if removeIfOver(place, at: now) { continue }
      if uses >= usesEnough || hash == protectedHash, move(place, toMainWith: isSmall ? 0 : max(uses, 1) - 1) { continue }
      if isSmall { ghosts.insert(hash, entryCount: table.count) }
      evict(place, at: now)
    }
    if victim.offset >= segment.end { endVictim() }
    return true
  }

  /// The oldest segment of the small queue while that holds a tenth of the bytes, else of the main one.
  private mutating func chooseVictim() -> Bool {
    let (small, main) = (log.small, log.main)
    let isSmall = main.count == 0 || small.count > 0 && small.bytes > (small.bytes + main.bytes) / 10
    let oldest = isSmall ? small.oldest : main.oldest
    guard oldest != Segment.none else { return false }
    victim = SegmentWalk(segment: oldest, offset: Segment.headBytes)
    log.close(oldest)
    log.held[0] = oldest
    if oldest == compaction.segment { compaction = SegmentWalk() }
    for index in 1...2 where log.held[index] == oldest { log.held[index] = Segment.none }
    return true
  }

  private mutating func endVictim() {
    let number = victim.segment
    victim = SegmentWalk()
    log.held[0] = Segment.none
    log.free(number)
  }

  /// Goes on with a walk: collects live entries, and asks for the lines of the table where their slots are.
  mutating func gather(from walk: SegmentWalk) -> WalkBatch {
    var batch = WalkBatch()
    batch.end = walk.offset
    let segment = log.segment(walk.segment)
    let end = segment.end
    while batch.end < end, batch.count < WalkBatch.countMax, batch.looked < Shard.stepEntries {
      let entry = segment.entry(at: batch.end)
      if entry.isLive {
        let hash = hash(of: entry)
        if let line = table.homeLine(hash) { unsafe martlet_prefetch(line.base) }
        batch.append(batch.end, hash)
      }
      batch.end += entry.logBytes
      batch.looked += 1
    }
    return batch
  }

  private mutating func move(_ place: Place, toMainWith uses: UInt64) -> Bool {
    let count = place.entry.logBytes
    if log.open(.main, for: count) == nil {
      let order = log.order(for: count)
      // Past the limit, if it must be: the segment that is being walked is free soon.
      guard let unit = memory.segments.allocate(order: order, within: nil) else { return false }
      log.begin(unit, order: order, .main)
    }
    move(place, to: log.open(.main, for: count)!, uses: uses)
    return true
  }

  /// Copies an entry to the end of `target`, which has room, and points its slot there.
  mutating func move(_ place: Place, to target: Segment, uses: UInt64) {
    let entry = place.entry
    let count = entry.logBytes
    let copy = log.nextPlace(in: target)
    // Both places are of this shard's segments, and do not overlap: the target ends before its room begins.
    unsafe copy.base.copyMemory(from: entry.base, byteCount: count)
    log.didLay(copy, count, in: target)
    var slot = place.slot
    slot.location = table.location(copy)
    slot.uses = uses
    place.slot = slot
    log.bury(entry)
    counters.movedBytes += UInt64(count)
  }
}
