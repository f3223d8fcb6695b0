/// The CPU time and the memory of a server on this machine, by its process number: the process and its children (workers), all their threads.

import MartletBytes

struct ServerCPU: Sendable {
  let process: Int32

  /// nil if there is no such process.
  init?(process: Int32) {
    guard MonotonicTime.processCPUNanoseconds(of: process) != nil else { return nil }
    self.process = process
  }

  /// What it has used so far, in nanoseconds; nil once it is gone.
  var nanoseconds: UInt64? {
    guard let own = MonotonicTime.processCPUNanoseconds(of: process) else { return nil }
    return children(of: process).reduce(own) { $0 + (MonotonicTime.processCPUNanoseconds(of: $1) ?? 0) }
  }
}

struct ServerMemory: Sendable {
  let process: Int32

  /// Pages that processes share count for each of them; nil if the system does not tell.
  var residentBytes: Int? {
    guard let own = residentBytes(of: process) else { return nil }
    return children(of: process).reduce(own) { $0 + (residentBytes(of: $1) ?? 0) }
  }

  private func residentBytes(of process: Int32) -> Int? {
    let lines = SmallFile.read("/proc/\(process)/status")?.text.split(separator: "\n")
    let words = lines?.first { $0.hasPrefix("VmRSS:") }?.split(whereSeparator: { $0 == " " || $0 == "\t" })
    return words.flatMap { $0.count == 3 ? Int($0[1]).map { $0 * 1024 } : nil }
  }
}

private func children(of process: Int32) -> [Int32] {
  guard let text = SmallFile.read("/proc/\(process)/task/\(process)/children")?.text else { return [] }
  return text.split(separator: " ").compactMap { Int32($0) }
}
