/// What was measured on: the conditions without which a number says nothing.

import MartletBytes
import MartletLoop

struct Machine: Sendable, CustomStringConvertible {
  var processor: String
  var kernel: String
  /// What this process may use.
  var cores: Int
  /// The load average of the last minute, ours included; nil where the system does not tell.
  var load: Double?

  static var current: Machine {
    let names = SmallFile.read("/proc/cpuinfo")?.text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let processor = names?.split(separator: ":").last.map { String($0.drop { $0 == " " || $0 == "\t" }) } ?? architecture
    let release = SmallFile.read("/proc/sys/kernel/osrelease")?.text.split(separator: "\n").first.map { "Linux \($0)" }
    let load = SmallFile.read("/proc/loadavg")?.text.split(separator: " ").first.flatMap { Double($0) }
    return Machine(processor: processor, kernel: release ?? "another system than Linux", cores: ProcessorCount.available, load: load)
  }

  var description: String {
    "\(processor), \(cores) cores, \(kernel)" + (load.map { ", load average \(short($0))" } ?? "")
  }

  /// What a machine is called in the name of a folder: processor and cores in small letters and digits.
  var slug: String {
    let words = "\(processor) \(cores) cores".lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
    return words.joined(separator: "-")
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "a processor without a name"
    #endif
  }
}
