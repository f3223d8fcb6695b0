// Overhead: (resident after − resident before)/entries − payload, at every 100,000 entries from 1 to 5 million.

import MartletBytes
import MartletCache

enum Overhead {
  static func run() throws {
    for (valueBytes, hasExpiry) in [(64, false), (8, false), (64, true), (8, true)] {
      let worst = try measure(valueBytes: valueBytes, hasExpiry: hasExpiry)
      line(
        "overhead, 16-byte keys, \(valueBytes)-byte values\(hasExpiry ? ", TTL" : "")",
        "worst \(worst.bytes.text()) B/entry at \(worst.count), at the end \(worst.last.text()), target <= \(hasExpiry ? 36 : 24)")
    }
  }

  private static func measure(valueBytes: Int, hasExpiry: Bool) throws -> (bytes: Double, count: Int, last: Double) {
    let store = makeStore(limit: 4 << 30)
    let key = Key()
    let value = Bytes(count: valueBytes)
    let attributes = PutAttributes(expiry: hasExpiry ? UnixTime(milliseconds: UnixTime.start.milliseconds + 3_600_000) : .never)
    let before = Process.residentBytes
    let (first, step, last) = isQuick ? (10_000, 10_000, 20_000) : (1_000_000, 100_000, 5_000_000)
    var worst = (bytes: 0.0, count: 0, last: 0.0)
    for number in 1...last {
      try key.with(number) { _ = try store.put($0, value.prefix(valueBytes), attributes, at: .start) }
      guard number >= first, number % step == 0 else { continue }
      worst.last = Double(Process.residentBytes - before) / Double(number) - Double(16 + valueBytes)
      if worst.last > worst.bytes { worst = (worst.last, number, worst.last) }
    }
    check(store.statistics.entries == last && store.statistics.evictions == 0, "entries are missing")
    return worst
  }
}
