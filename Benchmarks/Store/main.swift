// What the store costs, in process: `store-bench PART [--quick]`. Run by scripts/store-bench, which prints the conditions.
//
// Each part checks its answers, and prints one line per figure: what, how much, and what it is compared with. `--quick` only shows that it
// works: its figures mean nothing.

import MartletBytes
import MartletCache

let arguments = CommandLine.arguments.dropFirst()
let isQuick = arguments.contains("--quick")
let part = arguments.first ?? ""

switch part {
case "overhead": try Overhead.run()
case "speed": try Speed.run()
case "threads": try await Threads.run()
case "limit": try LimitRun.run()
case "expiry": try ExpiryRun.run()
case "tags": try TagRun.run()
case "misses": try Misses.run(Array(arguments.dropFirst()))
default:
  print("usage: store-bench overhead|speed|threads|limit|expiry|tags|misses [--quick]")
}
