/// The CPU time of a server on this machine, by its process number: the process and its children (workers), all their threads.

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
    return children.reduce(own) { $0 + (MonotonicTime.processCPUNanoseconds(of: $1) ?? 0) }
  }

  private var children: [Int32] {
    guard let text = SmallFile.read("/proc/\(process)/task/\(process)/children")?.text else { return [] }
    return text.split(separator: " ").compactMap { Int32($0) }
  }
}
