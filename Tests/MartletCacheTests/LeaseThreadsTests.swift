/// Leases and tags under real threads: the same promises as in the simulation, where nobody decides who runs when. Built with the thread
/// sanitizer too.

import MartletBytes
import Synchronization
import Testing

@testable import MartletCache

@Suite("Leases and tags under threads")
struct LeaseThreadsTests {
  /// What the origin holds of a key, and what the cache has been told of so far.
  private final class Truth: Sendable {
    let origin = Atomic<Int>(1)
    let told = Atomic<Int>(0)
  }

  private final class World: Sendable {
    let store = makeStore(shards: 4)
    let truths = (0..<6).map { _ in Truth() }
    let milliseconds = Atomic<Int64>(0)
    let parked = Atomic<Int>(0)
    let settled = Atomic<Int>(0)
    let old = Atomic<Int>(0)

    var now: UnixTime { .start + milliseconds.load(ordering: .relaxed) }
    func name(_ key: Int) -> String { "key\(key)" }
    func tag(_ key: Int) -> String { "tag\(key % 3)" }

    func judge(_ key: Int, _ value: Int, since told: Int) {
      if value < told { old.add(1, ordering: .relaxed) }
    }

    func fill(_ key: Int, _ lease: LeaseToken) {
      let value = truths[key].origin.load(ordering: .sequentiallyConsistent)
      _ = try? store.fill(name(key), "\(value)", lease, expiry: now + 20, staleUntil: now + 40, tags: tag(key), at: now)
    }
  }

  /// A parked reader; fills in its turn, inside the call that tells it.
  private final class Reader: LeaseWaiter {
    let world: World
    let key: Int
    let told: Int

    init(_ world: World, _ key: Int, told: Int) {
      self.world = world
      self.key = key
      self.told = told
    }

    func settle(_ news: LeaseNews) {
      world.settled.add(1, ordering: .relaxed)
      switch news {
      case .value(let value): world.judge(key, Int(value.withValue { $0.text }) ?? -1, since: told)
      case .lease(let lease):
        if lease.rawValue % 3 == 0 { world.store.end(world.name(key), lease, at: world.now) } else { world.fill(key, lease) }
      case .absent, .timedOut: break
      }
    }
  }

  @Test("Nothing older than what the cache was told before is served, and everybody who waits is told once", arguments: 1...3)
  func threads(seed: UInt64) async {
    let world = World()
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask { Self.work(world, SplitMix64(seed: seed * 100 + UInt64(thread)), rounds: 2500) }
      }
    }
    world.milliseconds.add(1_000_000, ordering: .relaxed)
    while world.store.advanceLeases(at: world.now) != .never { world.milliseconds.add(1_000_000, ordering: .relaxed) }
    #expect(world.old.load(ordering: .relaxed) == 0)
    #expect(world.settled.load(ordering: .relaxed) == world.parked.load(ordering: .relaxed))
    #expect(world.store.statistics.leases.waiting == 0)
    #expect(world.store.statistics.leases.live == 0)
    world.store.sweepTags(at: world.now)
    #expect(world.store.statistics.tags.records == 0)
  }

  private static func work(_ world: World, _ randomSource: SplitMix64, rounds: Int) {
    var random = randomSource
    let request = LeaseRequest(leaseMilliseconds: 30, waitMilliseconds: 25)
    for _ in 0..<rounds {
      let key = random.below(6)
      let now = world.now
      switch random.below(12) {
      case 0:
        let value = world.truths[key].origin.add(1, ordering: .sequentiallyConsistent).newValue
        try? _ = world.store.remove(world.name(key), at: now)
        raise(world.truths[key].told, to: value)
      case 1:
        let tag = key % 3
        let values = [tag, tag + 3].map { ($0, world.truths[$0].origin.add(1, ordering: .sequentiallyConsistent).newValue) }
        world.store.invalidate("tag\(tag)")
        for (key, value) in values { raise(world.truths[key].told, to: value) }
      case 2: _ = world.store.tagSweepStep(at: now)
      case 3:
        world.milliseconds.add(1, ordering: .relaxed)
        _ = world.store.advanceLeases(at: now)
      default:
        let told = world.truths[key].told.load(ordering: .sequentiallyConsistent)
        let reader = Reader(world, key, told: told)
        var value: Int?
        let answer = withBytes(world.name(key)) { bytes in
          world.store.acquire(bytes, request, waiter: reader, at: now) { entry, _ in value = Int(entry.value.text) }
        }
        if let value { world.judge(key, value, since: told) }
        switch answer {
        case .miss(let lease), .hit(let lease?), .stale(let lease?): if random.below(4) > 0 { world.fill(key, lease) }
        case .waiting(let ticket):
          world.parked.add(1, ordering: .relaxed)
          if random.below(4) == 0, world.store.forget(ticket) { world.settled.add(1, ordering: .relaxed) }
        case .hit, .stale, .busy, .absent: break
        }
      }
    }
  }

  private static func raise(_ told: borrowing Atomic<Int>, to value: Int) {
    told.max(value, ordering: .sequentiallyConsistent)
  }

  @Test("Watchers see changes made by other threads")
  func watching() async throws {
    let store = makeStore()
    try store.set("a", "1")
    for _ in 0..<200 {
      var list = WatchList(store: store)
      let added = withBytes("a") { list.add($0, at: .start) }
      #expect(added)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? _ = store.set("a", "2") }
        group.addTask { _ = store.text("a") }
      }
      let isChanged = list.isChanged(at: .start)
      #expect(isChanged)
    }
  }
}
