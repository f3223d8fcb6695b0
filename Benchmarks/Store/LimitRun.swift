// The limit: resident memory of this process at every sample while ten times the limit is written, sizes going from 16 bytes to 64 KiB
// and back, deadlines mixed; rounds of expiry in between, as the server's loop runs them. What entries may use is the limit less what the
// process takes at rest, as in the server.

import MartletBytes
import MartletCache

enum LimitRun {
  static func run() throws {
    for limit in isQuick ? [64 << 20] : [64 << 20, 512 << 20] { try measure(limit) }
  }

  private static func measure(_ limit: Int) throws {
    let rest = Process.residentBytes
    let store = makeStore(limit: limit - rest - 4 << 20)
    let key = Key()
    let value = Bytes(count: 80 << 10)
    var random = SplitMix64(seed: 5)
    var written = 0
    let target = isQuick ? limit / 8 : limit * 10
    var now = UnixTime.start
    var number = 0
    var worst = 0
    var worstLedger: UInt64 = 0
    var puts = 0
    var longest: UInt64 = 0
    var nextSample = 0
    while written < target {
      // Up from 16 bytes to 64 KiB and down again, each a fifth of what is written, with much spread.
      let phase = Double(written) / Double(target) * 5
      let slope = 1 - abs(phase.truncatingRemainder(dividingBy: 2) - 1)
      let middle = 16.0 * pow2(slope * 12)
      let size = min(Int(middle * (0.5 + random.unit())), 80 << 10)
      number += 1
      let lifetime: Int64? = number % 3 == 0 ? Int64(random.below(20_000)) : nil
      let attributes = PutAttributes(expiry: lifetime.map { now.advanced(byMilliseconds: $0) } ?? .never)
      let begin = Process.threadNanoseconds
      try key.with(random.below(4) == 0 ? random.below(number) : number) { _ = try store.put($0, value.prefix(size), attributes, at: now) }
      longest = max(longest, Process.threadNanoseconds - begin)
      if random.below(3) == 0 { key.with(random.below(number)) { _ = store.get($0, at: now) { $0.value.byteCount } } }
      written += size + 16
      puts += 1
      if puts % 100 == 0 { now = now.advanced(byMilliseconds: 1) }
      if puts % 500 == 0 { _ = store.expireStep(at: now) }
      if written >= nextSample {
        worst = max(worst, Process.residentBytes)
        worstLedger = max(worstLedger, store.statistics.bytes)
        nextSample += limit / 200
      }
    }
    let statistics = store.statistics
    line(
      "resident after 10x the limit of \(limit >> 20) MiB, 16 B to 64 KiB",
      "worst \((Double(worst) / Double(limit)).text(3)) of the limit, target <= 1.05")
    line(
      "  at the end",
      "\(Process.residentBytes >> 20) MiB resident, ledger \(statistics.bytes >> 20) of \(statistics.limitBytes >> 20) MiB, at rest \(rest >> 20), ledger at most \((Double(worstLedger) / Double(statistics.limitBytes)).text(3)) of its limit"
    )
    line(
      "  puts",
      "\(puts), evictions \(statistics.evictions), moved \(statistics.movedBytes >> 20) MiB, longest put \(Double(longest / 1000).text(0)) us of CPU"
    )
  }

  /// 2 to the power of `exponent`, 0 or more.
  private static func pow2(_ exponent: Double) -> Double {
    let whole = exponent.rounded(.down)
    return Double(sign: .plus, exponent: Int(whole), significand: 1) * (1 + (exponent - whole))
  }
}
