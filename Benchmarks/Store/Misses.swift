// Miss ratios over traces of keys: the store, and LRU over as many entries of the same bytes. `misses FILE ENTRIES` replays a file of 32-bit
// little-endian numbers instead (scripts/store-bench writes the same traces for libcachesim).

import MartletBytes
import MartletCache

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum Misses {
  static func run(_ arguments: [String]) throws {
    if arguments.count >= 2, let entries = Int(arguments[1]) {
      try compare(arguments[0], read(arguments[0]), capacity: entries)
      return
    }
    let directory = arguments.first { $0 != "--quick" }
    for trace in Trace.all(isQuick: isQuick) {
      let capacity = try compare(trace.name, trace.keys, capacity: trace.capacity)
      if let directory { write(trace, capacity: capacity, to: directory) }
    }
  }

  private static let valueBytes = 64

  /// Replays a trace; returns how many entries the store held in the end, which LRU was given too.
  @discardableResult
  private static func compare(_ name: String, _ keys: [UInt32], capacity: Int) throws -> Int {
    let store = makeStore(limit: capacity * (16 + valueBytes + 24))
    let key = Key()
    let value = Bytes(count: valueBytes)
    var misses = 0
    var entries = 0
    for (index, number) in keys.enumerated() {
      let isHit = key.with(Int(number)) { store.get($0, at: .start) { $0.value.byteCount } != nil }
      if !isHit {
        misses += 1
        try key.with(Int(number)) { _ = try store.put($0, value.prefix(valueBytes), at: .start) }
      }
      if index % max(1, keys.count / 16) == 0 { entries = max(entries, Int(store.statistics.entries)) }
    }
    let held = max(entries, 1)
    // At equal bytes: a list and a table of LRU are counted as costing what ours do.
    let lru = LRU.misses(keys, capacity: held)
    let ours = 100 * Double(misses) / Double(keys.count)
    let theirs = 100 * Double(lru) / Double(keys.count)
    line("miss ratio, \(name)", "\(ours.text(2)) %, LRU \(theirs.text(2)) %, \((theirs - ours).text(2)) points better; \(held) entries")
    return held
  }

  private static func read(_ path: String) -> [UInt32] {
    guard let file = unsafe fopen(path, "rb") else { fatalError("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var keys: [UInt32] = []
    var chunk = [UInt32](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 4, chunk.count, file)
      if count == 0 { return keys }
      keys += chunk[..<count]
    }
  }

  private static func write(_ trace: Trace, capacity: Int, to directory: String) {
    guard let file = unsafe fopen("\(directory)/\(trace.name.replacing(" ", with: "_"))-\(capacity).u32", "wb") else { return }
    unsafe fwrite(trace.keys, 4, trace.keys.count, file)
    unsafe fclose(file)
  }
}

extension String {
  fileprivate func replacing(_ character: Character, with other: Character) -> String { String(map { $0 == character ? other : $0 }) }
}

struct Trace {
  let name: String
  let capacity: Int
  let keys: [UInt32]

  static func all(isQuick: Bool) -> [Trace] {
    let scale = isQuick ? 1 : 20
    let count = 100_000 * scale
    let universe = 10_000 * scale
    let capacity = universe / 10
    var traces: [Trace] = []
    for exponent in [0.99, 1.2] {
      let zipf = Zipf(universe, exponent)
      for hasScans in [false, true] {
        var random = SplitMix64(seed: 11)
        var keys: [UInt32] = []
        var scanned = UInt32(universe)
        while keys.count < count {
          keys.append(UInt32(zipf.draw(&random)))
          // One-hit wonders: a pass over keys that are never asked for again, as long as the cache, every so often.
          if hasScans, keys.count % (capacity * 4) == 0 {
            for _ in 0..<capacity * 2 {
              keys.append(scanned)
              scanned += 1
            }
          }
        }
        traces.append(Trace(name: "zipf \(exponent)\(hasScans ? " with scans" : "")", capacity: capacity, keys: keys))
      }
    }
    let loop = capacity + capacity / 5
    traces.append(Trace(name: "loop 1.2 of the cache", capacity: capacity, keys: (0..<count).map { UInt32($0 % loop) }))
    var random = SplitMix64(seed: 12)
    let zipf = Zipf(universe, 0.99)
    var at = 0
    let mixed = (0..<count).map { _ -> UInt32 in
      if random.below(2) == 0 { return UInt32(zipf.draw(&random)) }
      at = (at + 1) % (2 * capacity)
      return UInt32(universe + at)
    }
    traces.append(Trace(name: "zipf and loop", capacity: capacity, keys: mixed))
    return traces
  }
}

/// Numbers from 0, the lower the likelier, by a table of sums.
struct Zipf {
  private let sums: [Double]

  init(_ count: Int, _ exponent: Double) {
    var sum = 0.0
    sums = (1...count).map { rank in
      sum += 1 / pow(Double(rank), exponent)
      return sum
    }
  }

  func draw(_ random: inout SplitMix64) -> Int {
    let wanted = random.unit() * sums[sums.count - 1]
    var low = 0
    var high = sums.count - 1
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

enum LRU {
  static func misses(_ keys: [UInt32], capacity: Int) -> Int {
    // A list over numbers: 0 is its head, key n stands at n + 1.
    let size = Int(keys.max() ?? 0) + 2
    var next = [UInt32](repeating: 0, count: size)
    var previous = [UInt32](repeating: 0, count: size)
    var isIn = [Bool](repeating: false, count: size)
    var count = 0
    var misses = 0
    func unlink(_ at: Int) {
      next[Int(previous[at])] = next[at]
      previous[Int(next[at])] = previous[at]
    }
    for key in keys {
      let at = Int(key) + 1
      if isIn[at] {
        unlink(at)
      } else {
        misses += 1
        isIn[at] = true
        count += 1
        if count > capacity {
          let last = Int(previous[0])
          unlink(last)
          isIn[last] = false
          count -= 1
        }
      }
      let first = next[0]
      next[at] = first
      previous[at] = 0
      previous[Int(first)] = UInt32(at)
      next[0] = UInt32(at)
    }
    return misses
  }
}
