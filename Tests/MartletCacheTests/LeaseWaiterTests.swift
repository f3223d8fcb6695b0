/// Readers who wait for a fill: who is told what, and when.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Waiters of leases")
struct LeaseWaiterTests {
  let store = makeStore()

  @Test("Waiters are told the value by the fill, and by any other put")
  func waitersGetTheValue() throws {
    for byFill in [true, false] {
      let waiters = (0..<3).map { _ in Waiter() }
      let lease = try store.lease("a")
      for waiter in waiters { #expect(store.read("a", wait: 10, waiter).answer.isWaiting) }
      #expect(store.statistics.leases.waiting == 3)
      if byFill { try store.fill("a", "1", lease) } else { try store.set("a", "1") }
      for waiter in waiters { #expect(waiter.news == ["value 1"]) }
      #expect(store.statistics.leases.waiting == 0)
      try store.remove("a")
    }
    #expect(store.statistics.leases.herdSaved == 6)
  }

  @Test("When the filler gives up, runs out of time or is overtaken, the first waiter gets the lease and the others wait on")
  func handover() throws {
    for end in 0..<3 {
      let waiters = (0..<3).map { _ in Waiter() }
      let lease = try store.lease("a", seconds: 2)
      for waiter in waiters { _ = store.read("a", wait: 10, waiter) }
      var now = UnixTime.start
      switch end {
      case 0: #expect(store.end("a", lease))
      case 1:
        now = .start + 2000
        #expect(store.advanceLeases(at: .start + 1999) == .start + 2000)
        #expect(waiters[0].news == [])
        _ = store.advanceLeases(at: now)
      default: try store.remove("a")
      }
      let handed = try #require(waiters[0].lease)
      #expect(handed != lease)
      #expect(waiters[1].news == [])
      #expect(throws: CacheError.leaseOver) { try store.fill("a", "old", lease, at: now) }
      try store.fill("a", "new", handed, at: now)
      #expect(waiters[1].news == ["value new"])
      #expect(waiters[2].news == ["value new"])
      try store.remove("a", at: now)
    }
  }

  @Test("A waiter whose time is over is told so, and gets no lease")
  func waiterTimesOut() throws {
    let short = Waiter()
    let long = Waiter()
    let lease = try store.lease("a", seconds: 5)
    _ = store.read("a", wait: 1, short)
    _ = store.read("a", wait: 10, long)
    #expect(store.advanceLeases(at: .start) == .start + 1000)
    #expect(store.advanceLeases(at: .start + 1000) == .start + 5000)
    #expect(short.news == ["timed out"])
    #expect(long.news == [])
    #expect(store.end("a", lease, at: .start + 4000))
    #expect(long.lease != nil)
    #expect(short.news == ["timed out"])
  }

  @Test("A lease passes over waiters whose time is over though nobody has noticed yet")
  func passesOverTheLate() throws {
    let late = Waiter()
    let next = Waiter()
    let lease = try store.lease("a", seconds: 5)
    _ = store.read("a", wait: 1, late)
    _ = store.read("a", wait: 10, next)
    #expect(store.end("a", lease, at: .start + 2000))
    #expect(late.news == ["timed out"])
    #expect(next.lease != nil)
  }

  @Test("A waiter that is forgotten is told nothing and gets no lease")
  func forgotten() throws {
    let gone = Waiter()
    let next = Waiter()
    let lease = try store.lease("a")
    let ticket = try #require(store.read("a", wait: 10, gone).answer.ticket)
    _ = store.read("a", wait: 10, next)
    #expect(store.forget(ticket))
    #expect(!store.forget(ticket))
    #expect(store.end("a", lease))
    #expect(gone.news == [])
    let handed = try #require(next.lease)
    #expect(store.end("a", handed))
    #expect(store.statistics.leases.waiting == 0)
    #expect(store.statistics.leases.live == 0)
  }

  @Test("A ticket of the past names nobody, though its place is taken again")
  func oldTickets() throws {
    let first = Waiter()
    let lease = try store.lease("a")
    let ticket = try #require(store.read("a", wait: 10, first).answer.ticket)
    try store.fill("a", "1", lease)
    try store.remove("a")
    let second = Waiter()
    _ = try store.lease("a")
    _ = store.read("a", wait: 10, second)
    #expect(!store.forget(ticket))
    #expect(store.statistics.leases.waiting == 1)
  }

  @Test("Who asks while an ended lease is about to pass on queues behind those who wait already")
  func newcomersQueue() throws {
    let waiter = Waiter()
    _ = try store.lease("a", seconds: 1)
    _ = store.read("a", wait: 10, waiter)
    let newcomer = Waiter()
    #expect(store.read("a", wait: 10, newcomer, at: .start + 1500).answer.isWaiting)
    #expect(waiter.lease != nil)
    #expect(newcomer.news == [])
  }

  @Test("The value that waiters get is the one that was filled, whatever happens to the entry afterwards")
  func sharedValueIsHeld() throws {
    let waiter = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    try store.fill("a", "1", lease)
    try store.remove("a")
    #expect(waiter.news == ["value 1"])
    let bytes = store.statistics.bytes
    waiter.clear()
    #expect(store.statistics.bytes < bytes)
  }

  @Test("Several changes under one lock count as one: waiters see what is there at the end")
  func changesUnderOneLock() throws {
    let waiter = Waiter()
    _ = try store.lease("a")
    _ = store.read("a", wait: 10, waiter)
    try withBytes("a") { key in
      try store.withLockedShards(of: store.shards(of: key)) { shards in
        _ = try withBytes("1") { try shards.put(key, $0, PutAttributes(), at: .start) }
        #expect(waiter.news == [])
        _ = try shards.delete(key, at: .start)
        _ = try withBytes("2") { try shards.put(key, $0, PutAttributes(), at: .start) }
      }
    }
    #expect(waiter.news == ["value 2"])
  }

  @Test("A waiter that gives its lease up at once, inside the call, passes it on")
  func givesUpInside() throws {
    let store = store
    let gone = Waiter { store.end("a", $0) }
    let next = Waiter()
    let lease = try store.lease("a")
    _ = store.read("a", wait: 10, gone)
    _ = store.read("a", wait: 10, next)
    #expect(store.end("a", lease))
    #expect(gone.lease != nil)
    #expect(next.lease != nil)
  }
}
