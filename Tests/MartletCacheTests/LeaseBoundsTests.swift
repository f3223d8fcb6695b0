/// The bounds of leases, and their alarm.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Bounds of leases")
struct LeaseBoundsTests {
  let store = makeStore()

  @Test("Beyond the bound of placeholders readers are told to ask again; stale values are served without a lease")
  func placeholderBound() throws {
    let store = makeStore(shards: 1)
    for index in 0..<LeaseLimits.placeholdersPerShardMax { _ = try store.lease("k\(index)", seconds: 300) }
    guard case .busy = store.read("one more").answer else { return #expect(Bool(false)) }
    try store.set("a", "old", expiry: .start + 10, staleUntil: .start + 1000)
    #expect(store.read("a", at: .start + 20).answer == .stale(lease: nil))
    _ = store.advanceLeases(at: .start + 300_000)
    while store.statistics.leases.live > 0 { _ = store.advanceLeases(at: .start + 300_000) }
    _ = try store.lease("one more", at: .start + 300_000)
  }

  @Test("Beyond the bound of their bytes too, and giving leases back makes room")
  func placeholderBytesBound() throws {
    let store = makeStore(limit: 1 << 30)
    let key = String(repeating: "k", count: 60_000)
    var leases: [LeaseToken] = []
    while case .miss(let lease) = store.read(key + "\(leases.count)").answer { leases.append(lease) }
    #expect(leases.count * 60_000 < LeaseLimits.placeholderBytesMax)
    #expect((leases.count + 2) * 60_000 > LeaseLimits.placeholderBytesMax)
    #expect(store.end(key + "0", leases[0]))
    _ = try store.lease(key + "again")
  }

  @Test("Beyond the bound of waiters readers are told to ask again")
  func waiterBound() throws {
    let store = makeStore(limit: 8 << 20)
    let waitersMax = 8 << 10
    _ = try store.lease("a")
    let waiter = Waiter()
    for _ in 0..<waitersMax { #expect(store.read("a", wait: 10, waiter).answer.isWaiting) }
    guard case .busy = store.read("a", wait: 10, waiter).answer else { return #expect(Bool(false)) }
    try store.set("a", "1")
    #expect(store.statistics.leases.waitersFilled == UInt64(waitersMax))
    try store.remove("a")
    _ = try store.lease("a")
    // Parked once more: left, since a waiter who keeps the values that it was told, and so their store, would keep itself alive there.
    let ticket = try #require(store.read("a", wait: 10, waiter).answer.ticket)
    #expect(store.forget(ticket))
  }

  @Test("The alarm rings for a deadline that comes before those it was told, and only then")
  func alarm() throws {
    let rung = Rung()
    store.setLeaseAlarm { rung.note($0) }
    let first = try store.lease("a", seconds: 10)
    #expect(rung.take() == [.start + 10_000])
    _ = try store.lease("b", seconds: 20)
    #expect(rung.take() == [])
    _ = try store.lease("c", seconds: 5)
    #expect(rung.take() == [.start + 5000])
    try store.fill("a", "1", first)
    #expect(store.advanceLeases(at: .start + 5000) == .start + 20_000)
    #expect(rung.take() == [])
    _ = try store.lease("d", seconds: 1, at: .start + 5000)
    #expect(rung.take() == [.start + 6000])
    store.setLeaseAlarm(nil)
  }
}

/// What an alarm was told.
private final class Rung: Sendable {
  private let times = Guarded<[UnixTime]>([])
  func note(_ time: UnixTime) { times.with { $0.append(time) } }
  func take() -> [UnixTime] { times.with { times in times.popAll() } }
}
