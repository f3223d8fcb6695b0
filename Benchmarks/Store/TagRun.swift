// A tag on a million entries, invalidated: how long that takes, and how long, at most, a loop is away that removes them as the server does, a
// tenth of a millisecond at a time; beside each turn another that only counts.

import MartletBytes
import MartletCache

enum TagRun {
  static func run() throws {
    let count = isQuick ? 5000 : 1_000_000
    let store = makeStore(limit: 2 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    let clock = SteadyClock()
    let tag = Array("all".utf8)
    try keepingMemory(in: store) {
      for number in 0..<count {
        let attributes = PutAttributes(contentType: RawSpan(), tags: tag.rawSpan)
        try key.with(number) { _ = try store.put($0, value.prefix(64), attributes, at: clock.unixTime(at: .now)) }
      }
    }
    while store.memoryStep() {}
    let begin = MonotonicTime.now
    store.invalidate(tags: tag.rawSpan)
    let took = MonotonicTime.now.nanoseconds(since: begin)
    for part in 0..<1000 {
      let isServed = key.with(part * count / 1000) { store.touch($0, at: clock.unixTime(at: .now)) }
      check(!isServed, "an invalidated entry")
    }
    var turns = Pauses()
    var counting = Pauses()
    keepingMemory(in: store) {
      while store.statistics.entries > 0 {
        // Looking at the statistics is not part of it.
        for _ in 0..<100 {
          turns.time { _ = Turn.sweepTags(store, clock) }
          turns.time { _ = Turn.expire(store, clock) }
          counting.time(Turn.count)
          Process.sleep(nanoseconds: 1_000_000)
        }
      }
    }
    let seconds = Double(MonotonicTime.now.nanoseconds(since: begin)) / 1e9
    line("a tag of \(count) entries, invalidated in", "\((Double(took) / 1000).text()) µs, target <= 1 ms")
    line("  all memory reusable after", "\(seconds.text(1)) s, target <= 30 s")
    line("  longest pause", "\(turns.text), target <= 1 ms")
    line("  longest turn that only counts", counting.text)
    line("  CPU per entry", "\((Double(turns.nanosecondsTotal) / Double(count)).text(0)) ns")
  }
}
