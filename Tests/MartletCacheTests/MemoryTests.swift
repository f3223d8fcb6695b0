/// Where memory comes from: blocks do not overlap, merge when they are freed, and the ledger agrees.

import MartletBytes
import Synchronization
import Testing

@testable import MartletCache

@Suite("Memory")
struct MemoryTests {
  @Test("Blocks of any size do not overlap, and nothing is left when all are freed", arguments: [1 << 30, 4 << 20])
  func chunks(hugeFrom: Int) {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix64(seed: seed)
    let ledger = Ledger(limitBytes: 64 << 20)
    let pool = ChunkPool(rangeBytes: 128 << 20, hugeFromBytes: hugeFrom, ledger: ledger)
    var owners = [Int](repeating: 0, count: (128 << 20) / ChunkPool.unitBytes)
    var blocks: [(unit: Int, order: Int)] = []
    for number in 1...4000 {
      if random.below(5) < 3 || blocks.isEmpty {
        let order = random.below(8)
        guard let unit = pool.allocate(order: order, within: 48 << 20) else {
          #expect(ledger.usedBytes > 40 << 20, "seed \(seed)")
          continue
        }
        #expect(owners[unit..<unit + 1 << order].allSatisfy { $0 == 0 } && pool.order(of: unit) == order, "seed \(seed)")
        for index in unit..<unit + 1 << order { owners[index] = number }
        // Its memory is there, to the last byte.
        unsafe (pool.base + unit * ChunkPool.unitBytes).storeBytes(of: 1, as: UInt8.self)
        unsafe (pool.base + (unit + 1 << order) * ChunkPool.unitBytes - 1).storeBytes(of: 1, as: UInt8.self)
        blocks.append((unit, order))
      } else {
        let (unit, order) = blocks.remove(at: random.below(blocks.count))
        for index in unit..<unit + 1 << order { owners[index] = 0 }
        pool.free(unit, order: order)
      }
      if number % 100 == 0 { _ = pool.collapse() }
      if number % 30 == 0 { _ = pool.prepare() }
      if number % 500 == 0 { _ = pool.trim(1 << 20) }
      if number % 40 == 0 { _ = pool.giveBackStep() }
      let handed = blocks.reduce(0) { $0 + ChunkPool.bytes(order: $1.order) }
      // A chunk may stand ready beside.
      #expect(ledger.usedBytes >= handed && ledger.usedBytes <= (48 << 20) + AddressRange.chunkBytes, "seed \(seed)")
    }
    for (unit, order) in blocks { pool.free(unit, order: order) }
    while pool.giveBackStep() {}
    // One may stay ready where pages are huge from the first chunk on.
    _ = pool.trim(.max)
    #expect(ledger.usedBytes == 0, "seed \(seed)")
  }

  @Test("Huge pages that are made while others take and free memory leave the account right", arguments: [1, 2, 3])
  func collapseBeside(seed: Int) async {
    let ledger = Ledger(limitBytes: 128 << 20)
    let pool = ChunkPool(rangeBytes: 128 << 20, hugeFromBytes: 8 << 20, ledger: ledger)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<2 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(seed * 10 + thread))
          var blocks: [Int] = []
          for _ in 0..<2000 {
            if random.below(5) < 3 || blocks.isEmpty {
              // Half a chunk each: chunks become full and empty all the time.
              guard let unit = pool.allocate(order: 8, within: nil) else { continue }
              unsafe (pool.base + unit * ChunkPool.unitBytes).storeBytes(of: 7, as: UInt8.self)
              blocks.append(unit)
            } else {
              let unit = blocks.remove(at: random.below(blocks.count))
              let byte = unsafe (pool.base + unit * ChunkPool.unitBytes).load(as: UInt8.self)
              #expect(byte == 7, "seed \(seed)")
              pool.free(unit, order: 8)
            }
            if blocks.count > 24 { while let unit = blocks.popLast() { pool.free(unit, order: 8) } }
          }
          for unit in blocks { pool.free(unit, order: 8) }
        }
      }
      group.addTask {
        for _ in 0..<200 {
          _ = pool.collapse()
          _ = pool.prepare()
          _ = pool.giveBackStep()
          await Task.yield()
        }
      }
    }
    while pool.giveBackStep() {}
    #expect(ledger.usedBytes == 0, "seed \(seed)")
  }

  @Test("A large pool has its next chunk ready, counted whole; without need or room for it it has none")
  func prepared() {
    let chunk = AddressRange.chunkBytes
    let ledger = Ledger(limitBytes: 4 * chunk)
    let pool = ChunkPool(rangeBytes: 16 << 20, hugeFromBytes: 2 * chunk, ledger: ledger)
    let first = pool.allocate(order: 9, within: nil)!
    #expect(!pool.prepare() && ledger.usedBytes == chunk, "small")
    let second = pool.allocate(order: 0, within: nil)!
    #expect(pool.prepare() && !pool.prepare() && ledger.usedBytes == 2 * chunk + ChunkPool.unitBytes)
    let third = pool.allocate(order: 9, within: nil)!
    #expect(ledger.usedBytes == 2 * chunk + ChunkPool.unitBytes, "the one that was ready")
    #expect(
      pool.prepare() && pool.trim(1) == chunk && ledger.usedBytes == 2 * chunk + ChunkPool.unitBytes, "given back where room is wanted")
    #expect(pool.prepare())
    let fourth = pool.allocate(order: 9, within: nil)!
    #expect(!pool.prepare(), "the limit")
    pool.free(fourth, order: 9)
    #expect(ledger.usedBytes == 3 * chunk + ChunkPool.unitBytes, "an empty chunk is kept ready")
    pool.free(third, order: 9)
    #expect(ledger.usedBytes == 3 * chunk + ChunkPool.unitBytes, "nothing is given back by who frees")
    while pool.giveBackStep() {}
    #expect(ledger.usedBytes == 2 * chunk + ChunkPool.unitBytes, "one of them")
    pool.free(second, order: 0)
    while pool.giveBackStep() {}
    #expect(ledger.usedBytes == chunk, "a small pool keeps none")
    pool.free(first, order: 9)
    while pool.giveBackStep() {}
    #expect(ledger.usedBytes == 0)
  }

  @Test("A chunk is nobody's while the system clears it: who wants one meanwhile gets another, and does not wait")
  func preparedBeside() {
    let chunk = AddressRange.chunkBytes
    let ledger = Ledger(limitBytes: 16 << 20)
    let pool = ChunkPool(rangeBytes: 16 << 20, hugeFromBytes: chunk, ledger: ledger)
    var taken = [pool.allocate(order: 9, within: nil)!]
    #expect(pool.prepare { for _ in 0..<2 { taken.append(pool.allocate(order: 9, within: nil)!) } })
    #expect(ledger.usedBytes == 4 * chunk, "that chunk, and those that others have")
    taken.append(pool.allocate(order: 9, within: nil)!)
    #expect(ledger.usedBytes == 4 * chunk && Set(taken).count == 4, "the one that was made ready")
    for unit in taken { pool.free(unit, order: 9) }
    while pool.giveBackStep() {}
    #expect(ledger.usedBytes == 0)
  }

  @Test("What is freed in plain chunks stays resident until a step gives it back, and serves who wants the same before")
  func loose() {
    let ledger = Ledger(limitBytes: 8 << 20)
    let pool = ChunkPool(rangeBytes: 8 << 20, hugeFromBytes: 1 << 30, ledger: ledger)
    let first = pool.allocate(order: 4, within: nil)!
    unsafe (pool.base + first * ChunkPool.unitBytes).storeBytes(of: 9, as: UInt8.self)
    pool.free(first, order: 4)
    #expect(ledger.usedBytes == 64 << 10 && ledger.looseBytes == 64 << 10)
    #expect(pool.allocate(order: 4, within: 64 << 10) == first && ledger.usedBytes == 64 << 10 && ledger.looseBytes == 0)
    let byte = unsafe (pool.base + first * ChunkPool.unitBytes).load(as: UInt8.self)
    #expect(byte == 9, "the system was not asked")
    pool.free(first, order: 4)
    #expect(pool.allocate(order: 3, within: 64 << 10) == first, "who finds no room gives back, and takes a part of it")
    pool.free(first, order: 3)
    #expect(pool.giveBackStep() && !pool.giveBackStep() && ledger.usedBytes == 0 && ledger.looseBytes == 0)
    #expect(pool.allocate(order: 9, within: nil) == 0, "all of it has merged")
  }

  @Test("A large value's memory is in the ledger until a step gives it back, and makes room where there is none")
  func looseValue() throws {
    let store = makeStore(limit: 8 << 20, shards: 1)
    let value = String(repeating: "v", count: 900_000)
    for round in 0..<50 {
      try store.set("k", value)
      #expect(store.statistics.bytes < 2 << 20, "round \(round)")
    }
    #expect(store.statistics.evictions == 0 && store.count() == 1)
    while store.memoryStep() {}
    #expect(store.statistics.bytes < 2 << 20)
  }

  @Test("A limit, and a system without memory, are both a nil")
  func refused() {
    let ledger = Ledger(limitBytes: 8 << 20)
    let pool = ChunkPool(rangeBytes: 8 << 20, hugeFromBytes: 1 << 30, ledger: ledger)
    #expect(pool.allocate(order: 9, within: 1 << 20) == nil && ledger.usedBytes == 0)
    ledger.commitsLeft.store(1, ordering: .relaxed)
    let first = pool.allocate(order: 9, within: nil)
    #expect(first != nil && pool.allocate(order: 9, within: nil) == nil)
    ledger.commitsLeft.store(.max, ordering: .relaxed)
    #expect((0..<3).allSatisfy { _ in pool.allocate(order: 9, within: nil) != nil })
    #expect(pool.allocate(order: 0, within: nil) == nil, "beyond the range")
  }

  @Test("Records of pages lie in slabs of their own, which are given back when they are empty")
  func recordSlabs() {
    let ledger = Ledger(limitBytes: 8 << 20)
    let pool = TablePool(pool: ChunkPool(rangeBytes: 8 << 20, hugeFromBytes: 1 << 30, ledger: ledger))
    var blocks: [TablePool.Use: [UInt32]] = [:]
    for _ in 0..<200 { for use in TablePool.Use.allCases { blocks[use, default: []].append(pool.allocate(for: use)!) } }
    let slabs = blocks.mapValues { Set($0.map { $0 / 64 }) }
    #expect(slabs[.lines]!.isDisjoint(with: slabs[.records]!) && slabs.values.allSatisfy { $0.count == 4 })
    #expect(ledger.usedBytes == 8 * 32 << 10 && Set(blocks.values.joined()).count == 400)
    for block in blocks.values.joined().reversed() { pool.free(block) }
    while pool.pool.giveBackStep() {}
    #expect(ledger.usedBytes == 0)
  }

  @Test("A table costs about eleven bytes for each entry, at any number of them")
  func table() throws {
    let store = makeStore(limit: 256 << 20, shards: 1)
    var worst = 0.0
    for index in 1...60_000 {
      try store.set("k\(index)", "")
      if index > 5000, index % 500 == 0 { worst = max(worst, Double(store.statistics.tableBytes) / Double(index)) }
    }
    #expect(worst < 12.5, "\(worst) bytes per entry")
    for index in 1...60_000 { #expect(store.text("k\(index)") == "") }
  }

  @Test("A table whose entries are gone gives its memory back, and holds the rest of them in order")
  func shrinkingTable() throws {
    let store = makeStore(limit: 256 << 20, shards: 2)
    let kept = (1...60_000).filter { $0.isMultiple(of: 20) }
    for index in 1...60_000 { try store.set("k\(index)", "v\(index)", expiry: index.isMultiple(of: 3) ? .start + 10_000 : .never) }
    let full = store.statistics
    for index in 1...60_000 where !index.isMultiple(of: 20) { try store.remove("k\(index)") }
    #expect(store.statistics.tableBytes == full.tableBytes, "not while it is used")
    // In small steps, with puts in between: a page may grow, split and shrink while a walk is under way.
    for step in 0..<2000 {
      _ = store.expireStep(at: .start, budget: 200)
      try store.set("other\(step % 500)", "")
    }
    let sparse = store.statistics
    #expect(sparse.tableBytes < full.tableBytes / 5, "\(full.tableBytes), then \(sparse.tableBytes)")
    #expect(sparse.bytes < full.bytes / 2, "\(full.bytes), then \(sparse.bytes)")
    for index in kept { #expect(store.text("k\(index)") == "v\(index)") }
    #expect(store.count() == kept.count + 500)
    #expect(Set(store.keys(prefix: "k")) == Set(kept.map { "k\($0)" }))
    // The round under way began before they were over.
    for _ in 0..<2 { while !store.expireStep(at: .start + 11_000).isDone {} }
    #expect(store.count() == kept.filter { !$0.isMultiple(of: 3) }.count + 500)
  }

  @Test("A table that has shrunk grows again; where nothing can be given back nothing is looked for")
  func shrinkAndGrow() throws {
    let store = makeStore(limit: 256 << 20, shards: 1)
    var sizes: [UInt64] = []
    for round in 0..<2 {
      for index in 1...20_000 { try store.set("k\(index)", "\(round)") }
      for index in 1...20_000 { #expect(store.text("k\(index)") == "\(round)") }
      for index in 1...20_000 { try store.remove("k\(index)") }
      while !store.expireStep(at: .start).isDone {}
      while !store.expireStep(at: .start).isDone {}
      sizes.append(store.statistics.tableBytes)
      #expect(store.expireStep(at: .start, budget: 3).isDone, "no walk over a table that has nothing to give")
    }
    #expect(sizes.max()! < 64 << 10, "\(sizes)")
  }

  @Test("Ghosts are remembered for about as many evictions as there are entries")
  func ghosts() {
    var ghosts = Ghosts(ledger: Ledger(limitBytes: 1 << 20))
    var random = SplitMix64(seed: 8)
    let hashes = (0..<3000).map { _ in random.next() }
    let isKnown = ghosts.contains(hashes[0])
    #expect(!isKnown)
    for hash in hashes.prefix(500) { ghosts.insert(hash, entryCount: 1024) }
    let (known, others) = (hashes.prefix(500).count { ghosts.contains($0) }, hashes.suffix(500).count { ghosts.contains($0) })
    #expect(known > 450 && others < 5)
    for hash in hashes { ghosts.insert(hash, entryCount: 1024) }
    let late = hashes.prefix(500).count { ghosts.contains($0) }
    #expect(late < 50)
  }
}
