// Many tasks on all threads, some cancelled, some failing, with removals and invalidations between: nobody hangs, nobody gets a value of
// another key or one older than what he was told is gone. Meant for the thread sanitizer too.

import MartletBytes
import MartletCache
import Synchronization
import Testing

@testable import MartletCacheClient

@Suite("Cache under many tasks")
struct CacheThreadsTests {
  @Test("Fills, failures, cancellations, removals and invalidations at once leave no task behind and no wrong value")
  func storm() async throws {
    let clock = HandClock()
    let cache = Cache.make(clock: clock)
    let seed = UInt64.random(in: 0...UInt64.max)
    // What the origin has, and what of it the cache was told before now.
    let generations = (0..<8).map { _ in Counter() }
    let told = (0..<8).map { _ in Counter() }
    let served = Counter()

    try await withThrowingTaskGroup { group in
      for worker in 0..<40 {
        group.addTask {
          var random = SplitRandom(seed: seed &+ UInt64(worker))
          for _ in 0..<150 {
            let key = Int(random.next() % 8)
            switch random.next() % 16 {
            case 0:
              let generation = generations[key].next()
              cache.remove("\(key)")
              told[key].raise(to: generation)
            case 1:
              let generation = generations[key].next()
              try cache.invalidate(tag: "t\(key)")
              told[key].raise(to: generation)
            case 2: clock.advance(.milliseconds(50))
            case 3: cache.sweep()
            default:
              let kind = random.next() % 8
              let before = told[key].value
              let task = Task {
                try await cache.value(for: "\(key)", ttl: .seconds(1), tags: ["t\(key)"]) {
                  let value = [key, generations[key].value]
                  await Task.yield()
                  if kind == 0 { throw OriginError(number: key) }
                  return value
                }
              }
              if kind == 1 { task.cancel() }
              switch await task.result {
              case .success(let value):
                served.next()
                #expect(value[0] == key, "seed \(seed)")
                #expect(value[1] >= before, "seed \(seed): older than what was removed before it was asked for")
              case .failure(let error as OriginError): #expect(error.number == key, "seed \(seed)")
              case .failure(let error): #expect(error is CancellationError, "seed \(seed)")
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(served.value > 1000)
    #expect(cache.waiting == 0)
    #expect(cache.statistics.leases.live == 0)
  }
}

private struct SplitRandom: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
