// Speed of one thread against one random dependent load over as much memory, and against a dictionary. CPU time of the thread, medians of
// alternating rounds.

import MartletBytes
import MartletCache

enum Speed {
  static func run() throws {
    let given = CommandLine.arguments.compactMap { Int($0) }
    for count in !given.isEmpty ? given : isQuick ? [20_000] : [1_000_000, 10_000_000] { try measure(count) }
  }

  private static let batchCount = 16

  private static func measure(_ count: Int) throws {
    let operations = isQuick ? 20_000 : 1_000_000
    let rounds = isQuick ? 1 : 5
    let store = makeStore(limit: 8 << 30)
    let key = Key()
    let value = Bytes(count: 64)
    var longest: UInt64 = 0
    var slow = 0
    let fill = try time(count) {
      try keepingMemory(in: store) {
        var before = Process.threadNanoseconds
        for number in 0..<count {
          try key.with(number) { _ = try store.put($0, value.prefix(64), at: .start) }
          let after = Process.threadNanoseconds
          longest = max(longest, after - before)
          if after - before > 1_000_000 { slow += 1 }
          before = after
        }
      }
    }
    line(
      "SET of new keys, \(count) entries, 16 + 64 bytes",
      "\(fill.text()) ns, \(slow) of them above 1 ms, the longest \((Double(longest) / 1e6).text(2)) ms of CPU")
    // Until all that is full is on huge pages.
    while store.memoryStep() {}
    let chase = Chase(bytes: Int(store.statistics.bytes))
    var random = SplitMix64(seed: 1)
    let dictionary = Dictionary(uniqueKeysWithValues: (0..<count).map { (Key.bytes($0), [UInt8](repeating: 0x76, count: 64)) })

    var loads: [Double] = []
    var independent: [Double] = []
    var gets: [Double] = []
    var batches: [Double] = []
    var sets: [Double] = []
    var dictionaryGets: [Double] = []
    for _ in 0..<rounds {
      let order = (0..<operations).map { _ in random.below(count) }
      loads.append(time(operations) { chase.run(operations) })
      independent.append(time(operations) { chase.runIndependently(operations, &random) })
      gets.append(try time(operations) { try Self.get(store, order, key) })
      batches.append(try time(operations) { try getInBatches(store, order) })
      sets.append(
        try time(operations) { for number in order { try key.with(number) { _ = try store.put($0, value.prefix(64), at: .start) } } })
      let keys = order.prefix(operations / 5).map(Key.bytes)
      dictionaryGets.append(
        time(keys.count) {
          var sum: UInt64 = 0
          for key in keys { sum &+= UInt64(dictionary[key]![0]) }
          check(sum == UInt64(keys.count) * 0x76, "the dictionary")
        })
    }
    let load = median(loads)
    let get = median(gets)
    let batch = median(batches)
    let set = median(sets)
    let other = median(dictionaryGets)
    let what = "\(count) entries, 16 + 64 bytes"
    line("random dependent load, \(what)", "\(load.text()) ns over \(store.statistics.bytes >> 20) MiB")
    line("  loads that do not wait for each other", "\(median(independent).text()) ns")
    line("GET uniform, \(what)", "\(get.text()) ns, \((get / load).text(2)) of a load, target <= 2.5")
    line("GET in batches of 16, per key, \(what)", "\(batch.text()) ns, \((batch / load).text(2)) of a load, target <= 0.5")
    line("SET of existing keys, \(what)", "\(set.text()) ns, \((set / load).text(2)) of a load, target <= 2.5")
    line("Dictionary<[UInt8], [UInt8]>, \(what)", "\(other.text()) ns; GET is \((other / get).text(1)) times faster, target >= 2.5")
    line("  and in batches", "\((other / batch).text(1)) times faster, target >= 10")
  }

  /// Nanoseconds of this thread's CPU time per operation.
  static func time(_ operations: Int, _ body: () throws -> Void) rethrows -> Double {
    let begin = Process.threadNanoseconds
    try body()
    return Double(Process.threadNanoseconds - begin) / Double(operations)
  }

  static func get(_ store: CacheStore, _ order: [Int], _ key: borrowing Key) throws {
    var sum: UInt64 = 0
    for number in order { sum &+= key.with(number) { store.get($0, at: .start) { UInt64($0.value[0]) } ?? 0 } }
    check(sum == UInt64(order.count) * 0x76, "a get")
  }

  static func getInBatches(_ store: CacheStore, _ order: [Int]) throws {
    var sum: UInt64 = 0
    var batch = KeyBatch()
    let keys = Keys(count: batchCount)
    var first = 0
    while first + batchCount <= order.count {
      batch.removeAll()
      for index in 0..<batchCount { batch.append(keys.set(index, to: order[first + index]), of: store) }
      store.withLockedShards(of: batch.shards) { shards in
        shards.prefetch(&batch)
        for index in 0..<batchCount { sum &+= shards.get(keys[index], number: index, of: batch, at: .start) { UInt64($0.value[0]) } ?? 0 }
      }
      first += batchCount
    }
    check(sum == UInt64(first) * 0x76, "a batch")
  }
}

/// A cycle through all cache lines of some memory, in random order: each load waits for the one before.
@safe
struct Chase: ~Copyable, @unchecked Sendable {
  private let next: UnsafeMutablePointer<UInt64>
  private let count: Int

  init(bytes: Int) {
    count = bytes / 64
    unsafe next = .allocate(capacity: count * 8)
    var order = (0..<count).map { UInt32($0) }
    var random = SplitMix64(seed: 3)
    for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, random.below(index)) }
    for index in 0..<count { unsafe next[Int(order[index]) * 8] = UInt64(order[(index + 1) % count]) }
  }

  deinit { unsafe next.deallocate() }

  func run(_ steps: Int) {
    var index: UInt64 = 0
    for _ in 0..<steps { index = unsafe next[Int(index) * 8] }
    keep(index)
  }

  /// Loads that wait for nothing but their address.
  func runIndependently(_ steps: Int, _ random: inout SplitMix64) {
    var sum: UInt64 = 0
    for _ in 0..<steps { sum &+= unsafe next[random.below(count) * 8] }
    keep(sum)
  }
}
