/// The conditions of a comparison: without them no number is printed, so no report can be made without one of these.

import MartletBytes
import MartletLoop

struct Conditions: Sendable {
  var machine: Machine
  var date: String
  var commit: String
  /// Names of servers with what they say of their version.
  var versions: [(name: String, version: String)]
  /// Where servers and client ran.
  var pinning: String
  let effort: Effort
  /// How much longer than its fastest run a loop of fixed work has taken in the worst, over the whole comparison: 1 is silence.
  var noise: Double
  var loadAfter: Double?

  /// Throws, with what is not known, if a number would stand without its conditions.
  func requireComplete() throws(BenchError) {
    let mustHave = [("machine", machine.processor), ("kernel", machine.kernel), ("date", date), ("commit", commit), ("pinning", pinning)]
    var unknown = (mustHave + versions.map { ("version of \($0.name)", $0.version) }).filter { $1 == "" || $1 == Programs.unknown }.map(\.0)
    if machine.load == nil { unknown.append("load") }
    if noise < 1 { unknown.append("noise") }
    if versions.isEmpty { unknown.append("versions") }
    guard unknown.isEmpty else {
      let remedy = unknown.contains("commit") ? "; without git, --commit TEXT tells it" : ""
      throw .usage("no numbers without conditions: unknown here: \(unknown.joined(separator: ", "))\(remedy)")
    }
  }

  var lines: [String] {
    [
      "\(machine)\(loadAfter.map { " before, \(short($0)) after" } ?? "")", "\(date), commit \(commit)",
      versions.map { "\($0.name): \($0.version)" }.joined(separator: "; "), pinning,
      "\(effort.rounds) alternating rounds of \(short(effort.seconds)) s after \(short(effort.warmUpSeconds)) s of warm-up, at most \(effort.keysMax) keys; "
        + "medians, in brackets the least and the most",
      "noise: a loop of fixed work took up to \(twoDecimals(noise)) times its fastest run",
    ]
  }
}

/// Looks now and then how long a fixed piece of work takes: others' work on the machine shows in it.
struct NoiseMeter {
  private var fastest = UInt64.max
  private var slowest: UInt64 = 0

  /// The worst in units of the best; 1 before two looks.
  var noise: Double { slowest == 0 ? 1 : Double(slowest) / Double(max(fastest, 1)) }

  mutating func look() {
    let start = MonotonicTime.now
    var random = SplitMix64(seed: start.nanoseconds)
    var sum: UInt64 = 0
    for _ in 0..<2_000_000 { sum ^= random.next() }
    let took = MonotonicTime.now.nanoseconds(since: start) | (sum & 1)  // the sum is used, or there would be no work
    fastest = min(fastest, took)
    slowest = max(slowest, took)
  }
}

/// `2026-11-22 20:30 UTC`.
func utcText(_ time: UnixTime) -> String {
  let minutes = time.milliseconds / 60_000
  let (days, minute) = (minutes / 1440, minutes % 1440)
  // Days to year, month, day in the proleptic Gregorian calendar, whose years begin in March here (Howard Hinnant, "chrono-Compatible
  // Low-Level Date Algorithms").
  let shifted = days + 719_468
  let era = shifted / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return "\(year)-\(two(month))-\(two(day)) \(two(minute / 60)):\(two(minute % 60)) UTC"
}
