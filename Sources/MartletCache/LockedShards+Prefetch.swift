/// Reading ahead: all the memory that a batch of keys needs is asked for before the first key is worked on.
///
/// The problem: a key in a large cache costs two waits for memory one after the other, its line of the table, then its entry, 180 ns each. The
/// memory answers many questions at once. So: one pass asks for the lines of all keys, the next, when the first lines are there, finds in
/// them where the entries are and asks for those; a third does so for the tenth of keys that stand in a line after their own. When the
/// verbs run, all is there: about half a wait per key.
///
/// By prefetch instructions, not loads: those have to arrive before what stands behind them can retire.

internal import CPrefetch
internal import MartletBytes

extension LockedShards {
  /// How many keys are read ahead together: of more, the first would be out of the fastest cache before the last are there.
  private static var prefetchCount: Int { 64 }

  /// Asks for what the verbs of a batch will read, and notes in it what was found. Its shards are locked. Changes nothing in the store.
  package borrowing func prefetch(_ batch: inout KeyBatch) {
    var first = 0
    while first < batch.count {
      let end = min(first + LockedShards.prefetchCount, batch.count)
      for index in first..<end { prefetchLine(index, of: &batch) }
      var displacedCount = 0
      for index in first..<end { displacedCount &+= prefetchEntry(index, of: &batch) }
      if displacedCount > 0 { for index in first..<end where batch[index].layout == 0 { prefetchDisplaced(index, of: &batch) } }
      first = end
    }
  }

  @inline(__always)
  private borrowing func prefetchLine(_ index: Int, of batch: inout KeyBatch) {
    let (hash, shard) = locate(batch[index])
    let line = unsafe engine.pointee.shard(shard).pointee.table.homeLine(hash)
    unsafe martlet_prefetch(line?.base)
    unsafe batch[index].address = line?.base
  }

  /// 1 if the key does not stand in its home line.
  @inline(__always)
  private borrowing func prefetchEntry(_ index: Int, of batch: inout KeyBatch) -> Int {
    guard let address = unsafe batch[index].address else { return 0 }
    let line = unsafe Line(base: address)
    let (hash, shard) = locate(batch[index])
    let matches = line.matches(unsafe engine.pointee.tag(hash))
    if matches.isEmpty {
      unsafe engine.pointee.shard(shard).pointee.table.prefetchNext(hash)
      return 1
    }
    note(line, matches.first, index, &batch)
    return 0
  }

  @inline(__always)
  private borrowing func note(_ line: Line, _ slot: Int, _ index: Int, _ batch: inout KeyBatch) {
    let shard = unsafe engine.pointee.shard(Int(batch[index].shard))
    unsafe engine.pointee.entry(line[slot]).prefetch(bytes: shard.pointee.usualBytes)
    unsafe batch[index].address = line.base + slot &* 8
    unsafe batch[index].layout = shard.pointee.table.layout
    batch.foundAhead &+= 1
  }

  private borrowing func prefetchDisplaced(_ index: Int, of batch: inout KeyBatch) {
    guard unsafe batch[index].address != nil else { return }
    let (hash, shard) = locate(batch[index])
    guard let (line, slot) = unsafe engine.pointee.shard(shard).pointee.table.likelySlotNext(hash) else { return }
    note(line, slot, index, &batch)
  }
}
